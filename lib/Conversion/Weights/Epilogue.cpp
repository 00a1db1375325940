//===- Epilogue.cpp - What follows a packed product -----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The epilogue is gathered forward from the contraction, one elementwise
// operation after another, for as long as the value has a single user that the
// region can express.
//
//===----------------------------------------------------------------------===//

#include "Epilogue.h"

#include "Lowering/Tensors/CastElements.h"

#include "prune/Analysis/Fills.h"
#include "prune/IR/ConstantView.h"
#include "prune/IR/Prune.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::prune;

/// Whether a map reads a vector along dimension `rowDim` only, all its other
/// results being 0.
static bool readsRowsOnly(AffineMap map, std::optional<unsigned> rowDim) {
  unsigned reads = 0;
  for (AffineExpr expr : map.getResults()) {
    if (auto dim = dyn_cast<AffineDimExpr>(expr);
        dim && dim.getPosition() == rowDim)
      ++reads;
    else if (auto zero = dyn_cast<AffineConstantExpr>(expr);
             !zero || zero.getValue() != 0)
      return false;
  }
  return reads == 1;
}

/// Whether sums of `element` take operands that are stored in 16 bits.
static bool canWiden(Type stored, Type element) {
  return element.isF32() && (stored.isF16() || stored.isBF16());
}

/// What `operand` is to the epilogue, or nothing if it does not fit.
std::optional<Epilogue::Source> Epilogue::classify(Value operand, AffineMap map,
                                                   Value current, Value &asBias,
                                                   Value &asResidual) {
  if (operand == current)
    return map.isIdentity() ? std::optional(Source::Element) : std::nullopt;
  if (getSplat(operand))
    return Source::Constant;
  Type stored = getElementTypeOrSelf(operand.getType());
  if (stored != element && !canWiden(stored, element))
    return std::nullopt;
  auto type = dyn_cast<RankedTensorType>(operand.getType());
  if (!type)
    return std::nullopt;
  if (readsRowsOnly(map, rowDim) && type.hasStaticShape()) {
    asBias = operand;
    return Source::Bias;
  }
  if (!map.isIdentity() || !takesResidual)
    return std::nullopt;
  asResidual = operand;
  return Source::Residual;
}

/// The vector that a value is the broadcast of along dimension `rowDim`, or
/// null.
static Value getBroadcastVector(Value value, std::optional<unsigned> rowDim) {
  if (!rowDim)
    return {};
  if (auto broadcast = value.getDefiningOp<linalg::BroadcastOp>()) {
    auto input = cast<RankedTensorType>(broadcast.getInput().getType());
    bool alongRows = input.getRank() == 1 && input.hasStaticShape() &&
                     !llvm::is_contained(broadcast.getDimensions(), *rowDim);
    return alongRows ? broadcast.getInput() : Value();
  }
  auto generic = value.getDefiningOp<linalg::GenericOp>();
  if (!generic || generic.getNumDpsInputs() != 1 ||
      generic.getNumResults() != 1 ||
      generic.getNumLoops() != generic.getNumParallelLoops())
    return {};
  Block &body = *generic.getBody();
  if (body.getTerminator()->getOperand(0) != body.getArgument(0))
    return {};
  AffineMap output =
      generic.getMatchingIndexingMap(generic.getDpsInitOperand(0));
  AffineMap input =
      generic.getMatchingIndexingMap(generic.getDpsInputOperand(0));
  auto type = dyn_cast<RankedTensorType>(generic.getInputs()[0].getType());
  if (!output.isIdentity() || !type || !type.hasStaticShape() ||
      !readsRowsOnly(input, rowDim))
    return {};
  return generic.getInputs()[0];
}

/// The dimension of the result that `rowLoop` runs over.
static std::optional<unsigned> getRowDim(linalg::LinalgOp contraction,
                                         std::optional<unsigned> rowLoop) {
  if (!rowLoop)
    return std::nullopt;
  AffineMap output =
      contraction.getMatchingIndexingMap(contraction.getDpsInitOperand(0));
  return output.getResultPosition(
      getAffineDimExpr(*rowLoop, contraction.getContext()));
}

