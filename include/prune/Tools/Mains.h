//===- Mains.h - The command-line tools as functions ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For tools that add dialects and passes of their own to ours, as MlirOptMain
// is for mlir-opt: register them before.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_TOOLS_MAINS_H
#define PRUNE_TOOLS_MAINS_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace mlir::prune {

/// Registers every dialect, extension, translation and pass, of upstream and of
/// this project.
void registerEverything(DialectRegistry &registry);

/// prune-opt. Returns the exit code.
int optMain(int argc, char **argv, DialectRegistry &registry);

/// prune-translate. Returns the exit code.
int translateMain(int argc, char **argv);

} // namespace mlir::prune

#endif // PRUNE_TOOLS_MAINS_H
