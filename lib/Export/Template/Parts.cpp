//===- Parts.cpp - One tensor from the parts that are left ----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each part is the product of the indices that it kept along each dimension.
// The whole is the product of their unions, if the parts fill it.
//
//===----------------------------------------------------------------------===//

#include "Parts.h"

#include "prune/IR/ConstantView.h"

#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/Support/MathExtras.h"

#include <numeric>

using namespace mlir;
using namespace mlir::prune;
using namespace mlir::prune::onnx_export;

/// Calls `visit(from, to)` with the numbers of each element of a part and of
/// its place in a whole. `positions` are where the indices of each dimension
/// lie.
static void forEachElement(ArrayRef<std::vector<int64_t>> positions,
                           ArrayRef<int64_t> shape,
                           function_ref<void(int64_t, int64_t)> visit) {
  int64_t count = 1;
  for (const std::vector<int64_t> &list : positions)
    count *= list.size();
  SmallVector<int64_t> at(shape.size(), 0);
  for (int64_t from = 0; from != count; ++from) {
    int64_t to = 0;
    for (size_t dim = 0; dim != shape.size(); ++dim)
      to = to * shape[dim] + positions[dim][at[dim]];
    visit(from, to);
    for (size_t dim = shape.size(); dim-- > 0;) {
      if (++at[dim] != int64_t(positions[dim].size()))
        break;
      at[dim] = 0;
    }
  }
}

/// Where the indices of a part lie among those of the whole.
static std::vector<int64_t> locate(ArrayRef<int64_t> part,
                                   ArrayRef<int64_t> whole) {
  std::vector<int64_t> positions;
  for (int64_t index : part)
    positions.push_back(llvm::lower_bound(whole, index) - whole.begin());
  return positions;
}

static SmallVector<int64_t> sizesOf(const KeptIndices &kept) {
  SmallVector<int64_t> sizes;
  for (const auto &list : kept)
    sizes.push_back(list->size());
  return sizes;
}

/// The indices that the parts of `lists` have together.
static std::vector<int64_t> unite(ArrayRef<std::vector<int64_t>> lists) {
  std::vector<int64_t> all;
  for (const std::vector<int64_t> &list : lists)
    all.insert(all.end(), list.begin(), list.end());
  llvm::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

/// What a part kept of a dimension, as indices of the original; nothing if the
/// record does not fit.
static std::optional<std::vector<int64_t>>
listOf(const std::optional<std::vector<int64_t>> &kept, int64_t size,
       int64_t original) {
  if (kept) {
    bool fits = kept->empty() || kept->back() < original;
    return fits ? kept : std::nullopt;
  }
  if (size != original)
    return std::nullopt;
  std::vector<int64_t> all(size);
  std::iota(all.begin(), all.end(), 0);
  return all;
}

/// Per dimension the lists of all parts; empty if a part is none of the
/// original.
static SmallVector<std::vector<std::vector<int64_t>>>
collectLists(ArrayRef<int64_t> shape, ArrayRef<DenseResourceElementsAttr> parts,
             const KeptRecord &record) {
  SmallVector<std::vector<std::vector<int64_t>>> lists(shape.size());
  for (DenseResourceElementsAttr part : parts) {
    ArrayRef<int64_t> sizes = part.getType().getShape();
    std::optional<KeptIndices> kept =
        record.get(part.getRawHandle().getKey(), sizes);
    if (!kept || kept->size() != shape.size() ||
        part.getElementType() != parts.front().getElementType())
      return {};
    for (size_t dim = 0; dim != shape.size(); ++dim) {
      auto list = listOf((*kept)[dim], sizes[dim], shape[dim]);
      if (!list)
        return {};
      lists[dim].push_back(std::move(*list));
    }
  }
  return lists;
}

std::optional<JoinedParts>
mlir::prune::onnx_export::joinParts(ArrayRef<int64_t> shape,
                                    ArrayRef<DenseResourceElementsAttr> parts,
                                    const KeptRecord &record) {
  auto lists = collectLists(shape, parts, record);
  std::optional<ConstantBytes> first = getConstantBytes(parts.front());
  if (lists.empty() || !first)
    return std::nullopt;
  JoinedParts joined;
  int64_t most = 0, count = 1;
  for (DenseResourceElementsAttr part : parts)
    most += part.getNumElements();
  for (size_t dim = 0; dim != shape.size(); ++dim) {
    joined.kept.push_back(unite(lists[dim]));
    // More than all parts together have leaves a gap.
    if (llvm::MulOverflow(count, int64_t(joined.kept.back()->size()), count) ||
        count > most)
      return std::nullopt;
  }
  SmallVector<int64_t> sizes = sizesOf(joined.kept);
  size_t width = first->elementSize;
  std::vector<char> data(count * width);
  std::vector<bool> isWritten(count);
  bool agree = true;
  for (auto [number, value] : llvm::enumerate(parts)) {
    std::optional<ConstantBytes> bytes = getConstantBytes(value);
    if (!bytes || bytes->isSplat)
      return std::nullopt;
    SmallVector<std::vector<int64_t>> positions;
    for (size_t dim = 0; dim != shape.size(); ++dim)
      positions.push_back(locate(lists[dim][number], *joined.kept[dim]));
    forEachElement(positions, sizes, [&](int64_t from, int64_t to) {
      const char *source = bytes->data.data() + from * width;
      char *target = data.data() + to * width;
      agree &= !isWritten[to] || std::memcmp(target, source, width) == 0;
      std::memcpy(target, source, width);
      isWritten[to] = true;
    });
  }
  if (!agree || llvm::is_contained(isWritten, false))
    return std::nullopt;
  joined.value = createRewrittenConstant(
      RankedTensorType::get(sizes, parts.front().getElementType()),
      parts.front().getRawHandle().getKey(),
      HeapAsmResourceBlob::allocateAndCopyWithAlign(ArrayRef<char>(data), 64));
  return joined;
}

void mlir::prune::onnx_export::writePart(MutableArrayRef<char> whole,
                                         const KeptIndices &kept,
                                         DenseResourceElementsAttr value,
                                         const KeptIndices &ofPart) {
  ConstantBytes bytes = *getConstantBytes(value);
  SmallVector<std::vector<int64_t>> positions;
  for (auto [dim, list] : llvm::enumerate(ofPart)) {
    if (list) {
      positions.push_back(locate(*list, *kept[dim]));
      continue;
    }
    auto &all = positions.emplace_back(value.getType().getDimSize(dim));
    std::iota(all.begin(), all.end(), 0);
  }
  forEachElement(positions, sizesOf(kept), [&](int64_t from, int64_t to) {
    std::memcpy(whole.data() + to * bytes.elementSize,
                bytes.data.data() + from * bytes.elementSize,
                bytes.elementSize);
  });
}
