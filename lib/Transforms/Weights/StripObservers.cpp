//===- StripObservers.cpp - Remove observers ------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "prune/IR/Prune.h"
#include "prune/Transforms/Weights/Passes.h"
#include "prune/Transforms/Weights/Transforms.h"

namespace mlir::prune {
#define GEN_PASS_DEF_STRIPOBSERVERSPASS
#include "prune/Transforms/Weights/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;

void mlir::prune::stripObservers(Operation *root) {
  root->walk([](ObserveOp op) {
    op.getResult().replaceAllUsesWith(op.getInput());
    op.erase();
  });
}

namespace {
struct StripObservers : prune::impl::StripObserversPassBase<StripObservers> {
  using Base::Base;

  void runOnOperation() override { prune::stripObservers(getOperation()); }
};
} // namespace
