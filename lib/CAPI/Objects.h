//===- Objects.h - What the opaque C structures hold ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_CAPI_OBJECTS_H
#define PRUNE_LIB_CAPI_OBJECTS_H

#include "prune-c/Prune.h"

#include "prune/Execution/Program.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/Twine.h"

#include <string>

struct PruneContext {
  explicit PruneContext(const mlir::DialectRegistry &registry);

  /// Forgets the diagnostics of the call before.
  void begin() { diagnostics.clear(); }

  /// Records an error of our own and returns `status`.
  PruneStatus fail(PruneStatus status, const llvm::Twine &message);

  /// Collects a message and hands it to the callback.
  void report(PruneSeverity severity, const std::string &message);

  mlir::MLIRContext context;
  std::string diagnostics;
  PruneMessageCallback callback = nullptr;
  void *userData = nullptr;
};

struct PruneModule {
  PruneContext *owner;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::string name;
};

namespace mlir::prune {

/// Copies bytes out, with a zero behind them.
PruneBuffer copyOut(llvm::StringRef bytes);

/// Why a tensor is not what `taker` takes; empty if it is.
std::string whyNot(const Port &port, const PruneTensor &given,
                   llvm::StringRef taker);

} // namespace mlir::prune

#endif // PRUNE_LIB_CAPI_OBJECTS_H
