//===- InitAll.cpp - Register everything ----------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one place that knows all libraries.
//
//===----------------------------------------------------------------------===//

#include "prune/InitAll.h"

#include "prune/Calibration/Passes.h"
#include "prune/Conversion/Bufferization.h"
#include "prune/Conversion/Passes.h"
#include "prune/IR/ExternalModels.h"
#include "prune/IR/Prune.h"
#include "prune/Lowering/Passes.h"
#include "prune/Pipelines/Pipelines.h"
#include "prune/Report/Passes.h"
#include "prune/TransformOps/PruneTransformOps.h"
#include "prune/Transforms/Passes.h"

using namespace mlir;

void prune::registerAllDialects(DialectRegistry &registry) {
  registry.insert<PruneDialect>();
  registerTransformDialectExtension(registry);
  registerExternalModels(registry);
  registerBufferizableOpInterfaceExternalModels(registry);
  registerSliceBufferizationModels(registry);
  registerObserveBufferizationModel(registry);
  registerPluginDialects(registry);
}

void prune::registerAllPasses() {
  registerPruneWeightsPasses();
  registerPruneChannelsPasses();
  registerPrunePreparationPasses();
  registerPruneLoweringPasses();
  registerPruneConversionPasses();
  registerPruneReportPasses();
  registerPruneCalibrationPasses();
  registerPrunePipelines();
}
