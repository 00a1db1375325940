//===- CastElements.h - Tensors of another floating-point type --*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_LOWERING_TENSORS_CASTELEMENTS_H
#define PRUNE_LIB_LOWERING_TENSORS_CASTELEMENTS_H

#include "mlir/IR/Builders.h"

namespace mlir::prune {

/// A floating-point number in another type.
Value castFloat(OpBuilder &builder, Location loc, Value value, Type type);

/// A tensor of floating-point numbers in another type.
Value castElements(OpBuilder &builder, Location loc, Value tensor, Type type);

/// Marks a tensor that `castElements` made narrower, and whose numbers were
/// rounded before.
void markExact(Value narrow);

/// What an exact tensor was made of, or null.
Value getExact(Value narrow);

/// A tensor of narrower numbers in `type`: the one that it was made of, if that
/// was marked as exact, else a conversion.
Value widenElements(OpBuilder &builder, Location loc, Value narrow, Type type);

} // namespace mlir::prune

#endif // PRUNE_LIB_LOWERING_TENSORS_CASTELEMENTS_H
