//===- MaskToLinalg.h - Ranking as linalg operations ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_CONVERSION_PRUNETOLINALG_MASKTOLINALG_H
#define PRUNE_LIB_CONVERSION_PRUNETOLINALG_MASKTOLINALG_H

#include "prune/IR/Prune.h"

namespace mlir::prune {

/// Builds the masks of `mask` from its scores at the builder's position. Fails
/// after an error if the pattern has no form at run time.
FailureOr<SmallVector<Value>> buildMasks(OpBuilder &builder, MaskOp mask);

/// Builds an elementwise operation over `inputs` (of the result's shape):
/// `body` gets their elements and the index of each dimension.
Value buildElementwise(
    OpBuilder &builder, Location loc, RankedTensorType type, ValueRange inputs,
    function_ref<Value(OpBuilder &, ValueRange elements, ValueRange indices)>
        body);

/// The row-major index of a position in a tensor of this shape.
Value buildLinearIndex(OpBuilder &builder, Location loc, ValueRange indices,
                       ArrayRef<int64_t> shape);

} // namespace mlir::prune

#endif // PRUNE_LIB_CONVERSION_PRUNETOLINALG_MASKTOLINALG_H
