//===- ShrinkChannels.cpp - Make the IR smaller ---------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values change their types in place; operations without static sizes of their
// own need nothing else. Constants, empty tensors and fills get one version for
// each set of indices that their uses keep, at the place of the original, and
// two constants that come out the same share one resource.
//
//===----------------------------------------------------------------------===//

#include "Transforms/Channels/ChannelRemoval.h"

#include "prune/IR/ConstantView.h"
#include "prune/IR/KeptRecord.h"
#include "prune/IR/Prune.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"

#include <map>

using namespace mlir;
using namespace mlir::prune;

namespace {
class Shrinker {
public:
  Shrinker(ModuleOp module, const ChannelGroups &groups,
           const std::vector<bool> &removed)
      : record(module), groups(groups), removed(removed) {}

  void run(ArrayRef<Operation *> ops);
  void commit() { record.commit(); }

private:
  bool collectKept();
  KeptIndices keptOf(unsigned firstAxis, int64_t rank);
  Value repeat(Value value, const KeptIndices &kept);
  TypedAttr shrinkConstant(Attribute value, const KeptIndices &kept);
  void adjust(Operation *op);
  void renumber(linalg::LinalgOp op);

  KeptRecord record;
  const ChannelGroups &groups;
  const std::vector<bool> &removed;
  /// What remains of each axis.
  KeptIndices keptOfAxis;
  std::map<std::pair<const void *, std::vector<std::vector<int64_t>>>, Value>
      repeated;
  std::map<std::pair<const void *, std::vector<std::vector<int64_t>>>,
           Attribute>
      shrunk;
  /// What takes the place of tables that were renumbered.
  SmallVector<std::pair<OpOperand *, Value>> tables;
};
} // namespace

/// A list for each dimension; [-1] stands for all of it.
static std::vector<std::vector<int64_t>> keyOf(const KeptIndices &kept) {
  std::vector<std::vector<int64_t>> key;
  for (const auto &list : kept)
    key.push_back(list ? *list : std::vector<int64_t>{-1});
  return key;
}

KeptIndices Shrinker::keptOf(unsigned firstAxis, int64_t rank) {
  return KeptIndices(ArrayRef(keptOfAxis).slice(firstAxis, rank));
}

TypedAttr Shrinker::shrinkConstant(Attribute value, const KeptIndices &kept) {
  auto elements = cast<ElementsAttr>(value);
  auto type = cast<RankedTensorType>(elements.getType());
  auto newType = RankedTensorType::get(keptShape(type.getShape(), kept),
                                       type.getElementType());
  if (auto splat = dyn_cast<SplatElementsAttr>(value))
    return splat.resizeSplat(newType);
  Attribute &result = shrunk[{value.getAsOpaquePointer(), keyOf(kept)}];
  if (result)
    return cast<TypedAttr>(result);
  ConstantBytes bytes = *getConstantBytes(value);
  std::vector<char> data(newType.getNumElements() * bytes.elementSize);
  if (bytes.isSplat)
    for (size_t i = 0; i != data.size(); ++i)
      data[i] = bytes.data[i % bytes.elementSize];
  else
    gatherSlices(bytes.data, bytes.elementSize, type.getShape(), kept,
                 data.data());
  result = createConstantLike(value, newType, data);
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(result))
    record.set(cast<DenseResourceElementsAttr>(value).getRawHandle().getKey(),
               type.getShape(), resource.getRawHandle().getKey(), kept);
  return cast<TypedAttr>(result);
}

/// A smaller version of a constant, empty tensor or fill.
Value Shrinker::repeat(Value value, const KeptIndices &kept) {
  Value &result = repeated[{value.getAsOpaquePointer(), keyOf(kept)}];
  if (result)
    return result;
  Operation *op = value.getDefiningOp();
  OpBuilder builder(op);
  Location loc = op->getLoc();
  auto type = cast<RankedTensorType>(value.getType());
  RankedTensorType newType =
      RankedTensorType::get(keptShape(type.getShape(), kept),
                            type.getElementType(), type.getEncoding());
  if (auto empty = dyn_cast<tensor::EmptyOp>(op))
    return result = tensor::EmptyOp::create(builder, loc, newType,
                                            empty.getDynamicSizes());
  if (auto fill = dyn_cast<linalg::FillOp>(op)) {
    auto empty = fill.getOutputs()[0].getDefiningOp<tensor::EmptyOp>();
    Value to =
        tensor::EmptyOp::create(builder, loc, newType, empty.getDynamicSizes());
    return result = linalg::FillOp::create(builder, loc, fill.getInputs(), to)
                        .getResult(0);
  }
  Attribute constant;
  matchPattern(value, m_Constant(&constant));
  return result = arith::ConstantOp::create(builder, loc,
                                            shrinkConstant(constant, kept));
}

