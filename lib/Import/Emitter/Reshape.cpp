//===- Reshape.cpp - Reshapes ---------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A reshape becomes a collapse and an expansion of the shortest runs of dims
// that hold the same elements: what prunes and fuses follows those, and an
// expansion of a run with several open sizes, which says less, is rarely
// needed.
//
//===----------------------------------------------------------------------===//

#include "Emitter.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;

namespace {
/// A product of sizes: a number, and sizes that are not known in a fixed order.
/// Equal products are equal, however they were multiplied.
struct DimProduct {
  int64_t number = 1;
  SmallVector<const void *> rest;

  void multiply(AffineExpr size) {
    SmallVector<AffineExpr> work = {size};
    while (!work.empty()) {
      AffineExpr factor = work.pop_back_val();
      auto binary = dyn_cast<AffineBinaryOpExpr>(factor);
      if (std::optional<int64_t> value = Emitter::known(factor)) {
        number = llvm::MulOverflow(number, *value, number) ? -1 : number;
      } else if (binary && factor.getKind() == AffineExprKind::Mul) {
        work.push_back(binary.getLHS());
        work.push_back(binary.getRHS());
      } else {
        rest.push_back(factor.getAsOpaquePointer());
      }
    }
    llvm::sort(rest);
  }
  bool operator==(const DimProduct &other) const {
    return number == other.number && rest == other.rest;
  }
};
} // namespace

/// The products of the first 0, 1, 2 ... sizes.
static SmallVector<DimProduct> prefixesOf(ArrayRef<AffineExpr> sizes) {
  SmallVector<DimProduct> prefixes(1);
  for (AffineExpr size : sizes) {
    DimProduct next = prefixes.back();
    next.multiply(size);
    prefixes.push_back(std::move(next));
  }
  return prefixes;
}

/// Splits two shapes into the shortest runs of dims with equal products. What
/// remains at the end, such as dims of size one, belongs to the last run.
static void matchRuns(ArrayRef<AffineExpr> from, ArrayRef<AffineExpr> to,
                      SmallVector<ReassociationIndices> &fromRuns,
                      SmallVector<ReassociationIndices> &toRuns) {
  SmallVector<DimProduct> fromPrefixes = prefixesOf(from);
  SmallVector<DimProduct> toPrefixes = prefixesOf(to);
  size_t fromStart = 0, toStart = 0;
  auto append = [](SmallVector<ReassociationIndices> &runs, size_t start,
                   size_t end) {
    auto &run = runs.emplace_back();
    for (size_t at = start; at < end; ++at)
      run.push_back(at);
  };
  for (size_t i = 1; i <= from.size(); ++i) {
    size_t j = toStart + 1;
    while (j <= to.size() && !(toPrefixes[j] == fromPrefixes[i]))
      ++j;
    if (j > to.size())
      continue;
    append(fromRuns, fromStart, i);
    append(toRuns, toStart, j);
    fromStart = i;
    toStart = j;
  }
  if (fromRuns.empty()) {
    append(fromRuns, 0, 0);
    append(toRuns, 0, 0);
  }
  for (size_t i = fromStart; i < from.size(); ++i)
    fromRuns.back().push_back(i);
  for (size_t j = toStart; j < to.size(); ++j)
    toRuns.back().push_back(j);
}

static bool hasLonger(ArrayRef<ReassociationIndices> runs) {
  return llvm::any_of(runs, [](const auto &run) { return run.size() > 1; });
}

/// Collapses, then expands, where a run asks for it.
static Value reshapeByRuns(Emitter &e, Value x, Tensor *tensor,
                           ArrayRef<AffineExpr> dims,
                           ArrayRef<ReassociationIndices> fromRuns,
                           ArrayRef<ReassociationIndices> toRuns) {
  Sizes middle;
  for (auto [fromRun, toRun] : llvm::zip(fromRuns, toRuns)) {
    AffineExpr size = e.size(1);
    if (fromRun.size() == 1)
      size = tensor->dims[fromRun[0]];
    else if (toRun.size() == 1)
      size = dims[toRun[0]];
    else
      for (int64_t dim : fromRun)
        size = size * tensor->dims[dim];
    middle.push_back(size);
  }
  if (hasLonger(fromRuns))
    x = tensor::CollapseShapeOp::create(
        e.b, e.loc, e.typeOf(middle, tensor->type), x, fromRuns);
  if (hasLonger(toRuns))
    x = tensor::ExpandShapeOp::create(e.b, e.loc, e.typeOf(dims, tensor->type),
                                      x, toRuns, e.fold(dims));
  return x;
}

Tensor *Emitter::reshape(Tensor *x, ArrayRef<AffineExpr> dims) {
  if (!x)
    return nullptr;
  for (Tensor *same = x; same; same = same->source)
    if (same->dims == dims)
      return same;
  // Refuses sizes whose product is too large to count with.
  RankedTensorType type = typeOf(dims, x->type);
  if (state.failed)
    return nullptr;
  SmallVector<int64_t> strides;
  if (std::optional<SmallVector<int64_t>> shape = known(dims)) {
    strides.assign(shape->size(), 1);
    for (int64_t dim = shape->size(); dim-- > 1;)
      strides[dim - 1] = strides[dim] * (*shape)[dim];
  }
  if (Tensor *folded = moved(x, dims, [&](ArrayRef<int64_t> at) {
        int64_t from = 0;
        for (auto [position, stride] : llvm::zip(at, strides))
          from += position * stride;
        return from;
      }))
    return folded;

  Value source = value(x);
  if (state.failed)
    return nullptr;
  if (llvm::is_contained(dims, size(0)))
    return make(empty(dims, x->type), x->type, dims);
  SmallVector<ReassociationIndices> fromRuns, toRuns;
  if (x->dims.empty())
    return make(tensor::ExpandShapeOp::create(b, loc, type, source,
                                              ArrayRef<ReassociationIndices>(),
                                              fold(dims)),
                x->type, dims);
  if (dims.empty())
    return make(tensor::CollapseShapeOp::create(
                    b, loc, type, source, ArrayRef<ReassociationIndices>()),
                x->type, dims);
  matchRuns(x->dims, dims, fromRuns, toRuns);
  Tensor *result = make(reshapeByRuns(*this, source, x, dims, fromRuns, toRuns),
                        x->type, dims);
  result->source = x;
  return result;
}

Tensor *Emitter::squeeze(Tensor *x, ArrayRef<int64_t> axes) {
  if (!x)
    return nullptr;
  Sizes dims;
  for (auto [at, dim] : llvm::enumerate(x->dims))
    if (!llvm::is_contained(axes, at))
      dims.push_back(dim);
  return reshape(x, dims);
}

Tensor *Emitter::unsqueeze(Tensor *x, ArrayRef<int64_t> axes) {
  if (!x)
    return nullptr;
  Sizes dims;
  unsigned next = 0;
  for (unsigned at = 0; at < x->dims.size() + axes.size(); ++at)
    dims.push_back(llvm::is_contained(axes, at) ? size(1) : x->dims[next++]);
  return reshape(x, dims);
}
