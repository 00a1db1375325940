//===- WorkSplit.cpp - Products in parts for threads ----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bounds between parts stand where the sum of the work passes a multiple of the
// part's share: one walk, and no part exceeds its share by more than one group.
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Packing/WorkSplit.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <numeric>

using namespace mlir::prune;

/// Parts per thread. More even out better, but each costs a start, and the
/// activations are read again.
static constexpr int64_t kPartsPerThread = 4;
/// Multiply-adds of the smallest part: microseconds, like waking a thread.
static constexpr int64_t kLeastPart = int64_t(1) << 17;
/// Columns that are counted on where their number is unknown.
static constexpr int64_t kUnknownColumns = 64;
/// Work of a row beside its products: accumulators are cleared and stored.
static constexpr int64_t kRowWork = 8;

std::vector<int64_t> mlir::prune::getGroupWork(const PackedLayout &layout,
                                               llvm::ArrayRef<char> elements,
                                               unsigned elementSize) {
  std::vector<int64_t> work;
  work.reserve(layout.numGroups());
  for (int64_t row = 0; row < layout.m; row += layout.groupRows) {
    int64_t rows = std::min(layout.groupRows, layout.m - row);
    int64_t products = layout.k * layout.groupRows;
    if (layout.form != PackedForm::Dense) {
      PackedCounts counts =
          countNonzeros(rows, layout.k, layout.groupRows,
                        elements.slice(row * layout.k * elementSize,
                                       rows * layout.k * elementSize),
                        elementSize);
      products = layout.form == PackedForm::Blocks
                     ? counts.groupColumns * layout.groupRows
                     : counts.nonzeros;
    }
    work.push_back(products + kRowWork * layout.groupRows);
  }
  return work;
}

/// The bounds of at most `parts` ranges of about equal work.
static std::vector<int64_t> cut(llvm::ArrayRef<int64_t> work, int64_t total,
                                int64_t parts) {
  std::vector<int64_t> bounds{0};
  int64_t sum = 0, groups = work.size();
  for (int64_t group = 0; group != groups; ++group) {
    int64_t next = bounds.size();
    // Before the group if that is nearer to the bound than after it.
    double target = double(total) * next / parts;
    if (next < parts && group > bounds.back() &&
        sum + work[group] / 2.0 >= target)
      bounds.push_back(group);
    sum += work[group];
  }
  bounds.push_back(groups);
  return bounds;
}

std::optional<WorkSplit> mlir::prune::splitWork(llvm::ArrayRef<int64_t> work,
                                                int64_t columns, int64_t panels,
                                                unsigned threads) {
  if (threads < 2 || work.empty())
    return std::nullopt;
  int64_t total = std::accumulate(work.begin(), work.end(), int64_t(0));
  int64_t columnCount = columns > 0 ? columns : kUnknownColumns;
  int64_t affordable = total > std::numeric_limits<int64_t>::max() / columnCount
                           ? std::numeric_limits<int64_t>::max()
                           : total * columnCount / kLeastPart;
  int64_t parts = std::min(kPartsPerThread * threads, affordable);
  if (parts < 2)
    return std::nullopt;
  WorkSplit split;
  split.bounds = cut(work, total, parts);
  // Ranges of rows alone keep a part of the weight near its core. Where there
  // are too few, panels multiply them.
  int64_t ranges = split.bounds.size() - 1;
  if (ranges < parts && panels != 1) {
    split.byPanels = true;
    if (panels > 1)
      split.bounds = cut(work, total, (parts + panels - 1) / panels);
  }
  if (split.bounds.size() == 2 && !split.byPanels)
    return std::nullopt;
  return split;
}