/// Adjusts an operation's attributes if an axis of it changed.
void Shrinker::adjust(Operation *op) {
  auto channels = dyn_cast<ChannelOpInterface>(op);
  if (!channels)
    return;
  auto axisOf = [&](ChannelPort port) { return groups.getAxis(op, port); };
  channels.removeChannels(
      [&](ChannelPort port, int64_t index) {
        std::optional<unsigned> axis = axisOf(port);
        return !axis || groups.getAxes()[*axis].size == 0 ||
               !removed[groups.getChannel(*axis, index)];
      },
      [&](ChannelPort port) {
        std::optional<unsigned> axis = axisOf(port);
        return axis ? groups.getAxes()[*axis].size : 0;
      });
}

/// Tables of coordinates along a dimension that loses some count those that
/// stay.
void Shrinker::renumber(linalg::LinalgOp op) {
  for (tensor::ExtractOp read : getElementReads(op))
    for (int64_t dim = 0; dim != read.getTensor().getType().getRank(); ++dim) {
      std::optional<TableRead> table = getTableRead(op, read, dim);
      std::optional<unsigned> source =
          groups.getFirstAxis(read.getTensorMutable());
      std::optional<unsigned> own =
          table ? groups.getFirstAxis(*table->table) : std::nullopt;
      if (!source || !own || !keptOfAxis[*source + dim])
        continue;
      ArrayRef<int64_t> kept = *keptOfAxis[*source + dim];
      auto type = cast<RankedTensorType>(table->table->get().getType());
      SmallVector<APInt> numbers;
      for (auto [at, from] : llvm::enumerate(table->coordinates))
        if (!removed[groups.getChannel(*own, at)])
          numbers.push_back(
              APInt(type.getElementTypeBitWidth(),
                    llvm::lower_bound(kept, from) - kept.begin()));
      auto newType = RankedTensorType::get({int64_t(numbers.size())},
                                           type.getElementType());
      OpBuilder builder(op);
      tables.push_back(
          {table->table, arith::ConstantOp::create(
                             builder, op.getLoc(),
                             DenseIntElementsAttr::get(newType, numbers))});
    }
}

void Shrinker::run(ArrayRef<Operation *> ops) {
  ArrayRef<Axis> axes = groups.getAxes();
  for (unsigned axis = 0; axis != axes.size(); ++axis)
    keptOfAxis.push_back(getKept(groups, axis, removed));
  for (Operation *op : ops)
    if (auto structured = dyn_cast<linalg::LinalgOp>(op))
      renumber(structured);
  for (unsigned first = 0; first != axes.size();) {
    const Axis &axis = axes[first];
    auto type = cast<RankedTensorType>(axis.value.getType());
    int64_t rank = type.getRank();
    KeptIndices kept = keptOf(first, rank);
    first += rank;
    if (!llvm::any_of(kept, [](const auto &list) { return bool(list); }))
      continue;
    if (axis.use)
      axis.use->set(repeat(axis.value, kept));
    else
      Value(axis.value)
          .setType(RankedTensorType::get(keptShape(type.getShape(), kept),
                                         type.getElementType(),
                                         type.getEncoding()));
  }
  for (auto [use, table] : tables)
    use->set(table);
  for (Operation *op : ops)
    adjust(op);
}

void mlir::prune::shrinkChannels(ModuleOp module, ArrayRef<Operation *> ops,
                                 const ChannelGroups &groups,
                                 const std::vector<bool> &removed) {
  Shrinker shrinker(module, groups, removed);
  shrinker.run(ops);
  shrinker.commit();
}
