//===- LayerView.h - A product as a product of matrices ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_ANALYSIS_LAYERVIEW_H
#define PRUNE_ANALYSIS_LAYERVIEW_H

#include "prune/Analysis/WeightUses.h"
#include "prune/Core/Patches.h"

namespace mlir::prune {

/// A contraction or convolution with a weight, whatever its layout, seen as
/// Y = X W' for each group: W has a row for each output and a column for each
/// of the inputs that an output sums.
struct LayerView {
  /// The operand that X is read from, and how.
  OpOperand *input = nullptr;
  PatchLayout layout;
  int64_t groups = 1, rows = 1, columns = 1;
  /// For each element of W, group after group, row-major: its row-major
  /// position in the constant.
  std::vector<int64_t> elements;

  /// Nothing, and the reason, if the product is none of that kind: it sums
  /// something that has no weight, or indexes its input in other than linear
  /// ways.
  static std::optional<LayerView>
  get(const WeightUse &use, RankedTensorType constant, std::string &reason);
};

/// For each element of the tensor that reaches the product, row-major, its
/// row-major position in the constant, past `chain`. Open sizes, which only a
/// broadcast has, count as 1.
std::optional<std::vector<int64_t>> followElements(RankedTensorType constant,
                                                   ArrayRef<Operation *> chain);

} // namespace mlir::prune

#endif // PRUNE_ANALYSIS_LAYERVIEW_H
