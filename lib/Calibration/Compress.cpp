//===- Compress.cpp - Find out how much a network can lose ----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "prune/Calibration/Compress.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Format.h"

using namespace mlir;
using namespace mlir::prune;
using llvm::createStringError;
using llvm::Expected;

std::optional<DropMetric> mlir::prune::parseDropMetric(StringRef text) {
  return llvm::StringSwitch<std::optional<DropMetric>>(text)
      .Case("accuracy", DropMetric::Accuracy)
      .Case("cross-entropy", DropMetric::CrossEntropy)
      .Case("kl", DropMetric::Divergence)
      .Case("error", DropMetric::Error)
      .Default(std::nullopt);
}

Expected<double> Guard::drop(ArrayRef<ConstantChange> changes) {
  sweep.reset();
  sweep.apply(changes);
  Expected<NetworkLoss> loss = meter.measure(Sweep::Samples::All);
  if (!loss)
    return loss.takeError();
  switch (metric) {
  case DropMetric::Accuracy:
    return meter.dense().accuracy - loss->accuracy;
  case DropMetric::CrossEntropy:
    return loss->crossEntropy - meter.dense().crossEntropy;
  case DropMetric::Divergence:
    return loss->divergence;
  case DropMetric::Error:
    return loss->error;
  }
  llvm_unreachable("all metrics are listed");
}

namespace {
/// One network that was tried.
struct Trial {
  Compression outcome;
  std::vector<ConstantChange> changes;
};
} // namespace

Expected<Compression> mlir::prune::compress(Sweep &sweep,
                                            ArrayRef<Weight> weights,
                                            PlanAt planAt, Guard *guard,
                                            const NetworkOptions &options,
                                            unsigned steps) {
  auto attempt = [&](double strength) -> Expected<Trial> {
    Trial trial;
    trial.outcome.strength = strength;
    Expected<std::vector<WeightPlan>> plan = planAt(strength);
    if (!plan)
      return plan.takeError();
    trial.outcome.plan = std::move(*plan);
    sweep.reset();
    auto layers =
        reconstructWeights(sweep, weights, trial.outcome.plan, options);
    if (!layers)
      return layers.takeError();
    trial.outcome.layers = std::move(*layers);
    trial.changes = sweep.changes();
    if (!guard)
      return std::move(trial);
    Expected<double> drop = guard->drop(trial.changes);
    if (!drop)
      return drop.takeError();
    trial.outcome.drop = *drop;
    return std::move(trial);
  };
  auto holds = [&](const Trial &trial) {
    return !guard || *trial.outcome.drop <= guard->limit();
  };
  Expected<Trial> whole = attempt(1);
  if (!whole)
    return whole.takeError();
  if (holds(*whole))
    return std::move(whole->outcome);
  std::optional<Trial> best;
  double low = 0, high = 1, leastDrop = *whole->outcome.drop;
  for (unsigned step = 0; step < steps; ++step) {
    double middle = (low + high) / 2;
    Expected<Trial> trial = attempt(middle);
    if (!trial)
      return trial.takeError();
    leastDrop = std::min(leastDrop, *trial->outcome.drop);
    if (holds(*trial)) {
      low = middle;
      best = std::move(*trial);
    } else {
      high = middle;
    }
  }
  if (!best) {
    std::string text;
    llvm::raw_string_ostream(text)
        << "no network that loses anything stays within a drop of "
        << llvm::format("%g", guard->limit()) << "; with "
        << llvm::format("%.1f", high * 100)
        << " % of what was asked for, the least that was tried, the drop is "
        << llvm::format("%g", leastDrop)
        << "; allow more, or give more calibration data";
    return createStringError(text);
  }
  sweep.reset();
  sweep.apply(best->changes);
  return std::move(best->outcome);
}

Expected<LevelChoice>
mlir::prune::evolveLevels(Sweep &sweep, LossMeter &meter,
                          const LevelTable &costs, const LevelChanges &store,
                          LevelChoice start, double budget, bool usesKL,
                          const EvolutionOptions &options) {
  auto judge = [&](ArrayRef<size_t> choice) -> Expected<double> {
    sweep.reset();
    for (auto [levels, level] : llvm::zip_equal(store, choice))
      sweep.apply(levels[level]);
    Expected<NetworkLoss> loss = meter.measure(Sweep::Samples::HeldOut);
    if (!loss)
      return loss.takeError();
    return usesKL ? loss->divergence : loss->error;
  };
  Expected<LevelChoice> choice =
      evolve(costs, std::move(start), budget, options, judge);
  sweep.reset();
  return choice;
}
