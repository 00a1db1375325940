//===- PassedValues.cpp - Values that control flow passes on --------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A loop's initial value, the argument of its body, what the body yields and
// the result are one tensor at different times, so that their indices leave
// together. Which operand becomes which value is asked from upstream's
// interfaces, so that every loop and branch that implements them is covered.
//
//===----------------------------------------------------------------------===//

#include "prune/IR/PassedValues.h"

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/LoopLikeInterface.h"

using namespace mlir;
using namespace mlir::prune;

bool mlir::prune::passesValues(Operation *op) {
  return isa<RegionBranchOpInterface>(op);
}

bool mlir::prune::isPassingTerminator(Operation *op) {
  return isa<RegionBranchTerminatorOpInterface>(op) && op->getParentOp() &&
         passesValues(op->getParentOp());
}

static void addPassed(SmallVector<PassedValue> &passed, OpOperand &from,
                      Value to) {
  if (isa<RankedTensorType>(to.getType()))
    passed.push_back({&from, to});
}

/// The operands of `owner` that start with `range`, which is a part of them.
static MutableArrayRef<OpOperand> toOperands(Operation *owner,
                                             OperandRange range) {
  if (range.empty())
    return {};
  return owner->getOpOperands().slice(range.getBeginOperandIndex(),
                                      range.size());
}

SmallVector<PassedValue> mlir::prune::getPassedValues(Operation *op) {
  SmallVector<PassedValue> passed;
  auto branch = dyn_cast<RegionBranchOpInterface>(op);
  if (!branch)
    return passed;
  for (RegionBranchPoint point : branch.getAllRegionBranchPoints()) {
    Operation *owner =
        point.isParent() ? op : point.getTerminatorPredecessorOrNull();
    SmallVector<RegionSuccessor> successors;
    branch.getSuccessorRegions(point, successors);
    for (RegionSuccessor successor : successors)
      for (auto [from, to] : llvm::zip(
               toOperands(owner, branch.getSuccessorOperands(point, successor)),
               successor.getSuccessorInputs()))
        addPassed(passed, from, to);
  }
  // A loop that is known not to run has the same types as any other.
  auto loop = dyn_cast<LoopLikeOpInterface>(op);
  std::optional<ResultRange> results =
      loop ? loop.getLoopResults() : std::nullopt;
  if (!results)
    return passed;
  for (auto [init, argument, result] :
       llvm::zip(loop.getInitsMutable(), loop.getRegionIterArgs(), *results)) {
    addPassed(passed, init, argument);
    addPassed(passed, init, result);
  }
  for (auto [yielded, argument] :
       llvm::zip(loop.getYieldedValuesMutable().value_or(
                     MutableArrayRef<OpOperand>()),
                 loop.getRegionIterArgs()))
    addPassed(passed, yielded, argument);
  return passed;
}
