//===- FlattenConstants.cpp - Large constants as bytes --------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LLVM's assembly printer writes an array number by number, each through
// arbitrary-precision arithmetic, but an array of bytes at once. For the
// weights of a network that decides how long code generation takes.
//
//===----------------------------------------------------------------------===//

#include "prune/Lowering/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/DialectResourceBlobManager.h"

namespace mlir::prune {
#define GEN_PASS_DEF_FLATTENCONSTANTSPASS
#include "prune/Lowering/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;

namespace {
struct FlattenConstants
    : prune::impl::FlattenConstantsPassBase<FlattenConstants> {
  using Base::Base;

  void runOnOperation() override {
    for (auto global : getOperation().getOps<LLVM::GlobalOp>())
      if (auto value = dyn_cast_or_null<DenseResourceElementsAttr>(
              global.getValueOrNull()))
        flatten(global, value);
  }

private:
  void flatten(LLVM::GlobalOp global, DenseResourceElementsAttr value) {
    AsmResourceBlob *blob = value.getRawHandle().getBlob();
    Type element = value.getElementType();
    // Other types are not stored as they lie in memory.
    bool isPlain = element.isF64() || element.isF32() || element.isF16() ||
                   element.isBF16() || element.isInteger(64) ||
                   element.isInteger(32) || element.isInteger(16);
    if (!isPlain || !blob)
      return;
    int64_t bytes =
        value.getNumElements() * (element.getIntOrFloatBitWidth() / 8);
    if (int64_t(blob->getData().size()) != bytes)
      return;
    Type byte = IntegerType::get(&getContext(), 8);
    global.setValueAttr(DenseResourceElementsAttr::get(
        RankedTensorType::get(bytes, byte), value.getRawHandle()));
    global.setGlobalType(LLVM::LLVMArrayType::get(byte, bytes));
  }
};
} // namespace
