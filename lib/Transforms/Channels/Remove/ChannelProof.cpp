//===- ChannelProof.cpp - Which channels the outputs do not need ----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A channel that reaches a result along a dimension goes on as a channel of the
// result, so nothing is lost where it leaves both. It matters only where an
// operation reduces over it: there, either the step leaves the sum as it is
// (the channel or its weights are zero), or it adds the same numbers to every
// position, which a bias can do. Or the step is seen only by results that leave
// too: operations are asked last to first, so that one sweep removes a whole
// chain of neurons that feed nothing but each other. Channels that no reduction
// needs, and that are not frozen, may leave all at once.
//
//===----------------------------------------------------------------------===//

#include "Transforms/Channels/ChannelRemoval.h"

#include "prune/IR/ConstantView.h"

#include "mlir/IR/Matchers.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace mlir::prune;

//===----------------------------------------------------------------------===//
// Sums of products
//===----------------------------------------------------------------------===//

static Type elementTypeOf(OpOperand &operand) {
  return getElementTypeOrSelf(operand.get().getType());
}

std::optional<FoldedSum>
mlir::prune::getFoldedSum(linalg::LinalgOp op, unsigned loop, int64_t index,
                          const SliceConstants &constants) {
  OpOperand *init = op.getDpsInitOperand(0);
  if (!isSumOfProducts(op) ||
      !op.getMatchingIndexingMap(init).isProjectedPermutation())
    return std::nullopt;
  for (unsigned side : {0u, 1u}) {
    OpOperand *x = op.getDpsInputOperand(side);
    OpOperand *w = op.getDpsInputOperand(1 - side);
    if (elementTypeOf(*x) != elementTypeOf(*init) ||
        elementTypeOf(*w) != elementTypeOf(*init) || !getReadableWeight(op, *w))
      continue;
    auto number = dyn_cast_or_null<FloatAttr>(
        constants.getAt(*x, op.getMatchingIndexingMap(x), loop, index));
    if (!number || !number.getValue().isFinite())
      continue;
    // Steps that the weight does not see repeat its product.
    AffineMap seen = op.getMatchingIndexingMap(w);
    AffineMap out = op.getMatchingIndexingMap(init);
    bool isStatic = true;
    for (auto [at, range] : llvm::enumerate(op.getStaticLoopRanges()))
      isStatic &= seen.isFunctionOfDim(at) || out.isFunctionOfDim(at) ||
                  !ShapedType::isDynamic(range);
    if (isStatic && seen.isFunctionOfDim(loop))
      return FoldedSum{op, loop, x, w};
  }
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

/// The axis that `loop` runs along, of any operand.
static std::optional<unsigned> axisOfLoop(linalg::LinalgOp op, unsigned loop,
                                          const ChannelGroups &groups) {
  for (OpOperand &operand : op->getOpOperands()) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    std::optional<unsigned> dim =
        map.getResultPosition(getAffineDimExpr(loop, op.getContext()));
    std::optional<unsigned> first = groups.getFirstAxis(operand);
    if (dim && first)
      return *first + *dim;
  }
  return std::nullopt;
}

void mlir::prune::forEachReduction(
    linalg::LinalgOp op, const ChannelGroups &groups,
    function_ref<void(unsigned loop, unsigned axis)> visit) {
  if (!op.hasPureTensorSemantics() || op->getNumResults() == 0)
    return;
  for (unsigned loop = 0; loop != op.getNumLoops(); ++loop) {
    bool isReduced = llvm::any_of(op.getDpsInitsMutable(), [&](OpOperand &out) {
      return !op.getMatchingIndexingMap(&out).isFunctionOfDim(loop);
    });
    if (!isReduced)
      continue;
    if (std::optional<unsigned> axis = axisOfLoop(op, loop, groups))
      visit(loop, *axis);
  }
}

namespace {
/// Asks every reduction which of the channels that it sums over it needs, last
/// operation first: a channel that only unneeded results see is not needed.
class NeedProof {
public:
  NeedProof(ArrayRef<Operation *> ops, const ChannelGroups &groups,
            SliceConstants &constants, const std::vector<bool> &pinned)
      : ops(ops), groups(groups), constants(constants), isNeeded(pinned),
        firstReader(pinned.size(), ops.size()) {}

  /// For each channel that is not frozen.
  std::vector<bool> run();

private:
  void visit(linalg::LinalgOp op, size_t number);
  std::vector<bool> findLive(linalg::LinalgOp op, size_t number, unsigned loop);

  ArrayRef<Operation *> ops;
  const ChannelGroups &groups;
  SliceConstants &constants;
  std::vector<bool> isNeeded;
  /// The first operation that reduces over each channel. Before it, what the
  /// channel needs is known.
  std::vector<size_t> firstReader;
};
} // namespace

