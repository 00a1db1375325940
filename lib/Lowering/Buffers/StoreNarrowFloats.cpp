//===- StoreNarrowFloats.cpp - 16-bit numbers are moved as integers -------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Once arithmetic is done in f32, numbers of f16 and bf16 are only moved:
// loaded, stored, selected, passed on to another block. LLVM does not know how
// to do all of that on every processor, least of all with vectors, and calls
// its own library for conversions that nobody asked for. All of it works with
// integers of 16 bits.
//
// Types change in place. Conversions of f16 in hardware get a bit cast, and so
// do scalars of f16 that cross the boundary of a function: how they are passed
// is agreed with others. bf16 is not: LLVM rounds what a function returns once
// more, by a call. So functions take and return it as an integer.
//
//===----------------------------------------------------------------------===//

#include "prune/Lowering/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/DialectResourceBlobManager.h"

namespace mlir::prune {
#define GEN_PASS_DEF_STORENARROWFLOATSPASS
#include "prune/Lowering/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;

static bool isNarrow(Type type) { return type.isF16() || type.isBF16(); }

static bool isNarrowOrVector(Type type) {
  return isNarrow(getElementTypeOrSelf(type));
}

static bool isHalfOrVector(Type type) {
  return getElementTypeOrSelf(type).isF16();
}

/// Whether an operation does not care what the bits that it moves mean.
static bool movesOnly(Operation *op) {
  return isa<LLVM::LoadOp, LLVM::StoreOp, LLVM::SelectOp, LLVM::FreezeOp,
             LLVM::InsertElementOp, LLVM::ExtractElementOp, LLVM::InsertValueOp,
             LLVM::ExtractValueOp, LLVM::ShuffleVectorOp, LLVM::ConstantOp,
             LLVM::UndefOp, LLVM::PoisonOp, LLVM::ZeroOp, LLVM::BitcastOp,
             LLVM::BrOp, LLVM::CondBrOp, LLVM::SwitchOp, LLVM::CallOp,
             LLVM::ReturnOp, LLVM::MaskedLoadOp, LLVM::MaskedStoreOp,
             LLVM::masked_gather, LLVM::masked_scatter, LLVM::masked_expandload,
             LLVM::masked_compressstore, LLVM::vector_extract,
             LLVM::vector_insert>(op);
}

namespace {
/// Values that keep their types, which others than we decide on.
struct Boundary {
  SmallVector<std::pair<OpOperand *, Type>> operands;
  SmallVector<std::pair<Value, Type>> values;

  void addOperands(Operation *op) {
    for (OpOperand &operand : op->getOpOperands())
      if (isHalfOrVector(operand.get().getType()))
        operands.push_back({&operand, operand.get().getType()});
  }
  void addValues(ValueRange of) {
    for (Value value : of)
      if (isHalfOrVector(value.getType()))
        values.push_back({value, value.getType()});
  }
  LogicalResult visit(Operation *op);
  void castBack();
};
} // namespace

LogicalResult Boundary::visit(Operation *op) {
  if (auto function = dyn_cast<LLVM::LLVMFuncOp>(op)) {
    if (!function.isExternal())
      addValues(function.getArguments());
    return success();
  }
  bool converts = isa<LLVM::FPExtOp, LLVM::FPTruncOp>(op);
  if (isa<LLVM::CallOp, LLVM::ReturnOp>(op) || converts) {
    addOperands(op);
    addValues(op->getResults());
  }
  auto types = llvm::concat<const Type>(llvm::to_vector(op->getOperandTypes()),
                                        llvm::to_vector(op->getResultTypes()));
  for (Type type : types) {
    bool isConverted = converts && isHalfOrVector(type);
    if (isNarrowOrVector(type) && !isConverted && !movesOnly(op))
      return op->emitError("cannot compile '")
             << op->getName() << "' on " << type
             << "; convert its operands to f32 first";
  }
  return success();
}

/// Puts a bit cast between what keeps its type and everything else.
void Boundary::castBack() {
  for (auto [operand, type] : operands) {
    OpBuilder b(operand->getOwner());
    operand->set(LLVM::BitcastOp::create(b, operand->getOwner()->getLoc(), type,
                                         operand->get()));
  }
  for (auto [value, type] : values) {
    Type stored = value.getType();
    OpBuilder b(value.getContext());
    b.setInsertionPointAfterValue(value);
    value.setType(type);
    auto cast = LLVM::BitcastOp::create(b, value.getLoc(), stored, value);
    value.replaceAllUsesExcept(cast, cast);
  }
}

/// Types and constants of 16-bit numbers as those of integers.
static void addReplacements(AttrTypeReplacer &replacer, MLIRContext *context) {
  Type stored = IntegerType::get(context, 16);
  replacer.addReplacement([=](FloatType type) -> std::optional<Type> {
    return isNarrow(type) ? std::optional<Type>(stored) : std::nullopt;
  });
  replacer.addReplacement(
      [&replacer](LLVM::LLVMFunctionType type) -> std::pair<Type, WalkResult> {
        auto replace = [&](Type part) {
          return isHalfOrVector(part) ? part : replacer.replace(part);
        };
        auto result = LLVM::LLVMFunctionType::get(
            replace(type.getReturnType()),
            llvm::map_to_vector(type.getParams(), replace), type.isVarArg());
        return {result, WalkResult::skip()};
      });
  replacer.addReplacement(
      [=](FloatAttr value) -> std::pair<Attribute, WalkResult> {
        if (!isNarrow(value.getType()))
          return {value, WalkResult::skip()};
        return {IntegerAttr::get(stored, value.getValue().bitcastToAPInt()),
                WalkResult::skip()};
      });
  replacer.addReplacement(
      [=](DenseElementsAttr value) -> std::pair<Attribute, WalkResult> {
        if (!isNarrow(value.getElementType()))
          return {value, WalkResult::skip()};
        return {value.bitcast(stored), WalkResult::skip()};
      });
  replacer.addReplacement(
      [=](DenseResourceElementsAttr value) -> std::pair<Attribute, WalkResult> {
        if (!isNarrow(value.getElementType()))
          return {value, WalkResult::skip()};
        return {DenseResourceElementsAttr::get(value.getType().clone(stored),
                                               value.getRawHandle()),
                WalkResult::skip()};
      });
}

namespace {
struct StoreNarrowFloats
    : prune::impl::StoreNarrowFloatsPassBase<StoreNarrowFloats> {
  using Base::Base;

  void runOnOperation() override {
    Boundary boundary;
    WalkResult walked = getOperation()->walk([&](Operation *op) {
      return failed(boundary.visit(op)) ? WalkResult::interrupt()
                                        : WalkResult::advance();
    });
    if (walked.wasInterrupted())
      return signalPassFailure();
    AttrTypeReplacer replacer;
    addReplacements(replacer, &getContext());
    replacer.recursivelyReplaceElementsIn(getOperation(),
                                          /*replaceAttrs=*/true,
                                          /*replaceLocs=*/false,
                                          /*replaceTypes=*/true);
    boundary.castBack();
  }
};
} // namespace
