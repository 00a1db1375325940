//===- WeightContraction.cpp - Contractions that can be packed ------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Recognition reads indexing maps and the body only, so named operations,
// generics and transposed variants need no cases of their own. A convolution
// reads its input at a sum of loops; flattened, each column of the filter has a
// fixed offset and each output position adds a start of its own, whatever the
// layout, stride and dilation.
//
//===----------------------------------------------------------------------===//

#include "WeightContraction.h"

#include "prune/IR/Prune.h"

#include "mlir/Analysis/FlatLinearValueConstraints.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::prune;

/// The block argument behind at most one cast.
static Value skipCast(Value value) {
  if (Operation *op = value.getDefiningOp())
    if (isa<arith::ExtFOp, arith::TruncFOp>(op))
      return op->getOperand(0);
  return value;
}

bool mlir::prune::isMultiplyAdd(Block &body) {
  auto add = body.getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
  if (!add)
    return false;
  for (auto [sum, product] : {std::pair(add.getLhs(), add.getRhs()),
                              std::pair(add.getRhs(), add.getLhs())}) {
    auto multiply = product.getDefiningOp<arith::MulFOp>();
    if (sum != body.getArgument(2) || !multiply)
      continue;
    Value a = skipCast(multiply.getLhs()), b = skipCast(multiply.getRhs());
    if (a == body.getArgument(1))
      std::swap(a, b);
    return a == body.getArgument(0) && b == body.getArgument(1);
  }
  return false;
}

/// Splits the weight's loops in rows and columns; returns what is in the way.
static std::string matchLoops(WeightContraction &match) {
  linalg::LinalgOp op = match.op;
  AffineMap weight = op.getMatchingIndexingMap(match.weight);
  AffineMap input = op.getMatchingIndexingMap(match.input);
  AffineMap output = op.getMatchingIndexingMap(match.output);
  SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
  if (!weight.isProjectedPermutation() || !output.isProjectedPermutation())
    return "its weight or output is not read in plain order";
  SmallVector<unsigned> rowLoops;
  for (unsigned loop = 0; loop < op.getNumLoops(); ++loop) {
    bool inWeight = weight.isFunctionOfDim(loop);
    bool inInput = input.isFunctionOfDim(loop);
    bool isSum = iterators[loop] == utils::IteratorType::reduction;
    if (isSum ? !inWeight || !inInput || output.isFunctionOfDim(loop)
              : !output.isFunctionOfDim(loop))
      return "it sums over a dimension that weight and input do not share";
    if (inWeight && !isSum && inInput)
      return "weight and input share a dimension that is not summed over "
             "(batched, grouped or depthwise)";
    if (inWeight)
      (isSum ? match.columnLoops : rowLoops).push_back(loop);
  }
  if (rowLoops.size() != 1 || match.columnLoops.empty())
    return "its weight is not a matrix of outputs by inputs";
  match.rowLoop = rowLoops.front();
  return "";
}

std::optional<SmallVector<int64_t>>
mlir::prune::getCoefficients(AffineExpr expr, unsigned numLoops) {
  SmallVector<int64_t> coefficients;
  if (failed(getFlattenedAffineExpr(expr, numLoops, 0, &coefficients)) ||
      coefficients.size() != numLoops + 1 || coefficients.back() != 0 ||
      llvm::any_of(coefficients, [](int64_t c) { return c < 0; }))
    return std::nullopt;
  coefficients.pop_back();
  return coefficients;
}

/// The coefficients of the loops in the index into the input, flattened from
/// the first dimension that is summed over.
static std::optional<SmallVector<int64_t>>
getFlatCoefficients(WeightContraction &match) {
  AffineMap input = match.op.getMatchingIndexingMap(match.input);
  ArrayRef<int64_t> shape =
      cast<RankedTensorType>(match.input->get().getType()).getShape();
  unsigned numLoops = match.op.getNumLoops();
  auto isSummed = [&](AffineExpr expr) {
    return llvm::any_of(match.columnLoops,
                        [&](unsigned l) { return expr.isFunctionOfDim(l); });
  };
  match.flatFrom =
      llvm::find_if(input.getResults(), isSummed) - input.getResults().begin();
  SmallVector<int64_t> total(numLoops, 0);
  int64_t stride = 1;
  for (unsigned dim = input.getNumResults(); dim-- > match.flatFrom;) {
    auto coefficients = getCoefficients(input.getResult(dim), numLoops);
    if (!coefficients || ShapedType::isDynamic(shape[dim]))
      return std::nullopt;
    for (unsigned loop = 0; loop < numLoops; ++loop)
      total[loop] += stride * (*coefficients)[loop];
    stride *= shape[dim];
  }
  return total;
}

/// Computes the offset of every column. Columns are put in an order in which
/// offsets ascend; returns what is in the way.
static std::string matchOffsets(WeightContraction &match) {
  auto coefficients = getFlatCoefficients(match);
  if (!coefficients)
    return "the spatial size of its input is dynamic, or is read with an "
           "offset";
  SmallVector<int64_t> sizes = match.op.getStaticLoopRanges();
  llvm::sort(match.columnLoops, [&](unsigned a, unsigned b) {
    return std::pair(-(*coefficients)[a], a) <
           std::pair(-(*coefficients)[b], b);
  });
  match.offsets.assign(1, 0);
  for (unsigned loop : match.columnLoops) {
    SmallVector<int64_t> outer = std::move(match.offsets);
    match.offsets.clear();
    for (int64_t offset : outer)
      for (int64_t i = 0; i < sizes[loop]; ++i)
        match.offsets.push_back(offset + i * (*coefficients)[loop]);
  }
  for (size_t i = 1; i < match.offsets.size(); ++i)
    if (match.offsets[i] <= match.offsets[i - 1])
      return "elements of its window overlap";
  match.numOffsets = match.offsets.back() + 1;
  return "";
}

std::optional<WeightContraction>
mlir::prune::matchContraction(const WeightUse &use, std::string &reason) {
  WeightContraction match;
  match.op = cast<linalg::LinalgOp>(use.operand->getOwner());
  match.weight = use.operand;
  auto fail = [&](StringRef text) {
    reason = text;
    return std::nullopt;
  };
  if (match.op.getNumDpsInputs() != 2 || match.op.getNumDpsInits() != 1 ||
      !match.op.hasPureTensorSemantics())
    return fail("it does not have two inputs and one output");
  unsigned position = match.weight->getOperandNumber();
  match.input = match.op.getDpsInputOperand(position == 0 ? 1 : 0);
  match.output = match.op.getDpsInitOperand(0);
  for (Value value : match.op->getOperands()) {
    auto type = cast<RankedTensorType>(value.getType());
    if (!getFloatKind(type.getElementType()) || type.getEncoding())
      return fail("an operand is sparse or not of type f64, f32, f16, bf16");
  }
  if (!isMultiplyAdd(*match.op.getBlock()))
    return fail("its body is not a plain multiply-add");
  if (std::string problem = matchLoops(match); !problem.empty())
    return fail(problem);

  AffineMap input = match.op.getMatchingIndexingMap(match.input);
  if (!input.isProjectedPermutation() || match.columnLoops.size() != 1)
    if (std::string problem = matchOffsets(match); !problem.empty())
      return fail(problem);
  SmallVector<int64_t> sizes = match.op.getStaticLoopRanges();
  match.rows = sizes[match.rowLoop];
  match.columns = 1;
  for (unsigned loop : match.columnLoops)
    match.columns *= sizes[loop];
  return match;
}
