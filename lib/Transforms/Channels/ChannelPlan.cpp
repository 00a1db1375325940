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

#include "prune/Transforms/Channels/ChannelPlan.h"
#include "ChannelRemoval.h"

#include "prune/IR/ConstantView.h"
#include "prune/IR/PassedValues.h"
#include "prune/IR/Prune.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"

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

/// The operation, past reshapes, whose body reads the constant, and the use.
static OpOperand &getReadingUse(OpOperand &use) {
  OpOperand *reader = &use;
  while (OpOperand *forwarded = getForwardedOperand(reader->getOwner())) {
    Operation *op = reader->getOwner();
    if (forwarded != reader || !op->hasOneUse())
      break;
    reader = &*op->getResult(0).use_begin();
  }
  return *reader;
}

Operation *ChannelConstant::getReader() const {
  return getReadingUse(*use).getOwner();
}

bool ChannelConstant::isScale() const {
  OpOperand &reader = getReadingUse(*use);
  if (isa<arith::MulFOp>(reader.getOwner()))
    return true;
  auto op = dyn_cast<linalg::LinalgOp>(reader.getOwner());
  return op && llvm::any_of(op.getMatchingBlockArgument(&reader).getUses(),
                            [](OpOperand &inner) {
                              Operation *user = inner.getOwner();
                              return isa<arith::MulFOp>(user) ||
                                     (isa<arith::DivFOp>(user) &&
                                      inner.getOperandNumber() == 0);
                            });
}

bool ChannelConstant::isDivisor() const {
  OpOperand &reader = getReadingUse(*use);
  auto op = dyn_cast<linalg::LinalgOp>(reader.getOwner());
  if (!op)
    return isa<arith::DivFOp>(reader.getOwner()) &&
           reader.getOperandNumber() == 1;
  // Whatever is computed from it may divide.
  llvm::SmallDenseSet<Value> derived = {op.getMatchingBlockArgument(&reader)};
  for (Operation &inner : op.getBlock()->without_terminator())
    for (OpOperand &operand : inner.getOpOperands()) {
      if (!derived.contains(operand.get()))
        continue;
      if (isa<math::RsqrtOp, math::LogOp>(inner) ||
          (isa<arith::DivFOp>(inner) && operand.getOperandNumber() == 1))
        return true;
      derived.insert_range(inner.getResults());
    }
  return false;
}

namespace {
class ChannelPlanner {
public:
  ChannelPlanner(Operation *root, const WeightUses &uses,
                 const ChannelGroups &groups)
      : root(root), uses(uses), groups(groups), constants(root, groups) {}

