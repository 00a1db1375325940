//===- VerifyDense.cpp - Check that nothing uses sparse tensors -----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bufferization would say that an operation must be bufferized with the
// sparsifier, which tells nobody which option of ours does that.
//
//===----------------------------------------------------------------------===//

#include "prune/Lowering/Passes.h"

#include "mlir/Dialect/SparseTensor/IR/SparseTensor.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

namespace mlir::prune {
#define GEN_PASS_DEF_VERIFYDENSEPASS
#include "prune/Lowering/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;

static bool isSparse(Type type) {
  return static_cast<bool>(sparse_tensor::getSparseTensorEncoding(type));
}

static bool usesSparse(Operation *op) {
  if (isa_and_nonnull<sparse_tensor::SparseTensorDialect>(op->getDialect()) ||
      llvm::any_of(op->getResultTypes(), isSparse) ||
      llvm::any_of(op->getOperandTypes(), isSparse))
    return true;
  auto function = dyn_cast<FunctionOpInterface>(op);
  return function && (llvm::any_of(function.getArgumentTypes(), isSparse) ||
                      llvm::any_of(function.getResultTypes(), isSparse));
}

namespace {
struct VerifyDense : prune::impl::VerifyDensePassBase<VerifyDense> {
  using Base::Base;

  void runOnOperation() override {
    markAllAnalysesPreserved();
    WalkResult result = getOperation()->walk<WalkOrder::PreOrder>(
        [&](Operation *op) -> WalkResult {
          if (!usesSparse(op))
            return WalkResult::advance();
          return op->emitOpError(
              "uses sparse tensors, which only kernels=reference compiles "
              "(prune-run --kernels=reference, prune-lower-to-llvm="
              "\"kernels=reference\")");
        });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
