//===- BatchNormSource.cpp - Fold what precedes a contraction -------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A scale passes through reshapes and through padding with zeros. A shift does
// not pass through padding: at the border it is missing.
//
//===----------------------------------------------------------------------===//

#include "BatchNormFolder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/SetVector.h"

#include <cmath>

using namespace mlir;
using namespace mlir::prune;

/// The operation in front, and how its channels meet the weight.
struct BatchNormFolder::Source {
  Source(linalg::LinalgOp op, OpOperand *data) : op(op), body(op), data(data) {}

  linalg::LinalgOp op;
  BodyConstants body;
  SmallVector<Operation *> chain;
  OpOperand *data;
  bool isPadded = false;
  /// For each element of the constants, a position; and for each step of the
  /// weight's loops, what it adds to it.
  int64_t count = 1;
  WeightRescaler::Steps steps;
  /// The dimensions of the result that the numbers depend on.
  struct Dim {
    unsigned dim;
    int64_t size, stride;
  };
  SmallVector<Dim> dims;
};

/// Whether `op` pads with zeros, by sizes that are known.
static bool isZeroPad(tensor::PadOp op) {
  Value value = op.getConstantPaddingValue();
  return value && matchPattern(value, m_AnyZeroFloat()) &&
         op.getSourceType().hasRank();
}

/// Follows a pad: a dimension that grows loses its origin.
static void followPad(tensor::PadOp op, DimFactors &origins) {
  auto isZeroSize = [](OpFoldResult size) {
    return getConstantIntValue(size) == 0;
  };
  for (auto [dim, low, high] :
       llvm::enumerate(op.getMixedLowPad(), op.getMixedHighPad()))
    if (!isZeroSize(low) || !isZeroSize(high))
      origins.forget(dim, op.getResultType().getDimSize(dim));
}

/// The operation in front of `value`, and what lies between in data-flow order.
static Operation *walkBack(Value value, SmallVectorImpl<Operation *> &path) {
  Operation *op = value.getDefiningOp();
  while (op && op->hasOneUse() &&
         isa<linalg::TransposeOp, tensor::ExpandShapeOp,
             tensor::CollapseShapeOp, tensor::CastOp, tensor::PadOp>(op)) {
    if (auto pad = dyn_cast<tensor::PadOp>(op); pad && !isZeroPad(pad))
      return nullptr;
    path.push_back(op);
    op = op->getOperand(0).getDefiningOp();
  }
  std::reverse(path.begin(), path.end());
  return op;
}

/// What the operation would pass on if the chain did nothing; or null.
OpOperand *BatchNormFolder::getWholeOperand(const Source &source) {
  linalg::LinalgOp op = source.op;
  Value end = source.chain.back()->getResult(0);
  auto argument = dyn_cast_or_null<BlockArgument>(
      getChainStart(source.chain, source.body, end.getType()));
  if (end != op.getBlock()->getTerminator()->getOperand(0) || !argument ||
      argument.getOwner() != op.getBlock())
    return nullptr;
  OpOperand *operand = op.getMatchingOpOperand(argument);
  AffineMap out = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  bool isWhole = operand->get().getType() == op->getResult(0).getType() &&
                 op.getMatchingIndexingMap(operand) == out;
  return isWhole ? operand : nullptr;
}

std::optional<BatchNormFolder::Source> BatchNormFolder::findSource() {
  OpOperand *data = contraction.getDpsInputOperand(
      contraction.getDpsInputOperand(0) == weight.getOperand() ? 1 : 0);
  SmallVector<Operation *> path;
  auto op = dyn_cast_or_null<linalg::GenericOp>(walkBack(data->get(), path));
  if (!op || !asElementwise(op))
    return std::nullopt;
  Source source(op, data);
  source.chain = getChainBefore(op.getBlock()->getTerminator()->getOperand(0),
                                source.body);
  // A rounding at the end stays where what is scaled is wider.
  if (Operation *last = source.chain.empty() ? nullptr : source.chain.back();
      last && isa<arith::TruncFOp>(last) &&
      !getChainStart(source.chain, source.body, last->getResult(0).getType()))
    source.chain.pop_back();
  // A mere shift is the bias of what comes before.
  if (!hasProduct(source.chain) ||
      !getChainStart(source.chain, source.body,
                     source.chain.back()->getResult(0).getType()) ||
      !isNode(op, source.chain, source.body,
              getWholeOperand(source) != nullptr))
    return std::nullopt;
  auto refuse = [&](std::string reason) {
    reasons.note(op, std::move(reason));
    return std::nullopt;
  };
  if (!op->hasOneUse())
    return refuse("what it scales has other users too");
  auto type = cast<RankedTensorType>(op.getResult(0).getType());
  DimFactors origins(type);
  for (Operation *step : path) {
    if (auto pad = dyn_cast<tensor::PadOp>(step)) {
      followPad(pad, origins);
      source.isPadded = true;
    } else if (!origins.follow(step)) {
      return refuse("a reshape mixes its channels");
    }
  }

  // Which dimensions of the result the numbers depend on.
  AffineMap out = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  llvm::SmallSetVector<unsigned, 4> used;
  for (OpOperand *constant : source.body.getVarying(source.chain))
    for (AffineExpr expr : op.getMatchingIndexingMap(constant).getResults()) {
      if (isa<AffineConstantExpr>(expr))
        continue;
      std::optional<unsigned> dim = out.getResultPosition(expr);
      if (!dim || type.isDynamicDim(*dim))
        return refuse("its numbers are indexed by more than loops");
      used.insert(*dim);
    }
  for (unsigned dim : used) {
    source.dims.push_back({dim, type.getDimSize(dim), source.count});
    source.count *= type.getDimSize(dim);
  }

  // Every factor of them has to be a factor of a loop that the weight has.
  AffineMap map = contraction.getMatchingIndexingMap(data);
  int64_t found = 1;
  for (auto [position, expr] : llvm::enumerate(map.getResults())) {
    auto loop = dyn_cast<AffineDimExpr>(expr);
    int64_t extent = loop ? weight.getExtent(loop.getPosition()) : 0;
    int64_t inner = 1;
    for (const Factor &factor : llvm::reverse(origins.getFactors(position))) {
      // What leads a factor of unknown size cannot be told: it is not found.
      if (ShapedType::isDynamic(factor.size))
        break;
      auto *dim = llvm::find_if(
          source.dims, [&](const auto &d) { return d.dim == factor.dim; });
      if (dim != source.dims.end() && extent > 0) {
        std::vector<int64_t> &table = source.steps[loop.getPosition()];
        table.resize(extent);
        for (int64_t i = 0; i != extent; ++i)
          table[i] += i / inner % factor.size * factor.stride * dim->stride;
        found *= factor.size;
      }
      inner *= factor.size;
    }
  }
  if (found != source.count)
    return refuse(("its numbers differ along a dimension that weight '" +
                   weight.getName() + "' does not have")
                      .str());
  return source;
}

