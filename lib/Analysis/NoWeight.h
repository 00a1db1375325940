//===- NoWeight.h - Why a contraction has no weight -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the search for weights and its explanations share.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_ANALYSIS_NOWEIGHT_H
#define PRUNE_LIB_ANALYSIS_NOWEIGHT_H

#include "mlir/IR/Operation.h"

#include <string>

namespace mlir::prune {

/// Why an operand is not a weight. Of several reasons, the one of the highest
/// rank is the most specific.
struct NoWeight {
  int rank = 0;
  std::string name;
  std::string reason = "no operand is a constant";
};

/// Why the source of a contraction's operand is not a constant. `isFilter`
/// is set for the operand that is the weight by convention.
NoWeight explainNoWeight(Value source, bool isFilter);

/// Why a constant cannot be pruned; empty if it can.
std::string whyNotPrunable(Operation *constant);

/// The value of a constant operation.
Attribute getConstantValue(Operation *op);

/// The constant behind `value`, with the operations in between, or null.
Operation *findConstant(Value value, SmallVectorImpl<Operation *> &chain);

} // namespace mlir::prune

#endif // PRUNE_LIB_ANALYSIS_NOWEIGHT_H
