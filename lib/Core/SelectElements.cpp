//===- SelectElements.cpp - Apply a mask to a buffer ----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loops have no branches, so that compilers vectorise them: this streams
// all of a network's weights.
//
//===----------------------------------------------------------------------===//

#include "prune/Core/SelectElements.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ErrorHandling.h"

#include <cstring>

using namespace mlir::prune;

/// Returns whether an element changed.
template <typename T>
static bool selectRun(const char *source, char *target,
                      llvm::ArrayRef<uint8_t> keep) {
  T difference = 0;
  for (size_t i = 0, e = keep.size(); i != e; ++i) {
    T element;
    std::memcpy(&element, source + i * sizeof(T), sizeof(T));
    T selected = element & (T(0) - T(keep[i]));
    difference |= element ^ selected;
    std::memcpy(target + i * sizeof(T), &selected, sizeof(T));
  }
  return difference != 0;
}

template <typename T>
static bool selectSplat(const char *source, char *target,
                        llvm::ArrayRef<uint8_t> keep) {
  T element, difference = 0;
  std::memcpy(&element, source, sizeof(T));
  for (size_t i = 0, e = keep.size(); i != e; ++i) {
    T selected = element & (T(0) - T(keep[i]));
    difference |= element ^ selected;
    std::memcpy(target + i * sizeof(T), &selected, sizeof(T));
  }
  return difference != 0;
}

template <typename T>
static bool select(const char *source, bool isSplat, char *target,
                   llvm::ArrayRef<uint8_t> keep) {
  return isSplat ? selectSplat<T>(source, target, keep)
                 : selectRun<T>(source, target, keep);
}

static bool selectOfSize(unsigned elementSize, const char *source, bool isSplat,
                         char *target, llvm::ArrayRef<uint8_t> keep) {
  switch (elementSize) {
  case 1:
    return select<uint8_t>(source, isSplat, target, keep);
  case 2:
    return select<uint16_t>(source, isSplat, target, keep);
  case 4:
    return select<uint32_t>(source, isSplat, target, keep);
  case 8:
    return select<uint64_t>(source, isSplat, target, keep);
  }
  llvm_unreachable("elements have 1, 2, 4 or 8 bytes");
}

void mlir::prune::selectElements(const char *source, bool isSplat, char *target,
                                 unsigned elementSize,
                                 llvm::ArrayRef<uint8_t> keep,
                                 SelectionTotals &totals) {
  if (keep.empty())
    return;
  if (selectOfSize(elementSize, source, isSplat, target, keep))
    totals.isChanged.store(true, std::memory_order_relaxed);
  totals.removed.fetch_add(llvm::count(keep, 0), std::memory_order_relaxed);
}