std::optional<std::vector<Affine>> BatchNormFolder::readSource(Source &source) {
  AffineMap out =
      source.op.getMatchingIndexingMap(source.op.getDpsInitOperand(0));
  std::vector<Affine> numbers;
  for (int64_t number = 0; number != source.count; ++number) {
    source.body.evaluate([&](OpOperand *operand) {
      auto type = cast<RankedTensorType>(operand->get().getType());
      int64_t position = 0;
      for (auto [size, expr] : llvm::zip_equal(
               type.getShape(),
               source.op.getMatchingIndexingMap(operand).getResults())) {
        int64_t index = 0;
        // Constants that the chain does not need may have other dimensions.
        std::optional<unsigned> at = out.getResultPosition(expr);
        for (const auto &dim : source.dims)
          if (at == dim.dim)
            index = number / dim.stride % dim.size;
        position = position * size + index;
      }
      return position;
    });
    numbers.push_back(applyChain(source.chain, source.body, Affine()));
    if (!std::isfinite(numbers.back().scale) ||
        !std::isfinite(numbers.back().shift)) {
      reasons.note(source.op, "its scale or shift is not finite in channel " +
                                  std::to_string(number));
      return std::nullopt;
    }
  }
  return numbers;
}

/// Whether what the weights make of a constant can be added to the result.
bool BatchNormFolder::canShift(const Source &source) {
  if (source.isPadded) {
    reasons.note(source.op, "its shift is missing where zeros are padded");
    return false;
  }
  SmallVector<unsigned> loops;
  contraction.getReductionDims(loops);
  for (unsigned loop : loops)
    if (weight.getExtent(loop) <= 0) {
      reasons.note(source.op, "the sum runs over more than the weight has");
      return false;
    }
  return true;
}

void BatchNormFolder::removeSource(Source &source) {
  linalg::LinalgOp op = source.op;
  if (OpOperand *operand = getWholeOperand(source)) {
    op->getResult(0).replaceAllUsesWith(operand->get());
    op->erase();
    return;
  }
  Value end = source.chain.back()->getResult(0);
  end.replaceAllUsesWith(
      getChainStart(source.chain, source.body, end.getType()));
  eraseChain(source.chain);
  changed.insert(op);
}

unsigned BatchNormFolder::foldBefore() {
  std::optional<Source> source = findSource();
  if (!source)
    return 0;
  std::optional<std::vector<Affine>> numbers = readSource(*source);
  if (!numbers)
    return 0;
  bool shifts = llvm::any_of(
      *numbers, [](const Affine &number) { return number.shift != 0; });
  if (shifts && !canShift(*source))
    return 0;
  std::vector<double> values, contributions(countChannels(), 0.0);
  weight.forEach({source->steps, getChannelSteps()},
                 [&](int64_t, double value, ArrayRef<int64_t> positions) {
                   const Affine &number = (*numbers)[positions[0]];
                   values.push_back(value * number.scale);
                   if (number.shift != 0)
                     contributions[positions[1]] += value * number.shift;
                 });
  Attribute name = chooseBiasName(source->op.getDpsInputOperands(),
                                  contraction.getContext());
  if (shifts && !canHold(contributions)) {
    reasons.note(source->op, "its shift would overflow as a bias");
    return 0;
  }
  if (!weight.replaceValues(values, kept)) {
    reasons.note(
        source->op,
        ("weight '" + weight.getName() + "' would overflow when scaled").str());
    return 0;
  }
  llvm::append_range(namesBefore, source->body.getNames(source->chain));
  removeSource(*source);
  if (shifts)
    addBias(contributions, name);
  return 1;
}
