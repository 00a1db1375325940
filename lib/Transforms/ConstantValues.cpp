//===- ConstantValues.cpp - Whole branches that hold one number -----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// When every channel of a value is the same constant, the value is one, and
// everything that computed it is dead: a residual block whose last filters are
// zero. What remains of the residual sum adds zero and goes too.
//
//===----------------------------------------------------------------------===//

#include "ChannelRemoval.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::prune;

/// The operand that an elementwise operation passes on as it is, given what is
/// known of the others; or null.
static OpOperand *getPassedOn(linalg::LinalgOp op,
                              const SliceConstants &constants) {
  if (!op.hasPureTensorSemantics() || op->getNumResults() != 1 ||
      op.getNumParallelLoops() != op.getNumLoops())
    return nullptr;
  AffineMap out = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  if (!out.isPermutation())
    return nullptr;
  SmallVector<BodyValue> arguments;
  for (OpOperand &operand : op->getOpOperands())
    arguments.push_back(
        {constants.getUniform(operand), int(operand.getOperandNumber())});
  int passed = evaluateBody(op, arguments)[0].argument;
  if (passed < 0)
    return nullptr;
  OpOperand &operand = op->getOpOperand(passed);
  if (op.isDpsInit(&operand) ||
      operand.get().getType() != op->getResult(0).getType() ||
      op.getMatchingIndexingMap(&operand) != out)
    return nullptr;
  return &operand;
}

bool mlir::prune::foldConstantValues(ArrayRef<Operation *> ops,
                                     const ChannelGroups &groups,
                                     const SliceConstants &constants) {
  bool changed = false;
  for (Operation *op : ops) {
    if (op->getNumResults() != 1 || op->use_empty() ||
        !isa<linalg::LinalgOp, ChannelOpInterface>(op))
      continue;
    Value result = op->getResult(0);
    auto type = dyn_cast<RankedTensorType>(result.getType());
    if (!type || isRepeatable(result))
      continue;
    if (auto number = constants.getUniform(result);
        number && type.hasStaticShape() && !type.getEncoding() &&
        type.getRank() != 0) {
      OpBuilder builder(op);
      result.replaceAllUsesWith(arith::ConstantOp::create(
          builder, op->getLoc(), DenseElementsAttr::get(type, number)));
      changed = true;
    } else if (auto structured = dyn_cast<linalg::LinalgOp>(op)) {
      OpOperand *passed = getPassedOn(structured, constants);
      // A copy that nothing is known of is another pass's business.
      if (!passed || structured.getNumDpsInputs() < 2)
        continue;
      result.replaceAllUsesWith(passed->get());
      changed = true;
    }
  }
  return changed;
}
