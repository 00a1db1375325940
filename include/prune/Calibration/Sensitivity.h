//===- Sensitivity.h - What each layer loses at each sparsity ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CALIBRATION_SENSITIVITY_H
#define PRUNE_CALIBRATION_SENSITIVITY_H

#include "prune/Calibration/NetworkLoss.h"
#include "prune/Calibration/Reconstruct.h"
#include "prune/Core/Solvers/Allocation.h"

namespace mlir::prune {

/// One layer pruned to one level, all others dense.
struct SensitivityLevel {
  /// As options take it; empty if the layer is dense.
  std::string pattern;
  double sparsity = 0;
  /// Elements that are left.
  int64_t kept = 0;
  /// The relative output error of the layer, and what the network loses.
  double layerError = 0, loss = 0;
  /// Of a call of the layer's product on this machine, if it was measured.
  std::optional<double> microseconds;
};

struct SensitivityLayer {
  std::string name;
  int64_t elements = 0;
  /// Multiplications with each element in one sample.
  double uses = 0;
  /// The first one is the dense layer.
  std::vector<SensitivityLevel> levels;
};

/// What a budget counts.
enum class CostKind { Parameters, Multiplications, Latency };
std::optional<CostKind> parseCostKind(StringRef text);

struct SensitivityTable {
  /// What `loss` is: "kl" or "error".
  std::string loss;
  int64_t samples = 0;
  std::vector<SensitivityLayer> layers;

  /// Costs and losses of all levels. Fails if latencies were not measured. With
  /// `errorShare`, such a share of the loss is the layer's own error, both
  /// relative to their sums over layers at the middle level.
  llvm::Expected<LevelTable> costs(CostKind kind, double errorShare = 0) const;

  void writeJSON(llvm::raw_ostream &os) const;
  void writeCSV(llvm::raw_ostream &os) const;
  static llvm::Expected<SensitivityTable> readJSON(StringRef text);
};

/// A level that layers can have: the plan of all weights for it.
struct PlannedLevel {
  std::string pattern;
  double sparsity = 0;
  std::vector<WeightPlan> weights;
};

/// By layer of a table and by level, what a network of that level differs in.
using LevelChanges = std::vector<std::vector<std::vector<ConstantChange>>>;

struct SensitivityOptions {
  NetworkOptions network;
  /// The loss: the divergence of the first result, or the error of all.
  bool usesKL = true;
  /// Whether products are timed on this machine, one after the other.
  bool latency = false;
};

/// Measures all levels of all layers; each layer is solved on the inputs of the
/// dense network. The constants of the sweep are those of the dense network
/// before and after. Keeps the solutions in `store` if it is given.
llvm::Expected<SensitivityTable>
measureSensitivity(Sweep &sweep, LossMeter &meter, ArrayRef<Weight> weights,
                   ArrayRef<PlannedLevel> levels,
                   const SensitivityOptions &options,
                   LevelChanges *store = nullptr);

} // namespace mlir::prune

#endif // PRUNE_CALIBRATION_SENSITIVITY_H
