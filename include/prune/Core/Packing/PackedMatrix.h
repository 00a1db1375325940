//===- PackedMatrix.h - Weights in the order kernels read them --*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A packed kernel walks over a weight matrix W of `m` rows and `k` columns in
// row groups of `groupRows` rows and, outermost, in blocks of `kBlock` columns.
// One group in one block of columns is a *segment*. Packing writes down,
// segment after segment, exactly what the kernel reads, so that each buffer is
// read from front to back. Rows beyond `m` in the last group are zeros.
//
// clang-format off
// | form     | values                            | indices        | positions       |
// |----------|-----------------------------------|----------------|-----------------|
// | dense    | every column, groupRows values    | none           | none            |
// | blocks   | columns with a nonzero in any row | their columns  | per segment one |
// |          | of the group, groupRows values    |                |                 |
// | patterns | columns sorted by the set of rows | their columns, | per segment     |
// |          | (a bit set: row i is bit i) that  | set by set     | 2^groupRows     |
// |          | are nonzero; only nonzero values  |                |                 |
// | elements | blocks with one row in a group    | as blocks      | as blocks       |
// clang-format on
//
// Positions of `blocks` point into the indices; a last one closes them. For
// `patterns` a segment has the position of its first value and then, for the
// sets 1, 2, ..., 2^groupRows - 1, that of the first index; one more segment
// with all ends closes them. Columns count from 0 in the whole matrix.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CORE_PACKING_PACKEDMATRIX_H
#define PRUNE_CORE_PACKING_PACKEDMATRIX_H

#include "prune/Core/Support/ByteBuffer.h"

#include "llvm/ADT/ArrayRef.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mlir::prune {

/// What a packed matrix lists.
enum class PackedForm : uint32_t { Dense, Blocks, Patterns, Elements };

/// The sets of rows of a `patterns` group are told apart by code of their own,
/// so groups are small.
inline constexpr int64_t kMaxPatternRows = 4;

/// How a matrix is packed.
struct PackedLayout {
  PackedForm form = PackedForm::Dense;
  int64_t m = 0, k = 0;
  int64_t groupRows = 1;
  int64_t kBlock = 1;

  int64_t numGroups() const { return (m + groupRows - 1) / groupRows; }
  int64_t numBlocks() const { return (k + kBlock - 1) / kBlock; }
  int64_t numSegments() const { return numGroups() * numBlocks(); }
  /// Positions per segment; 0 for a dense matrix.
  int64_t positionsPerSegment() const;
  /// The number of positions of the whole matrix.
  int64_t numPositions() const;
};

/// A matrix of elements that are packed as bytes.
struct PackedMatrix {
  unsigned elementSize = 4;
  ByteBuffer values;
  std::vector<uint32_t> indices;
  std::vector<uint32_t> positions;

  int64_t numValues() const { return int64_t(values.size()) / elementSize; }
};

/// Packs `m * k` floating-point elements of 2, 4 or 8 bytes in row-major order.
/// Zeros of either sign count as zero. Nothing if the matrix is so large that a
/// position exceeds 31 bits.
std::optional<PackedMatrix> packMatrix(const PackedLayout &layout,
                                       llvm::ArrayRef<char> elements,
                                       unsigned elementSize);

/// Writes a packed matrix out in row-major order: what the kernel multiplies
/// with. Returns an error text if the buffers contradict the layout.
std::optional<std::string> unpackMatrix(const PackedLayout &layout,
                                        const PackedMatrix &packed,
                                        std::vector<char> &elements);

/// How much work each form has on a matrix.
struct PackedCounts {
  int64_t nonzeros = 0;
  /// Columns with a nonzero, summed over groups of `groupRows` rows.
  int64_t groupColumns = 0;
};
PackedCounts countNonzeros(int64_t m, int64_t k, int64_t groupRows,
                           llvm::ArrayRef<char> elements, unsigned elementSize);

} // namespace mlir::prune

#endif // PRUNE_CORE_PACKING_PACKEDMATRIX_H
