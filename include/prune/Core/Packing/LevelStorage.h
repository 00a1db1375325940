//===- LevelStorage.h - Dense buffers to compressed levels -----------*- C++
//-*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sparse formats are stored as positions, coordinates and values. Every format
// of this project has one sparse level, so a dense buffer in storage order is
// seen as [segments, coordinates, block]: a segment lists the coordinates whose
// block of values is not all zero. Rows of a CSR matrix are segments with
// blocks of one; a row block r x 1 has blocks of r.
//
// Zero is decided by value: +0 and -0 are dropped, NaN and infinity are kept.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CORE_PACKING_LEVELSTORAGE_H
#define PRUNE_CORE_PACKING_LEVELSTORAGE_H

#include "prune/Core/Support/ByteBuffer.h"
#include "prune/Core/TensorView.h"

#include "llvm/ADT/ArrayRef.h"

#include <optional>
#include <string>
#include <vector>

namespace mlir::prune {

/// The extents of a dense buffer in storage order.
struct StorageShape {
  int64_t segments = 0;
  int64_t coordinates = 0;
  int64_t block = 1;

  int64_t size() const { return segments * coordinates * block; }
};

/// The levels of a packed tensor. Indices are unsigned integers of 8, 16, 32 or
/// 64 bits, the narrowest that holds every value that the format allows, in the
/// byte order of the host; values are elements of the source's type.
struct PackedTensor {
  unsigned positionWidth = 8;
  unsigned coordinateWidth = 8;
  /// One more than there are segments, or none in a structured tensor.
  std::vector<char> positions;
  std::vector<char> coordinates;
  std::vector<char> values;

  /// The number of listed coordinates.
  int64_t numCoordinates() const {
    return int64_t(coordinates.size()) * 8 / coordinateWidth;
  }
  size_t numBytes() const {
    return positions.size() + coordinates.size() + values.size();
  }
};

/// The narrowest of 8, 16, 32 and 64 bits that holds `largest`.
unsigned indexWidth(uint64_t largest);

/// Element `index` of a buffer of unsigned integers of `width` bits.
uint64_t readIndex(llvm::ArrayRef<char> buffer, unsigned width, int64_t index);

/// The number of elements that are not zero.
int64_t countNonzeros(FloatKind kind, llvm::ArrayRef<char> data);

/// Packs a dense buffer. Coordinate `c` is stored as `names[c]` if `names` is
/// not empty; names ascend strictly, and `numNames` bounds them.
PackedTensor packCompressed(FloatKind kind, llvm::ArrayRef<char> data,
                            StorageShape shape,
                            llvm::ArrayRef<int64_t> names = {},
                            int64_t numNames = 0);

/// Packs a buffer of which every segment has at most `n` nonzeros, so that all
/// segments list exactly `n` coordinates and need no positions. A segment with
/// fewer nonzeros lists zeros at its first coordinates that are free. Empty if
/// a segment has more.
std::optional<PackedTensor> packStructured(FloatKind kind,
                                           llvm::ArrayRef<char> data,
                                           StorageShape shape, int64_t n);

/// Checks a packed tensor, from whatever source, against the dense buffer that
/// it stands for: positions start at 0, never fall and end at the number of
/// coordinates; coordinates ascend strictly within a segment and are in range;
/// sizes agree; and every element has its value. Returns what is wrong, or an
/// empty string. `n` is 0 for a compressed tensor.
std::string verifyPacked(FloatKind kind, const PackedTensor &packed,
                         llvm::ArrayRef<char> data, StorageShape shape,
                         llvm::ArrayRef<int64_t> names = {},
                         int64_t numNames = 0, int64_t n = 0);

/// Copies a strided view of a buffer into a new contiguous one: element
/// (i0, i1, ...) of the result is element i0*strides[0] + i1*strides[1] + ...
/// of the source.
ByteBuffer gatherElements(llvm::ArrayRef<char> data, unsigned elementBytes,
                          llvm::ArrayRef<int64_t> shape,
                          llvm::ArrayRef<int64_t> strides);

/// Extends a row-major matrix with zeros to `paddedRows` by `paddedColumns`.
std::vector<char> padMatrix(llvm::ArrayRef<char> data, unsigned elementBytes,
                            int64_t rows, int64_t columns, int64_t paddedRows,
                            int64_t paddedColumns);

/// Converts every element to another type, rounding to nearest, ties to even.
std::vector<char> convertElements(FloatKind from, FloatKind to,
                                  llvm::ArrayRef<char> data);

} // namespace mlir::prune

#endif // PRUNE_CORE_PACKING_LEVELSTORAGE_H
