//===- FreeBuffers.cpp - Free buffers after their last use ----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Upstream's deallocation frees at the end of a block, by one operation that
// compares all buffers of the block with each other: quadratic time, and every
// activation of a network lives until it returns. Here a buffer that never
// leaves its block is freed behind its last use. What is left, because it is
// returned, carried by a loop or selected, is upstream's.
//
//===----------------------------------------------------------------------===//

#include "MemoryAccess.h"

#include "prune/Lowering/Passes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

namespace mlir::prune {
#define GEN_PASS_DEF_FREEBUFFERSPASS
#include "prune/Lowering/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;
using namespace mlir::prune;

/// Whether the operation reads and writes what the operand leads to, and keeps
/// it nowhere.
static bool isAccess(OpOperand &use) {
  Operation *op = use.getOwner();
  if (op->hasTrait<OpTrait::IsTerminator>() ||
      llvm::any_of(op->getResultTypes(), llvm::IsaPred<BaseMemRefType>) ||
      llvm::any_of(op->getResultTypes(), llvm::IsaPred<TensorType>) ||
      isa<memref::ExtractAlignedPointerAsIndexOp>(op))
    return false;
  if (isa<func::CallOp>(op))
    return true;
  if (auto store = dyn_cast<memref::StoreOp>(op);
      store && &use == &store.getValueMutable())
    return false;
  return onlyReadsAndWrites(op);
}

/// The last operation of the block that uses the buffer or a view of it, or
/// null if the buffer leaves the block.
static Operation *findLastUse(memref::AllocOp alloc) {
  Block *block = alloc->getBlock();
  Operation *last = nullptr;
  SmallVector<Value> views = {alloc.getResult()};
  while (!views.empty()) {
    Value view = views.pop_back_val();
    for (OpOperand &use : view.getUses()) {
      Operation *op = use.getOwner();
      Operation *user = block->findAncestorOpInBlock(*op);
      if (!user)
        return nullptr;
      auto viewOp = dyn_cast<ViewLikeOpInterface>(op);
      if (viewOp && viewOp.getViewSource() == view &&
          use.getOperandNumber() == 0)
        llvm::copy_if(
            op->getResults(), std::back_inserter(views),
            [](Value result) { return isa<BaseMemRefType>(result.getType()); });
      else if (!isAccess(use))
        return nullptr;
      if (!last || last->isBeforeInBlock(user))
        last = user;
    }
  }
  return last;
}

namespace {
struct FreeBuffers : prune::impl::FreeBuffersPassBase<FreeBuffers> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<std::pair<memref::AllocOp, Operation *>> found;
    getOperation()->walk([&](memref::AllocOp op) {
      StringRef manual =
          bufferization::BufferizationDialect::kManualDeallocation;
      if (op->hasAttr(manual))
        return;
      if (Operation *last = findLastUse(op))
        found.push_back({op, last});
    });
    for (auto [alloc, last] : found) {
      OpBuilder builder(&getContext());
      builder.setInsertionPointAfter(last);
      auto dealloc = memref::DeallocOp::create(builder, alloc.getLoc(), alloc);
      // Says that it is freed already.
      for (Operation *op : {alloc.getOperation(), dealloc.getOperation()})
        op->setAttr(bufferization::BufferizationDialect::kManualDeallocation,
                    builder.getUnitAttr());
    }
  }
};
} // namespace
