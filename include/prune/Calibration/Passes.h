//===- Passes.h - Passes that look at data ----------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CALIBRATION_PASSES_H
#define PRUNE_CALIBRATION_PASSES_H

#include "prune/IR/Prune.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::prune {

#define GEN_PASS_DECL
#include "prune/Calibration/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "prune/Calibration/Passes.h.inc"

} // namespace mlir::prune

#endif // PRUNE_CALIBRATION_PASSES_H
