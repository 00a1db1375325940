//===- Movements.cpp - Reshape, slice, pad and their kin ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operations that move elements and compute nothing. Each is done at import on
// small known tensors, which is how arithmetic on shapes disappears, and is a
// tensor or linalg operation otherwise. A reshape is always expand_shape and
// collapse_shape: of the dims that change where they can be told apart by their
// sizes, known or not, else through one dim.
//
//===----------------------------------------------------------------------===//

#include "Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;

Tensor *Emitter::moved(Tensor *x, ArrayRef<AffineExpr> dims,
                       function_ref<int64_t(ArrayRef<int64_t>)> source) {
  std::optional<SmallVector<int64_t>> shape = known(dims);
  if (!x->contents || !shape || x->isNamed())
    return nullptr;
  int64_t count = 1;
  for (int64_t size : *shape)
    if (size < 0 || (count *= std::min(size, kMaxContents + 1)) > kMaxContents)
      return nullptr;
  Tensor *result = make(nullptr, x->type, dims);
  result->contents.emplace();
  forEachPosition(*shape, [&](ArrayRef<int64_t> at) {
    int64_t from = source(at);
    if (isFloat(x->type))
      result->contents->floats.push_back(x->contents->floats[from]);
    else
      result->contents->ints.push_back(x->contents->ints[from]);
  });
  return result;
}

/// Row-major strides; of static sizes, since the elements are known.
static SmallVector<int64_t> stridesOf(const Tensor &x) {
  SmallVector<int64_t> strides(x.rank(), 1);
  for (int64_t dim = x.rank() - 1; dim > 0; --dim)
    strides[dim - 1] = strides[dim] * Emitter::known(x.dims[dim]).value_or(1);
  return strides;
}

Tensor *Emitter::transpose(Tensor *x, ArrayRef<int64_t> permutation) {
  if (!x)
    return nullptr;
  Sizes dims;
  for (int64_t dim : permutation)
    dims.push_back(x->dims[dim]);
  SmallVector<int64_t> strides = stridesOf(*x);
  if (Tensor *folded = moved(x, dims, [&](ArrayRef<int64_t> at) {
        int64_t from = 0;
        for (auto [dim, target] : llvm::enumerate(permutation))
          from += at[dim] * strides[target];
        return from;
      }))
    return folded;
  if (llvm::equal(permutation, llvm::seq<int64_t>(0, permutation.size())))
    return x;
  return make(linalg::TransposeOp::create(b, loc, value(x),
                                          empty(dims, x->type), permutation)
                  ->getResult(0),
              x->type, dims);
}

//===----------------------------------------------------------------------===//
// Slices
//===----------------------------------------------------------------------===//

Tensor *Emitter::slice(Tensor *x, ArrayRef<AffineExpr> offsets,
                       ArrayRef<AffineExpr> sizes, ArrayRef<int64_t> steps) {
  if (!x)
    return nullptr;
  SmallVector<int64_t> strides = stridesOf(*x);
  if (std::optional<SmallVector<int64_t>> starts = known(offsets))
    if (Tensor *folded = moved(x, sizes, [&](ArrayRef<int64_t> at) {
          int64_t from = 0;
          for (unsigned dim = 0; dim < at.size(); ++dim)
            from += ((*starts)[dim] + at[dim] * steps[dim]) * strides[dim];
          return from;
        }))
      return folded;
  if (x->dims == sizes && llvm::all_of(steps, [](int64_t s) { return s > 0; }))
    return x;
  Value source = value(x);
  RankedTensorType type = typeOf(sizes, x->type);
  if (state.failed)
    return nullptr;
  // Of nothing, no slice that is not static lies within.
  if (llvm::is_contained(sizes, size(0)) ||
      llvm::is_contained(x->dims, size(0)))
    return make(empty(sizes, x->type), x->type, sizes);
  if (llvm::all_of(steps, [](int64_t step) { return step > 0; }))
    return make(tensor::ExtractSliceOp::create(b, loc, type, source,
                                               fold(offsets), fold(sizes),
                                               fold(steps)),
                x->type, sizes);
  SmallVector<Value> starts = llvm::map_to_vector(
      offsets, [&](AffineExpr offset) { return index(offset); });
  return generate(sizes, x->type, [&](Scalar &s, ValueRange at) {
    SmallVector<Value> from;
    for (unsigned dim = 0; dim < at.size(); ++dim)
      from.push_back(
          offsets[dim] == size(0) && steps[dim] == 1
              ? at[dim]
              : s.add(starts[dim], s.mul(at[dim], s.index(steps[dim]))));
    return s.extract(source, from);
  });
}

