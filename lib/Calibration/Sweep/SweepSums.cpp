//===- SweepSums.cpp - Sum up the inputs of a layer -----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SweepState.h"

#include "prune/Core/Packing/LevelStorage.h"

#include "mlir/IR/Matchers.h"
#include "mlir/IR/Threading.h"

#include <mutex>

using namespace mlir;
using namespace mlir::prune;
using llvm::Error;
using llvm::Expected;

static FloatKind kindOf(ElementType type) {
  switch (type) {
  case ElementType::F64:
    return FloatKind::F64;
  case ElementType::F16:
    return FloatKind::F16;
  case ElementType::BF16:
    return FloatKind::BF16;
  default:
    return FloatKind::F32;
  }
}

/// The elements of an array as f32; `copy` holds them if they are of another
/// type.
static const float *asFloats(const NpyArray &array, ElementType element,
                             std::vector<char> &copy) {
  if (element == ElementType::F32)
    return reinterpret_cast<const float *>(array.bytes().data());
  copy = convertElements(kindOf(element), FloatKind::F32, array.bytes());
  return reinterpret_cast<const float *>(copy.data());
}

Error Sweep::addTo(LayerPart &part, const Layer &layer, size_t use,
                   LayerStatistics &statistics, const Batch &batch) const {
  unsigned input = layer.uses[use].input;
  const Tensor &pruned = batch.pruned[input], &dense = batch.dense[input];
  Expected<std::shared_ptr<NpyArray>> own = pruned.stored->get();
  if (!own)
    return own.takeError();
  std::shared_ptr<NpyArray> other = *own;
  if (pruned.stored != dense.stored) {
    Expected<std::shared_ptr<NpyArray>> read = dense.stored->get();
    if (!read)
      return read.takeError();
    other = std::move(*read);
  }
  Patches patches(part.view.layout, (*own)->shape());
  std::vector<char> copies[2];
  const float *inputs = asFloats(**own, pruned.element, copies[0]);
  statistics.add(patches, inputs,
                 other == *own ? inputs
                               : asFloats(*other, dense.element, copies[1]));
  return Error::success();
}

Expected<SweptLayer> Sweep::summarize(const Layer &layer) {
  SweptLayer swept;
  swept.weight = layer.weight;
  swept.stage = layer.stage;
  std::vector<double> values(layer.type.getNumElements());
  Attribute constant;
  matchPattern(layer.constant, m_Constant(&constant));
  getTensorView(constant)->load(0, values);
  std::vector<SmallVector<size_t>> usesOf;
  for (auto [u, use] : llvm::enumerate(layer.uses)) {
    size_t p = 0;
    while (p < swept.parts.size() &&
           swept.parts[p].view.elements != use.view.elements)
      ++p;
    if (p == swept.parts.size()) {
      std::vector<float> own;
      for (int64_t element : use.view.elements)
        own.push_back(values[element]);
      LayerStatistics none(use.view.groups, use.view.rows, use.view.columns,
                           own);
      swept.parts.push_back({use.view, none, none});
      usesOf.emplace_back();
    }
    usesOf[p].push_back(u);
  }
  // Sums of the parts, by block.
  std::vector<LayerStatistics> none;
  for (const LayerPart &part : swept.parts)
    none.push_back(part.statistics);
  std::vector<std::vector<LayerStatistics>> blocks(kSweepBlocks, none);
  std::mutex mutex;
  Error failed = Error::success();
  mlir::parallelFor(context, 0, kSweepBlocks, [&](size_t block) {
    size_t begin = batches.size() * block / kSweepBlocks;
    size_t end = batches.size() * (block + 1) / kSweepBlocks;
    for (size_t i = begin; i < end; ++i)
      for (auto [part, sums, uses] :
           llvm::zip_equal(swept.parts, blocks[block], usesOf))
        for (size_t use : uses)
          if (Error error = addTo(part, layer, use, sums, batches[i])) {
            std::lock_guard<std::mutex> lock(mutex);
            failed = llvm::joinErrors(std::move(failed), std::move(error));
          }
  });
  if (failed)
    return std::move(failed);
  for (std::vector<LayerStatistics> &block : blocks)
    for (auto [part, sums] : llvm::zip_equal(swept.parts, block))
      part.statistics.merge(sums);
  for (auto [part, sums] : llvm::zip_equal(swept.parts, blocks.back()))
    part.heldOut = std::move(sums);
  return std::move(swept);
}
