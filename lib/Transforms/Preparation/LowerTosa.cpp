//===- LowerTosa.cpp - From TOSA to structured operations -----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights are recognised by what structured operations compute, so TOSA has to
// become those first. Upstream's passes do that, but they also canonicalise,
// which merges equal constants that have no names yet. So a module without TOSA
// is not touched.
//
//===----------------------------------------------------------------------===//

#include "prune/Transforms/Preparation/Passes.h"

#include "mlir/Conversion/TosaToArith/TosaToArith.h"
#include "mlir/Conversion/TosaToLinalg/TosaToLinalg.h"
#include "mlir/Conversion/TosaToSCF/TosaToSCF.h"
#include "mlir/Conversion/TosaToTensor/TosaToTensor.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

namespace mlir::prune {
#define GEN_PASS_DEF_LOWERTOSAPASS
#include "prune/Transforms/Preparation/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;

static void addPasses(OpPassManager &pm) {
  // Validation would reject what still lowers.
  tosa::addTosaToLinalgPasses(pm, TosaToLinalgOptions(),
                              TosaToLinalgNamedOptions(), std::nullopt);
  pm.addPass(createTosaToArithPass({/*includeApplyRescale=*/true}));
  pm.addPass(createTosaToTensorPass());
  pm.addPass(createTosaToSCFPass());
  pm.addPass(createCSEPass()); // drops the shape constants of tosa
}

namespace {
struct LowerTosa : prune::impl::LowerTosaPassBase<LowerTosa> {
  using Base::Base;

  void getDependentDialects(DialectRegistry &registry) const override {
    OpPassManager pm(ModuleOp::getOperationName());
    addPasses(pm);
    pm.getDependentDialects(registry);
  }

  void runOnOperation() override {
    bool hasTosa =
        getOperation()
            ->walk([](Operation *op) {
              return isa_and_present<tosa::TosaDialect>(op->getDialect())
                         ? WalkResult::interrupt()
                         : WalkResult::advance();
            })
            .wasInterrupted();
    if (!hasTosa)
      return markAllAnalysesPreserved();
    OpPassManager pm(ModuleOp::getOperationName());
    addPasses(pm);
    if (failed(runPipeline(pm, getOperation())))
      signalPassFailure();
  }
};
} // namespace