Tensor *Emitter::slice(Tensor *x, int64_t axis, AffineExpr offset,
                       AffineExpr extent) {
  if (!x)
    return nullptr;
  Sizes offsets(x->rank(), size(0));
  Sizes sizes(x->dims);
  offsets[axis] = offset;
  sizes[axis] = extent;
  return slice(x, offsets, sizes, SmallVector<int64_t>(x->rank(), 1));
}

/// Parts of rank one whose elements are all known, joined.
static Tensor *concatKnown(Emitter &e, ArrayRef<Tensor *> parts) {
  Contents contents;
  for (Tensor *part : parts) {
    if (!part->contents || part->rank() != 1)
      return nullptr;
    llvm::append_range(contents.ints, part->contents->ints);
    llvm::append_range(contents.floats, part->contents->floats);
  }
  int64_t count = std::max(contents.ints.size(), contents.floats.size());
  if (count > kMaxContents)
    return nullptr;
  Tensor *result = e.make(nullptr, parts[0]->type, e.size(count));
  result->contents = std::move(contents);
  return result;
}

Tensor *Emitter::concat(ArrayRef<Tensor *> parts, int64_t axis) {
  if (llvm::is_contained(parts, nullptr))
    return nullptr;
  if (parts.size() == 1)
    return parts[0];
  if (Tensor *folded = concatKnown(*this, parts))
    return folded;
  Sizes dims = parts[0]->dims;
  for (Tensor *part : parts.drop_front()) {
    for (auto [at, dim] : llvm::enumerate(part->dims)) {
      if (static_cast<int64_t>(at) == axis)
        dims[at] = dims[at] + dim;
      else if (!requireEqual(dims[at], dim, "sizes of concatenated tensors"))
        return nullptr;
      else if (known(dim))
        dims[at] = dim;
    }
  }
  SmallVector<Value> values =
      llvm::map_to_vector(parts, [&](Tensor *part) { return value(part); });
  RankedTensorType type = typeOf(dims, parts[0]->type);
  if (state.failed)
    return nullptr;
  return make(tensor::ConcatOp::create(b, loc, type, axis, values),
              parts[0]->type, dims);
}

Tensor *Emitter::pad(Tensor *x, ArrayRef<AffineExpr> low,
                     ArrayRef<AffineExpr> high, double value) {
  return x ? pad(x, low, high, attribute(x->type, value)) : nullptr;
}

Tensor *Emitter::pad(Tensor *x, ArrayRef<AffineExpr> low,
                     ArrayRef<AffineExpr> high, TypedAttr value) {
  if (!x)
    return nullptr;
  Sizes dims;
  bool padded = false;
  for (auto [at, dim] : llvm::enumerate(x->dims)) {
    dims.push_back(low[at] + dim + high[at]);
    padded |= low[at] != size(0) || high[at] != size(0);
  }
  if (!padded)
    return x;
  RankedTensorType type = typeOf(dims, x->type);
  Value source = this->value(x);
  if (state.failed)
    return nullptr;
  // Of nothing, only the padding is there.
  if (llvm::is_contained(x->dims, size(0)))
    return make(splat(dims, x->type, value), x->type, dims);
  Value constant = arith::ConstantOp::create(b, loc, value);
  return make(tensor::PadOp::create(b, loc, type, source, fold(low), fold(high),
                                    constant),
              x->type, dims);
}

Tensor *Emitter::expand(Tensor *x, ArrayRef<AffineExpr> dims) {
  if (!x || x->dims == dims)
    return x;
  SmallVector<int64_t> strides = stridesOf(*x);
  if (Tensor *folded = moved(x, dims, [&](ArrayRef<int64_t> at) {
        int64_t from = 0;
        unsigned offset = at.size() - x->rank();
        for (auto [dim, size] : llvm::enumerate(x->dims))
          if (known(size) != 1)
            from += at[offset + dim] * strides[dim];
        return from;
      }))
    return folded;
  Value init = empty(dims, x->type);
  if (state.failed)
    return nullptr;
  SmallVector<AffineMap> maps(1);
  Value source = operandOf(x, dims, maps[0]);
  maps.push_back(AffineMap::getMultiDimIdentityMap(dims.size(), state.context));
  SmallVector<utils::IteratorType> iterators(dims.size(),
                                             utils::IteratorType::parallel);
  auto generic = linalg::GenericOp::create(
      b, loc, init.getType(), source, init, maps, iterators,
      [](OpBuilder &nested, Location at, ValueRange arguments) {
        linalg::YieldOp::create(nested, at, arguments[0]);
      });
  return make(generic.getResult(0), x->type, dims);
}
