//===- ChooseFormat.cpp - The smallest packed form of a weight ------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A packed product reads each byte of its weight once or more, so fewer bytes
// are less time. The sizes of all candidates follow from the coordinates of the
// CSR form, in time proportional to the nonzeros; only the winner is packed.
//
//===----------------------------------------------------------------------===//

#include "Conversion/Weights/WeightContraction.h"

using namespace mlir;
using namespace mlir::prune;

namespace {
/// The CSR form of a weight of a plain product.
struct Rows {
  const PackedTensor &packed;
  int64_t rows, columns, elementBytes;

  /// Calls `visit(column)` for the nonzeros of a row.
  template <typename Visit> void visitRow(int64_t row, Visit visit) const {
    int64_t begin = readIndex(packed.positions, packed.positionWidth, row);
    int64_t end = readIndex(packed.positions, packed.positionWidth, row + 1);
    for (int64_t i = begin; i < end; ++i)
      visit(readIndex(packed.coordinates, packed.coordinateWidth, i));
  }
};
} // namespace

/// The bytes of blocks of `height` rows, all of which hold a nonzero.
static size_t sizeOfRowBlocks(const Rows &csr, int64_t height) {
  // For each column the last block of rows, counted from 1, that it was met in.
  std::vector<int64_t> met(csr.columns, 0);
  int64_t blocks = 0;
  for (int64_t row = 0; row < csr.rows; ++row)
    csr.visitRow(row, [&](uint64_t column) {
      int64_t current = row / height + 1;
      blocks += met[column] != current;
      met[column] = current;
    });
  return blocks *
             (height * csr.elementBytes + indexWidth(csr.columns - 1) / 8) +
         (csr.rows / height + 1) * indexWidth(blocks) / 8;
}

/// The bytes of groups of `m` with `n` nonzeros; nothing if one has more.
static std::optional<size_t> sizeOfGroups(const Rows &csr, int64_t n,
                                          int64_t m) {
  for (int64_t row = 0; row < csr.rows; ++row) {
    int64_t group = -1, count = 0;
    bool fits = true;
    csr.visitRow(row, [&](uint64_t column) {
      count = int64_t(column) / m == group ? count + 1 : 1;
      group = int64_t(column) / m;
      fits &= count <= n;
    });
    if (!fits)
      return std::nullopt;
  }
  return csr.rows * csr.columns / m * n * (csr.elementBytes + 1);
}

/// The bytes in a format; nothing if it does not suit or if a dense operand
/// would have to be padded at run time.
static std::optional<size_t> sizeIn(const Rows &csr, SparseFormat format) {
  if (format.kind == SparseFormat::RowBlock && csr.rows % format.n == 0)
    return sizeOfRowBlocks(csr, format.n);
  if (format.kind == SparseFormat::Structured && csr.columns % format.m == 0)
    return sizeOfGroups(csr, format.n, format.m);
  return std::nullopt;
}

std::optional<EncodedWeight>
mlir::prune::encodeSmallest(const WeightContraction &match,
                            const WeightView &weight, std::string &reason) {
  auto best = encodeWeight(match, weight, {SparseFormat::CSR}, reason);
  if (!best || match.isConvolution())
    return best;
  // Of equally small forms the first counts: fewer indices mean less work.
  static constexpr SparseFormat kCandidates[] = {
      {SparseFormat::RowBlock, 16},     {SparseFormat::RowBlock, 8},
      {SparseFormat::RowBlock, 4},      {SparseFormat::Structured, 1, 4},
      {SparseFormat::Structured, 2, 4},
  };
  Rows csr{best->packed, match.rows, match.columns, byteSize(weight.kind)};
  std::optional<SparseFormat> smaller;
  size_t bytes = best->packed.numBytes() + 1;
  for (SparseFormat candidate : kCandidates)
    if (std::optional<size_t> size = sizeIn(csr, candidate);
        size && *size < bytes) {
      bytes = *size;
      smaller = candidate;
    }
  if (smaller)
    if (auto encoded = encodeWeight(match, weight, *smaller, reason))
      return encoded;
  return best;
}
