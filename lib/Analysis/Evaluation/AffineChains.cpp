//===- AffineChains.cpp - Affine parts of elementwise bodies
//----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Only what stored statistics are made of is evaluated: sums, products,
// quotients, negations and square roots.
//
//===----------------------------------------------------------------------===//

#include "prune/Analysis/Evaluation/AffineChains.h"

#include "prune/Analysis/WeightUses.h"
#include "prune/IR/ConstantView.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/SetVector.h"

#include <cmath>

using namespace mlir;
using namespace mlir::prune;

linalg::LinalgOp mlir::prune::asElementwise(Operation *op) {
  auto structured = dyn_cast_or_null<linalg::LinalgOp>(op);
  if (!structured || !structured.hasPureTensorSemantics() ||
      structured.getNumDpsInits() != 1 || structured->getNumResults() != 1 ||
      structured.getNumParallelLoops() != structured.getNumLoops() ||
      structured.hasIndexSemantics())
    return nullptr;
  OpOperand *init = structured.getDpsInitOperand(0);
  if (!structured.getMatchingIndexingMap(init).isPermutation())
    return nullptr;
  return structured;
}

OpOperand *mlir::prune::getPassedOn(linalg::LinalgOp op,
                                    ArrayRef<BodyValue> operands) {
  int passed = evaluateBody(op, operands)[0].argument;
  if (passed < 0)
    return nullptr;
  OpOperand &operand = op->getOpOperand(passed);
  if (op.isDpsInit(&operand) ||
      operand.get().getType() != op->getResult(0).getType() ||
      op.getMatchingIndexingMap(&operand) !=
          op.getMatchingIndexingMap(op.getDpsInitOperand(0)))
    return nullptr;
  return &operand;
}

//===----------------------------------------------------------------------===//
// Known values
//===----------------------------------------------------------------------===//

/// Computed in double precision and rounded once, what is converted in between
/// keeps its value.
static bool isConversion(Operation *op) {
  return isa<arith::ExtFOp, arith::TruncFOp>(op);
}

static bool isEvaluable(Operation *op) {
  return isConversion(op) ||
         isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::DivFOp,
             arith::NegFOp, math::SqrtOp, math::RsqrtOp>(op);
}

static double evaluateOne(Operation *op, ArrayRef<double> x) {
  if (isConversion(op))
    return x[0];
  if (isa<arith::AddFOp>(op))
    return x[0] + x[1];
  if (isa<arith::SubFOp>(op))
    return x[0] - x[1];
  if (isa<arith::MulFOp>(op))
    return x[0] * x[1];
  if (isa<arith::DivFOp>(op))
    return x[0] / x[1];
  if (isa<arith::NegFOp>(op))
    return -x[0];
  double root = std::sqrt(x[0]);
  return isa<math::SqrtOp>(op) ? root : 1 / root;
}

/// The elements of a constant of floats; one if they are all the same.
static std::vector<double> readElements(Value value) {
  Attribute attribute;
  if (!matchPattern(value, m_Constant(&attribute)))
    return {};
  std::optional<TensorView> view = getTensorView(attribute);
  if (!view || view->size() == 0)
    return {};
  std::vector<double> elements(view->splat ? 1 : view->size());
  view->load(0, elements);
  if (llvm::all_equal(elements))
    elements.resize(1);
  return elements;
}

BodyConstants::BodyConstants(linalg::LinalgOp op) : op(op) {
  for (OpOperand *operand : op.getDpsInputOperands()) {
    Value argument = op.getMatchingBlockArgument(operand);
    FloatAttr number;
    if (matchPattern(operand->get(), m_Constant(&number))) {
      known[argument] = number.getValueAsDouble();
      continue;
    }
    std::vector<double> values = readElements(operand->get());
    if (values.empty())
      continue;
    operands.push_back(operand);
    elements.push_back(std::move(values));
    known[argument] = 0;
  }
  auto isKnownOperand = [&](Value value) {
    FloatAttr number;
    if (!known.contains(value) && matchPattern(value, m_Constant(&number)))
      known[value] = number.getValueAsDouble();
    return known.contains(value);
  };
  for (Operation &inner : op.getBlock()->without_terminator()) {
    // All operands are looked at: each one notes the constant that it is.
    bool all = true;
    for (Value operand : inner.getOperands())
      all &= isKnownOperand(operand);
    if (all && isEvaluable(&inner)) {
      computed.push_back(&inner);
      known[inner.getResult(0)] = 0;
    }
  }
}

llvm::SmallSetVector<Value, 8>
BodyConstants::getNeeded(ArrayRef<Operation *> chain) const {
  linalg::LinalgOp owner = op;
  llvm::SmallSetVector<Value, 8> needed;
  for (Operation *link : chain)
    for (Value operand : link->getOperands())
      if (isKnown(operand))
        needed.insert(operand);
  for (unsigned i = 0; i != needed.size(); ++i) {
    Operation *inner = needed[i].getDefiningOp();
    if (inner && inner->getBlock() == owner.getBlock())
      needed.insert(inner->operand_begin(), inner->operand_end());
  }
  return needed;
}

