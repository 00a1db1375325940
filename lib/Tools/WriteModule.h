//===- WriteModule.h - A module as text or bytecode -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_TOOLS_WRITEMODULE_H
#define PRUNE_LIB_TOOLS_WRITEMODULE_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"

namespace mlir::prune {

/// Writes a module to a file ("-" is standard output): bytecode if that is
/// wanted or the name ends in .mlirbc, else text, without its numbers where a
/// person sees it. `option` is how the user names the file.
llvm::Error writeModule(ModuleOp module, StringRef output, bool asBytecode,
                        StringRef option);

} // namespace mlir::prune

#endif // PRUNE_LIB_TOOLS_WRITEMODULE_H
