//===- ConvertPrunePackedToVector.cpp - Packed products to vector loops ---===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds the packed ops and has each expanded. No conversion driver is needed:
// no type changes, and no op depends on another's expansion.
//
//===----------------------------------------------------------------------===//

#include "PackedToVector.h"

#include "prune/Conversion/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/OpenMP/OpenMPDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

namespace mlir::prune {
#define GEN_PASS_DEF_CONVERTPRUNEPACKEDTOVECTORPASS
#include "prune/Conversion/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;
using namespace mlir::prune;

LogicalResult mlir::prune::verifyExpandable(Operation *op) {
  for (Value operand : op->getOperands()) {
    auto type = dyn_cast<MemRefType>(operand.getType());
    if (!type)
      return op->emitError("cannot expand '")
             << op->getName() << "' on tensors; bufferize it first";
    if (!type.isLastDimUnitStride())
      return op->emitError("expects buffers whose innermost dimension is dense "
                           "but got ")
             << type;
  }
  return success();
}

namespace {
struct ConvertPrunePackedToVector
    : prune::impl::ConvertPrunePackedToVectorPassBase<
          ConvertPrunePackedToVector> {
  using Base::Base;

  void runOnOperation() override {
    if (vectorBits < 64 || vectorBits > 2048 ||
        !llvm::isPowerOf2_32(vectorBits)) {
      emitError(getOperation()->getLoc(),
                "expects vector-bits to be a power of "
                "two in [64, 2048] but got ")
          << vectorBits.getValue();
      return signalPassFailure();
    }
    if (threads < 1 || threads > 1024) {
      emitError(getOperation()->getLoc(),
                "expects threads in [1, 1024] but got ")
          << threads.getValue();
      return signalPassFailure();
    }
    SmallVector<Operation *> ops;
    getOperation()->walk([&](Operation *op) {
      if (isa<PackedMatmulOp, PackPanelsOp, UnpackPanelsOp>(op))
        ops.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (Operation *op : ops)
      if (failed(expand(rewriter, op)))
        return signalPassFailure();
  }

private:
  int64_t getWidth(Value buffer) {
    return vectorBits /
           cast<ShapedType>(buffer.getType()).getElementTypeBitWidth();
  }

  LogicalResult expand(IRRewriter &rewriter, Operation *op) {
    return llvm::TypeSwitch<Operation *, LogicalResult>(op)
        .Case([&](PackedMatmulOp op) {
          return expandPackedMatmul(rewriter, op, threads, fma);
        })
        .Case([&](PackPanelsOp op) {
          return expandPackPanels(rewriter, op, getWidth(op.getInit()));
        })
        .Case([&](UnpackPanelsOp op) {
          return expandUnpackPanels(rewriter, op, getWidth(op.getInit()));
        });
  }
};
} // namespace
