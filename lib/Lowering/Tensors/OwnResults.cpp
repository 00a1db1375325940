//===- OwnResults.cpp - Ownership at public functions ----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Buffer deallocation makes sure that a function owns what it returns, but not
// that two results are different buffers; a caller that frees both would free
// one twice. Whether they differ is decided by bufferization, which runs later,
// so a result is copied unless its origin shows that its buffer is its own:
// it is computed by a structured operation that no other result comes from.
//
//===----------------------------------------------------------------------===//

#include "prune/Lowering/Passes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/SmallPtrSet.h"

namespace mlir::prune {
#define GEN_PASS_DEF_OWNRESULTSPASS
#include "prune/Lowering/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;

/// Looks through operations whose result may be a view of their operand.
static Value originOf(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<tensor::CastOp, tensor::CollapseShapeOp, tensor::ExpandShapeOp,
             tensor::ExtractSliceOp, tensor::ReshapeOp>(op))
      return value;
    value = op->getOperand(0);
  }
  return value;
}

/// Whether bufferization gives this value a buffer that holds nothing else that
/// is live at the end of the function.
static bool hasOwnBuffer(Value origin) {
  Operation *op = origin.getDefiningOp();
  return op && op->getNumResults() == 1 &&
         (isa<linalg::LinalgOp>(op) ||
          isa<bufferization::AllocTensorOp, tensor::FromElementsOp,
              tensor::GenerateOp, tensor::SplatOp>(op));
}

/// Drops the names that a model's author gave: the translation to LLVM IR would
/// warn of each.
static void dropNames(func::FuncOp function) {
  for (unsigned at = 0; at < function.getNumArguments(); ++at)
    function.removeArgAttr(at, "prune.name");
  for (unsigned at = 0; at < function.getNumResults(); ++at)
    function.removeResultAttr(
        at, StringAttr::get(function.getContext(), "prune.name"));
}

static void separateResults(func::ReturnOp op) {
  if (op.getNumOperands() < 2)
    return;
  OpBuilder builder(op);
  llvm::SmallPtrSet<Value, 4> seen;
  for (OpOperand &operand : op->getOpOperands()) {
    auto type = dyn_cast<RankedTensorType>(operand.get().getType());
    if (!type)
      continue;
    Value origin = originOf(operand.get());
    if (seen.insert(origin).second && hasOwnBuffer(origin))
      continue;
    operand.set(bufferization::AllocTensorOp::create(
        builder, op.getLoc(), type, /*dynamicSizes=*/ValueRange(),
        /*copy=*/operand.get(), /*memory_space=*/IntegerAttr()));
  }
}

namespace {
struct OwnResults : prune::impl::OwnResultsPassBase<OwnResults> {
  using Base::Base;

  void runOnOperation() override {
    Builder builder(&getContext());
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      dropNames(function);
      if (!function.isPublic() || function.isExternal())
        continue;
      function->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(),
                        builder.getUnitAttr());
      for (BlockArgument argument : function.getArguments())
        if (isa<TensorType>(argument.getType()))
          function.setArgAttr(
              argument.getArgNumber(),
              bufferization::BufferizationDialect::kWritableAttrName,
              builder.getBoolAttr(false));
      function.walk(separateResults);
    }
  }
};
} // namespace