bool mlir::prune::startsFromTensor(linalg::LinalgOp contraction,
                                   std::optional<unsigned> rowLoop) {
  Value init = contraction.getDpsInits()[0];
  return !isZero(init) &&
         !getBroadcastVector(init, getRowDim(contraction, rowLoop));
}

Epilogue::Epilogue(RewriterBase &b, linalg::LinalgOp contraction,
                   std::optional<unsigned> rowLoop, bool takesResidual)
    : last(contraction), b(b), contraction(contraction),
      element(getElementTypeOrSelf(contraction->getResult(0).getType())),
      rowDim(getRowDim(contraction, rowLoop)), takesResidual(takesResidual) {
  takeInit();
  while (linalg::GenericOp next = getNext()) {
    if (takeRounding(next) || !take(next))
      return;
    taken.push_back(next);
    last = next;
  }
}

/// Takes the initial value of the sum: nothing, a bias or a residual.
void Epilogue::takeInit() {
  Value init = contraction.getDpsInits()[0];
  if (isZero(init))
    return;
  if (Value vector = getBroadcastVector(init, rowDim)) {
    bias = vector;
    addsBias = true;
    return;
  }
  assert(takesResidual && "the sum starts from a tensor");
  residual = init;
  addsResidual = true;
}

/// The only operation that reads the current value, if it could be taken.
linalg::GenericOp Epilogue::getNext() {
  Value current = last->getResult(0);
  if (current.use_empty() ||
      (!current.hasOneUse() && !llvm::all_equal(current.getUsers())))
    return {};
  auto next = dyn_cast<linalg::GenericOp>(*current.user_begin());
  return next && next->getBlock() == last->getBlock() ? next
                                                      : linalg::GenericOp();
}

/// Whether all that happens to an argument of 16 bits is that it is extended.
bool Epilogue::isWidenedOnly(Value argument) const {
  return argument.getType() == element ||
         llvm::all_of(argument.getUsers(), [&](Operation *user) {
           return isa<arith::ExtFOp>(user) &&
                  user->getResult(0).getType() == element;
         });
}

/// Takes a rounding of the current value to 16 bits, which ends the epilogue.
bool Epilogue::takeRounding(linalg::GenericOp op) {
  auto rounding = dyn_cast_or_null<arith::TruncFOp>(
      op.getBody()->getTerminator()->getOperand(0).getDefiningOp());
  if (!rounding || op.getNumResults() != 1 || op.getNumDpsInputs() != 1 ||
      op.getNumLoops() != op.getNumParallelLoops() ||
      rounding.getIn() != op.getBody()->getArgument(0) ||
      !canWiden(rounding.getType(), element) ||
      !llvm::all_of(op.getIndexingMapsArray(),
                    [](AffineMap map) { return map.isIdentity(); }))
    return false;
  rounded = rounding.getType();
  taken.push_back(op);
  last = op;
  return true;
}

/// Takes an elementwise operation on the current value.
bool Epilogue::take(linalg::GenericOp op) {
  Value current = last->getResult(0);
  if (op.getNumResults() != 1 || op.getNumDpsInits() != 1 ||
      op.getNumLoops() != op.getNumParallelLoops() ||
      op.getResult(0).getType() != current.getType() ||
      !op.getMatchingIndexingMap(op.getDpsInitOperand(0)).isIdentity() ||
      !op.getBody()->getArguments().back().use_empty())
    return false;
  for (Operation &inner : op.getBody()->without_terminator()) {
    bool isElementwise = inner.hasTrait<OpTrait::ConstantLike>() ||
                         OpTrait::hasElementwiseMappableTraits(&inner);
    if (!isElementwise || !isMemoryEffectFree(&inner))
      return false;
    for (Value operand : inner.getOperands())
      if (operand.getParentBlock() != op.getBody() && !getSplat(operand))
        return false;
  }
  Value newBias, newResidual;
  for (OpOperand *operand : op.getDpsInputOperands()) {
    Value asBias, asResidual, argument = op.getMatchingBlockArgument(operand);
    if (!classify(operand->get(), op.getMatchingIndexingMap(operand), current,
                  asBias, asResidual) ||
        ((asBias || asResidual) && !isWidenedOnly(argument)) ||
        !setOnce(newBias, asBias) || !setOnce(newResidual, asResidual))
      return false;
  }
  Value oldBias = bias;
  if (!setOnce(bias, newBias))
    return false;
  if (!setOnce(residual, newResidual)) {
    bias = oldBias;
    return false;
  }
  return true;
}

