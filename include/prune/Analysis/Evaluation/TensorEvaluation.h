//===- TensorEvaluation.h - Tensors computed from constants -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Computes what operations on constant tensors give, of any size: structured
// operations of linalg, and operations that move elements. Each scalar
// operation is rounded as generated code rounds it, and sums are taken in the
// order of the loops. Memory and work are bounded by a budget.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_ANALYSIS_EVALUATION_TENSOREVALUATION_H
#define PRUNE_ANALYSIS_EVALUATION_TENSOREVALUATION_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Value.h"

#include <optional>
#include <string>

namespace mlir::prune {

/// What an evaluation may take; it is reduced by what was used.
struct EvaluationBudget {
  /// Bytes of all tensors that are made, each counted once.
  uint64_t bytes;
  /// Scalar operations.
  uint64_t steps;
  /// Set where one of them was not enough.
  bool isExceeded = false;
};

/// What a tensor is computed from.
struct EvaluationSources {
  /// Elements of the constants that are stored in the module.
  int64_t numElements = 0;
  /// Whether the tensor has one such constant's elements, moved or converted:
  /// it is a view of a weight rather than a new one.
  bool isView = true;
};

/// The constants behind a tensor. Nothing if it also needs something else, or
/// an operation that cannot be evaluated.
std::optional<EvaluationSources> findSources(Value tensor);

/// The elements of a static tensor, row-major, booleans as bytes. Nothing if
/// they cannot be computed, or not within the budget.
std::optional<std::string> evaluateTensor(Value tensor,
                                          EvaluationBudget &budget);

} // namespace mlir::prune

#endif // PRUNE_ANALYSIS_EVALUATION_TENSOREVALUATION_H
