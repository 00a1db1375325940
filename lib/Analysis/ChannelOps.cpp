//===- ChannelOps.cpp - What takes part in channel groups -----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which operations are asked about channels, which values every use can have
// for itself, and which functions only a user of the whole can call.
//
//===----------------------------------------------------------------------===//

#include "prune/Analysis/ChannelGroups.h"
#include "prune/IR/ConstantView.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace mlir::prune;

bool mlir::prune::isRematerializable(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op || !isa<RankedTensorType>(value.getType()))
    return false;
  if (isa<tensor::EmptyOp>(op))
    return true;
  if (auto fill = dyn_cast<linalg::FillOp>(op))
    return fill.getOutputs()[0].getDefiningOp<tensor::EmptyOp>() != nullptr;
  Attribute constant;
  if (!op->hasTrait<OpTrait::ConstantLike>() ||
      !matchPattern(value, m_Constant(&constant)))
    return false;
  return isa<SplatElementsAttr>(constant) || isElided(constant) ||
         getConstantBytes(constant).has_value();
}

void mlir::prune::forEachChannelOp(Operation *root,
                                   function_ref<void(Operation *)> visit) {
  root->walk<WalkOrder::PreOrder>([&](Operation *op) {
    visit(op);
    return hasChannelLinks(op) ? WalkResult::skip() : WalkResult::advance();
  });
}

llvm::SmallPtrSet<Operation *, 4>
mlir::prune::getEntryFunctions(Operation *root) {
  llvm::DenseSet<Attribute> referred;
  root->walk([&](Operation *op) {
    op->getAttrDictionary().walk([&](SymbolRefAttr symbol) {
      referred.insert(symbol.getLeafReference());
    });
  });
  llvm::SmallPtrSet<Operation *, 4> entries;
  root->walk([&](FunctionOpInterface function) {
    if (!function.isExternal() && !referred.contains(function.getNameAttr()))
      entries.insert(function);
  });
  return entries;
}
