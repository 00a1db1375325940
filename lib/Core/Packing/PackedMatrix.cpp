//===- PackedMatrix.cpp - Weights in the order kernels read them ----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elements are copied as bit patterns of their size, so one implementation
// serves all types. A segment is packed in two steps: note for each column
// which rows of the group are nonzero, then list columns set by set. `blocks`
// and `elements` are the case where all nonempty sets are one.
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Packing/PackedMatrix.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <limits>
#include <numeric>

using namespace mlir::prune;

int64_t PackedLayout::positionsPerSegment() const {
  switch (form) {
  case PackedForm::Dense:
    return 0;
  case PackedForm::Blocks:
  case PackedForm::Elements:
    return 1;
  case PackedForm::Patterns:
    return int64_t(1) << groupRows;
  }
  return 0;
}

int64_t PackedLayout::numPositions() const {
  if (form == PackedForm::Dense)
    return 0;
  // `blocks` needs a single closing position, `patterns` a closing segment.
  return (numSegments() + 1) * positionsPerSegment();
}

namespace {
/// The rows and columns of one segment.
struct Segment {
  int64_t rowBegin, rowEnd;
  int64_t columnBegin, columnEnd;
};
} // namespace

static Segment getSegment(const PackedLayout &layout, int64_t block,
                          int64_t group) {
  return {group * layout.groupRows,
          std::min(layout.m, (group + 1) * layout.groupRows),
          block * layout.kBlock,
          std::min(layout.k, (block + 1) * layout.kBlock)};
}

/// Whether a floating-point bit pattern is neither +0 nor -0.
template <typename T> static bool isNonzero(T bits) {
  return T(bits << 1) != 0;
}

