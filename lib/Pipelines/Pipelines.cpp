//===- Pipelines.cpp - Registration of the pipelines ----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "prune/Pipelines/Pipelines.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"

using namespace mlir;
using namespace mlir::prune;

void mlir::prune::registerPrunePipelines() {
  PassPipelineRegistration<PruneWeightsOptions>(
      "prune-weights", "Name, mask and fold the weights of a network",
      buildPruneWeightsPipeline);
}
