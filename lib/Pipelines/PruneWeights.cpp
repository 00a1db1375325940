//===- PruneWeights.cpp - From a dense network to a masked one ------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Names, decides, folds. The canonicaliser comes last and is not needed: it
// only removes what folding left unused.
//
//===----------------------------------------------------------------------===//

#include "prune/Pipelines/Pipelines.h"
#include "prune/Transforms/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::prune;

void mlir::prune::buildPruneWeightsPipeline(
    OpPassManager &pm, const PruneWeightsOptions &options) {
  // Names must exist before anything merges or drops constants.
  pm.addPass(createNameWeightsPass());

  MaskWeightsPassOptions mask;
  mask.criterion = options.criterion;
  mask.seed = options.seed;
  mask.pattern = options.pattern;
  mask.sparsity = options.sparsity;
  mask.threshold = options.threshold;
  mask.count = options.count;
  mask.scope = options.scope;
  mask.targets.assign(options.targets.begin(), options.targets.end());
  mask.minSize = options.minSize;
  mask.include = options.include;
  mask.exclude = options.exclude;
  pm.addPass(createMaskWeightsPass(mask));

  pm.addPass(createFoldMasksPass());
  pm.addPass(createCanonicalizerPass());
}
