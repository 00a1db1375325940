//===- Heap.h - The heap of compiled code -----------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What compiled programs allocate comes from here, so that it is counted, and
// so that a large block that one call freed is there for the next.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_EXECUTION_HEAP_H
#define PRUNE_LIB_EXECUTION_HEAP_H

#include "llvm/ADT/StringRef.h"

#include <cstddef>

namespace mlir::prune {

/// Ends the program as a violated check of compiled code does.
[[noreturn]] void failRunTimeCheck(llvm::StringRef message);

/// As in C, but memory that is not there ends the program.
void *heapAllocate(size_t size);
void *heapAllocateAligned(size_t alignment, size_t size);
void heapFree(void *pointer);

/// While one of these lives, large blocks that are freed are kept.
class HeapUser {
public:
  HeapUser();
  ~HeapUser();
  HeapUser(const HeapUser &) = delete;
};

} // namespace mlir::prune

#endif // PRUNE_LIB_EXECUTION_HEAP_H
