//===- PruneWeights.cpp - From a dense network to a masked one ------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Names, decides, folds. The canonicaliser comes last and is not needed: it
// only removes what folding left unused. Batch normalisations are no part of
// preparation: weights that they were multiplied into rank in another order,
// and worse, so they are folded when everything is decided.
//
//===----------------------------------------------------------------------===//

#include "prune/Pipelines/Pipelines.h"
#include "prune/Transforms/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::prune;

/// Lets weights of all forms become named constants of structured operations.
static void addWeightForms(OpPassManager &pm) {
  pm.addPass(createInlineGlobalsPass());
  pm.addPass(createLowerTosaPass());
  // Names must exist before anything merges or drops constants.
  pm.addPass(createNameWeightsPass());
}

void mlir::prune::buildPreparePipeline(OpPassManager &pm,
                                       const PrepareOptions &) {
  addWeightForms(pm);
  pm.addPass(createDropIdentitiesPass());
}

void mlir::prune::buildPruneWeightsPipeline(OpPassManager &pm,
                                            std::unique_ptr<Pass> mask) {
  addWeightForms(pm);
  pm.addPass(std::move(mask));
  FoldMasksPassOptions fold;
  fold.quiet = true; // masking has said it
  pm.addPass(createFoldMasksPass(fold));
  pm.addPass(createCanonicalizerPass());
}

void mlir::prune::buildPruneWeightsPipeline(
    OpPassManager &pm, const MaskWeightsPassOptions &options) {
  buildPruneWeightsPipeline(pm, createMaskWeightsPass(options));
}
