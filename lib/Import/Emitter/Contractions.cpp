//===- Contractions.cpp - Reductions and matrix products ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sums, means, softmax, and products of matrices of any rank. A product whose
// right side is one matrix folds the batch into the rows, so that a weight
// stays a plain matrix; a transposed operand is read through its indexing map
// and never copied.
//
//===----------------------------------------------------------------------===//

#include "Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;

Tensor *Emitter::reduce(Tensor *x, ArrayRef<int64_t> axes, bool keepDims,
                        TypedAttr start, MapBody body) {
  if (!x)
    return nullptr;
  Sizes reduced, kept;
  for (auto [at, dim] : llvm::enumerate(x->dims)) {
    bool folds = llvm::is_contained(axes, at);
    if (!folds)
      reduced.push_back(dim);
    kept.push_back(folds ? size(1) : dim);
  }
  Value init = splat(reduced, x->type, start);
  Value source = value(x);
  if (state.failed)
    return nullptr;
  SmallVector<int64_t> sorted(axes);
  llvm::sort(sorted);
  auto op = linalg::ReduceOp::create(
      b, loc, source, init, sorted,
      [&](OpBuilder &nested, Location at, ValueRange v) {
        Scalar s(nested, at, isUnsigned(x->type));
        linalg::YieldOp::create(nested, at, body(s, v));
      });
  Tensor *result = make(op->getResult(0), x->type, reduced);
  return keepDims ? reshape(result, kept) : result;
}

Tensor *Emitter::sum(Tensor *x, ArrayRef<int64_t> axes, bool keepDims) {
  if (!x)
    return nullptr;
  return reduce(x, axes, keepDims, attribute(x->type, 0),
                [](Scalar &s, ValueRange v) { return s.add(v[0], v[1]); });
}

Tensor *Emitter::greatest(Tensor *x, ArrayRef<int64_t> axes, bool keepDims) {
  if (!x)
    return nullptr;
  return reduce(x, axes, keepDims, extreme(x->type, /*greatest=*/false),
                [](Scalar &s, ValueRange v) { return s.max(v[0], v[1]); });
}

Tensor *Emitter::mean(Tensor *x, ArrayRef<int64_t> axes, bool keepDims) {
  Tensor *total = sum(x, axes, keepDims);
  if (!total)
    return nullptr;
  AffineExpr count = size(1);
  for (int64_t axis : axes)
    count = count * x->dims[axis];
  if (std::optional<int64_t> value = known(count))
    return div(total, number(x->type, static_cast<double>(*value)));
  Value divisor = index(count);
  return map(total, x->type, [&](Scalar &s, ValueRange v) {
    return s.div(v[0], s.fromIndex(divisor, v[0].getType()));
  });
}

