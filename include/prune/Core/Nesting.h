//===- Nesting.h - Depth of brackets in untrusted text ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// MLIR's text parser descends recursively and overflows the stack on input that
// nests a few thousand levels deep. Text is scanned with this first.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CORE_NESTING_H
#define PRUNE_CORE_NESTING_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace mlir::prune {

/// No text that a person or a compiler writes nests deeper.
constexpr unsigned kMaxNesting = 1000;

/// Fails, naming `fileName` and the line, if brackets outside of strings and
/// comments nest deeper than `kMaxNesting`. Bytecode passes.
llvm::Error checkNesting(llvm::StringRef text, llvm::StringRef fileName);

} // namespace mlir::prune

#endif // PRUNE_CORE_NESTING_H
