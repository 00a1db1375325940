//===- Passes.h - Before pruning ------------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_TRANSFORMS_PREPARATION_PASSES_H
#define PRUNE_TRANSFORMS_PREPARATION_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::prune {

#define GEN_PASS_DECL
#include "prune/Transforms/Preparation/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "prune/Transforms/Preparation/Passes.h.inc"

} // namespace mlir::prune

#endif // PRUNE_TRANSFORMS_PREPARATION_PASSES_H
