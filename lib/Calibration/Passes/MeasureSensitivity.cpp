//===- MeasureSensitivity.cpp - The table of all layers and levels --------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PassInputs.h"

#include "prune/Calibration/Passes.h"
#include "prune/Core/Support/FileOutput.h"

namespace mlir::prune {
#define GEN_PASS_DEF_MEASURESENSITIVITYPASS
#include "prune/Calibration/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;
using namespace mlir::prune;
using llvm::Expected;

static constexpr StringLiteral kName = "prune-measure-sensitivity";

namespace {
struct MeasureSensitivity
    : DataPass<MeasureSensitivity,
               prune::impl::MeasureSensitivityPassBase<MeasureSensitivity>> {
  using DataPass::DataPass;
  LogicalResult run();

  friend struct prune::DataOptions;
};
} // namespace

LogicalResult MeasureSensitivity::run() {
  ModuleOp module = getOperation();
  DataOptions options = DataOptions::of(*this);
  FailureOr<NetworkOptions> solver = readNetworkOptions(module, kName, options);
  if (failed(solver) || failed(checkLoss(module, kName, loss)))
    return failure();
  FailureOr<PassNetwork> network = PassNetwork::create(module, function, kName);
  if (failed(network))
    return failure();
  SmallVector<std::pair<size_t, std::string>> left;
  FailureOr<std::unique_ptr<Sweep>> sweep =
      makeSweep(module, kName, *network, options, *solver, left);
  if (failed(sweep))
    return failure();
  MaskOptions masks = DataOptions::filtersOf(*this);
  FailureOr<std::vector<PlannedLevel>> planned = planLevels(
      module, kName, *network,
      {{patterns.begin(), patterns.end()}, {levels.begin(), levels.end()}},
      masks, left);
  FailureOr<std::unique_ptr<LossMeter>> meter =
      makeMeter(module, kName, **sweep, {labels.begin(), labels.end()});
  if (failed(planned) || failed(meter))
    return failure();
  SensitivityOptions sensitivity;
  sensitivity.network = *solver;
  sensitivity.usesKL = loss == "kl";
  sensitivity.latency = latency;
  Expected<SensitivityTable> table = measureSensitivity(
      **sweep, **meter, network->weights(), *planned, sensitivity);
  if (!table)
    return failWith(module, kName, table.takeError());
  if (table->layers.empty())
    module.emitWarning() << kName
                         << ": no layer of the network can be pruned "
                            "at any of the levels";
  bool isCSV = StringRef(output).ends_with(".csv");
  if (llvm::Error error =
          writeFile(output, [&](llvm::raw_ostream &os) -> llvm::Error {
            isCSV ? table->writeCSV(os) : table->writeJSON(os);
            return llvm::Error::success();
          }))
    return failWith(module, kName, std::move(error));
  return success();
}
