//===- FileOutput.h - Write a file or leave it untouched --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Output goes to a temporary file beside the destination, which replaces it in
// one step when everything is written. A failed or killed run leaves the old
// file. Input and output may be the same path.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CORE_SUPPORT_FILEOUTPUT_H
#define PRUNE_CORE_SUPPORT_FILEOUTPUT_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace mlir::prune {

/// Calls `write` with a stream and moves what it wrote to `path`. "-" is
/// standard output; devices and pipes are written directly. The error names
/// the path. An error of `write` is returned as it is.
llvm::Error
writeFile(llvm::StringRef path,
          llvm::function_ref<llvm::Error(llvm::raw_ostream &)> write);

} // namespace mlir::prune

#endif // PRUNE_CORE_SUPPORT_FILEOUTPUT_H
