//===- OutlineSparseKernels.cpp - One function per sparse operation -------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The operation is cloned into the function together with the constants that
// its sparse operands are assembled from. What becomes unused is erased.
//
//===----------------------------------------------------------------------===//

#include "prune/Conversion/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SparseTensor/IR/SparseTensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::prune {
#define GEN_PASS_DEF_OUTLINESPARSEKERNELSPASS
#include "prune/Conversion/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;
using namespace mlir::prune;

static bool isConstant(Operation *op) {
  return op && op->hasTrait<OpTrait::ConstantLike>();
}

/// The operation if it assembles a tensor from constants.
static sparse_tensor::AssembleOp getConstantAssemble(Value value) {
  auto assemble = value.getDefiningOp<sparse_tensor::AssembleOp>();
  if (!assemble || !llvm::all_of(assemble->getOperands(), [](Value operand) {
        return isConstant(operand.getDefiningOp());
      }))
    return nullptr;
  return assemble;
}

static bool isSparse(Value value) {
  return static_cast<bool>(
      sparse_tensor::getSparseTensorEncoding(value.getType()));
}

/// Whether the operation is all that its function does.
static bool isOutlined(Operation *op) {
  auto function = dyn_cast<func::FuncOp>(op->getParentOp());
  return function && function.isPrivate() &&
         llvm::all_of(function.getBody().front(), [&](Operation &other) {
           return &other == op || isConstant(&other) ||
                  isa<sparse_tensor::AssembleOp, func::ReturnOp>(other);
         });
}

static void outline(linalg::LinalgOp op, SymbolTable &symbols, StringRef name) {
  llvm::SetVector<Value> arguments;
  llvm::SetVector<Operation *> assembled;
  for (Value operand : op->getOperands()) {
    if (auto assemble = getConstantAssemble(operand))
      assembled.insert(assemble);
    else
      arguments.insert(operand);
  }
  OpBuilder builder(op->getContext());
  FunctionType type = builder.getFunctionType(
      ValueRange(arguments.getArrayRef()).getTypes(), op->getResultTypes());
  auto function = func::FuncOp::create(op.getLoc(), name, type);
  function.setPrivate();
  symbols.insert(function);

  IRMapping mapping;
  Block *body = function.addEntryBlock();
  mapping.map(arguments.getArrayRef(), body->getArguments());
  builder.setInsertionPointToStart(body);
  for (Operation *assemble : assembled) {
    for (Value operand : assemble->getOperands())
      if (!mapping.contains(operand))
        builder.clone(*operand.getDefiningOp(), mapping);
    builder.clone(*assemble, mapping);
  }
  Operation *kernel = builder.clone(*op, mapping);
  func::ReturnOp::create(builder, op.getLoc(), kernel->getResults());

  builder.setInsertionPoint(op);
  auto call = func::CallOp::create(builder, op.getLoc(), function,
                                   arguments.getArrayRef());
  op->replaceAllUsesWith(call.getResults());
  op->erase();
  llvm::SetVector<Operation *> unused;
  for (Operation *assemble : assembled) {
    if (!assemble->use_empty())
      continue;
    for (Value operand : assemble->getOperands())
      unused.insert(operand.getDefiningOp());
    assemble->erase();
  }
  for (Operation *constant : unused)
    if (constant->use_empty())
      constant->erase();
}

namespace {
struct OutlineSparseKernels
    : prune::impl::OutlineSparseKernelsPassBase<OutlineSparseKernels> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<linalg::LinalgOp> kernels;
    getOperation()->walk([&](linalg::LinalgOp op) {
      if (op.hasPureTensorSemantics() &&
          llvm::any_of(op->getOperands(), isSparse) && !isOutlined(op))
        kernels.push_back(op);
    });
    SymbolTableCollection tables;
    unsigned next = 0;
    for (linalg::LinalgOp op : kernels) {
      SymbolTable &symbols =
          tables.getSymbolTable(SymbolTable::getNearestSymbolTable(op));
      std::string name;
      do
        name = "sparse_kernel_" + std::to_string(next++);
      while (symbols.lookup(name));
      outline(op, symbols, name);
    }
  }
};
} // namespace
