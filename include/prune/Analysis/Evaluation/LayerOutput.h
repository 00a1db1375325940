//===- LayerOutput.h - What shifts and scales a layer's outputs -*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_ANALYSIS_EVALUATION_LAYEROUTPUT_H
#define PRUNE_ANALYSIS_EVALUATION_LAYEROUTPUT_H

#include "prune/Analysis/LayerView.h"

#include <optional>
#include <vector>

namespace mlir::prune {

/// A constant with a number for each output of a layer.
struct OutputConstant {
  /// The operation that holds it.
  Operation *constant = nullptr;
  /// For each output, group after group, its element of the constant.
  std::vector<int64_t> elements;
};

/// What stands behind a layer: y + bias, and a batch normalisation of that by
/// stored statistics, (y + bias - mean) / sqrt(variance + epsilon) * ...
struct LayerOutput {
  std::optional<OutputConstant> bias, mean, variance;

  bool isNormalized() const { return mean && variance; }

  /// Looks behind a product, past reshapes and transposes that leave its
  /// outputs together, as long as nothing else reads what it computes.
  static LayerOutput get(const WeightUse &use);
};

} // namespace mlir::prune

#endif // PRUNE_ANALYSIS_EVALUATION_LAYEROUTPUT_H
