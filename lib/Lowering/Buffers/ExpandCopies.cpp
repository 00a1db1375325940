//===- ExpandCopies.cpp - Loops for copies of strided buffers -------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Upstream lowers a copy to memcpy if both buffers are contiguous, and else to
// a function of the runner library. The condition here is the one of that
// lowering, so that none of its library calls remains.
//
//===----------------------------------------------------------------------===//

#include "prune/Lowering/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/Utils/MemRefUtils.h"

namespace mlir::prune {
#define GEN_PASS_DEF_EXPANDCOPIESPASS
#include "prune/Lowering/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;

/// Whether upstream sees that the elements lie without gaps in row-major order:
/// of an open size it only does so for the identity layout.
static bool isContiguous(Value value) {
  auto type = dyn_cast<MemRefType>(value.getType());
  return type && (type.getLayout().isIdentity() ||
                  (type.hasStaticShape() && type.getNumElements() > 0 &&
                   memref::isStaticShapeAndContiguousRowMajor(type)));
}

namespace {
struct ExpandCopies : prune::impl::ExpandCopiesPassBase<ExpandCopies> {
  using Base::Base;

  void runOnOperation() override {
    getOperation()->walk([](memref::CopyOp op) {
      if (!isa<MemRefType>(op.getSource().getType()) ||
          (isContiguous(op.getSource()) && isContiguous(op.getTarget())))
        return;
      OpBuilder builder(op);
      linalg::CopyOp::create(builder, op.getLoc(), op.getSource(),
                             op.getTarget());
      op.erase();
    });
  }
};
} // namespace