/// For each step of `loop`, whether the weight has a number there for a result
/// that is needed. Empty if that does not matter.
std::vector<bool> NeedProof::findLive(linalg::LinalgOp op, size_t number,
                                      unsigned loop) {
  std::optional<unsigned> result = groups.getFirstAxis(op->getResult(0));
  if (!result || !isSumOfProducts(op))
    return {};
  AffineMap out = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  std::vector<bool> live;
  for (OpOperand *w : op.getDpsInputOperands()) {
    std::optional<TensorView> view = getReadableWeight(op, *w);
    AffineMap map = op.getMatchingIndexingMap(w);
    std::optional<unsigned> dim = dimOfLoop(map, loop);
    if (!view || !dim)
      continue;
    std::vector<std::vector<bool>> unneeded(view->shape.size());
    bool anyUnneeded = false;
    for (auto [outDim, expr] : llvm::enumerate(out.getResults())) {
      std::optional<unsigned> weightDim = map.getResultPosition(expr);
      if (!weightDim || groups.getAxes()[*result + outDim].size == 0)
        continue;
      for (int64_t i = 0; i != view->shape[*weightDim]; ++i) {
        unsigned channel = groups.getChannel(*result + outDim, i);
        bool isDead = !groups.getFrozen(channel) && !isNeeded[channel] &&
                      firstReader[channel] > number;
        unneeded[*weightDim].push_back(isDead);
        anyUnneeded |= isDead;
      }
    }
    if (!anyUnneeded)
      continue;
    std::vector<bool> found = findLiveSlices(*view, *dim, unneeded);
    live.resize(found.size(), true);
    for (size_t i = 0; i != found.size(); ++i)
      live[i] = live[i] && found[i];
  }
  return live;
}

void NeedProof::visit(linalg::LinalgOp op, size_t number) {
  // Terms that two loops fold would be counted twice.
  std::optional<unsigned> foldedLoop;
  forEachReduction(op, groups, [&](unsigned loop, unsigned axis) {
    std::optional<std::vector<bool>> live;
    for (int64_t i = 0; i != groups.getAxes()[axis].size; ++i) {
      unsigned channel = groups.getChannel(axis, i);
      if (groups.getFrozen(channel) || isNeeded[channel] ||
          constants.isNeutral(op, loop, i))
        continue;
      if (!live)
        live = findLive(op, number, loop);
      if (!live->empty() && !(*live)[i])
        continue;
      if (foldedLoop.value_or(loop) == loop &&
          getFoldedSum(op, loop, i, constants))
        foldedLoop = loop;
      else
        isNeeded[channel] = true;
    }
  });
}

std::vector<bool> NeedProof::run() {
  for (size_t number = 0; number != ops.size(); ++number)
    if (auto structured = dyn_cast<linalg::LinalgOp>(ops[number]))
      forEachReduction(structured, groups, [&](unsigned, unsigned axis) {
        for (int64_t i = 0; i != groups.getAxes()[axis].size; ++i) {
          size_t &first = firstReader[groups.getChannel(axis, i)];
          first = std::min(first, number);
        }
      });
  for (size_t number = ops.size(); number-- > 0;)
    if (auto structured = dyn_cast<linalg::LinalgOp>(ops[number]))
      visit(structured, number);
  return isNeeded;
}

std::vector<bool> mlir::prune::chooseChannels(ArrayRef<Operation *> ops,
                                              const ChannelGroups &groups,
                                              SliceConstants &constants) {
  std::vector<bool> pinned(groups.getNumChannels()), removed(pinned.size());
  // What an axis keeps may need more, so prove again with it. Less is removed
  // then, so that no further axis runs empty.
  for (bool anyPinned = true; anyPinned;) {
    anyPinned = false;
    std::vector<bool> isNeeded =
        NeedProof(ops, groups, constants, pinned).run();
    for (unsigned channel = 0; channel != removed.size(); ++channel)
      removed[channel] = !groups.getFrozen(channel) && !isNeeded[channel];
    for (auto [number, axis] : llvm::enumerate(groups.getAxes())) {
      bool anyStays = axis.size == 0;
      for (int64_t i = 0; i != axis.size && !anyStays; ++i)
        anyStays = !removed[groups.getChannel(number, i)];
      if (anyStays)
        continue;
      unsigned first = groups.getChannel(number, 0);
      removed[first] = false;
      pinned[first] = anyPinned = true;
    }
  }
  return removed;
}

std::optional<std::vector<int64_t>>
mlir::prune::getKept(const ChannelGroups &groups, unsigned axis,
                     const std::vector<bool> &removed) {
  const Axis &info = groups.getAxes()[axis];
  std::vector<int64_t> kept;
  for (int64_t i = 0; i != info.size; ++i)
    if (!removed[groups.getChannel(axis, i)])
      kept.push_back(i);
  if (int64_t(kept.size()) == info.size)
    return std::nullopt;
  return kept;
}

//===----------------------------------------------------------------------===//
// Contributions
//===----------------------------------------------------------------------===//

