//===- CompressWeights.cpp - Prune by a budget, within a bound ------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PassInputs.h"

#include "prune/Calibration/Compress.h"
#include "prune/Calibration/Passes.h"
#include "prune/Core/Support/FileInput.h"

#include "mlir/IR/Remarks.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>

namespace mlir::prune {
#define GEN_PASS_DEF_COMPRESSWEIGHTSPASS
#include "prune/Calibration/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;
using namespace mlir::prune;
using llvm::createStringError;
using llvm::Expected;

static constexpr StringLiteral kName = "prune-compress-weights";

namespace {
/// What the options ask for.
struct Wish {
  CostKind cost = CostKind::Parameters;
  std::optional<double> fraction;
  std::optional<double> maxDrop;
  DropMetric metric = DropMetric::Accuracy;
};

struct CompressWeights
    : DataPass<CompressWeights,
               prune::impl::CompressWeightsPassBase<CompressWeights>> {
  using DataPass::DataPass;
  /// Copies have the options, and none of what a run has found.
  CompressWeights(const CompressWeights &other) : DataPass(other) {}
  LogicalResult run();

private:
  friend struct prune::DataOptions;
  LogicalResult fail(llvm::Error error) {
    return failWith(getOperation(), kName, std::move(error));
  }
  LogicalResult wrong(StringRef option, const Twine &text) {
    return getOperation().emitError()
           << kName << ": option '" << option << "' " << text.str();
  }

  LogicalResult readWish();
  LogicalResult prepareGuard();
  LogicalResult findTable();
  llvm::Error chooseLevels();
  Expected<double> judge(const LevelChoice &candidate);
  Expected<std::vector<WeightPlan>> planAt(double strength);

  Wish wish;
  PassNetwork network;
  NetworkOptions solver;
  std::unique_ptr<Sweep> sweep, evalSweep;
  std::unique_ptr<LossMeter> meter, evalMeter;
  std::optional<Guard> guard;
  std::vector<PlannedLevel> planned;
  SensitivityTable sensitivity;
  LevelChanges store;
  LevelTable costs;
  double denseCost = 0, budgetCost = 0;
  LevelChoice choice;
  StringRef chosenBy;
};
} // namespace

LogicalResult CompressWeights::readWish() {
  if (!budget.empty()) {
    auto [kind, fraction] = StringRef(budget).split(':');
    std::optional<CostKind> parsed = parseCostKind(kind);
    double value;
    if (!parsed || fraction.getAsDouble(value) || !(value > 0 && value < 1))
      return wrong("budget",
                   "expects params, macs or latency and a fraction in "
                   "(0, 1), as in params:0.2, but got '" +
                       budget + "'");
    wish.cost = *parsed;
    wish.fraction = value;
  }
  if (!maxDrop.empty()) {
    double value;
    if (StringRef(maxDrop).getAsDouble(value) || !(value >= 0))
      return wrong("max-drop",
                   "expects a number of at least 0 but got '" + maxDrop + "'");
    wish.maxDrop = value;
  }
  if (!wish.fraction && !wish.maxDrop)
    return getOperation().emitError()
           << kName << ": expects option 'budget' or 'max-drop'";
  std::optional<DropMetric> parsed = parseDropMetric(metric);
  if (!parsed)
    return wrong("metric", "expects accuracy, cross-entropy, kl or error but "
                           "got '" +
                               metric + "'");
  wish.metric = *parsed;
  if (!evalData.empty() && !wish.maxDrop)
    return wrong("eval-data", "serves max-drop, which is not given");
  return checkLoss(getOperation(), kName, loss);
}

LogicalResult CompressWeights::prepareGuard() {
  if (!wish.maxDrop)
    return success();
  Sweep *judged = sweep.get();
  LossMeter *judge = meter.get();
  if (!evalData.empty()) {
    Expected<std::vector<Input>> inputs =
        readSamples(std::vector<std::string>(evalData.begin(), evalData.end()),
                    std::numeric_limits<int64_t>::max());
    if (!inputs)
      return fail(inputs.takeError());
    auto other = sweep->onData(network.entry, std::move(*inputs));
    if (!other)
      return fail(other.takeError());
    evalSweep = std::move(*other);
    FailureOr<std::unique_ptr<LossMeter>> made =
        makeMeter(getOperation(), kName, *evalSweep,
                  {evalLabels.begin(), evalLabels.end()});
    if (failed(made))
      return failure();
    evalMeter = std::move(*made);
    judged = evalSweep.get();
    judge = evalMeter.get();
  }
  bool needsLabels = wish.metric == DropMetric::Accuracy ||
                     wish.metric == DropMetric::CrossEntropy;
  if (needsLabels && !judge->hasLabels())
    return wrong("metric", "is " + metric + ", which needs " +
                               (evalData.empty() ? "labels" : "eval-labels") +
                               "; without any, use kl or error");
  guard.emplace(*judged, *judge, wish.metric, *wish.maxDrop);
  return success();
}

LogicalResult CompressWeights::findTable() {
  if (!table.empty()) {
    auto file = openInput(table);
    if (!file)
      return fail(file.takeError());
    Expected<SensitivityTable> read =
        SensitivityTable::readJSON((*file)->getBuffer());
    if (!read)
      return fail(createStringError("cannot read '" + table +
                                    "': " + llvm::toString(read.takeError())));
    sensitivity = std::move(*read);
    if (evolve > 0)
      return wrong("evolve", "needs a table that is measured; drop 'table'");
  } else {
    SensitivityOptions options;
    options.network = solver;
    options.usesKL = loss == "kl";
    options.latency = wish.cost == CostKind::Latency;
    Expected<SensitivityTable> measured =
        measureSensitivity(*sweep, *meter, network.weights(), planned, options,
                           evolve > 0 ? &store : nullptr);
    if (!measured)
      return fail(measured.takeError());
    sensitivity = std::move(*measured);
  }
  if (sensitivity.layers.empty())
    return fail(createStringError("no layer of the network can be pruned"));
  Expected<LevelTable> found = sensitivity.costs(wish.cost);
  if (!found)
    return fail(found.takeError());
  costs = std::move(*found);
  denseCost = sumOf(costs, LevelChoice(costs.size(), 0)).cost;
  double least = sumOf(costs, cheapest(costs)).cost;
  budgetCost = wish.fraction ? *wish.fraction * denseCost : least;
  if (budgetCost < least) {
    std::string text;
    llvm::raw_string_ostream(text)
        << "budget '" << budget << "' cannot be met: the levels leave "
        << llvm::format("%.4f", least / denseCost)
        << " at least; allow more, or give higher levels";
    return fail(createStringError(text));
  }
  return success();
}

/// The loss of the network that is pruned by a choice, on samples kept apart.
Expected<double> CompressWeights::judge(const LevelChoice &candidate) {
  choice = candidate;
  Expected<std::vector<WeightPlan>> plan = planAt(1);
  if (!plan)
    return plan.takeError();
  sweep->reset();
  NetworkOptions judged = solver;
  judged.holdsOut = true;
  auto layers = reconstructWeights(*sweep, network.weights(), *plan, judged);
  if (!layers)
    return layers.takeError();
  Expected<NetworkLoss> measured = meter->measure(Sweep::Samples::HeldOut);
  if (!measured)
    return measured.takeError();
  return loss == "kl" ? measured->divergence : measured->error;
}

/// Losses of single layers do not tell how layers in a row make up for each
/// other. Allocations by the loss, by the layers' own errors, by both, by
/// evolution, and the same for all are pruned each, and the best is taken.
llvm::Error CompressWeights::chooseLevels() {
  std::vector<LevelChoice> candidates;
  SmallVector<StringRef> names;
  auto add = [&](StringRef name, std::optional<LevelChoice> candidate) {
    if (!candidate || llvm::is_contained(candidates, *candidate))
      return;
    candidates.push_back(std::move(*candidate));
    names.push_back(name);
  };
  std::pair<StringRef, double> shares[] = {
      {"the loss", 0}, {"loss and layer errors", 0.5}, {"layer errors", 1}};
  for (auto [name, share] : shares) {
    Expected<LevelTable> blend = sensitivity.costs(wish.cost, share);
    if (!blend)
      return blend.takeError();
    add(name, allocate(*blend, budgetCost));
  }
  add("the same level for all", allocateUniformly(costs, budgetCost));
  if (evolve > 0) {
    EvolutionOptions evolution;
    evolution.generations = evolve;
    evolution.seed = seed;
    Expected<LevelChoice> evolved =
        evolveLevels(*sweep, *meter, costs, store, candidates.front(),
                     budgetCost, loss == "kl", evolution);
    if (!evolved)
      return evolved.takeError();
    add("evolution", std::move(*evolved));
  }
  size_t best = 0;
  double least = INFINITY;
  for (size_t i = 0; i < candidates.size() && candidates.size() > 1; ++i) {
    Expected<double> found = judge(candidates[i]);
    if (!found)
      return found.takeError();
    if (*found < least) {
      least = *found;
      best = i;
    }
  }
  choice = candidates[best];
  chosenBy = names[best];
  return llvm::Error::success();
}

/// The plan that goes a part of the way from the dense network to the budget.
Expected<std::vector<WeightPlan>> CompressWeights::planAt(double strength) {
  LevelChoice levels = choice;
  if (strength < 1) {
    double limit = denseCost - strength * (denseCost - budgetCost);
    levels = *allocate(costs, limit);
  }
  std::vector<WeightPlan> plan(network.weights().size());
  llvm::StringMap<size_t> layerOf;
  for (auto [i, layer] : llvm::enumerate(sensitivity.layers))
    layerOf[layer.name] = i;
  for (auto [index, weight] : llvm::enumerate(network.weights())) {
    auto layer = layerOf.find(weight.name);
    if (layer == layerOf.end())
      continue;
    const SensitivityLevel &level =
        sensitivity.layers[layer->second].levels[levels[layer->second]];
    if (level.pattern.empty())
      continue;
    auto found = llvm::find_if(planned, [&](const PlannedLevel &other) {
      return other.pattern == level.pattern && other.sparsity == level.sparsity;
    });
    if (found == planned.end())
      return createStringError(
          "the table has pattern '" + level.pattern + "' with sparsity " +
          std::to_string(level.sparsity) +
          ", which the options 'patterns' and 'levels' do not have");
    plan[index] = found->weights[index];
  }
  return std::move(plan);
}

LogicalResult CompressWeights::run() {
  ModuleOp module = getOperation();
  DataOptions options = DataOptions::of(*this);
  FailureOr<NetworkOptions> read = readNetworkOptions(module, kName, options);
  if (failed(read) || failed(readWish()))
    return failure();
  solver = *read;
  FailureOr<PassNetwork> copy = PassNetwork::create(module, function, kName);
  if (failed(copy))
    return failure();
  network = std::move(*copy);
  SmallVector<std::pair<size_t, std::string>> left;
  FailureOr<std::unique_ptr<Sweep>> made =
      makeSweep(module, kName, network, options, solver, left);
  if (failed(made))
    return failure();
  sweep = std::move(*made);
  MaskOptions masks = DataOptions::filtersOf(*this);
  FailureOr<std::vector<PlannedLevel>> levelsOf = planLevels(
      module, kName, network,
      {{patterns.begin(), patterns.end()}, {levels.begin(), levels.end()}},
      masks, left);
  FailureOr<std::unique_ptr<LossMeter>> measure =
      makeMeter(module, kName, *sweep, {labels.begin(), labels.end()});
  if (failed(levelsOf) || failed(measure))
    return failure();
  planned = std::move(*levelsOf);
  meter = std::move(*measure);
  if (failed(prepareGuard()) || failed(findTable()))
    return failure();
  if (llvm::Error error = chooseLevels())
    return fail(std::move(error));
  Expected<Compression> done = compress(
      *sweep, network.weights(),
      [&](double strength) { return planAt(strength); },
      guard ? &*guard : nullptr, solver);
  if (!done)
    return fail(done.takeError());
  writeChanges(module, *sweep);
  recordLayers(module, kName, network.weights(), done->plan, done->layers);
  int64_t kept = 0, size = 0;
  for (const ReconstructedLayer &layer : done->layers) {
    kept += layer.kept;
    size += layer.size;
  }
  InFlightDiagnostic remark = module.emitRemark();
  remark << kName << ": kept " << kept << " of " << size
         << " elements, allocated by " << chosenBy;
  if (done->drop)
    remark << ", with a drop of " << llvm::formatv("{0:g}", *done->drop).str();
  return success();
}
