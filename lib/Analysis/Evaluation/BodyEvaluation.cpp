//===- BodyEvaluation.cpp - Bodies on known numbers -----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operations on numbers fold themselves. What they do not know is what holds
// for any other operand: a product with zero, a sum with zero, the greater of
// something and minus infinity.
//
//===----------------------------------------------------------------------===//

#include "prune/Analysis/Evaluation/SliceConstants.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::prune;

static bool isZero(Attribute value) {
  return value && (matchPattern(value, m_AnyZeroFloat()) ||
                   matchPattern(value, m_Zero()));
}

static bool isOne(Attribute value) {
  return value &&
         (matchPattern(value, m_OneFloat()) || matchPattern(value, m_One()));
}

static bool isInfinity(Attribute value, bool isNegative) {
  auto number = dyn_cast_or_null<FloatAttr>(value);
  return number && number.getValue().isInfinity() &&
         number.getValue().isNegative() == isNegative;
}

/// A zero without a sign, so that zeros compare equal.
static Attribute withoutSign(Attribute value) {
  auto number = dyn_cast_or_null<FloatAttr>(value);
  if (number && number.getValue().isNegZero())
    return FloatAttr::get(number.getType(), 0.0);
  return value;
}

/// `x op y` where y is the neutral element.
static bool isNeutralOperand(Operation *op, Attribute value, bool isRight) {
  if (isa<arith::AddFOp, arith::AddIOp, arith::OrIOp, arith::XOrIOp>(op))
    return isZero(value);
  if (isa<arith::SubFOp, arith::SubIOp>(op))
    return isRight && isZero(value);
  if (isa<arith::MulFOp, arith::MulIOp>(op))
    return isOne(value);
  if (isa<arith::DivFOp>(op))
    return isRight && isOne(value);
  if (isa<arith::MaximumFOp, arith::MaxNumFOp>(op))
    return isInfinity(value, /*isNegative=*/true);
  if (isa<arith::MinimumFOp, arith::MinNumFOp>(op))
    return isInfinity(value, /*isNegative=*/false);
  return false;
}

/// Rules for operands that are not all known.
static BodyValue simplify(Operation *op, ArrayRef<BodyValue> operands) {
  if (op->getNumOperands() == 2) {
    const BodyValue &left = operands[0], &right = operands[1];
    if (isa<arith::MulFOp, arith::MulIOp, arith::AndIOp>(op))
      for (const BodyValue &operand : operands)
        if (isZero(operand.constant))
          return {withoutSign(operand.constant)};
    if (isa<arith::DivFOp>(op) && isZero(left.constant) && right.isNonzero)
      return {withoutSign(left.constant)};
    if (isNeutralOperand(op, right.constant, true))
      return left;
    if (isNeutralOperand(op, left.constant, false))
      return right;
  }
  if (isa<arith::SelectOp>(op)) {
    if (operands[0].constant)
      return operands[isZero(operands[0].constant) ? 2 : 1];
    if (operands[1] == operands[2])
      return operands[1];
  }
  return {};
}

/// A number in a narrower type. Its own folder does not round.
static std::optional<BodyValue> roundConstant(Operation *op,
                                              ArrayRef<Attribute> operands) {
  if (!isa<arith::TruncFOp>(op))
    return std::nullopt;
  auto number = dyn_cast<FloatAttr>(operands[0]);
  auto type = dyn_cast<FloatType>(op->getResult(0).getType());
  if (!number || !type)
    return std::nullopt;
  APFloat value = number.getValue();
  bool inexact;
  value.convert(type.getFloatSemantics(), APFloat::rmNearestTiesToEven,
                &inexact);
  return BodyValue{withoutSign(FloatAttr::get(type, value))};
}

BodyValue mlir::prune::evaluateElement(Operation *op,
                                       ArrayRef<BodyValue> operands) {
  SmallVector<Attribute> constants;
  for (auto [value, known] : llvm::zip_equal(op->getOperands(), operands)) {
    constants.push_back(known.constant);
    // Operations on whole tensors fold splats.
    if (auto type = dyn_cast<RankedTensorType>(value.getType());
        type && known.constant)
      constants.back() = SplatElementsAttr::get(
          RankedTensorType::get({1}, type.getElementType()), known.constant);
  }
  if (llvm::is_contained(constants, nullptr))
    return simplify(op, operands);
  if (std::optional<BodyValue> rounded = roundConstant(op, constants))
    return *rounded;
  SmallVector<OpFoldResult> folded;
  if (failed(op->fold(constants, folded)) || folded.size() != 1)
    return simplify(op, operands);
  if (auto constant = dyn_cast<Attribute>(folded[0])) {
    if (auto splat = dyn_cast<SplatElementsAttr>(constant))
      constant = splat.getSplatValue<Attribute>();
    return {withoutSign(constant)};
  }
  // Folded to one of its operands.
  for (auto [value, known] : llvm::zip_equal(op->getOperands(), operands))
    if (value == cast<Value>(folded[0]))
      return known;
  return {};
}

SmallVector<BodyValue> mlir::prune::evaluateBody(linalg::LinalgOp op,
                                                 ArrayRef<BodyValue> arguments,
                                                 EvaluateInPlace inPlace) {
  llvm::SmallDenseMap<Value, BodyValue, 8> known;
  Block *body = op.getBlock();
  for (auto [argument, value] :
       llvm::zip_equal(body->getArguments(), arguments))
    known[argument] = value;
  auto lookup = [&](Value value) -> BodyValue {
    auto entry = known.find(value);
    if (entry != known.end())
      return entry->second;
    // Defined outside of the body, or not evaluated.
    // A body may also read a tensor, of which a number is not known here.
    Attribute constant;
    if (matchPattern(value, m_Constant(&constant)) &&
        isa<FloatAttr, IntegerAttr>(constant))
      return {withoutSign(constant)};
    return {};
  };
  for (Operation &inner : body->without_terminator()) {
    if (inner.getNumResults() != 1 || inner.getNumRegions() != 0)
      continue;
    SmallVector<BodyValue> operands = llvm::map_to_vector(
        inner.getOperands(), [&](Value value) { return lookup(value); });
    Attribute placed = inPlace ? inPlace(&inner, operands) : Attribute();
    known[inner.getResult(0)] =
        placed ? BodyValue{placed} : evaluateElement(&inner, operands);
  }
  return llvm::map_to_vector(body->getTerminator()->getOperands(),
                             [&](Value value) { return lookup(value); });
}
