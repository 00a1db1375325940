//===- Reconstruct.h - Prune so that layers keep their outputs --*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CALIBRATION_RECONSTRUCT_H
#define PRUNE_CALIBRATION_RECONSTRUCT_H

#include "prune/Calibration/Sweep.h"
#include "prune/Core/Solvers/Reconstruction.h"
#include "prune/Transforms/Weights/MaskPlan.h"

namespace mlir::prune {

/// How the layers of a network are pruned on data.
struct NetworkOptions {
  ReconstructOptions solver;
  /// Whether layers with few samples choose their damping among greater ones.
  bool chooseDamping = true;
  /// New values for weights that lose nothing, too.
  bool refit = true;
  /// New statistics for batch normalisations, and biases.
  bool normalize = true;
  /// Whether layers are not fitted to the samples that are kept apart, so that
  /// the network can be judged by them.
  bool holdsOut = false;
  SweepOptions sweep;
};

/// What became of one weight. Errors are relative: the squared difference of
/// the outputs from those of the dense network over the square of these.
struct ReconstructedLayer {
  size_t weight;
  /// The mask that was taken; empty if the weight lost nothing.
  std::string mask;
  int64_t kept = 0, size = 0;
  /// With the largest elements and their old values, and in the end.
  double errorBefore = 0, errorAfter = 0;
  /// The damping that was chosen.
  double damping = 0;
  /// Rows of calibration data, and inputs of one output.
  int64_t rows = 0, inputs = 0;
};

/// A layer whose turn it is, as solvers see it.
struct SolvableLayer {
  /// One for each group of each part.
  std::vector<LayerSystem> systems;
  /// In the order of the systems, the elements of the constant.
  std::vector<int64_t> elements;
  /// What stands behind the layer and can change with it: then the means are
  /// taken out of the sums, since they can be set afterwards.
  LayerOutput output;
  bool isAdjusted() const { return output.bias || output.isNormalized(); }
};

/// Fails if a sum is not finite, which names the layer. `adjusts` says whether
/// what stands behind the layer may change.
llvm::Expected<SolvableLayer> makeSolvable(Sweep &sweep,
                                           const SweptLayer &layer,
                                           const Weight &weight, bool adjusts);

/// Prunes a layer whose turn it is as `plan` says, in the constants of the
/// sweep; one that loses nothing may get new values and statistics.
llvm::Expected<ReconstructedLayer>
reconstructLayer(Sweep &sweep, const SweptLayer &layer, const Weight &weight,
                 const WeightPlan &plan, const NetworkOptions &options);

/// Fits what is left of a layer, the elements of the constant that are not 0 in
/// the network that changes, to the outputs of the dense one. Outputs of which
/// nothing is left keep their bias and statistics.
llvm::Error refitLayer(Sweep &sweep, const SweptLayer &layer,
                       const Weight &weight, const NetworkOptions &options);

/// Prunes all layers of a sweep, one after the other.
llvm::Expected<std::vector<ReconstructedLayer>>
reconstructWeights(Sweep &sweep, ArrayRef<Weight> weights,
                   ArrayRef<WeightPlan> plan, const NetworkOptions &options);

} // namespace mlir::prune

#endif // PRUNE_CALIBRATION_RECONSTRUCT_H
