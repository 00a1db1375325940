//===- PruneChannels.cpp - From a dense network to a smaller one ----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The order matters: batch normalisations that were multiplied into weights
// change which channels are small, so they are folded when everything is
// decided.
//
//===----------------------------------------------------------------------===//

#include "prune/Pipelines/Pipelines.h"
#include "prune/Transforms/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::prune;

static MaskChannelsPassOptions
getMaskOptions(const PruneChannelsOptions &options) {
  MaskChannelsPassOptions mask;
  mask.criterion = options.criterion;
  mask.seed = options.seed;
  mask.granularity = options.granularity;
  mask.reshape = options.reshape;
  mask.ratio = options.ratio;
  mask.scope = options.scope;
  mask.targets.assign(options.targets.begin(), options.targets.end());
  mask.minChannels = options.minChannels;
  mask.maxRatio = options.maxRatio;
  mask.roundTo = options.roundTo;
  mask.merge = options.merge;
  mask.mergeThreshold = options.mergeThreshold;
  mask.exportSafe = options.exportSafe;
  mask.include = options.include;
  mask.exclude = options.exclude;
  return mask;
}

void mlir::prune::buildPruneChannelsPipeline(
    OpPassManager &pm, const PruneChannelsOptions &options) {
  buildPreparePipeline(pm, PrepareOptions());
  pm.addPass(createMaskChannelsPass(getMaskOptions(options)));
  FoldMasksPassOptions fold;
  fold.quiet = true; // masking has said it
  pm.addPass(createFoldMasksPass(fold));
  RemoveChannelsPassOptions remove;
  remove.exportSafe = options.exportSafe;
  remove.allowSignatureChange = options.allowSignatureChange;
  pm.addPass(createRemoveChannelsPass(remove));
  FoldBatchNormsPassOptions norms;
  norms.quiet = true; // most networks have none left
  pm.addPass(createFoldBatchNormsPass(norms));
  pm.addPass(createCanonicalizerPass());
}
