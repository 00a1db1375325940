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

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace mlir {
class DialectRegistry;

namespace prune {

/// Loads criteria, patterns and passes from a shared library that links
/// libPrune.so and defines `mlirGetDialectPluginInfo`, `mlirGetPassPluginInfo`
/// or both. It stays loaded; its dialects are added to registries that are
/// filled afterwards.
llvm::Error loadPlugin(llvm::StringRef path);

/// Adds the dialects of all plugins that were loaded.
void registerPluginDialects(DialectRegistry &registry);

/// Adds the prune dialect, our interfaces on upstream operations, and the
/// dialects of plugins.
void registerAllDialects(DialectRegistry &registry);

/// Registers every pass and pipeline under its command-line name.
void registerAllPasses();

} // namespace prune
} // namespace mlir

#endif // PRUNE_INITALL_H