  std::vector<PlannedGroup> plan();

private:
  void indexGroups();
  void indexOps();
  void addWeights();
  void addParameters();
  ChannelConstant createConstant(OpOperand &use, int64_t dim,
                                 const Weight *weight, unsigned group);
  void addConstant(OpOperand &use, int64_t dim, const Weight *weight,
                   unsigned group);
  void addWeight(const Weight &weight, const WeightUse &use);
  std::string describe(unsigned group);
  void prove(unsigned group);
  SliceConstants::Log assumeMasked(unsigned group);
  Operation *findNeed(unsigned group);
  void explain(unsigned group);
  std::optional<Attribute> getKnown(unsigned group, Operation *op,
                                    bool ofResults);

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

void ChannelPlanner::indexGroups() {
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

void ChannelPlanner::indexOps() {
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

ChannelConstant ChannelPlanner::createConstant(OpOperand &use, int64_t dim,
                                               const Weight *weight,
                                               unsigned group) {
  unsigned axis = *groups.getFirstAxis(use) + dim;
  ChannelConstant constant{&use, use.get().getDefiningOp(), dim, {}, weight};
  for (int64_t i = 0; i != groups.getAxes()[axis].size; ++i) {
    unsigned channel = groups.getChannel(axis, i);
    constant.channelOfIndex.push_back(groupOfChannel[channel] == group
                                          ? int64_t(positionOfChannel[channel])
                                          : -1);
  }
  return constant;
}

void ChannelPlanner::addConstant(OpOperand &use, int64_t dim,
                                 const Weight *weight, unsigned group) {
  if (taken.insert({&use, dim * int64_t(planned.size()) + group}).second)
    planned[group].constants.push_back(createConstant(use, dim, weight, group));
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

/// The dimensions of the constant that the marked ones of the operand come
/// from.
static SmallVector<bool> traceDims(const WeightUse &use,
                                   SmallVector<bool> marked) {
  for (Operation *op : llvm::reverse(use.chain)) {
    auto type = cast<RankedTensorType>(op->getOperand(0).getType());
    ChannelLinks links = getChannelLinks(op);
    SmallVector<bool> source(type.getRank(), links.links.empty());
    for (const ChannelLink &link : links.links)
      for (auto [from, to] :
           {std::pair(link.a, link.b), std::pair(link.b, link.a)})
        if (from.isResult && !to.isResult && to.index == 0 && marked[from.dim])
          source[to.dim] = true;
    marked = std::move(source);
  }
  return marked;
}

/// A weight produces the channels that its contraction carries on to the result
/// and consumes those that it sums over. Both may be of one group; then the
/// dimensions of the constant tell them apart.
void ChannelPlanner::addWeight(const Weight &weight, const WeightUse &use) {
  auto op = cast<linalg::LinalgOp>(use.operand->getOwner());
  AffineMap map = op.getMatchingIndexingMap(use.operand);
  AffineMap out = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  OpOperand &constant =
      use.chain.empty() ? *use.operand : use.chain.front()->getOpOperand(0);
  std::optional<unsigned> first = groups.getFirstAxis(*use.operand);
  std::optional<unsigned> axis = groups.getFirstAxis(constant);
  if (!first || !axis || !isRematerializable(constant.get()))
    return;
  llvm::SmallSetVector<unsigned, 4> produced, consumed;
  SmallVector<bool> outputs, inputs;
  for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
    bool isOutput = out.getResultPosition(expr).has_value();
    outputs.push_back(isOutput);
    inputs.push_back(!isOutput);
    (isOutput ? produced : consumed)
        .insert_range(groupsOf(groups, *first + dim, groupOfChannel));
  }
  outputs = traceDims(use, outputs);
  inputs = traceDims(use, inputs);
  for (int64_t dim = 0; dim != weight.getType().getRank(); ++dim)
    for (unsigned group : groupsOf(groups, *axis + dim, groupOfChannel)) {
      if (produced.contains(group) && (outputs[dim] || !inputs[dim]))
        addConstant(constant, dim, &weight, group);
      else if (consumed.contains(group) && (inputs[dim] || !outputs[dim]))
        planned[group].consumers.push_back(
            createConstant(constant, dim, &weight, group));
    }
}

void ChannelPlanner::addWeights() {
  for (const Weight &weight : uses.getWeights())
    for (const WeightUse &use : weight.uses)
      addWeight(weight, use);
}

/// Other constants along the channels: biases, normalisation.
void ChannelPlanner::addParameters() {
  llvm::SmallPtrSet<Operation *, 16> weights;
  for (const Weight &weight : uses.getWeights())
    weights.insert_range(weight.constants);
  for (auto [number, axis] : llvm::enumerate(groups.getAxes())) {
    Attribute value;
    if (!axis.use || axis.size == 0 ||
        weights.contains(axis.value.getDefiningOp()) ||
        !matchPattern(axis.value, m_Constant(&value)) ||
        (!getTensorView(value) && !isElided(value)) ||
        !isa<FloatType>(getElementTypeOrSelf(axis.value.getType())))
      continue;
    // The initial value of a sum or maximum is not a parameter.
    if (auto number =
            dyn_cast_or_null<FloatAttr>(constants.getUniform(*axis.use));
        number &&
        (number.getValue().isZero() || number.getValue().isInfinity()))
      continue;
    for (unsigned group : groupsOf(groups, number, groupOfChannel))
      if (!planned[group].constants.empty())
        addConstant(*axis.use, axis.dim, nullptr, group);
  }
}

/// The operations that the channels reach, with the dimensions along which.
std::string ChannelPlanner::describe(unsigned group) {
  std::vector<std::string> parts;
  auto reaches = [&](std::optional<unsigned> first, int64_t dim) {
    const Axis &axis = groups.getAxes()[*first + dim];
    for (int64_t i = 0; i != axis.size; ++i)
      if (groupOfChannel[groups.getChannel(*first + dim, i)] == group)
        return true;
    return false;
  };
  for (Operation *op : opsOfGroup[group]) {
    std::string &part = parts.emplace_back(op->getName().getStringRef());
    auto addDims = [&](char kind, std::optional<unsigned> first, Type type) {
      auto tensor = dyn_cast<RankedTensorType>(type);
      for (int64_t dim = 0; tensor && first && dim != tensor.getRank(); ++dim)
        if (reaches(first, dim))
          part += kind + std::to_string(dim);
      part += ',';
    };
    for (OpOperand &operand : op->getOpOperands())
      addDims('i', groups.getFirstAxis(operand), operand.get().getType());
    for (Value result : op->getResults())
      addDims('o', groups.getFirstAxis(result), result.getType());
  }
  llvm::sort(parts);
  return llvm::join(parts, ";");
}

/// Sets what masks would write and evaluates what follows; returns what was
/// there before.
SliceConstants::Log ChannelPlanner::assumeMasked(unsigned group) {
  SliceConstants::Log log;
  const PlannedGroup &plan = planned[group];
  std::vector<ChannelConstant> masked = plan.constants;
  if (plan.masksConsumers)
    llvm::append_range(masked, plan.consumers);
  for (const ChannelConstant &constant : masked) {
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
  constants.evaluate(opsOfGroup[group].getArrayRef(), &log);
  return log;
}

/// The operation that would keep masked channels, or null.
Operation *ChannelPlanner::findNeed(unsigned group) {
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
  return need;
}

/// What the first of the group's channels that is not one known number holds in
/// the operation's results or operands, else what the first one holds; nothing
/// if the group does not reach them.
std::optional<Attribute> ChannelPlanner::getKnown(unsigned group, Operation *op,
                                                  bool ofResults) {
  std::optional<Attribute> known;
  auto look = [&](std::optional<unsigned> first, Type type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    for (int64_t dim = 0; tensor && first && dim != tensor.getRank(); ++dim) {
      const Axis &axis = groups.getAxes()[*first + dim];
      for (int64_t i = 0; i != axis.size; ++i)
        if (groupOfChannel[groups.getChannel(*first + dim, i)] == group &&
            (!known || !constants.get(axis.first + i)))
          known = constants.get(axis.first + i);
    }
  };
  if (ofResults)
    for (Value result : op->getResults())
      look(groups.getFirstAxis(result), result.getType());
  else
    for (OpOperand &operand : op->getOpOperands())
      // Loops start from what is repeatable, and write to what is empty.
      if (passesValues(op) ? !operand.get().getDefiningOp<tensor::EmptyOp>()
                           : !isRematerializable(operand.get()))
        look(groups.getFirstAxis(operand), operand.get().getType());
  return known;
}

/// Says why masked channels would stay: the operation behind which they are no
/// number any more, or that which sums over them.
void ChannelPlanner::explain(unsigned group) {
  PlannedGroup &plan = planned[group];
  Operation *cause = plan.blockedBy;
  StringRef verb = "needs the channels even where they are ";
  for (Operation *op : opsOfGroup[group]) {
    if (op == plan.blockedBy)
      break;
    std::optional<Attribute> before = getKnown(group, op, false);
    std::optional<Attribute> after = getKnown(group, op, true);
    if (!before || !*before || !after || *after)
      continue;
    cause = op;
    verb =
        passesValues(op)
            ? "carries on other numbers in channels even where they start as "
            : "mixes other numbers into channels even where they are ";
    break;
  }
  plan.blockedBy = cause;
  std::optional<Attribute> number = getKnown(group, cause, false);
  llvm::raw_string_ostream text(plan.reason);
  text << cause->getName() << ": " << verb;
  auto known = number ? dyn_cast_or_null<FloatAttr>(*number) : FloatAttr();
  if (known && !known.getValue().isZero())
    text << llvm::format("%g", known.getValueAsDouble());
  else
    text << "zero";
  if (llvm::any_of(opsOfGroup[group], [](Operation *op) {
        return getChannelLinks(op).numChoices > 0;
      }))
    text << "; another option 'reshape' takes other dimensions on the way";
}

void ChannelPlanner::prove(unsigned group) {
  PlannedGroup &plan = planned[group];
  if (const FrozenReason *frozen =
          groups.getFrozen(channelsOfGroup[group].front())) {
    plan.blockedBy = frozen->op;
    plan.reason =
        (frozen->op->getName().getStringRef() + ": " + frozen->reason).str();
    return;
  }
  auto tryMasks = [&](bool explains) {
    SliceConstants::Log log = assumeMasked(group);
    plan.blockedBy = findNeed(group);
    if (plan.blockedBy && explains)
      explain(group);
    for (auto [slot, value] : llvm::reverse(log))
      constants.set(slot, value);
    return !plan.blockedBy;
  };
  // A parameter that divides must not become zero.
  std::vector<ChannelConstant> all = plan.constants, others = all;
  llvm::erase_if(others, [](const ChannelConstant &constant) {
    return !constant.weight && constant.isDivisor();
  });
  for (bool masksConsumers : {false, true}) {
    plan.masksConsumers = masksConsumers;
    plan.constants = all;
    if (tryMasks(false))
      return;
    plan.constants = others;
    if (others.size() != all.size() && tryMasks(false))
      return;
  }
  plan.masksConsumers = false;
  plan.constants = std::move(all);
  tryMasks(true);
}

std::vector<PlannedGroup> ChannelPlanner::plan() {
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
    plan.structure = describe(group);
    plan.ops.assign(opsOfGroup[group].begin(), opsOfGroup[group].end());
    prove(group);
    result.push_back(std::move(plan));
  }
  return result;
}

std::vector<PlannedGroup>
mlir::prune::planChannelGroups(Operation *root, const WeightUses &uses,
                               const ChannelGroups &groups) {
  return ChannelPlanner(root, uses, groups).plan();
}
