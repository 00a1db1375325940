//===- Patches.h - The inputs of a layer as rows of a matrix ----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A product reads its input as a matrix: one row for each position of each
// sample, one column for each weight of an output. For a convolution, rows are
// the windows that the filter sees, and overlap. They are read from the tensor
// where they lie, so many at a time; the matrix is never whole.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CORE_PATCHES_H
#define PRUNE_CORE_PATCHES_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <vector>

namespace mlir::prune {

/// A loop of a product, and how far each of its steps moves along each
/// dimension of the input.
struct PatchLoop {
  llvm::SmallVector<int64_t> steps;
  /// -1 if only the input's shape tells.
  int64_t size = -1;
};

/// How a product reads its input. `start` is the index of the first element.
struct PatchLayout {
  llvm::SmallVector<int64_t> start;
  /// Loops over the rows, over the columns, and over groups of channels that
  /// have weights of their own.
  llvm::SmallVector<PatchLoop> positions, columns, groups;
};

/// The matrix of one tensor of `shape`, for each group.
class Patches {
public:
  Patches(const PatchLayout &layout, llvm::ArrayRef<int64_t> shape);

  int64_t numRows() const { return rows.size(); }
  int64_t numColumns() const { return columns.size(); }
  int64_t numGroups() const { return groups.size(); }

  /// Writes the rows [begin, begin + count) of a group, row-major. For float
  /// and double.
  template <typename Number>
  void read(const Number *tensor, int64_t group, int64_t begin, int64_t count,
            Number *out) const;

private:
  std::vector<int64_t> rows, columns, groups;
  /// Whether the columns of a row lie next to each other.
  bool isContiguous = false;
};

} // namespace mlir::prune

#endif // PRUNE_CORE_PATCHES_H
