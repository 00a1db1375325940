//===- Pipelines.h - The orders of passes -----------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Only here is an order of passes written down.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_PIPELINES_PIPELINES_H
#define PRUNE_PIPELINES_PIPELINES_H

#include "mlir/Pass/PassOptions.h"

namespace mlir {
class OpPassManager;

namespace prune {

/// Registers every pipeline under its command-line name.
void registerPrunePipelines();

} // namespace prune
} // namespace mlir

#endif // PRUNE_PIPELINES_PIPELINES_H
