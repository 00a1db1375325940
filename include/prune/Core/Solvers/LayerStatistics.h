//===- LayerStatistics.h - Sums over the inputs of a layer ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CORE_SOLVERS_LAYERSTATISTICS_H
#define PRUNE_CORE_SOLVERS_LAYERSTATISTICS_H

#include "prune/Core/Patches.h"
#include "prune/Core/Solvers/LayerSystem.h"

namespace mlir::prune {

/// The sums that solvers need, over all rows that were added. Products of 256
/// rows at a time are summed in float32, and those sums in float64: the error
/// is at most 256 * 2^-24 = 1.6e-5 of the sum of magnitudes.
class LayerStatistics {
public:
  /// For groups of `rows` outputs with `columns` inputs each. `weights` is
  /// [groups x rows x columns], those of the dense network.
  LayerStatistics(int64_t groups, int64_t rows, int64_t columns,
                  llvm::ArrayRef<float> weights);

  /// Adds the rows of one tensor as the pruned network and as the dense one
  /// compute it; the same pointer if there is no difference yet.
  void add(const Patches &patches, const float *pruned, const float *dense);
  /// Adds what another one, of the same layer, has; takes it away for -1.
  void merge(const LayerStatistics &other, int sign = 1);

  int64_t count() const { return numRows; }
  /// The system of a group; without `weights`.
  LayerSystem system(int64_t group) const;
  /// The mean of each input of a group in the pruned network.
  std::vector<double> inputMean(int64_t group) const;
  /// The mean of each output of a group in the dense network.
  std::vector<double> outputMean(int64_t group) const;
  /// Whether a sum is NaN or infinite.
  bool isFinite() const;

private:
  struct Sums {
    std::vector<double> gram, target, inputs, outputs;
    double energy = 0;
  };

  int64_t rows, columns, numRows = 0;
  std::vector<float> weights;
  std::vector<Sums> sums;
};

/// For each output of a group, the mean and the biased variance of what it is
/// with `weights`, [rows x inputs], over `count` rows that `system` sums, from
/// which the means are taken out.
struct OutputMoments {
  std::vector<double> mean, variance;
};
OutputMoments outputMoments(const LayerSystem &system,
                            llvm::ArrayRef<double> inputMean, int64_t count,
                            llvm::ArrayRef<double> weights);

} // namespace mlir::prune

#endif // PRUNE_CORE_SOLVERS_LAYERSTATISTICS_H
