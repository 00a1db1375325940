//===- ChannelGroups.cpp - Which slices leave together --------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One pass over the operations joins indices in a union-find forest, whose
// roots carry the reason if anything freezes them. Where a reshape leaves a
// choice of dimensions it is made afterwards, in program order, among those
// that are not frozen by then. The work is linear in the number of indices of
// all axes, up to the inverse Ackermann function.
//
//===----------------------------------------------------------------------===//

#include "prune/Analysis/ChannelGroups.h"
#include "prune/Analysis/ExportLimits.h"
#include "prune/Analysis/WeightUses.h"
#include "prune/IR/PassedValues.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace mlir::prune;

namespace mlir::prune {
/// Builds the groups.
class ChannelCoupler {
public:
  ChannelCoupler(ChannelGroups &groups, ChannelGroups::Prefer prefer,
                 llvm::SmallPtrSet<Operation *, 4> freeFunctions)
      : groups(groups), prefer(prefer), freeFunctions(freeFunctions) {}

  void visit(Operation *op);
  void joinShared(Operation *root);
  void settle();
  void limit(const ExportLimits &limits);
  void settleLimits();
  void choose();
  void finish();

private:
  unsigned addAxes(Value value, OpOperand *use);
  unsigned axesOf(Value value);
  unsigned axesOf(OpOperand &operand);
  unsigned axisOf(Operation *op, ChannelPort port);
  unsigned find(unsigned slot);
  void join(unsigned a, unsigned b);
  void freeze(unsigned slot, int reason);
  int addReason(Operation *op, StringRef reason);
  void freezeAxis(unsigned axis, int64_t begin, int64_t count, int reason);
  void freezeAxes(Value value, unsigned first, int reason);
  void freezeBlockArguments(Operation *op);
  void couplePassed(Operation *op);
  void apply(Operation *op, const ChannelLink &link);
  int reasonOf(unsigned axis);
  bool freezeLike(unsigned axis, int reason);
  bool isApplied(Operation *op, const ChannelLink &link);

  /// The links of one reshape among which one is to be chosen.
  struct Choice {
    Operation *op;
    SmallVector<ChannelLink> links;
  };

  /// What a file can lose along an axis.
  struct AxisLimit {
    unsigned axis;
    int reason;
    SmallVector<SmallVector<int64_t>, 1> classes;
  };
  void joinClasses(const AxisLimit &limit);
  bool holds(unsigned axis, ArrayRef<int64_t> classes);

  ChannelGroups &groups;
  ChannelGroups::Prefer prefer;
  llvm::SmallPtrSet<Operation *, 4> freeFunctions;
  std::vector<unsigned> parent;
  std::vector<int> reasonOfRoot;
  std::vector<Choice> choices;
  std::vector<AxisLimit> openLimits;
};
} // namespace mlir::prune

unsigned ChannelCoupler::addAxes(Value value, OpOperand *use) {
  unsigned first = groups.axes.size();
  auto type = cast<RankedTensorType>(value.getType());
  for (auto [dim, size] : llvm::enumerate(type.getShape())) {
    int64_t known = ShapedType::isDynamic(size) ? 0 : size;
    groups.axes.push_back(
        {value, use, int64_t(dim), known, unsigned(parent.size())});
    for (int64_t i = 0; i != known; ++i) {
      parent.push_back(parent.size());
      reasonOfRoot.push_back(-1);
    }
  }
  return first;
}

unsigned ChannelCoupler::axesOf(Value value) {
  auto [entry, isNew] = groups.axesOfValue.try_emplace(value, 0);
  if (isNew)
    entry->second = addAxes(value, nullptr);
  return entry->second;
}

unsigned ChannelCoupler::axesOf(OpOperand &operand) {
  if (!isRematerializable(operand.get()))
    return axesOf(operand.get());
  auto [entry, isNew] = groups.axesOfUse.try_emplace(&operand, 0);
  if (isNew)
    entry->second = addAxes(operand.get(), &operand);
  return entry->second;
}

unsigned ChannelCoupler::axisOf(Operation *op, ChannelPort port) {
  return port.dim + (port.isResult ? axesOf(op->getResult(port.index))
                                   : axesOf(*port.getOperand(op)));
}

unsigned ChannelCoupler::find(unsigned slot) {
  while (parent[slot] != slot)
    slot = parent[slot] = parent[parent[slot]];
  return slot;
}

