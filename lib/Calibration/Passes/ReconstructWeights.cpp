//===- ReconstructWeights.cpp - Prune on data, by given targets -----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The network is calibrated as a copy with everything inlined. Its constants
// are those of the module, which get their new numbers at the end.
//
//===----------------------------------------------------------------------===//

#include "PassInputs.h"

#include "prune/Calibration/Passes.h"

namespace mlir::prune {
#define GEN_PASS_DEF_RECONSTRUCTWEIGHTSPASS
#include "prune/Calibration/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;
using namespace mlir::prune;

static constexpr StringLiteral kName = "prune-reconstruct-weights";

namespace {
struct ReconstructWeights
    : DataPass<ReconstructWeights,
               prune::impl::ReconstructWeightsPassBase<ReconstructWeights>> {
  using DataPass::DataPass;
  LogicalResult run();

  friend struct prune::DataOptions;
};
} // namespace

LogicalResult ReconstructWeights::run() {
  ModuleOp module = getOperation();
  DataOptions options = DataOptions::of(*this);
  FailureOr<NetworkOptions> network =
      readNetworkOptions(module, kName, options);
  if (failed(network))
    return failure();
  FailureOr<PassNetwork> copy = PassNetwork::create(module, function, kName);
  if (failed(copy))
    return failure();
  MaskOptions masks = DataOptions::filtersOf(*this);
  masks.pattern = pattern;
  masks.sparsity = sparsity;
  masks.targets.assign(targets.begin(), targets.end());
  FailureOr<MaskPlan> plan =
      planMasks(copy->weights(), masks, module.getLoc(), kName);
  if (failed(plan))
    return failure();
  SmallVector<std::pair<size_t, std::string>> left;
  FailureOr<std::unique_ptr<Sweep>> sweep =
      makeSweep(module, kName, *copy, options, *network, left);
  if (failed(sweep))
    return failure();
  for (auto &[index, reason] : left) {
    plan->weights[index].pattern = {};
    plan->weights[index].reason = plan->weights[index].kind = reason;
  }
  auto layers =
      reconstructWeights(**sweep, copy->weights(), plan->weights, *network);
  if (!layers)
    return failWith(module, kName, layers.takeError());
  reportLeftAlone(module, kName, copy->weights(), plan->weights);
  writeChanges(module, **sweep);
  recordLayers(module, kName, copy->weights(), plan->weights, *layers);
  return success();
}
