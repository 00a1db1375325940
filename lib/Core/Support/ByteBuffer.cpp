//===- ByteBuffer.cpp - Large memory that is written at once --------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Support/ByteBuffer.h"

#include "llvm/Support/MathExtras.h"

#include <cstdint>
#include <sys/mman.h>
#include <unistd.h>

using namespace mlir::prune;

/// From this size on, large pages pay.
static constexpr size_t kLarge = size_t(8) << 20;

void *mlir::prune::allocateBytes(size_t size) {
  void *data = ::operator new(size, std::align_val_t(kBufferAlignment));
  if (size >= kLarge) {
    auto begin = reinterpret_cast<uintptr_t>(data);
    uintptr_t first = llvm::alignTo(begin, ::sysconf(_SC_PAGESIZE));
    // Advice: what comes of it changes no result.
    (void)::madvise(reinterpret_cast<void *>(first), begin + size - first,
                    MADV_HUGEPAGE);
  }
  return data;
}

void mlir::prune::freeBytes(void *data) {
  ::operator delete(data, std::align_val_t(kBufferAlignment));
}
