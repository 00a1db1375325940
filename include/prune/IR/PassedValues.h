//===- PassedValues.h - Values that control flow passes on ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_IR_PASSEDVALUES_H
#define PRUNE_IR_PASSEDVALUES_H

#include "mlir/IR/Operation.h"
#include "llvm/ADT/SmallVector.h"

namespace mlir::prune {

/// An operand that becomes another value as it is: what a loop starts from, or
/// yields, becomes an argument of its body or a result.
struct PassedValue {
  OpOperand *from;
  Value to;
};

/// Whether an operation passes values into, around and out of its regions.
bool passesValues(Operation *op);
/// Whether an operation ends a region of one that does.
bool isPassingTerminator(Operation *op);
/// What becomes of the tensors that it passes, its own operands and those of
/// the terminators of its regions. Where the types of the two sides differ,
/// nothing is known of their indices.
SmallVector<PassedValue> getPassedValues(Operation *op);

} // namespace mlir::prune

#endif // PRUNE_IR_PASSEDVALUES_H
