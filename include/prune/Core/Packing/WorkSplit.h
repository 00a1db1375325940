//===- WorkSplit.h - Products in parts for threads --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Cuts the product with a packed weight into parts that are computed at the
// same time. Parts are ranges of row groups of about equal work, not of equal
// length: pruning leaves more in some rows than in others. There are several
// parts to a thread, which takes the next when it is done with one: cores are
// not equally fast, or not free. No part changes how an element is computed, so
// results do not depend on the parts.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CORE_PACKING_WORKSPLIT_H
#define PRUNE_CORE_PACKING_WORKSPLIT_H

#include "prune/Core/Packing/PackedMatrix.h"

namespace mlir::prune {

/// For each group of rows the multiply-adds with one column of activations.
std::vector<int64_t> getGroupWork(const PackedLayout &layout,
                                  llvm::ArrayRef<char> elements,
                                  unsigned elementSize);

/// The parts of a product.
struct WorkSplit {
  /// Part i is the groups from `bounds[i]` to `bounds[i + 1]`.
  std::vector<int64_t> bounds;
  /// Each panel of activations is a part of its own as well.
  bool byPanels = false;
};

/// Splits the work for `threads` threads. `columns` is the number of columns
/// and `panels` the number of panels they are in, each 0 if unknown; `panels`
/// is 1 where columns are not in panels. Nothing if the product is too small to
/// gain.
std::optional<WorkSplit> splitWork(llvm::ArrayRef<int64_t> groupWork,
                                   int64_t columns, int64_t panels,
                                   unsigned threads);

} // namespace mlir::prune

#endif // PRUNE_CORE_PACKING_WORKSPLIT_H
