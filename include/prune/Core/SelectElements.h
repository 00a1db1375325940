//===- SelectElements.h - Apply a mask to a buffer --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Removed elements become +0 whatever they were, by selecting bits: nothing is
// multiplied, so that NaN and infinity do not leak.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CORE_SELECTELEMENTS_H
#define PRUNE_CORE_SELECTELEMENTS_H

#include "llvm/ADT/ArrayRef.h"

#include <atomic>
#include <cstdint>

namespace mlir::prune {

/// What a selection did, summed up over runs from several threads.
struct SelectionTotals {
  /// Whether an element was removed that had not been +0.
  std::atomic<bool> isChanged = false;
  std::atomic<int64_t> removed = 0;
};

/// Copies `keep.size()` elements of 1, 2, 4 or 8 bytes from `source` to
/// `target`, with +0 where `keep` is 0 and not 1. `isSplat`: one element in
/// `source` stands for all.
void selectElements(const char *source, bool isSplat, char *target,
                    unsigned elementSize, llvm::ArrayRef<uint8_t> keep,
                    SelectionTotals &totals);

} // namespace mlir::prune

#endif // PRUNE_CORE_SELECTELEMENTS_H
