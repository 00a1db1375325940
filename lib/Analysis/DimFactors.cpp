//===- DimFactors.cpp - Where a reshaped tensor's indices come from -------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An expansion cuts a number into shorter ones from its last factor on; a
// factor itself is cut where a part ends within it, if the sizes divide.
//
//===----------------------------------------------------------------------===//

#include "prune/Analysis/DimFactors.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::prune;

DimFactors::DimFactors(RankedTensorType type) {
  for (auto [dim, size] : llvm::enumerate(type.getShape())) {
    SmallVector<Factor> &list = factors.emplace_back();
    if (size != 1)
      list.push_back({unsigned(dim), 1, size});
  }
}

/// Cuts `size` off the end of `list`; false if no factors make it up.
static bool takeFromEnd(SmallVectorImpl<Factor> &list, int64_t size,
                        SmallVectorImpl<Factor> &part) {
  if (ShapedType::isDynamic(size)) {
    part.assign(list.begin(), list.end());
    list.clear();
    return true;
  }
  while (size != 1) {
    if (list.empty() || ShapedType::isDynamic(list.back().size))
      return false;
    Factor &last = list.back();
    if (size % last.size == 0) {
      size /= last.size;
      part.insert(part.begin(), last);
      list.pop_back();
      continue;
    }
    if (last.size % size != 0)
      return false;
    part.insert(part.begin(), {last.dim, last.stride, size});
    last.stride *= size;
    last.size /= size;
    size = 1;
  }
  return true;
}

bool DimFactors::expand(ArrayRef<ReassociationIndices> groups,
                        ArrayRef<int64_t> shape) {
  SmallVector<SmallVector<Factor>> result(shape.size());
  for (auto [source, group] : llvm::enumerate(groups)) {
    SmallVector<Factor> rest = factors[source];
    for (int64_t dim : llvm::reverse(group))
      if (!takeFromEnd(rest, shape[dim], result[dim]))
        return false;
    if (!rest.empty())
      return false;
  }
  factors = std::move(result);
  return true;
}

void DimFactors::collapse(ArrayRef<ReassociationIndices> groups) {
  SmallVector<SmallVector<Factor>> result;
  for (const ReassociationIndices &group : groups) {
    SmallVector<Factor> &list = result.emplace_back();
    for (int64_t dim : group)
      llvm::append_range(list, factors[dim]);
  }
  factors = std::move(result);
}

void DimFactors::transpose(ArrayRef<int64_t> permutation) {
  SmallVector<SmallVector<Factor>> result;
  for (int64_t dim : permutation)
    result.push_back(factors[dim]);
  factors = std::move(result);
}

bool DimFactors::follow(Operation *op) {
  if (isa<arith::ExtFOp, arith::TruncFOp, tensor::CastOp>(op))
    return true;
  if (auto transposeOp = dyn_cast<linalg::TransposeOp>(op)) {
    transpose(transposeOp.getPermutation());
    return true;
  }
  if (auto expandOp = dyn_cast<tensor::ExpandShapeOp>(op))
    return expand(expandOp.getReassociationIndices(),
                  expandOp.getResultType().getShape());
  if (auto collapseOp = dyn_cast<tensor::CollapseShapeOp>(op)) {
    collapse(collapseOp.getReassociationIndices());
    return true;
  }
  if (auto broadcast = dyn_cast<linalg::BroadcastOp>(op)) {
    SmallVector<SmallVector<Factor>> result = factors;
    auto type = cast<RankedTensorType>(broadcast.getInit().getType());
    for (int64_t dim : broadcast.getDimensions()) {
      if (type.getDimSize(dim) != 1)
        return false;
      result.insert(result.begin() + dim, SmallVector<Factor>());
    }
    factors = std::move(result);
    return true;
  }
  return false;
}
