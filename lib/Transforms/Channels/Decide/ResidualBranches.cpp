//===- ResidualBranches.cpp - Whole branches of residual sums
//----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A residual block is a sum x + f(x). Where the last weights, biases and shifts
// of f can make it zero, masking them makes the block an identity, which
// prune-remove-channels then removes with everything inside. The branch is
// found by walking back from one operand of the sum to the other, and never
// beyond: an operation that stands before x ends the search, so that all
// searches together are linear.
//
//===----------------------------------------------------------------------===//

#include "ChannelDecision.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::prune;

/// The two operands that an operation adds element by element.
static std::optional<std::pair<Value, Value>> getAddends(Operation *op) {
  if (isa<arith::AddFOp>(op) &&
      isa<RankedTensorType>(op->getResult(0).getType()))
    return std::pair(op->getOperand(0), op->getOperand(1));
  auto sum = dyn_cast<linalg::LinalgOp>(op);
  if (!sum || !sum.hasPureTensorSemantics() || op->getNumResults() != 1 ||
      sum.getNumParallelLoops() != sum.getNumLoops())
    return std::nullopt;
  auto add = sum.getBlock()
                 ->getTerminator()
                 ->getOperand(0)
                 .getDefiningOp<arith::AddFOp>();
  AffineMap out = sum.getMatchingIndexingMap(sum.getDpsInitOperand(0));
  SmallVector<Value> values;
  for (Value operand : add ? add->getOperands() : ValueRange()) {
    auto argument = dyn_cast<BlockArgument>(operand);
    if (!argument || argument.getOwner() != sum.getBlock())
      return std::nullopt;
    OpOperand *tensor = sum.getMatchingOpOperand(argument);
    if (sum.isDpsInit(tensor) || sum.getMatchingIndexingMap(tensor) != out)
      return std::nullopt;
    values.push_back(tensor->get());
  }
  if (values.size() != 2)
    return std::nullopt;
  return std::pair(values[0], values[1]);
}

namespace {
class BlockFinder {
public:
  BlockFinder(Operation *root, const WeightUses &uses,
              const ChannelGroups &groups, ArrayRef<PlannedGroup> planned)
      : groups(groups), constants(root, groups) {
    forEachChannelOp(root, [&](Operation *op) {
      position[op] = ops.size();
      ops.push_back(op);
    });
    for (const PlannedGroup &group : planned)
      for (unsigned channel : group.channels)
        groupOf[channel] = &group;
    for (const Weight &weight : uses.getWeights())
      for (const WeightUse &use : weight.uses)
        weightOf[use.operand->getOwner()] = &weight;
  }

  std::vector<ResidualBlock>
  find(function_ref<void(Operation *, StringRef)> missed);

private:
  SmallVector<Operation *> inOrder(const llvm::SetVector<Operation *> &set) {
    SmallVector<Operation *> ordered(set.begin(), set.end());
    llvm::sort(ordered, [&](Operation *a, Operation *b) {
      return position[a] < position[b];
    });
    return ordered;
  }
  bool collect(Value from, Value to, llvm::SetVector<Operation *> &branch);
  bool makeZero(Value result, const llvm::SetVector<Operation *> &branch,
                ResidualBlock &block);

  const ChannelGroups &groups;
  SliceConstants constants;
  std::vector<Operation *> ops;
  llvm::DenseMap<Operation *, size_t> position;
  llvm::DenseMap<unsigned, const PlannedGroup *> groupOf;
  llvm::DenseMap<Operation *, const Weight *> weightOf;
};
} // namespace

/// The operations between `to` and `from`, or false if `from` is computed from
/// anything else as well.
bool BlockFinder::collect(Value from, Value to,
                          llvm::SetVector<Operation *> &branch) {
  size_t begin = 0;
  if (Operation *op = to.getDefiningOp()) {
    auto found = position.find(op);
    if (found == position.end())
      return false;
    begin = found->second;
  }
  SmallVector<Value> worklist = {from};
  while (!worklist.empty()) {
    Value value = worklist.pop_back_val();
    if (value == to || !isa<RankedTensorType>(value.getType()) ||
        isRematerializable(value))
      continue;
    Operation *op = value.getDefiningOp();
    auto found = op ? position.find(op) : position.end();
    if (found == position.end() || found->second < begin ||
        !hasChannelLinks(op))
      return false;
    if (branch.insert(op))
      llvm::append_range(worklist, op->getOperands());
  }
  return !branch.empty();
}

