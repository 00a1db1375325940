//===- ChannelPlan.cpp - The groups that can lose channels ----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whether a masked channel would leave is not guessed: the constants of the
// group are assumed to be zero, what follows is evaluated, and the reductions
// are asked as prune-remove-channels asks them. Only operations that the group
// reaches are looked at, so that the work stays linear.
//
//===----------------------------------------------------------------------===//

#include "ChannelPlan.h"
#include "ChannelRemoval.h"

#include "prune/IR/ConstantView.h"
#include "prune/IR/Prune.h"

#include "mlir/IR/Matchers.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::prune;

Attribute ChannelConstant::getValue() const {
  Attribute value;
  matchPattern(constant, m_Constant(&value));
  return value;
}

StringRef ChannelConstant::getName() const {
  return weight ? StringRef(weight->name) : getWeightName(getValue());
}

int64_t ChannelConstant::getRunLength(int64_t numChannels) const {
  int64_t size = channelOfIndex.size();
  if (size % numChannels != 0)
    return 0;
  int64_t length = size / numChannels;
  for (int64_t i = 0; i != size; ++i)
    if (channelOfIndex[i] != i / length)
      return 0;
  return length;
}

namespace {
class Planner {
public:
  Planner(Operation *root, const WeightUses &uses, const ChannelGroups &groups)
      : root(root), uses(uses), groups(groups), constants(root, groups) {}

  std::vector<PlannedGroup> plan();

private:
  void indexGroups();
  void indexOps();
  void addWeights();
  void addParameters();
  void addConstant(OpOperand &use, int64_t dim, const Weight *weight,
                   unsigned group);
  void prove(unsigned group);
  Operation *findNeed(unsigned group);

  Operation *root;
  const WeightUses &uses;
  const ChannelGroups &groups;
  SliceConstants constants;

  std::vector<std::vector<unsigned>> channelsOfGroup;
  std::vector<unsigned> groupOfChannel, positionOfChannel;
  /// In program order, the operations that each group reaches.
  std::vector<llvm::SetVector<Operation *>> opsOfGroup;
  std::vector<PlannedGroup> planned;
  llvm::SmallDenseSet<std::pair<OpOperand *, int64_t>> taken;
};
} // namespace

void Planner::indexGroups() {
  channelsOfGroup = groups.getGroups();
  groupOfChannel.resize(groups.getNumChannels());
  positionOfChannel.resize(groups.getNumChannels());
  for (auto [group, channels] : llvm::enumerate(channelsOfGroup))
    for (auto [position, channel] : llvm::enumerate(channels)) {
      groupOfChannel[channel] = group;
      positionOfChannel[channel] = position;
    }
  planned.resize(channelsOfGroup.size());
  opsOfGroup.resize(channelsOfGroup.size());
}

void Planner::indexOps() {
  auto visitAxes = [&](Operation *op, std::optional<unsigned> first,
                       Type type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!first || !tensor)
      return;
    for (int64_t dim = 0; dim != tensor.getRank(); ++dim) {
      int64_t size = groups.getAxes()[*first + dim].size;
      for (int64_t i = 0; i != size; ++i)
        opsOfGroup[groupOfChannel[groups.getChannel(*first + dim, i)]].insert(
            op);
    }
  };
  forEachChannelOp(root, [&](Operation *op) {
    for (OpOperand &operand : op->getOpOperands())
      visitAxes(op, groups.getFirstAxis(operand), operand.get().getType());
    for (Value result : op->getResults())
      visitAxes(op, groups.getFirstAxis(result), result.getType());
  });
}

void Planner::addConstant(OpOperand &use, int64_t dim, const Weight *weight,
                          unsigned group) {
  if (!taken.insert({&use, dim * int64_t(planned.size()) + group}).second)
    return;
  unsigned axis = *groups.getFirstAxis(use) + dim;
  ChannelConstant constant{&use, use.get().getDefiningOp(), dim, {}, weight};
  for (int64_t i = 0; i != groups.getAxes()[axis].size; ++i) {
    unsigned channel = groups.getChannel(axis, i);
    constant.channelOfIndex.push_back(
        groupOfChannel[channel] == group ? int64_t(positionOfChannel[channel])
                                         : -1);
  }
  planned[group].constants.push_back(std::move(constant));
}

/// The groups that lie along an axis, in order.
static SmallVector<unsigned> groupsOf(const ChannelGroups &groups,
                                      unsigned axis,
                                      ArrayRef<unsigned> groupOfChannel) {
  llvm::SmallSetVector<unsigned, 4> found;
  for (int64_t i = 0; i != groups.getAxes()[axis].size; ++i)
    found.insert(groupOfChannel[groups.getChannel(axis, i)]);
  return llvm::to_vector(found);
}

