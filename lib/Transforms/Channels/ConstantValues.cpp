//===- ConstantValues.cpp - Whole branches that hold one number -----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// When every channel of a value is a constant, everything that computed it is
// dead: a residual block whose last filters are zero. If all are the same, the
// value is one number; what remains of a residual sum with zero goes too. If
// they differ, they are spread over the tensor.
//
//===----------------------------------------------------------------------===//

#include "ChannelRemoval.h"
#include "prune/Analysis/Evaluation/AffineChains.h"

#include "prune/Analysis/WeightUses.h"
#include "prune/IR/PassedValues.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::prune;

/// The operand that an elementwise operation passes on as it is, given what is
/// known of the others; or null.
static OpOperand *getPassedOperand(linalg::LinalgOp op,
                                   const SliceConstants &constants) {
  if (!asElementwise(op))
    return nullptr;
  SmallVector<BodyValue> operands;
  for (OpOperand &operand : op->getOpOperands())
    operands.push_back(
        {constants.getUniform(operand), int(operand.getOperandNumber())});
  return getPassedOn(op, operands);
}

/// What an operation writes to, if it is an empty tensor or a fill of one; of
/// use for its shape.
static Value getShape(Operation *op, OpBuilder &builder) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  if (type.hasStaticShape())
    return tensor::EmptyOp::create(builder, op->getLoc(), type.getShape(),
                                   type.getElementType());
  auto structured = dyn_cast<linalg::LinalgOp>(op);
  if (!structured || structured.getNumDpsInits() != 1)
    return {};
  Value init = structured.getDpsInitOperand(0)->get();
  if (auto fill = init.getDefiningOp<linalg::FillOp>())
    init = fill.getOutputs()[0];
  return init.getDefiningOp<tensor::EmptyOp>() ? init : Value();
}

/// A tensor that holds one number for each index of `dim`.
static Value createSpread(Operation *op, int64_t dim,
                          ArrayRef<Attribute> numbers) {
  OpBuilder builder(op);
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  Value shape = getShape(op, builder);
  if (!shape)
    return {};
  Location loc = op->getLoc();
  auto line =
      RankedTensorType::get({int64_t(numbers.size())}, type.getElementType());
  Value constant = arith::ConstantOp::create(
      builder, loc, DenseElementsAttr::get(line, numbers));
  AffineMap whole = builder.getMultiDimIdentityMap(type.getRank());
  AffineMap one =
      AffineMap::get(type.getRank(), 0, builder.getAffineDimExpr(dim));
  SmallVector<utils::IteratorType> loops(type.getRank(),
                                         utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             builder, loc, type, ValueRange{constant}, ValueRange{shape},
             {one, whole}, loops,
             [](OpBuilder &nested, Location at, ValueRange elements) {
               linalg::YieldOp::create(nested, at, elements[0]);
             })
      .getResult(0);
}

/// What replaces a result that is known as a whole; null if it is not.
static Value createKnown(Operation *op, const ChannelGroups &groups,
                         const SliceConstants &constants, bool isVariable) {
  Value result = op->getResult(0);
  auto type = cast<RankedTensorType>(result.getType());
  if (type.getEncoding() || type.getRank() == 0)
    return {};
  OpBuilder builder(op);
  if (Attribute number = constants.getUniform(result)) {
    if (type.hasStaticShape())
      return arith::ConstantOp::create(builder, op->getLoc(),
                                       DenseElementsAttr::get(type, number));
    Value shape = isVariable ? getShape(op, builder) : Value();
    if (!shape)
      return {};
    Value scalar = arith::ConstantOp::create(builder, op->getLoc(),
                                             cast<TypedAttr>(number));
    return linalg::FillOp::create(builder, op->getLoc(), ValueRange{scalar},
                                  ValueRange{shape})
        .getResult(0);
  }
  std::optional<unsigned> first = groups.getFirstAxis(result);
  for (int64_t dim = 0; isVariable && first && dim != type.getRank(); ++dim) {
    const Axis &axis = groups.getAxes()[*first + dim];
    SmallVector<Attribute> numbers;
    for (int64_t i = 0; i != axis.size; ++i)
      numbers.push_back(constants.get(axis.first + i));
    if (!numbers.empty() && !llvm::is_contained(numbers, nullptr))
      return createSpread(op, dim, numbers);
  }
  return {};
}

/// The same for any operation. A copy that nothing is known of is another
/// pass's business.
static OpOperand *getPassedOperand(Operation *op,
                                   const SliceConstants &constants) {
  if (auto structured = dyn_cast<linalg::LinalgOp>(op))
    return structured.getNumDpsInputs() < 2
               ? nullptr
               : getPassedOperand(structured, constants);
  if (isa<ChannelOpInterface>(op) || op->getNumOperands() < 2)
    return nullptr;
  SmallVector<BodyValue> operands;
  for (OpOperand &operand : op->getOpOperands())
    operands.push_back(
        {constants.getUniform(operand), int(operand.getOperandNumber())});
  int passed = evaluateElement(op, operands).argument;
  if (passed < 0 ||
      op->getOperand(passed).getType() != op->getResult(0).getType())
    return nullptr;
  return &op->getOpOperand(passed);
}

/// What is computed from arguments, and not from constants only. What regions
/// capture is not looked for: all that control flow makes counts.
static llvm::SmallPtrSet<Operation *, 16>
findVariable(ArrayRef<Operation *> ops) {
  llvm::SmallPtrSet<Operation *, 16> variable;
  auto isVariable = [&](Value operand) {
    return isa<RankedTensorType>(operand.getType()) &&
           !isRematerializable(operand) &&
           (isa<BlockArgument>(operand) ||
            variable.contains(operand.getDefiningOp()));
  };
  for (Operation *op : ops) {
    bool reads =
        passesValues(op) || llvm::any_of(op->getOperands(), isVariable);
    if (auto structured = dyn_cast<linalg::LinalgOp>(op))
      for (tensor::ExtractOp read : getElementReads(structured))
        reads = reads || isVariable(read.getTensor());
    if (reads)
      variable.insert(op);
  }
  return variable;
}

bool mlir::prune::foldConstantValues(ArrayRef<Operation *> ops,
                                     const ChannelGroups &groups,
                                     const SliceConstants &constants) {
  bool changed = false;
  llvm::SmallPtrSet<Operation *, 16> variable = findVariable(ops);
  for (Operation *op : ops) {
    if (op->getNumResults() != 1 || op->use_empty() || !hasChannelLinks(op))
      continue;
    // A weight of equal numbers keeps its name behind a transpose or reshape.
    if (!variable.contains(op) && getForwardedOperand(op))
      continue;
    Value result = op->getResult(0);
    if (!isa<RankedTensorType>(result.getType()) || isRematerializable(result))
      continue;
    if (Value known =
            createKnown(op, groups, constants, variable.contains(op))) {
      result.replaceAllUsesWith(known);
      changed = true;
    } else if (OpOperand *passed = getPassedOperand(op, constants)) {
      result.replaceAllUsesWith(passed->get());
      changed = true;
    }
  }
  return changed;
}