void ChannelCoupler::freeze(unsigned slot, int reason) {
  int &known = reasonOfRoot[find(slot)];
  if (known < 0)
    known = reason;
}

/// The smaller root stays, so that the outcome does not depend on the order.
void ChannelCoupler::join(unsigned a, unsigned b) {
  a = find(a);
  b = find(b);
  if (a == b)
    return;
  if (b < a)
    std::swap(a, b);
  parent[b] = a;
  if (reasonOfRoot[a] < 0)
    reasonOfRoot[a] = reasonOfRoot[b];
}

int ChannelCoupler::addReason(Operation *op, StringRef reason) {
  groups.reasons.push_back({op, reason});
  return groups.reasons.size() - 1;
}

void ChannelCoupler::freezeAxis(unsigned axis, int64_t begin, int64_t count,
                                int reason) {
  const Axis &info = groups.axes[axis];
  for (int64_t i = begin; i < std::min(begin + count, info.size); ++i)
    freeze(info.first + i, reason);
}

/// All dimensions of a value, whose axes start at `first`.
void ChannelCoupler::freezeAxes(Value value, unsigned first, int reason) {
  int64_t rank = cast<RankedTensorType>(value.getType()).getRank();
  for (unsigned axis = first; axis != first + rank; ++axis)
    freezeAxis(axis, 0, groups.axes[axis].size, reason);
}

void ChannelCoupler::freezeBlockArguments(Operation *op) {
  bool isFunction = op->hasTrait<OpTrait::IsIsolatedFromAbove>();
  int reason = -1;
  for (Region &region : op->getRegions())
    for (BlockArgument argument : region.getArguments()) {
      // What control flow passes is coupled with where it comes from.
      if (!isa<RankedTensorType>(argument.getType()) ||
          groups.axesOfValue.contains(argument))
        continue;
      if (reason < 0)
        reason = addReason(op, isFunction ? "takes it as an argument"
                                          : "passes it into a region");
      unsigned first = axesOf(argument);
      // An argument that nothing reads says nothing.
      if (freeFunctions.contains(op) && !argument.use_empty())
        continue;
      freezeAxes(argument, first, reason);
    }
  // Blocks other than the first get their arguments from branches.
  for (Region &region : op->getRegions())
    for (Block &block : llvm::drop_begin(region, region.empty() ? 0 : 1))
      for (BlockArgument argument : block.getArguments())
        if (isa<RankedTensorType>(argument.getType()))
          freezeAxes(argument, axesOf(argument),
                     addReason(op, "passes it between blocks"));
}

/// Joins what control flow passes with what it becomes. Other operands and
/// results of the operation and of its terminators stay.
void ChannelCoupler::couplePassed(Operation *op) {
  llvm::SmallPtrSet<OpOperand *, 8> passedOn;
  llvm::SmallDenseSet<Value> targets;
  for (const PassedValue &passed : getPassedValues(op)) {
    passedOn.insert(passed.from);
    targets.insert(passed.to);
    unsigned to = axesOf(passed.to);
    Value source = passed.from->get();
    if (source.getType() != passed.to.getType()) {
      int reason = addReason(op, "passes it on as another type");
      freezeAxes(passed.to, to, reason);
      if (isa<RankedTensorType>(source.getType()))
        freezeAxes(source, axesOf(*passed.from), reason);
      continue;
    }
    unsigned from = axesOf(*passed.from);
    int64_t rank = cast<RankedTensorType>(source.getType()).getRank();
    for (int64_t dim = 0; dim != rank; ++dim)
      for (int64_t i = 0; i != groups.axes[from + dim].size; ++i)
        join(groups.axes[from + dim].first + i,
             groups.axes[to + dim].first + i);
  }
  int reason = addReason(op, "does not say how it passes it on");
  auto freezeOperands = [&](Operation *owner) {
    for (OpOperand &operand : owner->getOpOperands())
      if (isa<RankedTensorType>(operand.get().getType()) &&
          !passedOn.contains(&operand))
        freezeAxes(operand.get(), axesOf(operand), reason);
  };
  freezeOperands(op);
  for (Region &region : op->getRegions())
    for (Block &block : region)
      if (!block.empty() && isPassingTerminator(&block.back()))
        freezeOperands(&block.back());
  for (Value result : op->getResults())
    if (isa<RankedTensorType>(result.getType()) && !targets.contains(result))
      freezeAxes(result, axesOf(result), reason);
}

