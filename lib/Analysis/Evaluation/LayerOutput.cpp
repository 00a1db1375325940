//===- LayerOutput.cpp - What shifts and scales a layer's outputs ---------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From the product on, each dimension of the tensor is followed back to the
// loop of the product that it comes from. A constant belongs to the outputs if
// all of its dimensions come from loops over rows or groups.
//
//===----------------------------------------------------------------------===//

#include "prune/Analysis/Evaluation/LayerOutput.h"

#include "Analysis/NoWeight.h"

#include "prune/Analysis/Evaluation/AffineChains.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::prune;

/// A dimension that is no loop over outputs.
static constexpr int64_t kOther = -1;

namespace {
class OutputReader {
public:
  explicit OutputReader(const WeightUse &use);
  LayerOutput read();

private:
  void readInit();
  bool step();
  bool throughReshape(ArrayRef<ReassociationIndices> groups, bool isExpand,
                      Value result);
  bool readElementwise(linalg::LinalgOp op, OpOperand &operand);
  std::optional<OutputConstant> makeConstant(Value tensor, AffineMap map,
                                             ArrayRef<int64_t> loopOrigins);
  std::optional<OutputConstant> constantOf(Value argument, linalg::LinalgOp op,
                                           ArrayRef<int64_t> loopOrigins);

  linalg::LinalgOp product;
  /// Loops over groups, then rows, in the order of outputs.
  SmallVector<int64_t> outputLoops;
  SmallVector<int64_t> sizes;
  /// What has been computed of the product, and where its dimensions come from.
  Value value;
  SmallVector<int64_t> origins;
  LayerOutput output;
};
} // namespace

OutputReader::OutputReader(const WeightUse &use)
    : product(cast<linalg::LinalgOp>(use.operand->getOwner())),
      sizes(product.getStaticLoopRanges()), value(product->getResult(0)) {
  AffineMap weight = product.getMatchingIndexingMap(use.operand);
  OpOperand *input =
      product.getDpsInputOperand(use.operand->getOperandNumber() == 0 ? 1 : 0);
  AffineMap inputMap = product.getMatchingIndexingMap(input);
  AffineMap result =
      product.getMatchingIndexingMap(product.getDpsInitOperand(0));
  SmallVector<int64_t> rows;
  for (int64_t loop = 0; loop < product.getNumLoops(); ++loop)
    if (weight.isFunctionOfDim(loop) && result.isFunctionOfDim(loop) &&
        !ShapedType::isDynamic(sizes[loop]))
      (inputMap.isFunctionOfDim(loop) ? outputLoops : rows).push_back(loop);
  llvm::append_range(outputLoops, rows);
  for (AffineExpr expr : result.getResults()) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    int64_t loop = dim ? int64_t(dim.getPosition()) : kOther;
    origins.push_back(llvm::is_contained(outputLoops, loop) ? loop : kOther);
  }
}

/// A constant whose dimension i lies along loop `map(i)`; `loopOrigins` says
/// which loop of the product that is.
std::optional<OutputConstant>
OutputReader::makeConstant(Value tensor, AffineMap map,
                           ArrayRef<int64_t> loopOrigins) {
  SmallVector<Operation *> chain;
  Operation *constant = findConstant(tensor, chain);
  auto type = dyn_cast<RankedTensorType>(tensor.getType());
  if (!constant || !type || !type.hasStaticShape() ||
      !map.isProjectedPermutation())
    return std::nullopt;
  auto held = cast<RankedTensorType>(constant->getResult(0).getType());
  std::optional<std::vector<int64_t>> followed = followElements(held, chain);
  if (!followed || held.getNumElements() == 1)
    return std::nullopt;
  SmallVector<int64_t> strides(sizes.size());
  int64_t stride = 1;
  for (size_t dim = type.getRank(); dim-- > 0;) {
    int64_t origin = loopOrigins[map.getDimPosition(dim)];
    if (origin == kOther && type.getDimSize(dim) != 1)
      return std::nullopt;
    if (origin != kOther)
      strides[origin] = stride;
    stride *= type.getDimSize(dim);
  }
  OutputConstant found;
  found.constant = constant;
  found.elements = {0};
  for (int64_t loop : outputLoops) {
    std::vector<int64_t> next;
    for (int64_t element : found.elements)
      for (int64_t i = 0; i < sizes[loop]; ++i)
        next.push_back(element + i * strides[loop]);
    found.elements = std::move(next);
  }
  for (int64_t &element : found.elements)
    element = (*followed)[element];
  return found;
}

/// The constant that a block argument reads.
std::optional<OutputConstant>
OutputReader::constantOf(Value argument, linalg::LinalgOp op,
                         ArrayRef<int64_t> loopOrigins) {
  while (Operation *conversion = argument.getDefiningOp()) {
    if (!isa<arith::ExtFOp, arith::TruncFOp>(conversion))
      return std::nullopt;
    argument = conversion->getOperand(0);
  }
  auto own = dyn_cast<BlockArgument>(argument);
  if (!own || own.getOwner() != op.getBlock())
    return std::nullopt;
  OpOperand &operand = op->getOpOperand(own.getArgNumber());
  return makeConstant(operand.get(), op.getMatchingIndexingMap(&operand),
                      loopOrigins);
}

