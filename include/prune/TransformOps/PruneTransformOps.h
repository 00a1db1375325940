//===- PruneTransformOps.h - Pruning in transform scripts -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An extension of the transform dialect: a script picks layers by structure and
// prunes each its own way.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_TRANSFORMOPS_PRUNETRANSFORMOPS_H
#define PRUNE_TRANSFORMOPS_PRUNETRANSFORMOPS_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Transform/IR/TransformTypes.h"
#include "mlir/Dialect/Transform/Interfaces/TransformInterfaces.h"
#include "mlir/IR/OpImplementation.h"

#define GET_OP_CLASSES
#include "prune/TransformOps/PruneTransformOps.h.inc"

namespace mlir {
class DialectRegistry;

namespace prune {

/// Adds `transform.prune.*` to the transform dialect.
void registerTransformDialectExtension(DialectRegistry &registry);

} // namespace prune
} // namespace mlir

#endif // PRUNE_TRANSFORMOPS_PRUNETRANSFORMOPS_H