void ChannelCoupler::apply(Operation *op, const ChannelLink &link) {
  unsigned axisOfA = axisOf(op, link.a), axisOfB = axisOf(op, link.b);
  const Axis &a = groups.axes[axisOfA], &b = groups.axes[axisOfB];
  if (a.size == 0 || b.size == 0) {
    int reason = addReason(op, "couples it with a dimension of dynamic size");
    freezeAxis(axisOfA, 0, a.size, reason);
    freezeAxis(axisOfB, 0, b.size, reason);
    return;
  }
  for (int64_t t = 0; t != link.count; ++t)
    for (int64_t o = 0; o != link.outer; ++o)
      for (int64_t r = 0; r != link.inner; ++r)
        join(a.first + link.aBegin + t,
             b.first + link.bBegin + (o * link.count + t) * link.inner + r);
}

/// Whether the indices of `b` are coupled already as the link would do it.
bool ChannelCoupler::isApplied(Operation *op, const ChannelLink &link) {
  const Axis &b = groups.axes[axisOf(op, link.b)];
  if (b.size == 0)
    return false;
  llvm::SmallDenseSet<unsigned> roots;
  for (int64_t t = 0; t != link.count; ++t) {
    unsigned first = find(b.first + link.bBegin + t * link.inner);
    for (int64_t o = 0; o != link.outer; ++o)
      for (int64_t r = 0; r != link.inner; ++r)
        if (find(b.first + link.bBegin + (o * link.count + t) * link.inner +
                 r) != first)
          return false;
    if (!roots.insert(first).second)
      return false;
  }
  return true;
}

void ChannelCoupler::visit(Operation *op) {
  if (isPassingTerminator(op))
    return;
  if (passesValues(op)) {
    couplePassed(op);
    freezeBlockArguments(op);
    return;
  }
  if (!hasChannelLinks(op)) {
    freezeBlockArguments(op);
    // Every use has its own version, so the definition does not matter.
    if (op->getNumResults() == 1 && isRematerializable(op->getResult(0)))
      return;
  }
  if (isa<linalg::FillOp>(op) && isRematerializable(op->getResult(0)))
    return;
  ChannelLinks links = getChannelLinks(op);
  unsigned firstChoice = choices.size();
  for (const ChannelLink &link : links.links) {
    if (link.choice < 0) {
      apply(op, link);
      continue;
    }
    choices.resize(
        std::max<size_t>(choices.size(), firstChoice + link.choice + 1));
    choices[firstChoice + link.choice].op = op;
    choices[firstChoice + link.choice].links.push_back(link);
  }
  StringRef last;
  int reason = -1;
  for (const FrozenChannels &frozen : links.frozen) {
    unsigned axis = axisOf(op, frozen.port);
    if (reason < 0 || frozen.reason != last)
      reason = addReason(op, frozen.reason);
    last = frozen.reason;
    freezeAxis(axis, frozen.begin, frozen.count, reason);
  }
}

/// The uses of a weight lose the same channels: it stays one tensor. Splats are
/// as little a reason as zeros that everything starts from.
void ChannelCoupler::joinShared(Operation *root) {
  WeightUses uses(root);
  for (const Weight &weight : uses.getWeights()) {
    if (weight.uses.size() < 2 || isa<SplatElementsAttr>(weight.getValue()))
      continue;
    std::optional<unsigned> shared;
    for (const WeightUse &use : weight.uses) {
      OpOperand &operand =
          use.chain.empty() ? *use.operand : use.chain.front()->getOpOperand(0);
      auto own = groups.axesOfUse.find(&operand);
      if (own == groups.axesOfUse.end())
        continue;
      unsigned first = shared.value_or(own->second);
      shared = first;
      for (int64_t dim = 0; dim != weight.getType().getRank(); ++dim) {
        const Axis &a = groups.axes[first + dim];
        const Axis &b = groups.axes[own->second + dim];
        for (int64_t i = 0; i != a.size; ++i)
          join(a.first + i, b.first + i);
      }
    }
  }
}

