//===- ByteBuffer.h - Large memory that is written at once ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CORE_SUPPORT_BYTEBUFFER_H
#define PRUNE_CORE_SUPPORT_BYTEBUFFER_H

#include <cstddef>
#include <new>
#include <utility>
#include <vector>

namespace mlir::prune {

/// Where buffers of this project begin, in bytes: a cache line.
inline constexpr size_t kBufferAlignment = 64;

/// Memory that is not initialised; to be freed by `freeBytes`. For large
/// amounts the system is asked for large pages: with small ones, getting memory
/// takes longer than filling it.
void *allocateBytes(size_t size);
void freeBytes(void *data);

/// Allocates by the above. Elements that are not given a value have none.
template <typename T> struct UninitializedAllocator {
  using value_type = T;

  UninitializedAllocator() = default;
  template <typename U>
  UninitializedAllocator(const UninitializedAllocator<U> &) {}

  T *allocate(size_t count) {
    return static_cast<T *>(allocateBytes(count * sizeof(T)));
  }
  void deallocate(T *data, size_t) { freeBytes(data); }

  template <typename U> void construct(U *place) {
    ::new (static_cast<void *>(place)) U;
  }
  template <typename U, typename... Args>
  void construct(U *place, Args &&...args) {
    ::new (static_cast<void *>(place)) U(std::forward<Args>(args)...);
  }

  bool operator==(const UninitializedAllocator &) const { return true; }
  bool operator!=(const UninitializedAllocator &) const { return false; }
};

/// Bytes, of which `resize(n)` leaves the new ones without a value.
using ByteBuffer = std::vector<char, UninitializedAllocator<char>>;

} // namespace mlir::prune

#endif // PRUNE_CORE_SUPPORT_BYTEBUFFER_H
