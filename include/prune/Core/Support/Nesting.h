//===- Nesting.h - What MLIR's parser does not survive ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// MLIR's text parser descends recursively and overflows the stack on input that
// nests a few thousand levels deep, and it allocates a resource with whatever
// alignment the text states, which ends the process if that is 0. Text is
// scanned with this first.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CORE_SUPPORT_NESTING_H
#define PRUNE_CORE_SUPPORT_NESTING_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace mlir::prune {

/// No text that a person or a compiler writes nests deeper.
constexpr unsigned kMaxNesting = 1000;

/// Fails, naming `fileName` and the line, if brackets outside of strings and
/// comments nest deeper than `kMaxNesting`. Bytecode passes.
llvm::Error checkNesting(llvm::StringRef text, llvm::StringRef fileName);

/// No machine asks for more; a page of memory is 4096 bytes.
constexpr unsigned kMaxAlignment = 65536;

/// Fails, naming `fileName` and the line, if the text of a resource states an
/// alignment of 0 or above `kMaxAlignment`. Other flaws are the parser's to
/// report. Bytecode passes.
llvm::Error checkAlignments(llvm::StringRef text, llvm::StringRef fileName);

/// Both checks: what every tool does before it parses a file.
inline llvm::Error checkText(llvm::StringRef text, llvm::StringRef fileName) {
  if (llvm::Error error = checkNesting(text, fileName))
    return error;
  return checkAlignments(text, fileName);
}

} // namespace mlir::prune

#endif // PRUNE_CORE_SUPPORT_NESTING_H