namespace {
/// Packs elements of storage type T.
template <typename T> class Packer {
public:
  Packer(const PackedLayout &layout, llvm::ArrayRef<char> elements)
      : layout(layout), elements(elements), sets(layout.kBlock),
        columns(layout.kBlock) {
    packed.elementSize = sizeof(T);
    bool isPattern = layout.form == PackedForm::Patterns;
    setRows.resize(isPattern ? 1u << layout.groupRows : 2);
    for (uint32_t set = 1; set != setRows.size(); ++set)
      for (uint32_t row = 0; row != layout.groupRows; ++row)
        if (!isPattern || set >> row & 1)
          setRows[set].push_back(row);
  }

  std::optional<PackedMatrix> run() {
    reserve();
    for (int64_t block = 0; block != layout.numBlocks(); ++block)
      for (int64_t group = 0; group != layout.numGroups(); ++group) {
        pack(getSegment(layout, block, group));
        if (packed.numValues() > kLimit ||
            int64_t(packed.indices.size()) > kLimit)
          return std::nullopt;
      }
    close();
    return std::move(packed);
  }

private:
  static constexpr int64_t kLimit = std::numeric_limits<int32_t>::max();

  const char *at(int64_t row) const {
    return elements.data() + row * layout.k * sizeof(T);
  }

  static T load(const char *row, int64_t column) {
    T element;
    std::memcpy(&element, row + column * sizeof(T), sizeof(T));
    return element;
  }

  /// Large buffers that grow would be copied several times.
  void reserve() {
    if (layout.form == PackedForm::Dense) {
      packed.values.reserve(layout.numGroups() * layout.groupRows * layout.k *
                            sizeof(T));
      return;
    }
    PackedCounts counts = countNonzeros(layout.m, layout.k, layout.groupRows,
                                        elements, sizeof(T));
    packed.indices.reserve(counts.groupColumns);
    packed.positions.reserve(layout.numPositions());
    packed.values.reserve((layout.form == PackedForm::Patterns
                               ? counts.nonzeros
                               : counts.groupColumns * layout.groupRows) *
                          sizeof(T));
  }

  /// Appends the values of columns, each those of the given rows of the group;
  /// zeros where the last group has no row.
  void appendColumns(const Segment &segment, llvm::ArrayRef<uint32_t> listed,
                     llvm::ArrayRef<uint32_t> rows) {
    // So many columns, of all rows, stay in the first cache.
    constexpr size_t kChunk = 128;
    size_t begin = packed.values.size();
    packed.values.resize(begin + listed.size() * rows.size() * sizeof(T));
    if (!rows.empty() && segment.rowBegin + rows.back() >= segment.rowEnd)
      std::fill(packed.values.begin() + begin, packed.values.end(), 0);
    for (; !listed.empty();
         listed = listed.drop_front(std::min(kChunk, listed.size()))) {
      llvm::ArrayRef<uint32_t> chunk = listed.take_front(kChunk);
      for (size_t place = 0; place != rows.size(); ++place) {
        int64_t row = segment.rowBegin + rows[place];
        if (row >= segment.rowEnd)
          break;
        const char *source = at(row);
        char *out = packed.values.data() + begin + place * sizeof(T);
        for (uint32_t column : chunk) {
          T element = load(source, column);
          std::memcpy(out, &element, sizeof(T));
          out += rows.size() * sizeof(T);
        }
      }
      begin += chunk.size() * rows.size() * sizeof(T);
    }
  }

  /// Notes for each column of the segment the set of nonzero rows; all
  /// nonempty sets count as 1 where only that is asked.
  void findSets(const Segment &segment) {
    std::fill(sets.begin(), sets.end(), 0);
    bool isPattern = layout.form == PackedForm::Patterns;
    for (int64_t row = segment.rowBegin; row != segment.rowEnd; ++row) {
      uint32_t bit = isPattern ? 1u << (row - segment.rowBegin) : 1;
      const char *source = at(row);
      for (int64_t c = segment.columnBegin; c != segment.columnEnd; ++c)
        sets[c - segment.columnBegin] |= isNonzero(load(source, c)) ? bit : 0;
    }
  }

  void pack(const Segment &segment) {
    int64_t size = segment.columnEnd - segment.columnBegin;
    if (layout.form == PackedForm::Dense) {
      for (int64_t i = 0; i != size; ++i)
        columns[i] = segment.columnBegin + i;
      appendColumns(segment, llvm::ArrayRef(columns).take_front(size),
                    setRows.back());
      return;
    }
    findSets(segment);
    bool isPattern = layout.form == PackedForm::Patterns;
    if (isPattern)
      packed.positions.push_back(packed.numValues());
    // Columns sorted by set: where each begins, then each in its place.
    std::array<uint32_t, (1u << kMaxPatternRows) + 1> begins{};
    for (int64_t i = 0; i != size; ++i)
      ++begins[sets[i] + 1];
    std::partial_sum(begins.begin(), begins.end(), begins.begin());
    auto next = begins;
    for (int64_t i = 0; i != size; ++i)
      columns[next[sets[i]]++] = segment.columnBegin + i;
    for (uint32_t set = 1; set != setRows.size(); ++set) {
      packed.positions.push_back(packed.indices.size());
      auto listed = llvm::ArrayRef(columns).slice(begins[set], begins[set + 1] -
                                                                   begins[set]);
      packed.indices.insert(packed.indices.end(), listed.begin(), listed.end());
      appendColumns(segment, listed, setRows[isPattern ? set : 1]);
    }
  }

  void close() {
    if (layout.form == PackedForm::Dense)
      return;
    if (layout.form == PackedForm::Patterns)
      packed.positions.push_back(packed.numValues());
    packed.positions.resize(layout.numPositions(), packed.indices.size());
  }

  const PackedLayout &layout;
  llvm::ArrayRef<char> elements;
  std::vector<uint32_t> sets, columns;
  /// The rows in each set; without patterns, set 1 is all rows.
  std::vector<std::vector<uint32_t>> setRows;
  PackedMatrix packed;
};
} // namespace

std::optional<PackedMatrix>
mlir::prune::packMatrix(const PackedLayout &layout,
                        llvm::ArrayRef<char> elements, unsigned elementSize) {
  assert(int64_t(elements.size()) == layout.m * layout.k * elementSize &&
         "elements do not fill the matrix");
  assert((layout.form != PackedForm::Patterns ||
          layout.groupRows <= kMaxPatternRows) &&
         "too many rows in a group of patterns");
  switch (elementSize) {
  case 2:
    return Packer<uint16_t>(layout, elements).run();
  case 4:
    return Packer<uint32_t>(layout, elements).run();
  case 8:
    return Packer<uint64_t>(layout, elements).run();
  }
  return std::nullopt;
}

namespace {
/// Reads a packed matrix in the order in which the kernel does, checking every
/// step.
class Unpacker {
public:
  Unpacker(const PackedLayout &layout, const PackedMatrix &packed,
           std::vector<char> &elements)
      : layout(layout), packed(packed), elements(elements) {
    elements.assign(layout.m * layout.k * packed.elementSize, 0);
  }

