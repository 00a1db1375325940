//===- InitAll.h - Register everything --------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a tool or a host compiler calls to make the prune dialect, its external
// models, passes and pipelines known.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_INITALL_H
#define PRUNE_INITALL_H

namespace mlir {
class DialectRegistry;

namespace prune {

/// Adds the prune dialect and our interfaces on upstream operations.
void registerAllDialects(DialectRegistry &registry);

/// Registers every pass and pipeline under its command-line name.
void registerAllPasses();

} // namespace prune
} // namespace mlir

#endif // PRUNE_INITALL_H