Tensor *Emitter::softmax(Tensor *x, int64_t axis, bool logarithm) {
  Tensor *shifted = sub(x, greatest(x, axis, /*keepDims=*/true));
  Tensor *exponents = unary("Exp", shifted);
  Tensor *total = sum(exponents, axis, /*keepDims=*/true);
  return logarithm ? sub(shifted, unary("Log", total)) : div(exponents, total);
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// The accumulator's type: integers narrower than 32 bits are widened.
static DataType productType(DataType type) {
  switch (type) {
  case DataType::Int8:
  case DataType::Int16:
    return DataType::Int32;
  case DataType::UInt8:
  case DataType::UInt16:
    return DataType::UInt32;
  default:
    return type;
  }
}

Tensor *Emitter::contract(Tensor *x, ArrayRef<unsigned> xDims, Tensor *y,
                          ArrayRef<unsigned> yDims,
                          ArrayRef<unsigned> resultDims, unsigned numDims) {
  if (!x || !y)
    return nullptr;
  DataType type = productType(x->type);
  Sizes sizes(numDims, size(1));
  for (auto [at, dim] : llvm::enumerate(xDims))
    sizes[dim] = x->dims[at];
  for (auto [at, dim] : llvm::enumerate(yDims)) {
    if (llvm::is_contained(xDims, dim)) {
      if (!requireEqual(sizes[dim], y->dims[at], "sizes of a contraction"))
        return nullptr;
      if (known(sizes[dim]))
        continue;
    }
    sizes[dim] = y->dims[at];
  }
  Sizes dims;
  for (unsigned dim : resultDims)
    dims.push_back(sizes[dim]);
  auto mapOf = [&](ArrayRef<unsigned> of) {
    return AffineMap::getMultiDimMapWithTargets(numDims, of, state.context);
  };
  SmallVector<utils::IteratorType> iterators;
  for (unsigned dim = 0; dim < numDims; ++dim)
    iterators.push_back(llvm::is_contained(resultDims, dim)
                            ? utils::IteratorType::parallel
                            : utils::IteratorType::reduction);
  Value init = splat(dims, type, 0.0);
  SmallVector<Value> inputs = {value(x), value(y)};
  if (state.failed)
    return nullptr;
  auto generic = linalg::GenericOp::create(
      b, loc, init.getType(), inputs, init,
      {mapOf(xDims), mapOf(yDims), mapOf(resultDims)}, iterators,
      [&](OpBuilder &nested, Location at, ValueRange v) {
        Scalar s(nested, at, isUnsigned(type));
        Type wide = v[2].getType();
        Value product = s.mul(s.cast(v[0], wide, isUnsigned(x->type)),
                              s.cast(v[1], wide, isUnsigned(y->type)));
        linalg::YieldOp::create(nested, at, s.add(v[2], product));
      });
  return make(generic.getResult(0), type, dims);
}

Tensor *Emitter::gemm(Tensor *x, Tensor *y, bool transposeX, bool transposeY) {
  if (!x || !y)
    return nullptr;
  if (productType(x->type) != x->type)
    return contract(
        x, transposeX ? ArrayRef<unsigned>{2, 0} : ArrayRef<unsigned>{0, 2}, y,
        transposeY ? ArrayRef<unsigned>{1, 2} : ArrayRef<unsigned>{2, 1},
        {0, 1}, 3);
  if (!requireEqual(x->dims[!transposeX], y->dims[transposeY],
                    "inner sizes of a product"))
    return nullptr;
  Sizes dims = {x->dims[transposeX], y->dims[!transposeY]};
  SmallVector<Value> inputs = {value(x), value(y)};
  Value init = splat(dims, x->type, 0.0);
  if (state.failed)
    return nullptr;
  auto op = linalg::MatmulOp::create(b, loc, init.getType(), inputs, init);
  if (transposeX || transposeY) {
    auto mapOf = [&](unsigned row, unsigned column) {
      return AffineMap::getMultiDimMapWithTargets(3, {row, column},
                                                  state.context);
    };
    op.setIndexingMapsAttr(b.getAffineMapArrayAttr(
        {transposeX ? mapOf(2, 0) : mapOf(0, 2),
         transposeY ? mapOf(1, 2) : mapOf(2, 1), mapOf(0, 1)}));
  }
  return make(op.getResult(0), x->type, dims);
}

/// One matrix for every batch, of equal batch sizes: a named batch_matmul.
static Tensor *batchMatmul(Emitter &e, Tensor *x, Tensor *y) {
  Sizes dims(x->dims);
  dims.back() = y->dims.back();
  auto flat = [&](Tensor *t) {
    ArrayRef<AffineExpr> sizes(t->dims);
    return e.reshape(
        t, {e.product(sizes.drop_back(2)), *(sizes.end() - 2), sizes.back()});
  };
  Tensor *left = flat(x);
  Tensor *right = flat(y);
  if (!left || !right ||
      !e.requireEqual(left->dims[2], right->dims[1],
                      "inner sizes of a product"))
    return nullptr;
  Sizes result = {left->dims[0], left->dims[1], right->dims[2]};
  SmallVector<Value> inputs = {e.value(left), e.value(right)};
  Value init = e.splat(result, x->type, 0.0);
  if (e.state.failed)
    return nullptr;
  auto op =
      linalg::BatchMatmulOp::create(e.b, e.loc, init.getType(), inputs, init);
  return e.reshape(e.make(op.getResult(0), x->type, result), dims);
}

Tensor *Emitter::matmul(Tensor *x, Tensor *y) {
  if (!x || !y)
    return nullptr;
  if (x->rank() == 0 || y->rank() == 0) {
    error() << "expects operands of rank 1 or more";
    return nullptr;
  }
  // A vector is a row on the left and a column on the right.
  if (x->rank() == 1) {
    Tensor *product = matmul(unsqueeze(x, 0), y);
    return product ? squeeze(product,
                             y->rank() == 1 ? int64_t(0) : product->rank() - 2)
                   : nullptr;
  }
  if (y->rank() == 1) {
    Tensor *product = matmul(x, unsqueeze(y, 1));
    return product ? squeeze(product, product->rank() - 1) : nullptr;
  }
  if (y->rank() == 2) {
    if (x->rank() == 2)
      return gemm(x, y, false, false);
    ArrayRef<AffineExpr> rows = ArrayRef(x->dims).drop_back();
    Sizes dims(rows.begin(), rows.end());
    dims.push_back(y->dims[1]);
    Tensor *flat = reshape(x, {product(rows), x->dims.back()});
    return reshape(gemm(flat, y, false, false), dims);
  }
  if (productType(x->type) == x->type && x->rank() == y->rank() &&
      llvm::equal(ArrayRef(x->dims).drop_back(2),
                  ArrayRef(y->dims).drop_back(2)))
    return batchMatmul(*this, x, y);

  std::optional<Sizes> batch =
      broadcast(ArrayRef(x->dims).drop_back(2), ArrayRef(y->dims).drop_back(2));
  if (!batch)
    return nullptr;
  unsigned rank = batch->size();
  SmallVector<unsigned> resultDims;
  for (unsigned dim = 0; dim < rank + 2; ++dim)
    resultDims.push_back(dim);
  auto stretch = [&](Tensor *t, SmallVector<unsigned> &dims) {
    SmallVector<int64_t> ones;
    unsigned offset = rank + 2 - t->rank();
    for (int64_t at = 0; at < t->rank() - 2; ++at) {
      if (t->dims[at] != (*batch)[offset + at])
        ones.push_back(at);
      else
        dims.push_back(offset + at);
    }
    return squeeze(t, ones);
  };
  SmallVector<unsigned> xDims, yDims;
  x = stretch(x, xDims);
  y = stretch(y, yDims);
  xDims.append({rank, rank + 2});
  yDims.append({rank + 2, rank + 1});
  return contract(x, xDims, y, yDims, resultDims, rank + 3);
}