/// Adds `scale` times the slice `index` along `loop` of the weight to `target`,
/// summed over the loops that the result does not have.
static void addSlice(const FoldedSum &sum, int64_t index, double scale,
                     Contribution &target) {
  linalg::LinalgOp op = sum.op;
  Attribute value;
  matchPattern(sum.weightSide->get(), m_Constant(&value));
  TensorView view = *getTensorView(value);
  AffineMap map = op.getMatchingIndexingMap(sum.weightSide);
  AffineMap out = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  // The stride in `target` of each dimension of the weight, 0 if it is summed.
  SmallVector<int64_t> strides(view.shape.size(), 0);
  int64_t stride = 1;
  for (auto [dim, size] :
       llvm::reverse(llvm::zip_equal(target.dims, target.shape))) {
    unsigned weightDim = *map.getResultPosition(out.getResult(dim));
    strides[weightDim] = stride;
    stride *= size;
  }
  unsigned fixed =
      *map.getResultPosition(getAffineDimExpr(sum.loop, op.getContext()));
  int64_t inner = countElements(view.shape.drop_front(fixed + 1));
  int64_t outer = countElements(view.shape.take_front(fixed));
  for (int64_t o = 0; o != outer; ++o)
    for (int64_t r = 0; r != inner; ++r) {
      int64_t element = (o * view.shape[fixed] + index) * inner + r;
      int64_t rest = element, position = 0;
      for (size_t dim = view.shape.size(); dim-- > 0;) {
        position += rest % view.shape[dim] * strides[dim];
        rest /= view.shape[dim];
      }
      double number;
      view.load(element, number);
      target.values[position] += scale * number;
    }
}

/// An empty contribution to the result of `sum`.
static Contribution createContribution(const FoldedSum &sum,
                                       const ChannelGroups &groups,
                                       const std::vector<bool> &removed) {
  linalg::LinalgOp op = sum.op;
  Contribution contribution;
  contribution.op = op;
  contribution.weight = sum.weightSide;
  OpOperand *init = op.getDpsInitOperand(0);
  AffineMap out = op.getMatchingIndexingMap(init);
  AffineMap weight = op.getMatchingIndexingMap(sum.weightSide);
  std::optional<unsigned> axis = groups.getFirstAxis(*init);
  auto type = cast<RankedTensorType>(sum.weightSide->get().getType());
  for (auto [dim, expr] : llvm::enumerate(out.getResults()))
    if (std::optional<unsigned> weightDim = weight.getResultPosition(expr)) {
      contribution.dims.push_back(dim);
      contribution.shape.push_back(type.getDimSize(*weightDim));
      contribution.kept.push_back(axis ? getKept(groups, *axis + dim, removed)
                                       : std::nullopt);
    }
  contribution.values.assign(countElements(contribution.shape), 0);
  return contribution;
}

/// How often the sum repeats a product because the weight does not have a loop.
static double getRepetitions(const FoldedSum &sum) {
  linalg::LinalgOp op = sum.op;
  AffineMap seen = op.getMatchingIndexingMap(sum.weightSide);
  AffineMap out = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  double times = 1;
  for (auto [at, range] : llvm::enumerate(op.getStaticLoopRanges()))
    if (!seen.isFunctionOfDim(at) && !out.isFunctionOfDim(at))
      times *= range;
  return times;
}

std::vector<Contribution> mlir::prune::computeContributions(
    ArrayRef<Operation *> ops, const ChannelGroups &groups,
    SliceConstants &constants, const std::vector<bool> &removed) {
  std::vector<Contribution> contributions;
  for (Operation *op : ops) {
    auto structured = dyn_cast<linalg::LinalgOp>(op);
    if (!structured)
      continue;
    forEachReduction(structured, groups, [&](unsigned loop, unsigned axis) {
      llvm::SmallMapVector<OpOperand *, Contribution, 2> bySide;
      for (int64_t i = 0; i != groups.getAxes()[axis].size; ++i) {
        if (!removed[groups.getChannel(axis, i)] ||
            constants.isNeutral(structured, loop, i))
          continue;
        std::optional<FoldedSum> sum =
            getFoldedSum(structured, loop, i, constants);
        // Only results that were removed as well saw it.
        if (!sum)
          continue;
        auto [entry, isNew] = bySide.try_emplace(sum->weightSide);
        if (isNew)
          entry->second = createContribution(*sum, groups, removed);
        auto number = cast<FloatAttr>(constants.getAt(
            *sum->constantSide,
            structured.getMatchingIndexingMap(sum->constantSide), loop, i));
        addSlice(*sum, i, number.getValueAsDouble() * getRepetitions(*sum),
                 entry->second);
      }
      for (auto &[side, contribution] : bySide)
        if (llvm::any_of(contribution.values, [](double v) { return v != 0; }))
          contributions.push_back(std::move(contribution));
    });
  }
  return contributions;
}
