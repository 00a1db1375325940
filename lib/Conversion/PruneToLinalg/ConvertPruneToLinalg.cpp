//===- ConvertPruneToLinalg.cpp - Run-time scores and masks ---------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scores and applications are elementwise generics; the ranking has a file of
// its own. Scores are computed in f64 and rounded once, as for constants.
//
//===----------------------------------------------------------------------===//

#include "MaskToLinalg.h"

#include "prune/Conversion/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::prune {
#define GEN_PASS_DEF_CONVERTPRUNETOLINALGPASS
#include "prune/Conversion/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;
using namespace mlir::prune;

/// Converts between floating-point types; a no-op for equal ones.
static Value convertFloat(OpBuilder &b, Location loc, Type type, Value value) {
  unsigned from = value.getType().getIntOrFloatBitWidth();
  unsigned to = type.getIntOrFloatBitWidth();
  if (from == to)
    return value;
  if (from < to)
    return arith::ExtFOp::create(b, loc, type, value);
  return arith::TruncFOp::create(b, loc, type, value);
}

/// Sums f64 scores over `dims` in row-major order.
static Value reduce(OpBuilder &builder, Location loc, Value scores,
                    ArrayRef<int64_t> dims, ArrayRef<int64_t> shape) {
  Type f64 = builder.getF64Type();
  int64_t rank = cast<RankedTensorType>(scores.getType()).getRank();
  Value zero =
      arith::ConstantOp::create(builder, loc, builder.getF64FloatAttr(0.0));
  Value init = tensor::EmptyOp::create(builder, loc, shape, f64);
  init = linalg::FillOp::create(builder, loc, zero, init).getResult(0);
  SmallVector<utils::IteratorType> loops;
  SmallVector<AffineExpr> kept;
  for (int64_t d = 0; d < rank; ++d) {
    bool isReduced = llvm::is_contained(dims, d);
    loops.push_back(isReduced ? utils::IteratorType::reduction
                              : utils::IteratorType::parallel);
    if (!isReduced)
      kept.push_back(builder.getAffineDimExpr(d));
  }
  SmallVector<AffineMap> maps = {
      builder.getMultiDimIdentityMap(rank),
      AffineMap::get(rank, 0, kept, builder.getContext())};
  return linalg::GenericOp::create(
             builder, loc, init.getType(), scores, init, maps, loops,
             [](OpBuilder &b, Location loc, ValueRange args) {
               Value sum = arith::AddFOp::create(b, loc, args[1], args[0]);
               linalg::YieldOp::create(b, loc, sum);
             })
      .getResult(0);
}

static FailureOr<Value> lowerScore(OpBuilder &builder, ScoreOp op) {
  Location loc = op.getLoc();
  auto type = cast<RankedTensorType>(op.getTensor().getType());
  auto resultType = cast<RankedTensorType>(op.getScores().getType());
  SmallVector<int64_t> reduced = op.getReducedDims();
  Type f64 = builder.getF64Type();
  Type scoreType = reduced.empty() ? resultType.getElementType() : f64;
  bool isSupported = true;
  Value scores = buildElementwise(
      builder, loc, type.clone(scoreType), op.getTensor(),
      [&](OpBuilder &b, ValueRange elements, ValueRange indices) -> Value {
        Value element = convertFloat(b, loc, f64, elements[0]);
        Value index = buildLinearIndex(b, loc, indices, type.getShape());
        Value score = op.getCriterion().buildScore(
            b, loc,
            {element, index, type.getShape(), op.getWeight().value_or(""),
             op.getStatistics()});
        isSupported = bool(score);
        return convertFloat(b, loc, scoreType, isSupported ? score : element);
      });
  if (!isSupported)
    return op.emitError("criterion ")
           << op.getCriterion()
           << " works on constant weights only; fold with prune-fold-masks";
  if (reduced.empty())
    return scores;
  scores = reduce(builder, loc, scores, reduced, resultType.getShape());
  if (resultType.getElementType() == f64)
    return scores;
  return buildElementwise(
      builder, loc, resultType, scores,
      [&](OpBuilder &b, ValueRange elements, ValueRange) {
        return convertFloat(b, loc, resultType.getElementType(), elements[0]);
      });
}

static Value lowerApply(OpBuilder &builder, ApplyOp op) {
  Location loc = op.getLoc();
  auto type = cast<RankedTensorType>(op.getTensor().getType());
  SmallVector<AffineExpr> maskDims;
  for (int64_t dim : op.getMaskDims())
    maskDims.push_back(builder.getAffineDimExpr(dim));
  AffineMap identity = builder.getMultiDimIdentityMap(type.getRank());
  SmallVector<AffineMap> maps = {
      identity,
      AffineMap::get(type.getRank(), 0, maskDims, builder.getContext()),
      identity};
  SmallVector<utils::IteratorType> loops(type.getRank(),
                                         utils::IteratorType::parallel);
  Value init = tensor::EmptyOp::create(builder, loc, type.getShape(),
                                       type.getElementType());
  auto generic = linalg::GenericOp::create(
      builder, loc, type, ValueRange{op.getTensor(), op.getMask()}, init, maps,
      loops, [&](OpBuilder &b, Location loc, ValueRange args) {
        Value zero = arith::ConstantOp::create(
            b, loc, b.getZeroAttr(type.getElementType()));
        Value kept = arith::SelectOp::create(b, loc, args[1], args[0], zero);
        linalg::YieldOp::create(b, loc, kept);
      });
  return generic.getResult(0);
}

namespace {
struct ConvertPruneToLinalg
    : prune::impl::ConvertPruneToLinalgPassBase<ConvertPruneToLinalg> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation()->walk([&](Operation *op) {
      if (isa<ScoreOp, MaskOp, ApplyOp>(op))
        ops.push_back(op);
    });
    bool hasFailed = false;
    for (Operation *op : ops)
      hasFailed |= lower(op).failed();
    if (hasFailed)
      signalPassFailure();
  }

private:
  LogicalResult lower(Operation *op) {
    OpBuilder builder(op);
    if (auto score = dyn_cast<ScoreOp>(op)) {
      FailureOr<Value> value = lowerScore(builder, score);
      if (failed(value))
        return failure();
      score.getScores().replaceAllUsesWith(*value);
    } else if (auto mask = dyn_cast<MaskOp>(op)) {
      FailureOr<SmallVector<Value>> masks = buildMasks(builder, mask);
      if (failed(masks))
        return failure();
      mask->replaceAllUsesWith(*masks);
    } else {
      auto apply = cast<ApplyOp>(op);
      apply.getResult().replaceAllUsesWith(lowerApply(builder, apply));
    }
    op->erase();
    return success();
  }
};
} // namespace
