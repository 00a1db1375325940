//===- FileInput.h - Files as MLIR's parsers want them ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The reader of bytecode refuses a buffer that is not aligned like the largest
// resource in it. Whether a small file's is depends on luck, since it is read
// into memory from the heap.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CORE_SUPPORT_FILEINPUT_H
#define PRUNE_CORE_SUPPORT_FILEINPUT_H

#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>

namespace mlir::prune {

/// A copy of `bytes`, terminated, and aligned to a page.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>
copyInput(llvm::StringRef bytes, llvm::StringRef name);

/// Opens a file, "-" being standard input. The same promises, and a copy only
/// where they do not hold yet.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>
openInput(llvm::StringRef path);

} // namespace mlir::prune

#endif // PRUNE_CORE_SUPPORT_FILEINPUT_H
