//===- LevelStorage.cpp - Dense buffers to compressed levels
//-------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Packing runs twice over the buffer: once to count, which fixes all sizes and
// index widths, once to write. It works on bit patterns: in all supported types
// the sign is the top bit and both zeros have no other bit set.
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Packing/LevelStorage.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/STLExtras.h"

#include <cassert>
#include <cstring>

using namespace mlir::prune;

//===----------------------------------------------------------------------===//
// Indices
//===----------------------------------------------------------------------===//

unsigned mlir::prune::indexWidth(uint64_t largest) {
  for (unsigned width : {8, 16, 32})
    if (largest < uint64_t(1) << width)
      return width;
  return 64;
}

/// Calls `body` with an unsigned integer of `width` bits.
template <typename Body> static auto withIndexType(unsigned width, Body body) {
  switch (width) {
  case 8:
    return body(uint8_t());
  case 16:
    return body(uint16_t());
  case 32:
    return body(uint32_t());
  default:
    assert(width == 64 && "no index width");
    return body(uint64_t());
  }
}

uint64_t mlir::prune::readIndex(llvm::ArrayRef<char> buffer, unsigned width,
                                int64_t index) {
  return withIndexType(width, [&](auto value) -> uint64_t {
    std::memcpy(&value, buffer.data() + index * sizeof(value), sizeof(value));
    return value;
  });
}

static void writeIndex(std::vector<char> &buffer, unsigned width, int64_t index,
                       uint64_t value) {
  withIndexType(width, [&](auto narrow) {
    narrow = static_cast<decltype(narrow)>(value);
    assert(narrow == value && "index does not fit");
    std::memcpy(buffer.data() + index * sizeof(narrow), &narrow,
                sizeof(narrow));
  });
}

//===----------------------------------------------------------------------===//
// Zeros
//===----------------------------------------------------------------------===//

/// Calls `body` with an unsigned integer as wide as an element.
template <typename Body> static auto withElement(FloatKind kind, Body body) {
  return withIndexType(byteSize(kind) * 8, body);
}

template <typename Bits> static bool isNonzero(Bits bits) {
  return static_cast<Bits>(bits << 1) != 0;
}

/// The number of nonzeros among `count` elements that start at `data`.
template <typename Bits>
static int64_t countRun(const char *data, int64_t count) {
  int64_t nonzeros = 0;
  for (int64_t i = 0; i < count; ++i) {
    Bits bits;
    std::memcpy(&bits, data + i * sizeof(Bits), sizeof(Bits));
    nonzeros += isNonzero(bits);
  }
  return nonzeros;
}

static int64_t countRun(FloatKind kind, const char *data, int64_t count) {
  return withElement(
      kind, [&](auto bits) { return countRun<decltype(bits)>(data, count); });
}

int64_t mlir::prune::countNonzeros(FloatKind kind, llvm::ArrayRef<char> data) {
  return countRun(kind, data.data(), data.size() / byteSize(kind));
}

//===----------------------------------------------------------------------===//
// Packing
//===----------------------------------------------------------------------===//

/// The number of blocks with a nonzero.
static int64_t countBlocks(FloatKind kind, llvm::ArrayRef<char> data,
                           StorageShape shape) {
  if (shape.block == 1)
    return countNonzeros(kind, data);
  int64_t blockBytes = shape.block * byteSize(kind), blocks = 0;
  for (int64_t i = 0, e = shape.segments * shape.coordinates; i < e; ++i)
    blocks += countRun(kind, data.data() + i * blockBytes, shape.block) != 0;
  return blocks;
}

PackedTensor mlir::prune::packCompressed(FloatKind kind,
                                         llvm::ArrayRef<char> data,
                                         StorageShape shape,
                                         llvm::ArrayRef<int64_t> names,
                                         int64_t numNames) {
  int64_t blockBytes = shape.block * byteSize(kind);
  assert(int64_t(data.size()) == shape.size() * byteSize(kind) &&
         "buffer and shape disagree");
  assert((names.empty() || int64_t(names.size()) == shape.coordinates) &&
         "one name per coordinate");
  int64_t extent = names.empty() ? shape.coordinates : numNames;
  int64_t blocks = countBlocks(kind, data, shape);

  PackedTensor packed;
  packed.positionWidth = indexWidth(blocks);
  packed.coordinateWidth = indexWidth(std::max<int64_t>(extent - 1, 0));
  packed.positions.resize((shape.segments + 1) * packed.positionWidth / 8);
  packed.coordinates.resize(blocks * packed.coordinateWidth / 8);
  packed.values.resize(blocks * blockBytes);
  const char *source = data.data();
  int64_t next = 0;
  for (int64_t segment = 0; segment < shape.segments; ++segment) {
    for (int64_t c = 0; c < shape.coordinates; ++c, source += blockBytes) {
      if (countRun(kind, source, shape.block) == 0)
        continue;
      writeIndex(packed.coordinates, packed.coordinateWidth, next,
                 names.empty() ? c : names[c]);
      std::memcpy(packed.values.data() + next * blockBytes, source, blockBytes);
      ++next;
    }
    writeIndex(packed.positions, packed.positionWidth, segment + 1, next);
  }
  return packed;
}

