//===- EraseDead.h - Erase what nothing reads any more ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For rewrites that know what they left behind; upstream's runRegionDCE looks
// at all of a region.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_IR_ERASEDEAD_H
#define PRUNE_IR_ERASEDEAD_H

#include "mlir/IR/Operation.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::prune {

/// Erases those of the operations that are dead, and what only they read.
void eraseDead(llvm::SetVector<Operation *> operations);

} // namespace mlir::prune

#endif // PRUNE_IR_ERASEDEAD_H
