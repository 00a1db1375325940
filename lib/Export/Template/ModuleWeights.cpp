//===- ModuleWeights.cpp - The weights of a module and their users --------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ModuleWeights.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::prune;
using namespace mlir::prune::onnx_export;

static DenseResourceElementsAttr getResource(Value value) {
  Attribute constant;
  if (!matchPattern(value, m_Constant(&constant)))
    return {};
  return dyn_cast_or_null<DenseResourceElementsAttr>(constant);
}

/// The first name in a location, also if passes fused it with others.
static std::string nameOf(Location loc) {
  std::string name;
  loc->walk([&](Location inner) {
    auto named = dyn_cast<NameLoc>(inner);
    if (!named)
      return WalkResult::advance();
    name = named.getName().str();
    return WalkResult::interrupt();
  });
  return name;
}

static void forEachUse(
    ModuleOp module,
    llvm::function_ref<void(Operation *, Value, DenseResourceElementsAttr)>
        visit) {
  module.walk<WalkOrder::PreOrder>([&](Operation *op) {
    for (Value operand : op->getOperands())
      if (DenseResourceElementsAttr weight = getResource(operand))
        visit(op, operand, weight);
  });
}

llvm::StringMap<std::vector<ModuleUse>>
mlir::prune::onnx_export::collectUses(ModuleOp module) {
  llvm::StringMap<std::vector<ModuleUse>> uses;
  forEachUse(
      module, [&](Operation *op, Value, DenseResourceElementsAttr weight) {
        StringRef key = weight.getRawHandle().getKey();
        uses[key.split('#').first].push_back({nameOf(op->getLoc()), key.str()});
      });
  return uses;
}

ModuleWeights::ModuleWeights(ModuleOp module) : uses(collectUses(module)) {
  forEachUse(
      module, [&](Operation *, Value value, DenseResourceElementsAttr weight) {
        SmallVector<Value, 1> &known = values[weight.getRawHandle().getKey()];
        if (!llvm::is_contained(known, value))
          known.push_back(value);
      });
}

/// The only use of a value but for its sizes, or null.
static OpOperand *getOnlyUse(Value value) {
  OpOperand *only = nullptr;
  for (OpOperand &use : value.getUses()) {
    if (isa<tensor::DimOp>(use.getOwner()))
      continue;
    if (std::exchange(only, &use))
      return nullptr;
  }
  return only;
}

/// The constant that an operation adds to `use`, and does nothing else to it
/// before; or null.
static ElementsAttr getAddend(OpOperand &use) {
  auto op = dyn_cast<linalg::LinalgOp>(use.getOwner());
  if (!op || op.isDpsInit(&use))
    return {};
  Value element = op.getMatchingBlockArgument(&use);
  auto add = element.hasOneUse()
                 ? dyn_cast<arith::AddFOp>(*element.getUsers().begin())
                 : arith::AddFOp();
  if (!add)
    return {};
  auto other = dyn_cast<BlockArgument>(add.getLhs() == element ? add.getRhs()
                                                               : add.getLhs());
  ElementsAttr addend;
  if (!other || other.getOwner() != op.getBlock() ||
      !matchPattern(op.getMatchingOpOperand(other)->get(), m_Constant(&addend)))
    return {};
  return addend;
}

ElementsAttr ModuleWeights::findBias(StringRef key) const {
  auto found = values.find(key);
  if (found == values.end() || found->second.size() != 1)
    return {};
  OpOperand *use = getOnlyUse(found->second.front());
  while (use && isa<linalg::TransposeOp, tensor::ExpandShapeOp,
                    tensor::CollapseShapeOp, tensor::CastOp>(use->getOwner()))
    use = getOnlyUse(use->getOwner()->getResult(0));
  if (!use || use->getOwner()->getNumResults() != 1)
    return {};
  OpOperand *next = getOnlyUse(use->getOwner()->getResult(0));
  return next ? getAddend(*next) : ElementsAttr();
}