void Epilogue::build(Region &region) {
  OpBuilder::InsertionGuard guard(b);
  Location loc = contraction.getLoc();
  Block *block = b.createBlock(&region);
  Value current = block->addArgument(element, loc);
  Value biasElement, residualElement;
  if (bias)
    biasElement = block->addArgument(element, loc);
  if (residual)
    residualElement = block->addArgument(element, loc);
  if (addsBias)
    current = arith::AddFOp::create(b, loc, current, biasElement);
  if (addsResidual)
    current = arith::AddFOp::create(b, loc, current, residualElement);
  Value currentTensor = contraction->getResult(0);
  for (Operation *op : taken) {
    auto generic = cast<linalg::GenericOp>(op);
    IRMapping mapping;
    for (OpOperand *operand : generic.getDpsInputOperands()) {
      Value argument = generic.getMatchingBlockArgument(operand);
      if (operand->get() == currentTensor)
        mapping.map(argument, current);
      else if (Attribute splat = getSplat(operand->get()))
        mapping.map(argument,
                    arith::ConstantOp::create(b, loc, cast<TypedAttr>(splat)));
      else if (operand->get() == bias)
        mapping.map(argument, biasElement);
      else
        mapping.map(argument, residualElement);
    }
    for (Operation &inner : generic.getBody()->without_terminator()) {
      // Constants from outside move in.
      for (Value operand : inner.getOperands())
        if (operand.getParentBlock() != generic.getBody() &&
            !mapping.contains(operand))
          mapping.map(operand, arith::ConstantOp::create(
                                   b, loc, cast<TypedAttr>(getSplat(operand))));
      // Biases and residuals were extended before.
      if (auto extension = dyn_cast<arith::ExtFOp>(inner);
          extension &&
          mapping.lookupOrDefault(extension.getIn()).getType() == element)
        mapping.map(extension.getResult(), mapping.lookup(extension.getIn()));
      else
        b.clone(inner, mapping);
    }
    current = mapping.lookup(generic.getBody()->getTerminator()->getOperand(0));
    currentTensor = generic.getResult(0);
  }
  // What is rounded stays as wide as it was computed.
  if (rounded)
    current = arith::ExtFOp::create(b, loc, element, current);
  YieldOp::create(b, loc, current);
}

Value Epilogue::createBias() {
  if (!bias)
    return bias;
  auto type = cast<RankedTensorType>(bias.getType());
  Value wide = castElements(b, contraction.getLoc(), bias, element);
  if (type.getRank() == 1)
    return wide;
  // Dimensions of size 1 stand around the rows.
  ReassociationIndices all =
      llvm::to_vector<2>(llvm::seq<int64_t>(0, type.getRank()));
  return tensor::CollapseShapeOp::create(
      b, contraction.getLoc(), wide, SmallVector<ReassociationIndices>{all});
}

Value Epilogue::createResidual() {
  return residual ? widenElements(b, contraction.getLoc(), residual, element)
                  : residual;
}

void Epilogue::replaceBy(Value result) {
  if (rounded) {
    result = castElements(b, contraction.getLoc(), result, rounded);
    markExact(result);
  }
  b.replaceAllUsesWith(last->getResult(0), result);
  for (Operation *op : llvm::reverse(taken))
    b.eraseOp(op);
  b.eraseOp(contraction);
}
