//===- OutlinePackedKernels.cpp - Functions of packed products ------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights are arguments, of open sizes where nothing depends on them, so that
// layers of one shape differ in nothing else and share a function.
//
//===----------------------------------------------------------------------===//

#include "Lowering/Buffers/SharedFunctions.h"

#include "prune/Conversion/Passes.h"
#include "prune/IR/Prune.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/RegionUtils.h"

namespace mlir::prune {
#define GEN_PASS_DEF_OUTLINEPACKEDKERNELSPASS
#include "prune/Conversion/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;
using namespace mlir::prune;

namespace {
struct OutlinePackedKernels
    : prune::impl::OutlinePackedKernelsPassBase<OutlinePackedKernels> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<PackedMatmulOp> products;
    getOperation()->walk([&](PackedMatmulOp op) {
      if (isa<MemRefType>(op.getInit().getType()))
        products.push_back(op);
    });
    SharedFunctions functions(getOperation());
    for (PackedMatmulOp op : products)
      outline(op, functions);
  }

private:
  void outline(PackedMatmulOp op, SharedFunctions &functions);
};
} // namespace

/// The type that a buffer of the weight has as an argument. The parts for
/// threads are cut for one weight, whose function is not shared.
static Type getArgumentType(PackedMatmulOp op, Value operand) {
  bool isWeight = operand == op.getValues() || operand == op.getIndices() ||
                  operand == op.getPositions();
  auto type = dyn_cast<MemRefType>(operand.getType());
  if (!isWeight || op.getRowChunks() || !type || !type.getLayout().isIdentity())
    return operand.getType();
  return MemRefType::get(ShapedType::kDynamic, type.getElementType(),
                         type.getLayout(), type.getMemorySpace());
}

/// The function of a product whose arguments are `arguments`; constants that
/// the epilogue uses come with it.
static func::FuncOp createFunction(PackedMatmulOp op, ArrayRef<Value> arguments,
                                   ArrayRef<Operation *> constants) {
  OpBuilder builder(op.getContext());
  SmallVector<Type> types = llvm::map_to_vector(
      arguments, [&](Value value) { return getArgumentType(op, value); });
  auto function = func::FuncOp::create(op.getLoc(), "packed_kernel",
                                       builder.getFunctionType(types, {}));
  function.setPrivate();
  Block *body = function.addEntryBlock();
  builder.setInsertionPointToStart(body);
  IRMapping mapping;
  mapping.map(arguments, body->getArguments());
  for (Operation *constant : constants)
    builder.clone(*constant, mapping);
  // The name of one weight does not fit all.
  builder.clone(*op, mapping)->removeAttr("prune.weight");
  func::ReturnOp::create(builder, op.getLoc());
  return function;
}

void OutlinePackedKernels::outline(PackedMatmulOp op,
                                   SharedFunctions &functions) {
  llvm::SetVector<Value> arguments(op->operand_begin(), op->operand_end());
  llvm::SetVector<Value> above;
  getUsedValuesDefinedAbove(op.getEpilogue(), above);
  SmallVector<Operation *> constants;
  for (Value value : above) {
    Operation *source = value.getDefiningOp();
    if (source && source->hasTrait<OpTrait::ConstantLike>())
      constants.push_back(source);
    else
      arguments.insert(value);
  }
  func::FuncOp function =
      functions.insert(createFunction(op, arguments.getArrayRef(), constants));
  OpBuilder builder(op);
  SmallVector<Value> operands;
  for (auto [value, type] :
       llvm::zip_equal(arguments, function.getArgumentTypes()))
    operands.push_back(
        value.getType() == type
            ? value
            : memref::CastOp::create(builder, op.getLoc(), type, value)
                  .getResult());
  func::CallOp::create(builder, op.getLoc(), function, operands);
  op.erase();
}