  std::optional<std::string> run() {
    if (int64_t(packed.positions.size()) != layout.numPositions())
      return "expects " + std::to_string(layout.numPositions()) +
             " positions but got " + std::to_string(packed.positions.size());
    for (int64_t block = 0; block != layout.numBlocks(); ++block)
      for (int64_t group = 0; group != layout.numGroups(); ++group)
        if (!unpack(getSegment(layout, block, group),
                    block * layout.numGroups() + group))
          return error;
    if (layout.form != PackedForm::Dense &&
        nextIndex != int64_t(packed.indices.size()))
      return std::string("indices beyond the last position");
    if (nextValue != packed.numValues())
      return std::string("values beyond the last column");
    return std::nullopt;
  }

private:
  bool fail(const char *text) {
    error = text;
    return false;
  }

  bool readColumn(const Segment &segment, int64_t column, uint32_t set) {
    for (int64_t i = 0; i != layout.groupRows; ++i) {
      if (set && !(set >> i & 1))
        continue;
      if (nextValue >= packed.numValues())
        return fail("fewer values than the indices ask for");
      const char *value =
          packed.values.data() + nextValue++ * packed.elementSize;
      if (int64_t row = segment.rowBegin + i; row < segment.rowEnd)
        std::memcpy(elements.data() +
                        (row * layout.k + column) * packed.elementSize,
                    value, packed.elementSize);
      else if (set)
        return fail("a set names a row beyond the last");
    }
    return true;
  }

  bool unpack(const Segment &segment, int64_t number) {
    if (layout.form == PackedForm::Dense) {
      for (int64_t c = segment.columnBegin; c != segment.columnEnd; ++c)
        if (!readColumn(segment, c, 0))
          return false;
      return true;
    }
    bool isPattern = layout.form == PackedForm::Patterns;
    int64_t at = number * layout.positionsPerSegment();
    if (isPattern && packed.positions[at] != nextValue)
      return fail("a segment's value position is not where its values begin");
    uint32_t numSets = isPattern ? layout.positionsPerSegment() : 2;
    for (uint32_t set = 1; set != numSets; ++set) {
      // The next set's begin; for the last, that of the next segment's first.
      int64_t begin = at + isPattern * set;
      int64_t end = set + 1 == numSets ? begin + 1 + isPattern : begin + 1;
      if (packed.positions[begin] != nextIndex ||
          packed.positions[end] < packed.positions[begin] ||
          packed.positions[end] > packed.indices.size())
        return fail("positions do not increase");
      for (; nextIndex != packed.positions[end]; ++nextIndex) {
        int64_t column = packed.indices[nextIndex];
        if (column < segment.columnBegin || column >= segment.columnEnd)
          return fail("an index lies outside of its block of columns");
        if (!readColumn(segment, column, isPattern ? set : 0))
          return false;
      }
    }
    return true;
  }

  const PackedLayout &layout;
  const PackedMatrix &packed;
  std::vector<char> &elements;
  int64_t nextValue = 0, nextIndex = 0;
  std::string error;
};
} // namespace

std::optional<std::string>
mlir::prune::unpackMatrix(const PackedLayout &layout,
                          const PackedMatrix &packed,
                          std::vector<char> &elements) {
  return Unpacker(layout, packed, elements).run();
}

/// Notes in `seen` which columns of a row are nonzero and returns how many.
template <typename T>
static int64_t markRow(const char *row, std::vector<uint8_t> &seen) {
  int64_t count = 0;
  for (size_t c = 0, e = seen.size(); c != e; ++c) {
    T bits;
    std::memcpy(&bits, row + c * sizeof(T), sizeof(T));
    bool nonzero = isNonzero(bits);
    seen[c] |= nonzero;
    count += nonzero;
  }
  return count;
}

PackedCounts mlir::prune::countNonzeros(int64_t m, int64_t k, int64_t groupRows,
                                        llvm::ArrayRef<char> elements,
                                        unsigned elementSize) {
  PackedCounts counts;
  std::vector<uint8_t> seen(k);
  auto *mark = elementSize == 2   ? markRow<uint16_t>
               : elementSize == 4 ? markRow<uint32_t>
                                  : markRow<uint64_t>;
  for (int64_t row = 0; row != m; ++row) {
    counts.nonzeros += mark(elements.data() + row * k * elementSize, seen);
    if ((row + 1) % groupRows != 0 && row + 1 != m)
      continue;
    counts.groupColumns += std::count(seen.begin(), seen.end(), 1);
    std::fill(seen.begin(), seen.end(), 0);
  }
  return counts;
}
