//===- Patches.cpp - The inputs of a layer as rows of a matrix ------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Patches.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <cstring>

using namespace mlir::prune;

/// The size of a loop over positions that the shape tells: it ends where the
/// last window does that lies inside.
static int64_t findSize(const PatchLoop &loop, const PatchLayout &layout,
                        llvm::ArrayRef<int64_t> shape) {
  int64_t size = -1;
  for (auto [dim, step] : llvm::enumerate(loop.steps)) {
    if (step <= 0)
      continue;
    int64_t last = layout.start[dim];
    for (const PatchLoop &column : layout.columns)
      if (column.steps[dim] > 0)
        last += column.steps[dim] * (column.size - 1);
    int64_t fits = last < shape[dim] ? (shape[dim] - 1 - last) / step + 1 : 0;
    size = size == -1 ? fits : std::min(size, fits);
  }
  return std::max<int64_t>(size, 0);
}

/// How far each step of the loops, the last one innermost, is from the start.
static std::vector<int64_t> makeOffsets(llvm::ArrayRef<PatchLoop> loops,
                                        const PatchLayout &layout,
                                        llvm::ArrayRef<int64_t> shape) {
  std::vector<int64_t> offsets{0};
  for (const PatchLoop &loop : loops) {
    int64_t stride = 0, extent = 1;
    for (size_t dim = shape.size(); dim-- > 0;) {
      stride += loop.steps[dim] * extent;
      extent *= shape[dim];
    }
    int64_t size = loop.size == -1 ? findSize(loop, layout, shape) : loop.size;
    std::vector<int64_t> next;
    next.reserve(offsets.size() * size);
    for (int64_t offset : offsets)
      for (int64_t i = 0; i < size; ++i)
        next.push_back(offset + i * stride);
    offsets = std::move(next);
  }
  return offsets;
}

Patches::Patches(const PatchLayout &layout, llvm::ArrayRef<int64_t> shape)
    : rows(makeOffsets(layout.positions, layout, shape)),
      columns(makeOffsets(layout.columns, layout, shape)),
      groups(makeOffsets(layout.groups, layout, shape)) {
  int64_t start = 0, extent = 1;
  for (size_t dim = shape.size(); dim-- > 0;) {
    start += layout.start[dim] * extent;
    extent *= shape[dim];
  }
  for (int64_t &row : rows)
    row += start;
  isContiguous = true;
  for (auto [i, offset] : llvm::enumerate(columns))
    isContiguous &= offset == int64_t(i);
}

template <typename Number>
void Patches::read(const Number *tensor, int64_t group, int64_t begin,
                   int64_t count, Number *out) const {
  size_t width = columns.size();
  for (int64_t r = begin; r < begin + count; ++r, out += width) {
    const Number *row = tensor + rows[r] + groups[group];
    if (isContiguous)
      std::memcpy(out, row, width * sizeof(Number));
    else
      for (size_t c = 0; c < width; ++c)
        out[c] = row[columns[c]];
  }
}

template void Patches::read(const float *, int64_t, int64_t, int64_t,
                            float *) const;
template void Patches::read(const double *, int64_t, int64_t, int64_t,
                            double *) const;