/// Why the first index of an axis has to stay if all of them have to, else -1.
int ChannelCoupler::reasonOf(unsigned axis) {
  const Axis &info = groups.axes[axis];
  for (int64_t i = 0; i != info.size; ++i)
    if (reasonOfRoot[find(info.first + i)] < 0)
      return -1;
  return info.size == 0 ? -1 : reasonOfRoot[find(info.first)];
}

/// Returns whether that is new.
bool ChannelCoupler::freezeLike(unsigned axis, int reason) {
  if (reason < 0 || reasonOf(axis) >= 0)
    return false;
  freezeAxis(axis, 0, groups.axes[axis].size, reason);
  return true;
}

/// Of a reshape that is frozen on one side, no dimension can carry channels,
/// whatever is chosen: the channels of a pixel shuffle are not what becomes
/// height and width. Reshapes in a row settle in one sweep; more than a few
/// sweeps back and forth would not be linear.
void ChannelCoupler::settle() {
  constexpr unsigned kSweeps = 4;
  bool changed = true;
  for (unsigned sweep = 0; sweep != kSweeps && changed; ++sweep) {
    changed = false;
    for (size_t i = 0; i != choices.size(); ++i) {
      Choice &choice = choices[sweep % 2 ? choices.size() - 1 - i : i];
      unsigned whole = axisOf(choice.op, choice.links.front().b);
      int ofWhole = reasonOf(whole), ofParts = -1;
      for (const ChannelLink &link : choice.links) {
        unsigned part = axisOf(choice.op, link.a);
        changed |= freezeLike(part, ofWhole);
        ofParts = reasonOf(part);
        if (ofParts < 0)
          break;
      }
      if (ofWhole < 0)
        changed |= freezeLike(whole, ofParts);
    }
  }
}

void ChannelCoupler::limit(const ExportLimits &limits) {
  for (unsigned number = 0; number != groups.axes.size(); ++number) {
    const Axis &axis = groups.axes[number];
    Attribute value;
    if (!axis.use || !matchPattern(axis.value, m_Constant(&value)))
      continue;
    auto weight = dyn_cast_or_null<DenseResourceElementsAttr>(value);
    auto limit = weight ? limits.get(weight, axis.dim) : std::nullopt;
    if (!limit)
      continue;
    int reason = addReason(axis.use->getOwner(), limit->reason);
    if (limit->classes.empty())
      freezeAxis(number, 0, axis.size, reason);
    else if (limit->classes.size() == 1)
      joinClasses({number, reason, limit->classes});
    else
      openLimits.push_back({number, reason, limit->classes});
  }
}

void ChannelCoupler::joinClasses(const AxisLimit &limit) {
  const auto &classes = limit.classes[prefer == ChannelGroups::Prefer::Inner
                                          ? limit.classes.size() - 1
                                          : 0];
  llvm::SmallDenseMap<int64_t, unsigned> firstOf;
  for (auto [i, group] : llvm::enumerate(classes)) {
    unsigned slot = groups.axes[limit.axis].first + i;
    if (group < 0)
      freeze(slot, limit.reason);
    else
      join(firstOf.try_emplace(group, slot).first->second, slot);
  }
}

bool ChannelCoupler::holds(unsigned axis, ArrayRef<int64_t> classes) {
  llvm::SmallDenseMap<int64_t, unsigned> rootOf;
  for (auto [i, group] : llvm::enumerate(classes)) {
    unsigned root = find(groups.axes[axis].first + i);
    if (reasonOfRoot[root] < 0 &&
        (group < 0 || rootOf.try_emplace(group, root).first->second != root))
      return false;
  }
  return true;
}

/// What was chosen for the reshapes of the program mostly is what those of the
/// file need. Where the program has them no more, this one chooses.
void ChannelCoupler::settleLimits() {
  for (const AxisLimit &limit : openLimits)
    if (llvm::none_of(limit.classes, [&](ArrayRef<int64_t> classes) {
          return holds(limit.axis, classes);
        }))
      joinClasses(limit);
}

