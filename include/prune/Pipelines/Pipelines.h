//===- Pipelines.h - The orders of passes -----------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Only here is an order of passes written down.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_PIPELINES_PIPELINES_H
#define PRUNE_PIPELINES_PIPELINES_H

#include "mlir/Pass/PassOptions.h"
#include "mlir/Support/LLVM.h"

namespace mlir {
class OpPassManager;
class Pass;

namespace prune {
struct MaskWeightsPassOptions;

/// Options of `--prune-prepare`: none yet.
struct PrepareOptions : PassPipelineOptions<PrepareOptions> {};

/// What comes before any decision, whatever the network is made of: constants
/// for globals, linalg for TOSA, names for weights, no identities between what
/// belongs together.
void buildPreparePipeline(OpPassManager &pm, const PrepareOptions &options);

/// Inline globals, lower TOSA, name, mask, fold, canonicalise. The options of
/// `--prune-weights` are those of `prune-mask-weights`.
void buildPruneWeightsPipeline(OpPassManager &pm,
                               const MaskWeightsPassOptions &options);

/// The same with a pass `prune-mask-weights` that has its options.
void buildPruneWeightsPipeline(OpPassManager &pm, std::unique_ptr<Pass> mask);

/// Options of `--prune-channels`; they mean what they mean for
/// `prune-mask-channels` and `prune-remove-channels`.
struct PruneChannelsOptions : PassPipelineOptions<PruneChannelsOptions> {
  PassOptions::Option<std::string> criterion{
      *this, "criterion",
      llvm::cl::desc(
          "l1, l2, random, scale, geometric-median, mean-activation, "
          "zero-share, removal-cost, or an attribute"),
      llvm::cl::init("l2")};
  PassOptions::Option<uint64_t> seed{
      *this, "seed", llvm::cl::desc("Seed of the random criterion"),
      llvm::cl::init(0)};
  PassOptions::Option<std::string> granularity{
      *this, "granularity", llvm::cl::desc("channel, head or block"),
      llvm::cl::init("channel")};
  PassOptions::Option<std::string> reshape{
      *this, "reshape",
      llvm::cl::desc("Which dimension of a reshape carries channels where "
                     "several could: outer or inner"),
      llvm::cl::init("outer")};
  PassOptions::Option<double> ratio{
      *this, "ratio",
      llvm::cl::desc("Fraction of the channels to remove, in [0, 1)"),
      llvm::cl::init(0.0)};
  PassOptions::Option<std::string> scope{
      *this, "scope", llvm::cl::desc("local, global or isomorphic ranking"),
      llvm::cl::init("local")};
  ListOption<std::string> targets{
      *this, "targets", llvm::cl::desc("Ratios of groups: layer:ratio,...")};
  PassOptions::Option<int64_t> minChannels{
      *this, "min-channels",
      llvm::cl::desc("Channels that each group keeps at least"),
      llvm::cl::init(1)};
  PassOptions::Option<double> maxRatio{
      *this, "max-ratio",
      llvm::cl::desc("The largest fraction that any group loses, in [0, 1]"),
      llvm::cl::init(1.0)};
  PassOptions::Option<int64_t> roundTo{
      *this, "round-to",
      llvm::cl::desc("Keep a multiple of this many channels"),
      llvm::cl::init(1)};
  PassOptions::Option<bool> merge{
      *this, "merge",
      llvm::cl::desc("Fold removed channels into the most similar kept ones"),
      llvm::cl::init(false)};
  PassOptions::Option<double> mergeThreshold{
      *this, "merge-threshold",
      llvm::cl::desc("The least cosine for which channels are folded"),
      llvm::cl::init(0.0)};
  PassOptions::Option<std::string> exportSafe{
      *this, "export-safe",
      llvm::cl::desc("Leave alone what no ONNX file could lose: auto, true or "
                     "false"),
      llvm::cl::init("auto")};
  PassOptions::Option<bool> allowSignatureChange{
      *this, "allow-signature-change",
      llvm::cl::desc("Remove dead indices of arguments, too"),
      llvm::cl::init(false)};
  PassOptions::Option<std::string> include{
      *this, "include", llvm::cl::desc("Only groups that this matches")};
  PassOptions::Option<std::string> exclude{
      *this, "exclude", llvm::cl::desc("No groups that this matches")};
};

/// Prepare, mask channels, fold the masks, remove, and fold batch
/// normalisations, which must not come before the decision.
void buildPruneChannelsPipeline(OpPassManager &pm,
                                const PruneChannelsOptions &options);

/// Options of `--prune-lower-to-llvm`.
struct LowerToLLVMOptions : PassPipelineOptions<LowerToLLVMOptions> {
  PassOptions::Option<std::string> kernels{
      *this, "kernels",
      llvm::cl::desc("How products with constant weights are compiled: "
                     "'dense' like all others, 'reference' (loops by the "
                     "upstream sparsifier) or 'packed' (kernels made for each "
                     "weight)"),
      llvm::cl::init("dense")};
  PassOptions::Option<std::string> cpu{
      *this, "cpu",
      llvm::cl::desc("The processor that runs the program: native (this "
                     "machine), x86-64-v2, x86-64-v3 or x86-64-v4; otherwise "
                     "what PRUNE_CPU names, which our tools set to --cpu or "
                     "native; and if it is not set, any 64-bit processor")};
  PassOptions::Option<unsigned> vectorBits{
      *this, "vector-bits",
      llvm::cl::desc("Bits of the vectors of packed kernels: 128, 256, 512, or "
                     "0 for those of the processor"),
      llvm::cl::init(0)};
  PassOptions::Option<bool> hasFMA{
      *this, "has-fma",
      llvm::cl::desc("Whether the processor multiplies and adds in one "
                     "operation; if not given, what its name says")};
  PassOptions::Option<bool> hasF16C{
      *this, "has-f16c",
      llvm::cl::desc("Whether the processor converts between f16 and f32; if "
                     "not given, what its name says")};
  PassOptions::Option<unsigned> threads{
      *this, "threads",
      llvm::cl::desc("Threads that share each product of packed kernels, in "
                     "[1, 1024]; above 1 the program needs LLVM's OpenMP "
                     "runtime"),
      llvm::cl::init(1)};
  PassOptions::Option<bool> runtimeChecks{
      *this, "runtime-checks",
      llvm::cl::desc("End the program with a message if sizes do not match or "
                     "an index is out of bounds"),
      llvm::cl::init(false)};
};

/// Adds the passes that turn a module on tensors into the LLVM dialect, with
/// public functions callable through the C interface. If an option is out of
/// range, `emitError` is called with the reason and nothing is added.
LogicalResult buildLowerToLLVMPipeline(
    OpPassManager &pm, const LowerToLLVMOptions &options,
    llvm::function_ref<LogicalResult(const llvm::Twine &)> emitError);

/// The parts of that pipeline, in their order: linalg structured operations on
/// tensors; buffers, each freed once; loops and vectors; the LLVM dialect.
enum class LoweringStage { Structure, Bufferize, Loops, LLVM };

/// Adds one of them, which is registered as `prune-lower-structure`,
/// `prune-lower-bufferize`, `prune-lower-loops` or `prune-lower-llvm`, for
/// those who put passes of their own between them. All take the same options.
LogicalResult buildLoweringStage(
    OpPassManager &pm, LoweringStage stage, const LowerToLLVMOptions &options,
    llvm::function_ref<LogicalResult(const llvm::Twine &)> emitError);

/// Registers every pipeline under its command-line name.
void registerPrunePipelines();

} // namespace prune
} // namespace mlir

#endif // PRUNE_PIPELINES_PIPELINES_H
