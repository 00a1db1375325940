//===- Passes.h - Passes that report ----------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_REPORT_PASSES_H
#define PRUNE_REPORT_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::prune {

#define GEN_PASS_DECL
#include "prune/Report/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "prune/Report/Passes.h.inc"

} // namespace mlir::prune

#endif // PRUNE_REPORT_PASSES_H