void ChannelCoupler::choose() {
  for (Choice &choice : choices) {
    unsigned numFree = 0;
    if (prefer == ChannelGroups::Prefer::Inner)
      std::reverse(choice.links.begin(), choice.links.end());
    const ChannelLink *chosen = nullptr;
    for (const ChannelLink &link : choice.links)
      if (reasonOf(axisOf(choice.op, link.a)) < 0) {
        ++numFree;
        if (!chosen)
          chosen = &link;
      }
    groups.anyChoice |= numFree > 1;
    // What was chosen for the same dimensions before goes on: heads that were
    // collapsed with a batch are expanded from it again.
    for (const ChannelLink &link : choice.links)
      if (isApplied(choice.op, link))
        chosen = &link;
    if (!chosen)
      chosen = &choice.links.front();
    apply(choice.op, *chosen);
    int reason = addReason(
        choice.op, prefer == ChannelGroups::Prefer::Outer
                       ? "reshapes it together with a dimension that carries "
                         "the channels; reshape=inner takes this one instead"
                       : "reshapes it together with a dimension that carries "
                         "the channels; reshape=outer takes this one instead");
    for (const ChannelLink &link : choice.links)
      if (&link != chosen)
        freezeAxis(axisOf(choice.op, link.a), 0, link.count, reason);
  }
}

void ChannelCoupler::finish() {
  groups.channelOfSlot.resize(parent.size());
  for (unsigned slot = 0; slot != parent.size(); ++slot) {
    unsigned root = find(slot);
    // Roots come first among their slots.
    if (root == slot) {
      groups.channelOfSlot[slot] = groups.reasonOfChannel.size();
      groups.reasonOfChannel.push_back(reasonOfRoot[root]);
    } else {
      groups.channelOfSlot[slot] = groups.channelOfSlot[root];
    }
  }
}

ChannelGroups::ChannelGroups(Operation *root, Prefer prefer, bool freeArguments,
                             const ExportLimits *limits) {
  ChannelCoupler coupler(*this, prefer,
                         freeArguments ? getEntryFunctions(root)
                                       : llvm::SmallPtrSet<Operation *, 4>());
  forEachChannelOp(root, [&](Operation *op) { coupler.visit(op); });
  coupler.joinShared(root);
  if (limits)
    coupler.limit(*limits);
  coupler.settle();
  coupler.choose();
  coupler.settleLimits();
  coupler.finish();
}

std::optional<unsigned> ChannelGroups::getFirstAxis(OpOperand &operand) const {
  auto entry = axesOfUse.find(&operand);
  if (entry != axesOfUse.end())
    return entry->second;
  return getFirstAxis(operand.get());
}

std::optional<unsigned> ChannelGroups::getFirstAxis(Value value) const {
  auto entry = axesOfValue.find(value);
  if (entry == axesOfValue.end())
    return std::nullopt;
  return entry->second;
}

std::optional<unsigned> ChannelGroups::getAxis(Operation *op,
                                               ChannelPort port) const {
  std::optional<unsigned> first =
      port.isResult ? getFirstAxis(Value(op->getResult(port.index)))
                    : getFirstAxis(*port.getOperand(op));
  return first ? std::optional<unsigned>(*first + port.dim) : std::nullopt;
}

std::vector<std::vector<unsigned>> ChannelGroups::getGroups() const {
  // Per channel, in order: the axes that it reaches and how often.
  std::vector<SmallVector<std::pair<unsigned, unsigned>, 4>> reach(
      getNumChannels());
  for (auto [number, axis] : llvm::enumerate(axes))
    for (int64_t i = 0; i != axis.size; ++i) {
      auto &of = reach[channelOfSlot[axis.first + i]];
      if (of.empty() || of.back().first != number)
        of.push_back({unsigned(number), 0});
      ++of.back().second;
    }
  std::vector<std::vector<unsigned>> groups;
  llvm::DenseMap<size_t, SmallVector<unsigned, 1>> byHash;
  for (unsigned channel = 0; channel != reach.size(); ++channel) {
    bool isFree = reasonOfChannel[channel] < 0;
    size_t hash = llvm::hash_combine(
        isFree,
        llvm::hash_combine_range(reach[channel].begin(), reach[channel].end()));
    SmallVector<unsigned, 1> &candidates = byHash[hash];
    auto found = llvm::find_if(candidates, [&](unsigned group) {
      unsigned member = groups[group].front();
      return reach[member] == reach[channel] &&
             (reasonOfChannel[member] < 0) == isFree;
    });
    if (found != candidates.end()) {
      groups[*found].push_back(channel);
      continue;
    }
    candidates.push_back(groups.size());
    groups.push_back({channel});
  }
  return groups;
}