std::optional<PackedTensor>
mlir::prune::packStructured(FloatKind kind, llvm::ArrayRef<char> data,
                            StorageShape shape, int64_t n) {
  assert(shape.block == 1 && n <= shape.coordinates && "no N:M group");
  int64_t bytes = byteSize(kind), m = shape.coordinates;
  PackedTensor packed;
  packed.coordinateWidth = indexWidth(std::max<int64_t>(m - 1, 0));
  packed.coordinates.resize(shape.segments * n * packed.coordinateWidth / 8);
  packed.values.resize(shape.segments * n * bytes);
  int64_t next = 0;
  for (int64_t segment = 0; segment < shape.segments; ++segment) {
    const char *group = data.data() + segment * m * bytes;
    int64_t spare = n - countRun(kind, group, m);
    if (spare < 0)
      return std::nullopt;
    for (int64_t c = 0; c < m; ++c) {
      bool isZero = countRun(kind, group + c * bytes, 1) == 0;
      if (isZero && spare-- <= 0)
        continue;
      writeIndex(packed.coordinates, packed.coordinateWidth, next, c);
      // A filled-in zero is +0, whatever zero stood there.
      if (!isZero)
        std::memcpy(packed.values.data() + next * bytes, group + c * bytes,
                    bytes);
      ++next;
    }
  }
  return packed;
}

//===----------------------------------------------------------------------===//
// Verification
//===----------------------------------------------------------------------===//

static std::string verifySizes(FloatKind kind, const PackedTensor &packed,
                               StorageShape shape, int64_t n) {
  auto isMultiple = [](size_t bytes, unsigned width) {
    return bytes % (width / 8) == 0;
  };
  if (!isMultiple(packed.coordinates.size(), packed.coordinateWidth) ||
      !isMultiple(packed.positions.size(), packed.positionWidth))
    return "an index buffer does not divide by its width";
  int64_t count = packed.numCoordinates();
  if (int64_t(packed.values.size()) != count * shape.block * byteSize(kind))
    return "values do not match coordinates";
  if (n != 0)
    return count == shape.segments * n && packed.positions.empty()
               ? ""
               : "coordinates do not match the groups";
  if (int64_t(packed.positions.size()) * 8 / packed.positionWidth !=
      shape.segments + 1)
    return "positions do not match segments";
  if (readIndex(packed.positions, packed.positionWidth, 0) != 0)
    return "positions do not start at 0";
  if (readIndex(packed.positions, packed.positionWidth, shape.segments) !=
      uint64_t(count))
    return "positions do not end at the number of coordinates";
  return "";
}

/// Checks the coordinates [begin, end) and values of one segment.
static std::string verifySegment(FloatKind kind, const PackedTensor &packed,
                                 const char *segment, StorageShape shape,
                                 llvm::ArrayRef<int64_t> names,
                                 int64_t numNames, int64_t begin, int64_t end) {
  int64_t blockBytes = shape.block * byteSize(kind);
  int64_t extent = names.empty() ? shape.coordinates : numNames;
  int64_t next = begin, previous = -1;
  for (int64_t i = begin; i < end; ++i) {
    uint64_t c = readIndex(packed.coordinates, packed.coordinateWidth, i);
    if (c >= uint64_t(extent))
      return "coordinate out of range";
    if (int64_t(c) <= previous)
      return "coordinates do not ascend";
    previous = c;
  }
  for (int64_t c = 0; c < shape.coordinates; ++c) {
    const char *block = segment + c * blockBytes;
    bool isZero = countRun(kind, block, shape.block) == 0;
    bool isListed =
        next < end && readIndex(packed.coordinates, packed.coordinateWidth,
                                next) == uint64_t(names.empty() ? c : names[c]);
    if (!isListed && !isZero)
      return "an element is missing";
    if (!isListed)
      continue;
    const char *stored = packed.values.data() + next++ * blockBytes;
    bool isEqual = isZero ? countRun(kind, stored, shape.block) == 0
                          : std::memcmp(stored, block, blockBytes) == 0;
    if (!isEqual)
      return "an element has another value";
  }
  return next == end ? "" : "a coordinate has no element";
}

std::string mlir::prune::verifyPacked(FloatKind kind,
                                      const PackedTensor &packed,
                                      llvm::ArrayRef<char> data,
                                      StorageShape shape,
                                      llvm::ArrayRef<int64_t> names,
                                      int64_t numNames, int64_t n) {
  std::string problem = verifySizes(kind, packed, shape, n);
  uint64_t begin = 0, count = problem.empty() ? packed.numCoordinates() : 0;
  int64_t segmentBytes = shape.coordinates * shape.block * byteSize(kind);
  for (int64_t s = 0; s < shape.segments && problem.empty(); ++s) {
    uint64_t end = n ? (s + 1) * n
                     : readIndex(packed.positions, packed.positionWidth, s + 1);
    if (end < begin || end > count)
      return "positions fall or exceed the number of coordinates";
    problem = verifySegment(kind, packed, data.data() + s * segmentBytes, shape,
                            names, numNames, begin, end);
    begin = end;
  }
  return problem;
}

