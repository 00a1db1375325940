//===- Passes.h - From tensors to loops, for any network ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LOWERING_PASSES_H
#define PRUNE_LOWERING_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::prune {

#define GEN_PASS_DECL
#include "prune/Lowering/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "prune/Lowering/Passes.h.inc"

} // namespace mlir::prune

#endif // PRUNE_LOWERING_PASSES_H
