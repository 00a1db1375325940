//===- ChannelMasks.cpp - Decisions about channels as IR ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where the scored constants of a group lie alike, the decision is written as
// scores, their sum and a mask, at the beginning of the function (constants are
// repeated there: they are references, not data). Where they do not, as behind
// a padding of channels, the mask is a constant. Distances between filters are
// no operation: their scores are constants.
//
//===----------------------------------------------------------------------===//

#include "ChannelDecision.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::prune;

namespace {
/// Writes the decision about one group.
class Emitter {
public:
  Emitter(const PlannedGroup &group, const Decision &decision,
          const GroupCriterion &criterion)
      : group(group), decision(decision), criterion(criterion),
        builder(group.getLoc().getContext()) {}

  void emit();

private:
  Value createScores();
  Value createSum();
  Value createMask();

  const PlannedGroup &group;
  const Decision &decision;
  const GroupCriterion &criterion;
  OpBuilder builder;
};
} // namespace

Value Emitter::createSum() {
  Location loc = group.getLoc();
  Value sum;
  for (const ChannelConstant *constant : decision.scored) {
    Value weight = builder.clone(*constant->constant)->getResult(0);
    int64_t rank = cast<RankedTensorType>(weight.getType()).getRank();
    SmallVector<Attribute> others;
    for (int64_t dim = 0; dim != rank; ++dim)
      if (dim != constant->dim)
        others.push_back(builder.getI64IntegerAttr(dim));
    auto type = RankedTensorType::get(
        {int64_t(constant->channelOfIndex.size())}, builder.getF64Type());
    StringRef name = constant->getName();
    Value score = ScoreOp::create(
        builder, loc, type, weight, criterion.elements,
        others.empty() ? ArrayAttr() : builder.getArrayAttr(others),
        name.empty() ? StringAttr() : builder.getStringAttr(name));
    sum = sum ? Value(arith::AddFOp::create(builder, loc, sum, score)) : score;
  }
  return sum;
}

Value Emitter::createScores() {
  if (criterion.kind != GroupCriterion::GeometricMedian)
    return createSum();
  auto type = RankedTensorType::get({int64_t(decision.scores.size())},
                                    builder.getF64Type());
  return arith::ConstantOp::create(
      builder, group.getLoc(),
      DenseElementsAttr::get(type, ArrayRef(decision.scores)));
}

/// Scores and the mask, at the function's start.
Value Emitter::createMask() {
  Operation *function =
      group.constants.front()
          .constant->getParentWithTrait<OpTrait::IsIsolatedFromAbove>();
  builder.setInsertionPointToStart(&function->getRegion(0).front());
  Value scores = createScores();
  auto type = cast<RankedTensorType>(scores.getType());
  PatternAttrInterface pattern = ElementAttr::get(builder.getContext());
  if (decision.runLength != 1)
    pattern = BlockAttr::get(builder.getContext(),
                             ArrayRef<int64_t>(decision.runLength));
  return MaskOp::create(builder, group.getLoc(),
                        TypeRange{type.clone(builder.getI1Type())},
                        ValueRange{scores}, pattern, FloatAttr(), FloatAttr(),
                        builder.getI64IntegerAttr(decision.removed))
      .getMasks()[0];
}

/// Selects by `mask` where the constant is used, behind `after`. (To ask which
/// of the two comes first would number the whole block for every mask.)
static void applyMask(const ChannelConstant &constant, Value mask,
                      Operation *after) {
  Operation *source = constant.use->get().getDefiningOp();
  OpBuilder builder(source->getContext());
  builder.setInsertionPointAfter(after);
  auto type = cast<RankedTensorType>(constant.use->get().getType());
  auto apply = ApplyOp::create(
      builder, source->getLoc(), type, constant.use->get(), mask,
      type.getRank() == 1 ? DenseI64ArrayAttr()
                          : builder.getDenseI64ArrayAttr(constant.dim));
  if (StringRef name = constant.getName(); !name.empty())
    apply->setDiscardableAttr("prune.weight", builder.getStringAttr(name));
  constant.use->set(apply);
}

void mlir::prune::maskIndices(const ChannelConstant &constant,
                              ArrayRef<bool> removed) {
  SmallVector<bool> mask;
  for (bool isRemoved : removed)
    mask.push_back(!isRemoved);
  OpBuilder builder(constant.constant->getContext());
  builder.setInsertionPointAfter(constant.use->get().getDefiningOp());
  auto type =
      RankedTensorType::get({int64_t(mask.size())}, builder.getI1Type());
  auto made = arith::ConstantOp::create(builder, constant.constant->getLoc(),
                                        DenseElementsAttr::get(type, mask));
  applyMask(constant, made, made);
}

void Emitter::emit() {
  bool isRegular = criterion.kind == GroupCriterion::GeometricMedian
                       ? decision.runLength == 1
                       : decision.runLength != 0;
  Value shared = isRegular ? createMask() : Value();
  std::vector<bool> removed = decision.getRemoved();
  std::vector<ChannelConstant> masked = group.constants;
  if (group.masksConsumers)
    llvm::append_range(masked, group.consumers);
  for (const ChannelConstant &constant : masked) {
    if (shared &&
        constant.getRunLength(group.channels.size()) == decision.runLength) {
      applyMask(constant, shared, constant.use->get().getDefiningOp());
      continue;
    }
    SmallVector<bool> indices;
    for (int64_t channel : constant.channelOfIndex)
      indices.push_back(channel >= 0 && removed[channel]);
    maskIndices(constant, indices);
  }
}

void mlir::prune::emitMasks(const PlannedGroup &group, const Decision &decision,
                            const GroupCriterion &criterion) {
  Emitter(group, decision, criterion).emit();
}
