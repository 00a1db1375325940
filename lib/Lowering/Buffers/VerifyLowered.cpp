//===- VerifyLowered.cpp - Check that nothing is left to lower ------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Upstream's conversions are partial: what they do not know stays, and shows up
// as an internal error of the translation to LLVM IR, if at all.
//
//===----------------------------------------------------------------------===//

#include "prune/Lowering/Passes.h"

namespace mlir::prune {
#define GEN_PASS_DEF_VERIFYLOWEREDPASS
#include "prune/Lowering/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;

/// Whether the translation to LLVM IR knows the operation.
static bool isLowered(Operation *op) {
  StringRef dialect = op->getName().getDialectNamespace();
  return isa<ModuleOp>(op) || dialect == "llvm" || dialect == "omp";
}

namespace {
struct VerifyLowered : prune::impl::VerifyLoweredPassBase<VerifyLowered> {
  using Base::Base;

  void runOnOperation() override {
    markAllAnalysesPreserved();
    // Casts between type systems only surround the culprit.
    Operation *cast = nullptr;
    WalkResult result = getOperation()->walk([&](Operation *op) {
      if (isLowered(op))
        return WalkResult::advance();
      if (isa<UnrealizedConversionCastOp>(op)) {
        cast = cast ? cast : op;
        return WalkResult::advance();
      }
      op->emitOpError("has no lowering to LLVM; rewrite it with other "
                      "operations first");
      return WalkResult::interrupt();
    });
    if (result.wasInterrupted())
      return signalPassFailure();
    if (!cast)
      return;
    cast->emitError("the type ")
        << cast->getOperand(0).getType() << " has no lowering to LLVM";
    signalPassFailure();
  }
};
} // namespace
