//===- Fills.h - Tensors that hold one number -------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_ANALYSIS_FILLS_H
#define PRUNE_ANALYSIS_FILLS_H

#include "mlir/IR/Attributes.h"
#include "mlir/IR/Operation.h"
#include "mlir/IR/Value.h"

namespace mlir::prune {

/// The scalar that an operation fills a tensor with, else null.
Value getFilledScalar(Operation *op);

/// The value of a constant that is the same everywhere, or of what a tensor is
/// filled with, else null.
Attribute getSplat(Value value);

/// Whether a value is zero, or a tensor of zeros, of either sign.
bool isZero(Value value);

} // namespace mlir::prune

#endif // PRUNE_ANALYSIS_FILLS_H
