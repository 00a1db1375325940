//===- Pipelines.cpp - Registration of the pipelines ----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "prune/Pipelines/Pipelines.h"
#include "prune/Transforms/Weights/Passes.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"

using namespace mlir;
using namespace mlir::prune;

/// Upstream ends the process if a pipeline of module passes is nested in
/// another operation; this reports it.
static LogicalResult
checkAnchor(OpPassManager &pm,
            function_ref<LogicalResult(const Twine &)> emitError) {
  std::optional<StringRef> anchor = pm.getOpName();
  if (!anchor || *anchor == ModuleOp::getOperationName())
    return success();
  return emitError("is a pipeline for builtin.module, not for " + *anchor);
}

/// Registers a pipeline of module passes. Options can be out of range.
template <typename Options>
static void registerPipeline(
    StringRef name, StringRef description,
    LogicalResult (*build)(OpPassManager &, const Options &,
                           function_ref<LogicalResult(const Twine &)>)) {
  registerPassPipeline(
      name, description,
      [build](OpPassManager &pm, StringRef text,
              function_ref<LogicalResult(const Twine &)> emitError) {
        if (failed(checkAnchor(pm, emitError)))
          return failure();
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

template <LoweringStage Stage>
static void registerStage(StringRef name, StringRef description) {
  registerPipeline<LowerToLLVMOptions>(
      name, description,
      [](OpPassManager &pm, const LowerToLLVMOptions &options,
         function_ref<LogicalResult(const Twine &)> emitError) {
        return buildLoweringStage(pm, Stage, options, emitError);
      });
}

void mlir::prune::registerPrunePipelines() {
  registerPipeline<PrepareOptions>(
      "prune-prepare",
      "Make a network ready to be pruned: constants for globals, linalg for "
      "TOSA, names for weights, no identities",
      [](OpPassManager &pm, const PrepareOptions &options,
         function_ref<LogicalResult(const Twine &)>) {
        buildPreparePipeline(pm, options);
        return success();
      });
  // One list of options, which is the pass's.
  registerPassPipeline(
      "prune-weights",
      "Name, mask and fold the weights of a network; the options are those of "
      "prune-mask-weights",
      [](OpPassManager &pm, StringRef text,
         function_ref<LogicalResult(const Twine &)> emitError) {
        std::unique_ptr<Pass> mask = createMaskWeightsPass();
        if (failed(checkAnchor(pm, emitError)) ||
            failed(mask->initializeOptions(text, emitError)))
          return failure();
        buildPruneWeightsPipeline(pm, std::move(mask));
        return success();
      },
      [](function_ref<void(const detail::PassOptions &)>) {});
  registerPipeline<PruneChannelsOptions>(
      "prune-channels",
      "Prepare a network, decide which channels leave, and remove them",
      [](OpPassManager &pm, const PruneChannelsOptions &options,
         function_ref<LogicalResult(const Twine &)>) {
        buildPruneChannelsPipeline(pm, options);
        return success();
      });
  registerStage<LoweringStage::Structure>(
      "prune-lower-structure", "Lower to linalg structured operations on "
                               "tensors: first stage of prune-lower-to-llvm");
  registerStage<LoweringStage::Bufferize>(
      "prune-lower-bufferize", "Lower tensors to buffers, each freed once: "
                               "second stage of prune-lower-to-llvm");
  registerStage<LoweringStage::Loops>(
      "prune-lower-loops", "Lower to loops over scalars and vectors: third "
                           "stage of prune-lower-to-llvm");
  registerStage<LoweringStage::LLVM>(
      "prune-lower-llvm", "Lower loops to the LLVM dialect: last stage of "
                          "prune-lower-to-llvm");
  registerPipeline<LowerToLLVMOptions>(
      "prune-lower-to-llvm",
      "Lower a module on tensors to the LLVM dialect, ready to run",
      buildLowerToLLVMPipeline);
}
