//===- ChannelMasks.cpp - Decisions about channels as IR ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where the scored constants of a group lie alike, the decision is written as
// scores, their sum and a mask, at the beginning of the function (constants are
// repeated there: they are references, not data). Where they do not, as behind
// a padding of channels, the mask is a constant. Scores of criteria that look
// at whole channels are constants.
//
// Uses of one constant that may have the same mask get it together: slices for
// the gates or directions of a recurrent layer stay slices of one constant.
//
//===----------------------------------------------------------------------===//

#include "ChannelDecision.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::prune;

namespace {
/// Writes the decision about one group.
class MaskEmitter {
public:
  MaskEmitter(const PlannedGroup &group, const Decision &decision,
              const GroupCriterion &criterion, const UseSharing &sharing,
              DecisionAttr made)
      : group(group), decision(decision), criterion(criterion),
        sharing(sharing), made(made), builder(group.getLoc().getContext()) {}

  void emit();

private:
  Value createScores();
  Value createSum();
  Value createMask();
  void mask(const ChannelConstant &constant, Value shared,
            ArrayRef<bool> removed);

  const PlannedGroup &group;
  const Decision &decision;
  const GroupCriterion &criterion;
  const UseSharing &sharing;
  DecisionAttr made;
  OpBuilder builder;
  /// The dimension along which each use has a mask of this group already, with
  /// the masked indices.
  llvm::DenseMap<std::pair<OpOperand *, int64_t>, SmallVector<bool>> masked;
};
} // namespace

Value MaskEmitter::createSum() {
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
        builder, loc, type, weight, ValueRange(), criterion.elements,
        others.empty() ? ArrayAttr() : builder.getArrayAttr(others),
        name.empty() ? StringAttr() : builder.getStringAttr(name));
    sum = sum ? Value(arith::AddFOp::create(builder, loc, sum, score)) : score;
  }
  return sum;
}

Value MaskEmitter::createScores() {
  if (criterion.elements)
    return createSum();
  auto type = RankedTensorType::get({int64_t(decision.scores.size())},
                                    builder.getF64Type());
  return arith::ConstantOp::create(
      builder, group.getLoc(),
      DenseElementsAttr::get(type, ArrayRef(decision.scores)));
}

/// Scores and the mask, at the function's start.
Value MaskEmitter::createMask() {
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
                      Operation *after, ArrayRef<OpOperand *> uses,
                      DecisionAttr made) {
  Operation *source = constant.use->get().getDefiningOp();
  OpBuilder builder(source->getContext());
  builder.setInsertionPointAfter(after);
  auto type = cast<RankedTensorType>(constant.use->get().getType());
  StringRef name = constant.getName();
  auto apply = ApplyOp::create(
      builder, source->getLoc(), type, constant.use->get(), mask,
      type.getRank() == 1 ? DenseI64ArrayAttr()
                          : builder.getDenseI64ArrayAttr(constant.dim),
      name.empty() ? StringAttr() : builder.getStringAttr(name), made);
  for (OpOperand *use : uses)
    use->set(apply);
}

/// The same with a mask that is written down.
static void applyIndices(const ChannelConstant &constant,
                         ArrayRef<bool> removed, ArrayRef<OpOperand *> uses,
                         DecisionAttr made) {
  SmallVector<bool> mask;
  for (bool isRemoved : removed)
    mask.push_back(!isRemoved);
  OpBuilder builder(constant.constant->getContext());
  builder.setInsertionPointAfter(constant.use->get().getDefiningOp());
  auto type =
      RankedTensorType::get({int64_t(mask.size())}, builder.getI1Type());
  auto indices = arith::ConstantOp::create(builder, constant.constant->getLoc(),
                                           DenseElementsAttr::get(type, mask));
  applyMask(constant, indices, indices, uses, made);
}

void mlir::prune::maskIndices(const ChannelConstant &constant,
                              ArrayRef<bool> removed, DecisionAttr made) {
  applyIndices(constant, removed, constant.use, made);
}

//===----------------------------------------------------------------------===//
// Uses of one constant
//===----------------------------------------------------------------------===//

UseSharing::UseSharing(const ChannelGroups &groups)
    : groups(groups), slots(groups.getNumChannels()) {
  for (unsigned slot = 0; slot != groups.getNumSlots(); ++slot)
    ++slots[groups.getChannel(slot)];
}

SmallVector<OpOperand *>
UseSharing::getUses(const ChannelConstant &constant) const {
  SmallVector<OpOperand *> uses = {constant.use};
  unsigned own = *groups.getFirstAxis(*constant.use) + constant.dim;
  for (OpOperand &use : constant.use->get().getUses()) {
    std::optional<unsigned> first = groups.getFirstAxis(use);
    if (&use == constant.use || !first)
      continue;
    bool isAlike = true;
    for (auto [i, channel] : llvm::enumerate(constant.channelOfIndex)) {
      unsigned other = groups.getChannel(*first + constant.dim, i);
      isAlike &= channel < 0 || slots[other] == 1 ||
                 other == groups.getChannel(own, i);
    }
    if (isAlike)
      uses.push_back(&use);
  }
  return uses;
}

//===----------------------------------------------------------------------===//
// Groups
//===----------------------------------------------------------------------===//

/// Masks a constant where it is used, unless another use brought that along.
void MaskEmitter::mask(const ChannelConstant &constant, Value shared,
                       ArrayRef<bool> removed) {
  SmallVector<bool> &known = masked[{constant.use, constant.dim}];
  auto isKnown = [&](size_t i) { return !known.empty() && known[i]; };
  if (llvm::all_of(llvm::seq<size_t>(0, removed.size()),
                   [&](size_t i) { return !removed[i] || isKnown(i); }))
    return;
  SmallVector<OpOperand *> uses = sharing.getUses(constant);
  if (shared)
    applyMask(constant, shared, constant.use->get().getDefiningOp(), uses,
              made);
  else
    applyIndices(constant, removed, uses, made);
  for (OpOperand *use : uses) {
    SmallVector<bool> &all = masked[{use, constant.dim}];
    all.resize(removed.size());
    for (size_t i = 0; i != removed.size(); ++i)
      all[i] = all[i] || removed[i];
  }
}

void MaskEmitter::emit() {
  bool isRegular =
      criterion.elements ? decision.runLength != 0 : decision.runLength == 1;
  Value shared = isRegular ? createMask() : Value();
  std::vector<bool> removed = decision.getRemoved();
  std::vector<ChannelConstant> all = group.constants;
  if (group.masksConsumers)
    llvm::append_range(all, group.consumers);
  for (const ChannelConstant &constant : all) {
    bool fits =
        constant.getRunLength(group.channels.size()) == decision.runLength;
    SmallVector<bool> indices;
    for (int64_t channel : constant.channelOfIndex)
      indices.push_back(channel >= 0 && removed[channel]);
    mask(constant, fits ? shared : Value(), indices);
  }
}

void mlir::prune::emitMasks(const PlannedGroup &group, const Decision &decision,
                            const GroupCriterion &criterion,
                            const UseSharing &sharing, DecisionAttr made) {
  MaskEmitter(group, decision, criterion, sharing, made).emit();
}