/// Weights whose contraction carries the channels on to its result.
void Planner::addWeights() {
  for (const Weight &weight : uses.getWeights())
    for (const WeightUse &use : weight.uses) {
      auto op = cast<linalg::LinalgOp>(use.operand->getOwner());
      AffineMap map = op.getMatchingIndexingMap(use.operand);
      AffineMap out = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
      llvm::SmallSetVector<unsigned, 4> produced;
      std::optional<unsigned> first = groups.getFirstAxis(*use.operand);
      for (auto [dim, expr] : llvm::enumerate(map.getResults()))
        if (first && out.getResultPosition(expr))
          produced.insert_range(
              groupsOf(groups, *first + dim, groupOfChannel));
      OpOperand &constant =
          use.chain.empty() ? *use.operand : use.chain.front()->getOpOperand(0);
      std::optional<unsigned> axis = groups.getFirstAxis(constant);
      if (!axis || !isRepeatable(constant.get()))
        continue;
      for (int64_t dim = 0; dim != weight.getType().getRank(); ++dim) {
        // Inputs and outputs may be of one group; only outputs are produced.
        if (use.chain.empty() && !out.getResultPosition(map.getResult(dim)))
          continue;
        for (unsigned group : groupsOf(groups, *axis + dim, groupOfChannel))
          if (produced.contains(group))
            addConstant(constant, dim, &weight, group);
      }
    }
}

/// Other constants along the channels: biases, normalisation.
void Planner::addParameters() {
  llvm::SmallPtrSet<Operation *, 16> weights;
  for (const Weight &weight : uses.getWeights())
    weights.insert_range(weight.constants);
  for (auto [number, axis] : llvm::enumerate(groups.getAxes())) {
    Attribute value;
    if (!axis.use || axis.size == 0 ||
        weights.contains(axis.value.getDefiningOp()) ||
        !matchPattern(axis.value, m_Constant(&value)) ||
        !getTensorView(value))
      continue;
    // What a sum or maximum starts from is no parameter.
    if (auto number = dyn_cast_or_null<FloatAttr>(constants.getUniform(*axis.use));
        number && (number.getValue().isZero() || number.getValue().isInfinity()))
      continue;
    for (unsigned group : groupsOf(groups, number, groupOfChannel))
      if (!planned[group].constants.empty())
        addConstant(*axis.use, axis.dim, nullptr, group);
  }
}

/// The operation that would keep masked channels, or null.
Operation *Planner::findNeed(unsigned group) {
  SliceConstants::Log log;
  for (const ChannelConstant &constant : planned[group].constants) {
    unsigned axis = *groups.getFirstAxis(*constant.use) + constant.dim;
    Type type = getElementTypeOrSelf(constant.use->get().getType());
    for (auto [i, channel] : llvm::enumerate(constant.channelOfIndex)) {
      if (channel < 0)
        continue;
      unsigned slot = groups.getAxes()[axis].first + i;
      log.push_back({slot, constants.get(slot)});
      constants.set(slot, FloatAttr::get(type, 0.0));
    }
  }
  for (Operation *op : opsOfGroup[group])
    constants.evaluate(op, &log);
  Operation *need = nullptr;
  for (Operation *op : opsOfGroup[group])
    if (auto structured = dyn_cast<linalg::LinalgOp>(op); structured && !need)
      forEachReduction(structured, groups, [&](unsigned loop, unsigned axis) {
        for (int64_t i = 0; i != groups.getAxes()[axis].size && !need; ++i)
          if (groupOfChannel[groups.getChannel(axis, i)] == group &&
              !constants.isNeutral(structured, loop, i) &&
              !getFoldedSum(structured, loop, i, constants))
            need = op;
      });
  for (auto [slot, value] : llvm::reverse(log))
    constants.set(slot, value);
  return need;
}

void Planner::prove(unsigned group) {
  PlannedGroup &plan = planned[group];
  if (const FrozenReason *frozen =
          groups.getFrozen(channelsOfGroup[group].front())) {
    plan.blockedBy = frozen->op;
    plan.reason = (frozen->op->getName().getStringRef() + ": " + frozen->reason)
                      .str();
    return;
  }
  plan.blockedBy = findNeed(group);
  if (!plan.blockedBy)
    return;
  // A parameter that divides must not become zero: try without each in turn.
  for (size_t i = 0; i != plan.constants.size(); ++i) {
    if (plan.constants[i].weight)
      continue;
    ChannelConstant without = std::move(plan.constants[i]);
    plan.constants.erase(plan.constants.begin() + i);
    if (!findNeed(group)) {
      plan.blockedBy = nullptr;
      return;
    }
    plan.constants.insert(plan.constants.begin() + i, std::move(without));
  }
  plan.reason = (plan.blockedBy->getName().getStringRef() +
                 ": needs the channels even where they are zero")
                    .str();
}

std::vector<PlannedGroup> Planner::plan() {
  indexGroups();
  indexOps();
  addWeights();
  addParameters();
  std::vector<PlannedGroup> result;
  for (unsigned group = 0; group != planned.size(); ++group) {
    PlannedGroup &plan = planned[group];
    if (plan.constants.empty())
      continue;
    plan.name = plan.constants.front().weight->name;
    plan.channels = channelsOfGroup[group];
    prove(group);
    result.push_back(std::move(plan));
  }
  return result;
}

std::vector<PlannedGroup>
mlir::prune::planChannelGroups(Operation *root, const WeightUses &uses,
                               const ChannelGroups &groups) {
  return Planner(root, uses, groups).plan();
}
