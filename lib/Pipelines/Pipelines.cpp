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

/// Registers a pipeline whose options can be out of range.
template <typename Options>
static void registerPipeline(
    StringRef name, StringRef description,
    LogicalResult (*build)(OpPassManager &, const Options &,
                           function_ref<LogicalResult(const Twine &)>)) {
  registerPassPipeline(
      name, description,
      [build](OpPassManager &pm, StringRef text,
              function_ref<LogicalResult(const Twine &)> emitError) {
        Options options;
        std::string message;
        llvm::raw_string_ostream os(message);
        if (failed(options.parseFromString(text, os)))
          return emitError(message);
        return build(pm, options, emitError);
      },
      [](function_ref<void(const detail::PassOptions &)> handler) {
        handler(Options());
      });
}

void mlir::prune::registerPrunePipelines() {
  PassPipelineRegistration<PruneWeightsOptions>(
      "prune-weights", "Name, mask and fold the weights of a network",
      buildPruneWeightsPipeline);
  registerPipeline<LowerToLLVMOptions>(
      "prune-lower-to-llvm",
      "Lower a module on tensors to the LLVM dialect, ready to run",
      buildLowerToLLVMPipeline);
}
