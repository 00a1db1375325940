//===- ExternalizeWeights.cpp - Make arguments of the weights -------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A network whose weights are arguments is compiled once, whatever numbers are
// in them: for a scan over sparsities, for calibration and for training. All
// constants with a name become arguments, biases too. Constant operations that
// hold one resource become one argument.
//
//===----------------------------------------------------------------------===//

#include "prune/Analysis/WeightUses.h"
#include "prune/IR/ConstantView.h"
#include "prune/IR/Records.h"
#include "prune/Transforms/Weights/Passes.h"
#include "prune/Transforms/Weights/Transforms.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringSet.h"

namespace mlir::prune {
#define GEN_PASS_DEF_EXTERNALIZEWEIGHTSPASS
#include "prune/Transforms/Weights/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;
using namespace mlir::prune;

/// What a value holds if it is a tensor with a name, of numbers that are not
/// integers, which are indices and shapes; else null.
static Attribute getNamedConstant(Value value) {
  Attribute constant;
  if (!isa<RankedTensorType>(value.getType()) ||
      !matchPattern(value, m_Constant(&constant)))
    return nullptr;
  auto weight = dyn_cast<DenseResourceElementsAttr>(constant);
  return weight && isa<FloatType>(weight.getElementType()) ? weight : nullptr;
}

/// The operations that hold each weight, in the order in which weights are
/// read: where constants stand says nothing.
static llvm::MapVector<Attribute, SetVector<Operation *>>
collectConstants(func::FuncOp function) {
  llvm::MapVector<Attribute, SetVector<Operation *>> constants;
  function.walk<WalkOrder::PreOrder>([&](Operation *op) {
    for (Value operand : op->getOperands())
      if (Attribute weight = getNamedConstant(operand))
        constants[weight].insert(operand.getDefiningOp());
  });
  return constants;
}

/// Operations that are isolated cannot read an argument.
static LogicalResult checkScope(func::FuncOp function, Operation *constant) {
  for (Operation *op = constant->getParentOp(); op != function;
       op = op->getParentOp())
    if (op->hasTrait<OpTrait::IsIsolatedFromAbove>())
      return constant->emitError("prune-externalize-weights: the weight lies "
                                 "in a nested '")
             << op->getName() << "', which cannot read an argument of '"
             << function.getName() << "'";
  return success();
}

/// The name of record; the whole key for a second version of a weight.
static StringRef chooseName(Attribute weight, llvm::StringSet<> &taken) {
  StringRef key =
      cast<DenseResourceElementsAttr>(weight).getRawHandle().getKey();
  StringRef name = getWeightName(key);
  return taken.insert(name).second ? name : key;
}

FailureOr<SmallVector<ElementsAttr>>
mlir::prune::externalizeWeights(func::FuncOp function) {
  if (failed(requireData(function)))
    return failure();
  auto module = function->getParentOfType<ModuleOp>();
  if (!SymbolTable::symbolKnownUseEmpty(function, module))
    return function.emitError("prune-externalize-weights: '")
           << function.getName()
           << "' is called, and its callers have no such arguments";
  llvm::StringSet<> taken;
  for (unsigned i = 0; i != function.getNumArguments(); ++i)
    if (auto name = function.getArgAttrOfType<StringAttr>(i, kNameRecord))
      taken.insert(name.getValue());
  SmallVector<ElementsAttr> weights;
  for (auto &[value, constants] : collectConstants(function)) {
    for (Operation *constant : constants)
      if (failed(checkScope(function, constant)))
        return failure();
    auto weight = cast<ElementsAttr>(value);
    Builder builder(function.getContext());
    auto name = builder.getStringAttr(chooseName(value, taken));
    unsigned number = function.getNumArguments();
    if (failed(function.insertArgument(
            number, weight.getShapedType(),
            builder.getDictionaryAttr(builder.getNamedAttr(kNameRecord, name)),
            constants.front()->getLoc())))
      return failure();
    for (Operation *constant : constants) {
      constant->getResult(0).replaceAllUsesWith(function.getArgument(number));
      constant->erase();
    }
    weights.push_back(weight);
  }
  return weights;
}

namespace {
struct ExternalizeWeights
    : prune::impl::ExternalizeWeightsPassBase<ExternalizeWeights> {
  using Base::Base;

  void runOnOperation() override {
    for (auto function :
         llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>())) {
      if (!function.isPublic() || function.isExternal())
        continue;
      FailureOr<SmallVector<ElementsAttr>> weights =
          externalizeWeights(function);
      if (failed(weights))
        return signalPassFailure();
      if (weights->empty())
        function.emitRemark("prune-externalize-weights: '")
            << function.getName()
            << "' holds no constants with a name; name them with "
               "prune-name-weights, and inline what it calls";
    }
  }
};
} // namespace
