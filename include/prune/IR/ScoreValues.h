//===- ScoreValues.h - What criteria read at run time -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_IR_SCOREVALUES_H
#define PRUNE_IR_SCOREVALUES_H

#include "mlir/IR/ValueRange.h"

namespace mlir::prune {

/// One element of a weight, and what is known of it: `ScoreInputs` in IR.
struct ScoreValues {
  /// Extended to f64.
  Value element;
  /// Row-major, of index type.
  Value index;
  /// The shape of the weight.
  ArrayRef<int64_t> shape;
  /// Empty if it has none.
  StringRef name;
  /// The tensors that the criterion asked for, in its order.
  ValueRange statistics;
};

} // namespace mlir::prune

#endif // PRUNE_IR_SCOREVALUES_H