SmallVector<StringRef>
BodyConstants::getNames(ArrayRef<Operation *> chain) const {
  linalg::LinalgOp owner = op;
  llvm::SmallSetVector<Value, 8> needed = getNeeded(chain);
  SmallVector<StringRef> names;
  for (OpOperand *operand : operands) {
    Attribute value;
    matchPattern(operand->get(), m_Constant(&value));
    StringRef name = getWeightName(value);
    if (!name.empty() &&
        needed.contains(owner.getMatchingBlockArgument(operand)))
      names.push_back(name);
  }
  return names;
}

SmallVector<OpOperand *>
BodyConstants::getVarying(ArrayRef<Operation *> chain) const {
  linalg::LinalgOp owner = op;
  llvm::SmallSetVector<Value, 8> needed = getNeeded(chain);
  SmallVector<OpOperand *> varying;
  for (auto [operand, values] : llvm::zip_equal(operands, elements))
    if (values.size() > 1 &&
        needed.contains(owner.getMatchingBlockArgument(operand)))
      varying.push_back(operand);
  return varying;
}

void BodyConstants::evaluate(
    llvm::function_ref<int64_t(OpOperand *)> position) {
  for (auto [operand, values] : llvm::zip_equal(operands, elements))
    known[op.getMatchingBlockArgument(operand)] =
        values[values.size() == 1 ? 0 : position(operand)];
  for (Operation *inner : computed) {
    SmallVector<double, 2> inputs;
    for (Value operand : inner->getOperands())
      inputs.push_back(known.lookup(operand));
    known[inner->getResult(0)] = evaluateOne(inner, inputs);
  }
}

//===----------------------------------------------------------------------===//
// Chains
//===----------------------------------------------------------------------===//

/// Whether the operation is affine in exactly one of its operands, the others
/// being known.
static bool isAffine(Operation *op, const BodyConstants &body) {
  if (isConversion(op) || isa<arith::NegFOp>(op))
    return !body.isKnown(op->getOperand(0));
  if (!isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::DivFOp>(op))
    return false;
  bool left = body.isKnown(op->getOperand(0));
  bool right = body.isKnown(op->getOperand(1));
  return isa<arith::DivFOp>(op) ? !left && right : left != right;
}

OpOperand &mlir::prune::getVariable(Operation *op, const BodyConstants &body) {
  return op->getOpOperand(body.isKnown(op->getOperand(0)) ? 1 : 0);
}

SmallVector<Operation *> mlir::prune::getChainAfter(Value start,
                                                    const BodyConstants &body) {
  SmallVector<Operation *> chain;
  while (start.hasOneUse()) {
    Operation *user = *start.getUsers().begin();
    if (!isAffine(user, body))
      break;
    chain.push_back(user);
    start = user->getResult(0);
  }
  if (llvm::all_of(chain, isConversion))
    chain.clear();
  return chain;
}

SmallVector<Operation *>
mlir::prune::getChainBefore(Value end, const BodyConstants &body) {
  SmallVector<Operation *> chain;
  while (Operation *op = end.getDefiningOp()) {
    if (body.isKnown(end) || !end.hasOneUse() || !isAffine(op, body))
      break;
    chain.push_back(op);
    end = getVariable(op, body).get();
  }
  std::reverse(chain.begin(), chain.end());
  if (llvm::all_of(chain, isConversion))
    chain.clear();
  return chain;
}

Value mlir::prune::getChainStart(ArrayRef<Operation *> chain,
                                 const BodyConstants &body, Type type) {
  Value start = getVariable(chain.front(), body).get();
  for (Operation *op : chain) {
    if (start.getType() == type)
      return start;
    if (!isConversion(op))
      break;
    start = op->getResult(0);
  }
  return {};
}

void mlir::prune::eraseChain(ArrayRef<Operation *> chain) {
  for (Operation *op : llvm::reverse(chain))
    if (op->use_empty())
      op->erase();
}

Affine mlir::prune::applyChain(ArrayRef<Operation *> chain,
                               const BodyConstants &body, Affine value) {
  for (Operation *op : chain) {
    if (isConversion(op))
      continue;
    OpOperand &variable = getVariable(op, body);
    bool isLeft = variable.getOperandNumber() == 0;
    double number = op->getNumOperands() == 2
                        ? body.get(op->getOperand(isLeft ? 1 : 0))
                        : 0;
    if (isa<arith::AddFOp>(op))
      value.shift += number;
    else if (isa<arith::SubFOp>(op) && isLeft)
      value.shift -= number;
    else if (isa<arith::SubFOp>(op))
      value = {-value.scale, number - value.shift};
    else if (isa<arith::MulFOp>(op))
      value = {value.scale * number, value.shift * number};
    else if (isa<arith::DivFOp>(op))
      value = {value.scale / number, value.shift / number};
    else
      value = {-value.scale, -value.shift};
  }
  return value;
}

bool mlir::prune::hasProduct(ArrayRef<Operation *> chain) {
  return llvm::any_of(chain, [](Operation *op) {
    return isa<arith::MulFOp, arith::DivFOp>(op);
  });
}