/// Chooses constants in the branch whose masks make its result zero.
bool BlockFinder::makeZero(Value result,
                           const llvm::SetVector<Operation *> &branch,
                           ResidualBlock &block) {
  std::optional<unsigned> first = groups.getFirstAxis(result);
  if (!first)
    return false;
  llvm::SmallSetVector<const PlannedGroup *, 4> candidates;
  int64_t rank = cast<RankedTensorType>(result.getType()).getRank();
  for (int64_t dim = 0; dim != rank; ++dim)
    for (int64_t i = 0; i != groups.getAxes()[*first + dim].size; ++i)
      if (const PlannedGroup *group =
              groupOf.lookup(groups.getChannel(*first + dim, i)))
        candidates.insert(group);
  SliceConstants::Log log;
  for (const PlannedGroup *group : candidates)
    for (const ChannelConstant &constant : group->constants) {
      if (!branch.contains(constant.getReader()) ||
          (!constant.weight && constant.isDivisor()))
        continue;
      block.constants.push_back(constant);
      unsigned axis = *groups.getFirstAxis(*constant.use) + constant.dim;
      Type type = getElementTypeOrSelf(constant.use->get().getType());
      for (size_t i = 0; i != constant.channelOfIndex.size(); ++i) {
        unsigned slot = groups.getAxes()[axis].first + i;
        log.push_back({slot, constants.get(slot)});
        if (constant.channelOfIndex[i] >= 0)
          constants.set(slot, FloatAttr::get(type, 0.0));
      }
    }
  // Reshapes of the constants stand outside of what was walked through.
  llvm::SetVector<Operation *> affected(branch.begin(), branch.end());
  for (const ChannelConstant &constant : block.constants)
    for (Operation *op = constant.use->getOwner(); op != constant.getReader();
         op = *op->user_begin())
      affected.insert(op);
  constants.evaluate(inOrder(affected), &log);
  auto number = dyn_cast_or_null<FloatAttr>(constants.getUniform(result));
  for (auto [slot, value] : llvm::reverse(log))
    constants.set(slot, value);
  return number && number.getValue().isZero();
}

std::vector<ResidualBlock>
BlockFinder::find(function_ref<void(Operation *, StringRef)> missed) {
  std::vector<ResidualBlock> blocks;
  llvm::DenseSet<const void *> taken;
  for (Operation *op : ops) {
    auto addends = getAddends(op);
    if (!addends || isRematerializable(addends->first) ||
        isRematerializable(addends->second))
      continue;
    ResidualBlock block;
    block.sum = op;
    bool isBlock = false;
    StringRef reason = "neither operand is computed from the other alone";
    for (auto [through, past] : {std::pair(addends->first, addends->second),
                                 std::pair(addends->second, addends->first)}) {
      llvm::SetVector<Operation *> branch;
      if (isBlock || !collect(through, past, branch))
        continue;
      block.constants.clear();
      block.weights.clear();
      SmallVector<Operation *> ordered = inOrder(branch);
      for (Operation *inner : ordered)
        if (const Weight *weight = weightOf.lookup(inner);
            weight && !llvm::is_contained(block.weights, weight))
          block.weights.push_back(weight);
      if (!block.weights.empty())
        reason = "the constants of the branch cannot make it zero";
      isBlock = !block.weights.empty() && makeZero(through, branch, block);
    }
    // A weight of two blocks would take both away.
    for (const ChannelConstant &constant : block.constants)
      if (isBlock && !taken.insert(constant.use).second) {
        isBlock = false;
        reason = "its constants belong to another block as well";
      }
    if (!isBlock) {
      missed(op, reason);
      continue;
    }
    block.name = block.weights.front()->name;
    blocks.push_back(std::move(block));
  }
  return blocks;
}

std::vector<ResidualBlock> mlir::prune::findResidualBlocks(
    Operation *root, const WeightUses &uses, const ChannelGroups &groups,
    ArrayRef<PlannedGroup> planned,
    function_ref<void(Operation *, StringRef)> missed) {
  return BlockFinder(root, uses, groups, planned).find(missed);
}

void mlir::prune::scoreBlocks(std::vector<ResidualBlock> &blocks,
                              CriterionAttrInterface criterion) {
  for (ResidualBlock &block : blocks) {
    double sum = 0, elements = 0;
    for (const Weight *weight : block.weights) {
      ChannelConstant whole{nullptr, weight->constants.front(), 0, {}, weight};
      for (double score : scoreIndices(whole, criterion))
        sum += score;
      elements += weight->getType().getNumElements();
    }
    block.score = sum / elements;
  }
}
