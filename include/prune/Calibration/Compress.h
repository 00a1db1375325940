//===- Compress.h - Find out how much a network can lose --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CALIBRATION_COMPRESS_H
#define PRUNE_CALIBRATION_COMPRESS_H

#include "prune/Calibration/Sensitivity.h"

namespace mlir::prune {

/// What a drop is measured in: percentage points of accuracy, or how much the
/// cross-entropy grows, both with labels; the divergence of the outputs; or
/// their relative squared error.
enum class DropMetric { Accuracy, CrossEntropy, Divergence, Error };
std::optional<DropMetric> parseDropMetric(StringRef text);

/// Looks after the quality of a network on samples that are not those of the
/// calibration, or are if there are no others.
class Guard {
public:
  /// `meter` measures on `sweep`; both outlive the guard.
  Guard(Sweep &sweep, LossMeter &meter, DropMetric metric, double maxDrop)
      : sweep(sweep), meter(meter), metric(metric), maxDrop(maxDrop) {}

  double limit() const { return maxDrop; }
  /// What a network that differs in `changes` from the dense one has lost.
  llvm::Expected<double> drop(ArrayRef<ConstantChange> changes);

private:
  Sweep &sweep;
  LossMeter &meter;
  DropMetric metric;
  double maxDrop;
};

/// A plan for all weights, by how far it goes: 0 leaves the network dense, 1
/// is all that was asked for.
using PlanAt = llvm::function_ref<llvm::Expected<std::vector<WeightPlan>>(
    double strength)>;

struct Compression {
  /// How far it went.
  double strength = 1;
  std::vector<WeightPlan> plan;
  std::vector<ReconstructedLayer> layers;
  /// What the guard measured.
  std::optional<double> drop;
};

/// Prunes a network as far as a guard allows: all that was asked for if it
/// holds, else the most that a bisection of `steps` steps finds. Without a
/// guard, all. The sweep's constants are the result. Fails if nothing can go,
/// saying what the least cost.
llvm::Expected<Compression> compress(Sweep &sweep, ArrayRef<Weight> weights,
                                     PlanAt planAt, Guard *guard,
                                     const NetworkOptions &options,
                                     unsigned steps = 6);

/// Improves a choice of levels by evolution; networks are put together from the
/// solutions of a table and judged by their loss on the samples of `meter`.
llvm::Expected<LevelChoice>
evolveLevels(Sweep &sweep, LossMeter &meter, const LevelTable &costs,
             const LevelChanges &store, LevelChoice start, double budget,
             bool usesKL, const EvolutionOptions &options);

} // namespace mlir::prune

#endif // PRUNE_CALIBRATION_COMPRESS_H
