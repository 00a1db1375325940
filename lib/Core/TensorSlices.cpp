//===- TensorSlices.cpp - Slices of dense buffers -------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tensor is seen as [outer, dim, inner]. The search for constant slices gives
// a slice up at its first deviation, so that weights without any cost little.
// The copy moves runs as long as the trailing dimensions that stay whole.
//
//===----------------------------------------------------------------------===//

#include "prune/Core/TensorSlices.h"

#include <cstring>

using namespace mlir::prune;

template <typename T>
static std::vector<int64_t> findSlices(const char *data, bool isFloat,
                                       int64_t outer, int64_t size,
                                       int64_t inner) {
  auto load = [&](int64_t position) {
    T element;
    std::memcpy(&element, data + position * sizeof(T), sizeof(T));
    // The sign bit of a zero does not count.
    if (isFloat && T(element << 1) == 0)
      element = 0;
    return element;
  };
  std::vector<int64_t> result(size, -1);
  for (int64_t index = 0; index != size; ++index) {
    int64_t first = index * inner;
    T expected = load(first);
    bool isConstant = true;
    for (int64_t o = 0; o != outer && isConstant; ++o)
      for (int64_t i = 0; i != inner && isConstant; ++i)
        isConstant = load((o * size + index) * inner + i) == expected;
    if (isConstant)
      result[index] = first;
  }
  return result;
}

std::vector<int64_t>
mlir::prune::findConstantSlices(llvm::ArrayRef<char> data, unsigned elementSize,
                                bool isFloat, llvm::ArrayRef<int64_t> shape,
                                int64_t dim) {
  int64_t outer = countElements(shape.take_front(dim));
  int64_t inner = countElements(shape.drop_front(dim + 1));
  int64_t size = shape[dim];
  if (outer == 0 || inner == 0)
    return std::vector<int64_t>(size, -1);
  switch (elementSize) {
  case 1:
    return findSlices<uint8_t>(data.data(), isFloat, outer, size, inner);
  case 2:
    return findSlices<uint16_t>(data.data(), isFloat, outer, size, inner);
  case 4:
    return findSlices<uint32_t>(data.data(), isFloat, outer, size, inner);
  default:
    return findSlices<uint64_t>(data.data(), isFloat, outer, size, inner);
  }
}

std::vector<bool>
mlir::prune::findLiveSlices(const TensorView &tensor, int64_t dim,
                            llvm::ArrayRef<std::vector<bool>> skipped) {
  llvm::ArrayRef<int64_t> shape = tensor.shape;
  std::vector<bool> live(shape[dim], false);
  int64_t last = int64_t(shape.size()) - 1, width = shape.back();
  int64_t rows = width == 0 ? 0 : tensor.size() / width;
  std::vector<double> row(width);
  llvm::SmallVector<int64_t> position(shape.size());
  for (int64_t at = 0; at != rows; ++at) {
    int64_t rest = at;
    bool isSkipped = false;
    for (int64_t d = last - 1; d >= 0; --d) {
      position[d] = rest % shape[d];
      rest /= shape[d];
      isSkipped |= !skipped[d].empty() && skipped[d][position[d]];
    }
    if (isSkipped || (dim != last && live[position[dim]]))
      continue;
    tensor.load(at * width, row);
    for (int64_t i = 0; i != width; ++i)
      if (row[i] != 0 && (skipped[last].empty() || !skipped[last][i]))
        live[dim == last ? i : position[dim]] = true;
  }
  return live;
}

llvm::SmallVector<int64_t> mlir::prune::keptShape(llvm::ArrayRef<int64_t> shape,
                                                  const KeptIndices &kept) {
  llvm::SmallVector<int64_t> result(shape);
  for (size_t dim = 0; dim != shape.size(); ++dim)
    if (kept[dim])
      result[dim] = kept[dim]->size();
  return result;
}

void mlir::prune::gatherSlices(llvm::ArrayRef<char> data, unsigned elementSize,
                               llvm::ArrayRef<int64_t> shape,
                               const KeptIndices &kept, char *out) {
  llvm::SmallVector<int64_t> sizes = keptShape(shape, kept);
  if (countElements(sizes) == 0)
    return;
  // Dimensions behind the last list are moved as one run.
  size_t rank = shape.size();
  while (rank != 0 && !kept[rank - 1])
    --rank;
  int64_t run = elementSize * countElements(shape.drop_front(rank));
  llvm::SmallVector<int64_t> strides(rank, run);
  for (size_t dim = rank; dim-- > 1;)
    strides[dim - 1] = strides[dim] * shape[dim];

  llvm::SmallVector<int64_t> at(rank, 0);
  while (true) {
    int64_t offset = 0;
    for (size_t dim = 0; dim != rank; ++dim)
      offset += strides[dim] * (kept[dim] ? (*kept[dim])[at[dim]] : at[dim]);
    std::memcpy(out, data.data() + offset, run);
    out += run;
    size_t dim = rank;
    while (dim != 0 && ++at[dim - 1] == sizes[dim - 1])
      at[--dim] = 0;
    if (dim == 0)
      return;
  }
}