//===----------------------------------------------------------------------===//
// Layout
//===----------------------------------------------------------------------===//

/// Copies a matrix whose neighbours in a row are not neighbours in memory. Goes
/// tile by tile, so that a line of the source serves several rows.
template <typename T>
static void gatherTransposed(const char *source, char *out, int64_t rows,
                             int64_t columns, int64_t rowStride,
                             int64_t columnStride) {
  constexpr int64_t kTile = 32;
  for (int64_t r0 = 0; r0 < rows; r0 += kTile)
    for (int64_t c0 = 0; c0 < columns; c0 += kTile)
      for (int64_t r = r0, rEnd = std::min(rows, r0 + kTile); r < rEnd; ++r)
        for (int64_t c = c0, cEnd = std::min(columns, c0 + kTile); c < cEnd;
             ++c)
          std::memcpy(out + (r * columns + c) * sizeof(T),
                      source + (r * rowStride + c * columnStride) * sizeof(T),
                      sizeof(T));
}

/// Does so for elements of that size; false for a size that is not known.
static bool gatherMatrix(const char *source, char *out, unsigned elementBytes,
                         llvm::ArrayRef<int64_t> shape,
                         llvm::ArrayRef<int64_t> strides) {
  auto *gather = elementBytes == 2   ? gatherTransposed<uint16_t>
                 : elementBytes == 4 ? gatherTransposed<uint32_t>
                 : elementBytes == 8 ? gatherTransposed<uint64_t>
                                     : nullptr;
  if (gather)
    gather(source, out, shape[0], shape[1], strides[0], strides[1]);
  return gather;
}

ByteBuffer mlir::prune::gatherElements(llvm::ArrayRef<char> data,
                                       unsigned elementBytes,
                                       llvm::ArrayRef<int64_t> shape,
                                       llvm::ArrayRef<int64_t> strides) {
  assert(shape.size() == strides.size() && "one stride per dimension");
  ByteBuffer result(countElements(shape) * elementBytes);
  if (result.empty())
    return result;
  int64_t innerSize = shape.empty() ? 1 : shape.back();
  int64_t innerStride = shape.empty() ? 1 : strides.back();
  if (shape.size() == 2 && innerStride != 1 &&
      gatherMatrix(data.data(), result.data(), elementBytes, shape, strides))
    return result;
  std::vector<int64_t> index(shape.size(), 0);
  int64_t offset = 0;
  for (char *out = result.data(), *end = out + result.size(); out != end;) {
    const char *source = data.data() + offset * elementBytes;
    if (innerStride == 1) {
      std::memcpy(out, source, innerSize * elementBytes);
      out += innerSize * elementBytes;
    } else {
      for (int64_t i = 0; i < innerSize; ++i, out += elementBytes)
        std::memcpy(out, source + i * innerStride * elementBytes, elementBytes);
    }
    for (size_t dim = shape.size() < 2 ? 0 : shape.size() - 1; dim-- > 0;) {
      offset += strides[dim];
      if (++index[dim] < shape[dim])
        break;
      offset -= strides[dim] * shape[dim];
      index[dim] = 0;
    }
  }
  return result;
}

std::vector<char> mlir::prune::padMatrix(llvm::ArrayRef<char> data,
                                         unsigned elementBytes, int64_t rows,
                                         int64_t columns, int64_t paddedRows,
                                         int64_t paddedColumns) {
  assert(paddedRows >= rows && paddedColumns >= columns && "padding shrinks");
  std::vector<char> result(paddedRows * paddedColumns * elementBytes);
  int64_t rowBytes = columns * elementBytes;
  for (int64_t row = 0; rowBytes && row < rows; ++row)
    std::memcpy(result.data() + row * paddedColumns * elementBytes,
                data.data() + row * rowBytes, rowBytes);
  return result;
}

static const llvm::fltSemantics &getSemantics(FloatKind kind) {
  switch (kind) {
  case FloatKind::F64:
    return llvm::APFloat::IEEEdouble();
  case FloatKind::F32:
    return llvm::APFloat::IEEEsingle();
  case FloatKind::F16:
    return llvm::APFloat::IEEEhalf();
  case FloatKind::BF16:
    return llvm::APFloat::BFloat();
  }
  return llvm::APFloat::IEEEdouble();
}

std::vector<char> mlir::prune::convertElements(FloatKind from, FloatKind to,
                                               llvm::ArrayRef<char> data) {
  unsigned fromBytes = byteSize(from), toBytes = byteSize(to);
  int64_t count = data.size() / fromBytes;
  std::vector<char> result(count * toBytes);
  for (int64_t i = 0; i < count; ++i) {
    llvm::APInt bits(fromBytes * 8, readIndex(data, fromBytes * 8, i));
    llvm::APFloat value(getSemantics(from), bits);
    bool losesInfo;
    value.convert(getSemantics(to), llvm::APFloat::rmNearestTiesToEven,
                  &losesInfo);
    writeIndex(result, toBytes * 8, i, value.bitcastToAPInt().getZExtValue());
  }
  return result;
}
