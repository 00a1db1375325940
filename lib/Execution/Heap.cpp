//===- Heap.cpp - The heap of compiled code -------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A network allocates and frees the same activations in each call. The C
// library gives large ones back to the system, and touching new pages can cost
// more than the network. Kept blocks take no more than compiled code had
// allocated at its peak, and go when the last program does.
//
//===----------------------------------------------------------------------===//

#include "Heap.h"

#include "prune/Core/Support/Memory.h"
#include "prune/Execution/Runner.h"

#include <atomic>
#include <cstdlib>
#include <malloc.h>
#include <map>
#include <mutex>

using namespace mlir;
using namespace mlir::prune;

/// Smaller blocks the C library keeps itself.
static constexpr size_t kLargeBytes = size_t(1) << 18;
/// What compiled code asks for at most.
static constexpr size_t kAlignment = 64;

static std::atomic<int64_t> liveAllocations{0};
static std::atomic<int64_t> liveBytes{0}, peakBytes{0};

//===----------------------------------------------------------------------===//
// Kept blocks
//===----------------------------------------------------------------------===//

namespace {
class KeptBlocks {
public:
  /// The smallest kept block that is large enough, and not much larger; or
  /// null.
  void *take(size_t size) {
    std::lock_guard<std::mutex> lock(mutex);
    auto found = blocks.lower_bound(size);
    if (found == blocks.end() || found->first > 2 * size)
      return nullptr;
    void *block = found->second;
    bytes -= found->first;
    blocks.erase(found);
    return block;
  }

  /// False if the block is not kept.
  bool keep(void *block, size_t size) {
    std::lock_guard<std::mutex> lock(mutex);
    if (users == 0 || bytes + size > size_t(peakBytes.load()))
      return false;
    bytes += size;
    blocks.emplace(size, block);
    return true;
  }

  void addUser() {
    std::lock_guard<std::mutex> lock(mutex);
    ++users;
  }

  void removeUser() {
    std::lock_guard<std::mutex> lock(mutex);
    if (--users != 0)
      return;
    for (auto [size, block] : blocks)
      std::free(block);
    blocks.clear();
    bytes = 0;
  }

private:
  std::mutex mutex;
  std::multimap<size_t, void *> blocks;
  size_t bytes = 0;
  int users = 0;
};
} // namespace

/// Never destroyed: programs may end while others still run.
static KeptBlocks &getKept() {
  static auto *kept = new KeptBlocks();
  return *kept;
}

HeapUser::HeapUser() { getKept().addUser(); }
HeapUser::~HeapUser() { getKept().removeUser(); }

//===----------------------------------------------------------------------===//
// Allocation
//===----------------------------------------------------------------------===//

/// Counts a block of which `size` bytes were asked for.
static void *count(void *pointer, size_t size) {
  if (!pointer)
    failRunTimeCheck("a buffer of " + byteString(size) +
                     " cannot be allocated");
  size = malloc_usable_size(pointer);
  liveAllocations.fetch_add(1, std::memory_order_relaxed);
  int64_t live = liveBytes.fetch_add(size, std::memory_order_relaxed) + size;
  int64_t peak = peakBytes.load(std::memory_order_relaxed);
  while (live > peak && !peakBytes.compare_exchange_weak(peak, live)) {
  }
  return pointer;
}

void *mlir::prune::heapAllocate(size_t size) {
  return count(std::malloc(std::max<size_t>(size, 1)), size);
}

void *mlir::prune::heapAllocateAligned(size_t alignment, size_t size) {
  size_t asked = size;
  if (size >= kLargeBytes && alignment <= kAlignment) {
    if (void *kept = getKept().take(size))
      return count(kept, asked);
    // Also: a size of almost 2^64 would become a small one.
    if (size > machineMemory())
      return count(nullptr, asked);
    alignment = kAlignment;
    size = (size + alignment - 1) / alignment * alignment;
  }
  return count(std::aligned_alloc(alignment, std::max(size, alignment)), asked);
}

void mlir::prune::heapFree(void *pointer) {
  if (!pointer)
    return;
  size_t size = malloc_usable_size(pointer);
  liveAllocations.fetch_sub(1, std::memory_order_relaxed);
  liveBytes.fetch_sub(size, std::memory_order_relaxed);
  bool isAligned = reinterpret_cast<uintptr_t>(pointer) % kAlignment == 0;
  if (size < kLargeBytes || !isAligned || !getKept().keep(pointer, size))
    std::free(pointer);
}

HeapUse mlir::prune::liveHeap() {
  return {liveAllocations.load(), liveBytes.load()};
}