/// A product may start from its bias.
void OutputReader::readInit() {
  OpOperand *init = product.getDpsInitOperand(0);
  SmallVector<Operation *> chain;
  if (!findConstant(init->get(), chain) || chain.empty())
    return;
  auto broadcast = dyn_cast<linalg::BroadcastOp>(chain.back());
  if (!broadcast)
    return;
  SmallVector<AffineExpr> exprs;
  for (int64_t dim = 0, e = origins.size(); dim < e; ++dim)
    if (!llvm::is_contained(broadcast.getDimensions(), dim))
      exprs.push_back(getAffineDimExpr(dim, product.getContext()));
  output.bias = makeConstant(
      broadcast.getInput(),
      AffineMap::get(origins.size(), 0, exprs, product.getContext()), origins);
}

bool OutputReader::throughReshape(ArrayRef<ReassociationIndices> groups,
                                  bool isExpand, Value result) {
  auto wide =
      cast<RankedTensorType>(isExpand ? result.getType() : value.getType());
  SmallVector<int64_t> next(isExpand ? wide.getRank() : int64_t(groups.size()),
                            kOther);
  for (auto [narrow, group] : llvm::enumerate(groups)) {
    for (int64_t dim : group) {
      int64_t origin = isExpand ? origins[narrow] : origins[dim];
      if (origin == kOther)
        continue;
      bool isAlone = llvm::all_of(group, [&](int64_t other) {
        return other == dim || wide.getDimSize(other) == 1;
      });
      if (!isAlone && !(isExpand && wide.getDimSize(dim) == 1))
        return false;
      if (wide.getDimSize(dim) == sizes[origin])
        next[isExpand ? dim : narrow] = origin;
    }
  }
  origins = std::move(next);
  value = result;
  return true;
}

bool OutputReader::readElementwise(linalg::LinalgOp op, OpOperand &operand) {
  AffineMap map = op.getMatchingIndexingMap(&operand);
  if (!map.isPermutation())
    return false;
  SmallVector<int64_t> loopOrigins(op.getNumLoops(), kOther);
  for (auto [dim, origin] : llvm::enumerate(origins))
    loopOrigins[map.getDimPosition(dim)] = origin;
  Value number = op.getMatchingBlockArgument(&operand);
  while (number.hasOneUse()) {
    Operation *user = *number.user_begin();
    if (user->getNumOperands() == 1 && !isa<linalg::YieldOp>(user)) {
      if (!isa<arith::ExtFOp, arith::TruncFOp>(user))
        return false;
      number = user->getResult(0);
      continue;
    }
    if (isa<arith::AddFOp>(user) && !output.bias) {
      Value other = user->getOperand(user->getOperand(0) == number ? 1 : 0);
      output.bias = constantOf(other, op, loopOrigins);
      if (!output.bias)
        return false;
      number = user->getResult(0);
      continue;
    }
    if (isa<arith::SubFOp>(user) && user->getOperand(0) == number) {
      output.mean = constantOf(user->getOperand(1), op, loopOrigins);
      break;
    }
    if (!isa<linalg::YieldOp>(user))
      return false;
    AffineMap result = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
    SmallVector<int64_t> next;
    for (unsigned dim = 0; dim < result.getNumResults(); ++dim)
      next.push_back(loopOrigins[result.getDimPosition(dim)]);
    origins = std::move(next);
    value = op->getResult(0);
    return true;
  }
  if (!output.mean)
    return false;
  op.getBlock()->walk([&](Operation *root) {
    if (!isa<math::SqrtOp, math::RsqrtOp>(root))
      return;
    Value sum = root->getOperand(0);
    if (auto add = sum.getDefiningOp<arith::AddFOp>())
      for (Value term : add->getOperands())
        if (auto found = constantOf(term, op, loopOrigins))
          output.variance = found;
    if (!output.variance)
      output.variance = constantOf(sum, op, loopOrigins);
  });
  return false;
}

/// Goes on to what reads the value; false at the end.
bool OutputReader::step() {
  OpOperand *only = nullptr;
  for (OpOperand &use : value.getUses()) {
    if (isa<tensor::DimOp>(use.getOwner()))
      continue;
    if (only)
      return false;
    only = &use;
  }
  if (!only)
    return false;
  Operation *user = only->getOwner();
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(user))
    return throughReshape(expand.getReassociationIndices(), true,
                          expand.getResult());
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(user))
    return throughReshape(collapse.getReassociationIndices(), false,
                          collapse.getResult());
  if (isa<tensor::CastOp>(user)) {
    value = user->getResult(0);
    return true;
  }
  if (auto transpose = dyn_cast<linalg::TransposeOp>(user)) {
    if (transpose.getInput() != value)
      return false;
    SmallVector<int64_t> next;
    for (int64_t from : transpose.getPermutation())
      next.push_back(origins[from]);
    origins = std::move(next);
    value = user->getResult(0);
    return true;
  }
  linalg::LinalgOp op = asElementwise(user);
  return op && op.isDpsInput(only) && readElementwise(op, *only);
}

LayerOutput OutputReader::read() {
  readInit();
  while (step()) {
  }
  if (!output.isNormalized())
    output.mean = output.variance = std::nullopt;
  return std::move(output);
}

LayerOutput LayerOutput::get(const WeightUse &use) {
  return OutputReader(use).read();
}
