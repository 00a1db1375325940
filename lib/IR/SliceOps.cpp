//===- SliceOps.cpp - Operations on many slices ---------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each slice is verified as one of tensor.insert_slice would be, and a message
// says which one it is about.
//
//===----------------------------------------------------------------------===//

#include "prune/IR/SliceOps.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;
using namespace mlir::prune;

void InsertSlicesOp::build(OpBuilder &builder, OperationState &state,
                           ValueRange sources, Value dest,
                           ArrayRef<OpFoldResult> offsets,
                           ArrayRef<OpFoldResult> sizes,
                           ArrayRef<OpFoldResult> strides) {
  SmallVector<int64_t> statics[3];
  SmallVector<Value> dynamics[3];
  ArrayRef<OpFoldResult> lists[] = {offsets, sizes, strides};
  for (auto [index, mixed] : llvm::enumerate(lists))
    dispatchIndexOpFoldResults(mixed, dynamics[index], statics[index]);
  build(builder, state, dest.getType(), sources, dest, dynamics[0], dynamics[1],
        dynamics[2], statics[0], statics[1], statics[2]);
}

SmallVector<OpFoldResult> InsertSlicesOp::getMixedOffsets() {
  return ::mlir::getMixedValues(getStaticOffsets(), getOffsets(), getContext());
}

SmallVector<OpFoldResult> InsertSlicesOp::getMixedSizes() {
  return ::mlir::getMixedValues(getStaticSizes(), getSizes(), getContext());
}

SmallVector<OpFoldResult> InsertSlicesOp::getMixedStrides() {
  return ::mlir::getMixedValues(getStaticStrides(), getStrides(), getContext());
}

/// Whether there are `count` positions of at least `least`, and values for
/// those that are open.
static LogicalResult verifyList(InsertSlicesOp op, StringRef name,
                                ArrayRef<int64_t> positions, size_t numValues,
                                size_t count, std::optional<int64_t> least) {
  if (positions.size() != count)
    return op.emitOpError("expects ")
           << count << " " << name << ", one per source and dimension, but got "
           << positions.size();
  size_t numOpen = llvm::count_if(positions, ShapedType::isDynamic);
  if (numOpen != numValues)
    return op.emitOpError("expects ")
           << numOpen << " values of " << name << " but got " << numValues;
  for (int64_t position : positions)
    if (least && !ShapedType::isDynamic(position) && position < *least)
      return op.emitOpError("expects ")
             << name << " of at least " << *least << " but got " << position;
  return success();
}

LogicalResult InsertSlicesOp::verify() {
  auto type = cast<RankedTensorType>(getDest().getType());
  size_t rank = type.getRank(), count = getSources().size() * rank;
  if (failed(verifyList(*this, "offsets", getStaticOffsets(),
                        getOffsets().size(), count, 0)) ||
      failed(verifyList(*this, "sizes", getStaticSizes(), getSizes().size(),
                        count, 0)) ||
      failed(verifyList(*this, "strides", getStaticStrides(),
                        getStrides().size(), count, std::nullopt)))
    return failure();
  for (auto [index, source] : llvm::enumerate(getSources())) {
    ArrayRef<int64_t> sizes = getStaticSizes().slice(index * rank, rank);
    auto slice = RankedTensorType::get(sizes, type.getElementType());
    auto sourceType = cast<RankedTensorType>(source.getType());
    if (isRankReducedType(slice, sourceType) !=
        SliceVerificationResult::Success)
      return emitOpError("expects source ")
             << index << " to be " << slice << " or that without dimensions "
             << "of size one but got " << sourceType;
    SliceBoundsVerificationResult bounds = verifyInBoundsSlice(
        type.getShape(), getStaticOffsets().slice(index * rank, rank), sizes,
        getStaticStrides().slice(index * rank, rank),
        /*generateErrorMessage=*/true);
    if (!bounds.isValid)
      return emitOpError("expects source ")
             << index << " to be within bounds: " << bounds.errorMessage;
  }
  return success();
}

#define GET_OP_CLASSES
#include "prune/IR/PruneSliceOps.cpp.inc"
