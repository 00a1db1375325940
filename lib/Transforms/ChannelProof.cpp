//===- ChannelProof.cpp - Which channels the outputs do not need ----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A channel that reaches a result along a dimension goes on as a channel of the
// result, so nothing is lost where it leaves both. It matters only where an
// operation reduces over it: there, either the step leaves the sum as it is
// (the channel or its weights are zero), or it adds the same numbers to every
// position, which a bias can do. Channels that no reduction needs, and that are
// not frozen, may leave all at once: no proof looks at another free channel's
// contents, only at what stays or is constant.
//
//===----------------------------------------------------------------------===//

#include "ChannelRemoval.h"

#include "prune/IR/ConstantView.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace mlir::prune;

//===----------------------------------------------------------------------===//
// Sums of products
//===----------------------------------------------------------------------===//

static bool isSumOfProducts(linalg::LinalgOp op) {
  return op.hasPureTensorSemantics() && op.getNumDpsInputs() == 2 &&
         op.getNumDpsInits() == 1 &&
         linalg::detail::isContractionBody(
             *op.getBlock(), [](Operation *multiply, Operation *add) {
               return isa<arith::MulFOp>(multiply) && isa<arith::AddFOp>(add);
             });
}

static Type elementTypeOf(OpOperand &operand) {
  return getElementTypeOrSelf(operand.get().getType());
}

/// Whether the weight's numbers are there and each is used along its own loops.
static bool isReadableWeight(linalg::LinalgOp op, OpOperand &weight) {
  if (!isRepeatable(weight.get()) ||
      !op.getMatchingIndexingMap(&weight).isProjectedPermutation())
    return false;
  Attribute value;
  return matchPattern(weight.get(), m_Constant(&value)) &&
         getTensorView(value).has_value();
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
        elementTypeOf(*w) != elementTypeOf(*init) || !isReadableWeight(op, *w))
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

ChannelProof mlir::prune::proveChannels(ArrayRef<Operation *> ops,
                                        const ChannelGroups &groups,
                                        SliceConstants &constants) {
  ChannelProof proof;
  proof.neededBy.assign(groups.getNumChannels(), nullptr);
  for (Operation *op : ops) {
    auto structured = dyn_cast<linalg::LinalgOp>(op);
    if (!structured)
      continue;
    // Terms that two loops fold would be counted twice.
    std::optional<unsigned> foldedLoop;
    forEachReduction(structured, groups, [&](unsigned loop, unsigned axis) {
      for (int64_t i = 0; i != groups.getAxes()[axis].size; ++i) {
        unsigned channel = groups.getChannel(axis, i);
        if (groups.getFrozen(channel) || proof.neededBy[channel] ||
            constants.isNeutral(structured, loop, i))
          continue;
        if (foldedLoop.value_or(loop) == loop &&
            getFoldedSum(structured, loop, i, constants))
          foldedLoop = loop;
        else
          proof.neededBy[channel] = op;
      }
    });
  }
  return proof;
}

std::vector<bool> mlir::prune::chooseChannels(const ChannelGroups &groups,
                                              const ChannelProof &proof) {
  std::vector<bool> removed(groups.getNumChannels());
  for (unsigned channel = 0; channel != removed.size(); ++channel)
    removed[channel] = !groups.getFrozen(channel) && !proof.neededBy[channel];
  // An axis keeps at least one index. Keeping more never harms another axis.
  for (auto [number, axis] : llvm::enumerate(groups.getAxes())) {
    bool anyStays = axis.size == 0;
    for (int64_t i = 0; i != axis.size && !anyStays; ++i)
      anyStays = !removed[groups.getChannel(number, i)];
    if (!anyStays)
      removed[groups.getChannel(number, 0)] = false;
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
      contribution.kept.push_back(
          axis ? getKept(groups, *axis + dim, removed) : std::nullopt);
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
        assert(sum && "a channel that is needed was removed");
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
        contributions.push_back(std::move(contribution));
    });
  }
  return contributions;
}
