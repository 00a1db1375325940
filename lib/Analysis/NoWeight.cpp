//===- NoWeight.cpp - Why a contraction has no weight ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A user expects weights in a network. Where one is
// not seen, the operand tells in which form it came, and so what to do first.
//
//===----------------------------------------------------------------------===//

#include "NoWeight.h"

#include "prune/Analysis/WeightUses.h"
#include "prune/IR/Prune.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace mlir::prune;

/// The constant that `part` is a slice of, or null.
static Operation *findWhole(Value part) {
  auto slice = part.getDefiningOp<tensor::ExtractSliceOp>();
  SmallVector<Operation *> chain;
  return slice ? findConstant(slice.getSource(), chain) : nullptr;
}

/// What a value was computed from, if constants are all that it was computed
/// from, else nothing. Looks back over a few operations: a dequantisation is
/// three, and no network is searched as a whole.
static SmallVector<Operation *> getConstantSources(Value value) {
  constexpr size_t kMost = 16;
  SmallVector<Value> pending = {value};
  SmallVector<Operation *> sources;
  for (size_t i = 0; i != pending.size(); ++i) {
    Operation *op = pending[i].getDefiningOp();
    if (!op || i == kMost)
      return {};
    if (op->hasTrait<OpTrait::ConstantLike>()) {
      sources.push_back(op);
      continue;
    }
    if (!isMemoryEffectFree(op))
      return {};
    llvm::append_range(pending, op->getOperands());
  }
  return sources;
}

/// For a weight that is computed from constants.
static NoWeight explainComputed(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  SmallVector<Operation *> sources = getConstantSources(value);
  if (!type || !type.hasStaticShape() || sources.empty())
    return {};
  for (Operation *source : sources) {
    auto stored = dyn_cast<RankedTensorType>(source->getResult(0).getType());
    if (!stored || !stored.getElementType().isInteger() ||
        stored.getNumElements() != type.getNumElements())
      continue;
    return {4, getWeightName(getConstantValue(source)).str(),
            whyNotPrunable(source)};
  }
  return {3, getWeightName(getConstantValue(sources.front())).str(),
          "its weight is computed from constants; fold them first"};
}

NoWeight mlir::prune::explainNoWeight(Value source, bool isFilter) {
  if (auto apply = source.getDefiningOp<ApplyOp>()) {
    return {6, apply.getWeight().value_or("").str(),
            "its weight has a mask already; fold it with prune-fold-masks "
            "first"};
  }
  if (Operation *whole = findWhole(source))
    return {5, getWeightName(getConstantValue(whole)).str(),
            "its weight is a slice of a constant with a stride or at an offset "
            "that only the run knows; slice it without"};
  if (auto load = source.getDefiningOp<ml_program::GlobalLoadConstOp>())
    return {5, load.getGlobal().getLeafReference().str(),
            "its weight is read from a global; run prune-inline-globals first"};
  if (auto load = source.getDefiningOp<ml_program::GlobalLoadOp>())
    return {5, load.getGlobal().getLeafReference().str(),
            "its weight is read from a global; run prune-inline-globals first, "
            "which takes those that are not mutable"};
  if (NoWeight computed = explainComputed(source); computed.rank)
    return computed;
  auto argument = dyn_cast<BlockArgument>(source);
  bool isInput = argument && isa_and_present<FunctionOpInterface>(
                                 argument.getOwner()->getParentOp());
  if (isFilter && isInput)
    return {1, "",
            "its weight is an argument of the function; only constants are "
            "pruned"};
  return {};
}
