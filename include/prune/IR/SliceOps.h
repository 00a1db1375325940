//===- SliceOps.h - Operations on many slices -------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Apart from the other operations, as only the lowering uses it.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_IR_SLICEOPS_H
#define PRUNE_IR_SLICEOPS_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#define GET_OP_CLASSES
#include "prune/IR/PruneSliceOps.h.inc"

#endif // PRUNE_IR_SLICEOPS_H
