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

namespace prune {

/// Options of `--prune-prepare`: none yet.
struct PrepareOptions : PassPipelineOptions<PrepareOptions> {};

/// What comes before any decision, whatever the network is made of: constants
/// for globals, linalg for TOSA, names for weights, no identities between what
/// belongs together.
void buildPreparePipeline(OpPassManager &pm, const PrepareOptions &options);

/// Options of `--prune-weights`; they mean what they mean for
/// `prune-mask-weights`.
struct PruneWeightsOptions : PassPipelineOptions<PruneWeightsOptions> {
  PassOptions::Option<std::string> criterion{
      *this, "criterion", llvm::cl::desc("l1, l2, random, or an attribute"),
      llvm::cl::init("l1")};
  PassOptions::Option<uint64_t> seed{
      *this, "seed", llvm::cl::desc("Seed of the random criterion"),
      llvm::cl::init(0)};
  PassOptions::Option<std::string> pattern{
      *this, "pattern",
      llvm::cl::desc("element, N:M, N:M@dim, block:AxB..., or an attribute"),
      llvm::cl::init("element")};
  PassOptions::Option<std::string> sparsity{
      *this, "sparsity", llvm::cl::desc("Fraction of the units to remove")};
  PassOptions::Option<std::string> threshold{
      *this, "threshold", llvm::cl::desc("Remove units that score below")};
  PassOptions::Option<std::string> count{
      *this, "count", llvm::cl::desc("Number of units to remove")};
  PassOptions::Option<std::string> scope{
      *this, "scope", llvm::cl::desc("local or global ranking"),
      llvm::cl::init("local")};
  ListOption<std::string> targets{
      *this, "targets", llvm::cl::desc("Targets of layers: layer:value,...")};
  PassOptions::Option<int64_t> minSize{
      *this, "min-size",
      llvm::cl::desc("Leave weights with fewer elements alone"),
      llvm::cl::init(0)};
  PassOptions::Option<std::string> include{
      *this, "include", llvm::cl::desc("Only weights that this matches")};
  PassOptions::Option<std::string> exclude{
      *this, "exclude", llvm::cl::desc("No weights that this matches")};
};

/// Inline globals, lower TOSA, name, mask, fold, canonicalise.
void buildPruneWeightsPipeline(OpPassManager &pm,
                               const PruneWeightsOptions &options);

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
                     "what PRUNE_CPU names, and this machine if it is not set")};
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

/// Registers every pipeline under its command-line name.
void registerPrunePipelines();

} // namespace prune
} // namespace mlir

#endif // PRUNE_PIPELINES_PIPELINES_H
