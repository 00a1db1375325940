//===- NetworkLoss.h - How far a network is from the dense one --*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CALIBRATION_NETWORKLOSS_H
#define PRUNE_CALIBRATION_NETWORKLOSS_H

#include "prune/Calibration/Sweep.h"

namespace mlir::prune {

/// Means over all samples of a sweep.
struct NetworkLoss {
  /// Of the first result: sum(p log(p / q)) over its last dimension, with p of
  /// the dense network and q of the other one, both after a softmax.
  double divergence = 0;
  /// The squared difference of all results from those of the dense network,
  /// over the square of these.
  double error = 0;
  /// Of the first result, given labels: the share of samples whose largest
  /// element is the label's, in percent, and the mean cross-entropy.
  double accuracy = 0, crossEntropy = 0;
};

/// Compares networks with the dense one on the samples of a sweep.
class LossMeter {
public:
  /// Runs the dense network. `labels` may be empty, else there is one for each
  /// row of the first result. The sweep must outlive the meter.
  static llvm::Expected<std::unique_ptr<LossMeter>> create(Sweep &sweep,
                                                           NpyArray labels);

  /// That of the dense network itself.
  NetworkLoss dense() const { return denseLoss; }
  bool hasLabels() const { return labels.size() > 0; }
  /// The size of the first result's last dimension.
  int64_t numClasses() const;

  /// Of the network as it is in the sweep; from the visit of a layer on, with
  /// its number, the same with all in front dense.
  llvm::Expected<NetworkLoss> measure(Sweep::Samples which,
                                      std::optional<unsigned> stage = {});

private:
  struct Sums {
    double divergence = 0, difference = 0, energy = 0;
    double hits = 0, crossEntropy = 0;
    int64_t rows = 0;
  };
  explicit LossMeter(Sweep &sweep, NpyArray labels)
      : sweep(sweep), labels(std::move(labels)) {}
  llvm::Error add(llvm::ArrayRef<const NpyArray *> results, size_t batch,
                  int64_t begin, Sums &sums) const;
  static NetworkLoss total(llvm::ArrayRef<Sums> batches);

  Sweep &sweep;
  NpyArray labels;
  /// By batch, the results of the dense network.
  std::vector<std::vector<NpyArray>> expected;
  NetworkLoss denseLoss;
};

} // namespace mlir::prune

#endif // PRUNE_CALIBRATION_NETWORKLOSS_H
