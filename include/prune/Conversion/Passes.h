//===- Passes.h - Lowering of pruned weights ------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CONVERSION_PASSES_H
#define PRUNE_CONVERSION_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::prune {

#define GEN_PASS_DECL
#include "prune/Conversion/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "prune/Conversion/Passes.h.inc"

} // namespace mlir::prune

#endif // PRUNE_CONVERSION_PASSES_H
