//===- LoopEvaluation.h - Structured operations on constants ----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One structured operation, run over buffers of its operands.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_ANALYSIS_EVALUATION_LOOPEVALUATION_H
#define PRUNE_LIB_ANALYSIS_EVALUATION_LOOPEVALUATION_H

#include "Lanes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::prune {

/// Finds the elements of a tensor; empty if they are not known.
using FindElements = function_ref<ArrayRef<char>(Value)>;

/// Scalar operations that a run of the operation takes; nothing if it cannot be
/// run.
std::optional<uint64_t> countSteps(linalg::LinalgOp op);

/// Runs the operation. `results` hold what the outputs begin with. False if an
/// operation or an element has no defined result.
bool runLoops(linalg::LinalgOp op, FindElements find,
              MutableArrayRef<std::string> results);

} // namespace mlir::prune

#endif // PRUNE_LIB_ANALYSIS_EVALUATION_LOOPEVALUATION_H
