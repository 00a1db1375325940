//===- LegalizeScalars.cpp - Exact scalar arithmetic ----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Results must not depend on which operations happen to meet: a sum in bf16
// that is rounded after each step here, and only at the end there, would make
// two lowerings of one network disagree. So the permission to skip roundings,
// which upstream gives, is taken back before any folder can use it.
//
//===----------------------------------------------------------------------===//

#include "prune/Lowering/Passes.h"

#include "mlir/Conversion/MathToLibm/MathToLibm.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/DialectConversion.h"

namespace mlir::prune {
#define GEN_PASS_DEF_LEGALIZESCALARSPASS
#include "prune/Lowering/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;

/// Makes each conversion between floating-point types round. Other permissions
/// mean nothing for one, and the LLVM dialect cannot say them.
static void keepRoundings(Operation *op) {
  if (isa<arith::ExtFOp, arith::TruncFOp>(op))
    op->removeAttr(
        cast<arith::ArithFastMathInterface>(op).getFastMathAttrName());
}

/// Upstream's expansion is max(min(x, low), high), which is never below high.
static void expandClamp(math::ClampFOp op) {
  OpBuilder builder(op);
  Value atLeast = arith::MaximumFOp::create(builder, op.getLoc(), op.getValue(),
                                            op.getMin(), op.getFastmath());
  Value clamped = arith::MinimumFOp::create(builder, op.getLoc(), atLeast,
                                            op.getMax(), op.getFastmath());
  op.replaceAllUsesWith(clamped);
  op.erase();
}

/// Upstream lowers isnan and isfinite, but not this one.
static void expandIsInf(math::IsInfOp op) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  Type type = op.getOperand().getType();
  auto element = cast<FloatType>(getElementTypeOrSelf(type));
  TypedAttr value = builder.getFloatAttr(
      element, APFloat::getInf(element.getFloatSemantics()));
  if (auto shaped = dyn_cast<ShapedType>(type))
    value = DenseElementsAttr::get(shaped, value);
  Value infinity = arith::ConstantOp::create(builder, loc, value);
  Value magnitude = math::AbsFOp::create(builder, loc, op.getOperand());
  op.replaceAllUsesWith(arith::CmpFOp::create(builder, loc,
                                              arith::CmpFPredicate::OEQ,
                                              magnitude, infinity)
                            .getResult());
  op.erase();
}

namespace {
struct LegalizeScalars : prune::impl::LegalizeScalarsPassBase<LegalizeScalars> {
  using Base::Base;

  void runOnOperation() override {
    getOperation()->walk(keepRoundings);
    getOperation()->walk(expandClamp);
    getOperation()->walk(expandIsInf);
    RewritePatternSet patterns(&getContext());
    populateMathToLibmConversionPatterns(patterns);
    ConversionTarget target(getContext());
    target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
    target.addIllegalOp<math::ExpM1Op, math::Log1pOp>();
    if (failed(applyPartialConversion(getOperation(), target,
                                      std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
