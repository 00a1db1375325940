//===- BoundAliases.cpp - Few tensors to a buffer -------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Upstream's bufferization compares, for each operation, every read of what may
// share a buffer with every write of it: cubic time in the number of tensors
// that do. Three things make these sets grow with a network: chains of
// insertions, of which a concatenation of many tensors is one; chains of other
// operations that each write what the one before wrote; and one constant or
// empty tensor that common-subexpression elimination made of many. Each of the
// three is cut here to a length that costs nothing. What is written where stays
// as it was; only a chain whose every link is read needs a copy now and then.
//
//===----------------------------------------------------------------------===//

#include "prune/IR/Prune.h"
#include "prune/IR/SliceOps.h"
#include "prune/Lowering/Passes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"

namespace mlir::prune {
#define GEN_PASS_DEF_BOUNDALIASESPASS
#include "prune/Lowering/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;
using namespace mlir::prune;

//===----------------------------------------------------------------------===//
// Insertions
//===----------------------------------------------------------------------===//

/// The insertion whose result only this one uses, as what it inserts into.
static tensor::InsertSliceOp getPrevious(tensor::InsertSliceOp op) {
  auto previous = op.getDest().getDefiningOp<tensor::InsertSliceOp>();
  return previous && previous->hasOneUse() &&
                 previous->getBlock() == op->getBlock()
             ? previous
             : tensor::InsertSliceOp();
}

static bool isLast(tensor::InsertSliceOp op) {
  if (!op->hasOneUse())
    return true;
  auto next = dyn_cast<tensor::InsertSliceOp>(*op->user_begin());
  return !next || getPrevious(next) != op;
}

/// Replaces the chain that ends here by one operation.
static void mergeChain(MutableArrayRef<tensor::InsertSliceOp> chain) {
  SmallVector<Value> sources;
  SmallVector<OpFoldResult> offsets, sizes, strides;
  for (tensor::InsertSliceOp op : chain) {
    sources.push_back(op.getSource());
    llvm::append_range(offsets, op.getMixedOffsets());
    llvm::append_range(sizes, op.getMixedSizes());
    llvm::append_range(strides, op.getMixedStrides());
  }
  tensor::InsertSliceOp last = chain.back();
  OpBuilder builder(last);
  auto merged =
      InsertSlicesOp::create(builder, last.getLoc(), sources,
                             chain.front().getDest(), offsets, sizes, strides);
  last.getResult().replaceAllUsesWith(merged.getResult());
  for (tensor::InsertSliceOp op : llvm::reverse(chain))
    op.erase();
}

static void mergeInsertions(Operation *root, unsigned limit) {
  SmallVector<tensor::InsertSliceOp> ends;
  root->walk([&](tensor::InsertSliceOp op) {
    if (isLast(op))
      ends.push_back(op);
  });
  for (tensor::InsertSliceOp op : ends) {
    SmallVector<tensor::InsertSliceOp> chain;
    for (; op; op = getPrevious(op))
      chain.push_back(op);
    std::reverse(chain.begin(), chain.end());
    if (chain.size() > limit)
      mergeChain(chain);
  }
}

//===----------------------------------------------------------------------===//
// Chains of writes
//===----------------------------------------------------------------------===//

/// Whether the result is a view of the first operand.
static bool isView(Operation *op) {
  return isa<tensor::CastOp, tensor::CollapseShapeOp, tensor::ExpandShapeOp,
             tensor::ExtractSliceOp, tensor::ReshapeOp>(op);
}

/// Writes into a copy wherever `limit` operations have written into the same
/// tensor one after the other.
static void cutChains(Operation *root, unsigned limit) {
  llvm::DenseMap<Value, unsigned> numWrites;
  root->walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (isView(op))
      numWrites[op->getResult(0)] = numWrites.lookup(op->getOperand(0));
    auto destinations = dyn_cast<DestinationStyleOpInterface>(op);
    if (!destinations || !destinations.hasPureTensorSemantics())
      return;
    for (OpOperand &init : destinations.getDpsInitsMutable()) {
      auto type = dyn_cast<RankedTensorType>(init.get().getType());
      if (!type)
        continue;
      unsigned before = numWrites.lookup(init.get());
      if (before == limit) {
        OpBuilder builder(op);
        init.set(bufferization::AllocTensorOp::create(
            builder, op->getLoc(), type, /*dynamicSizes=*/ValueRange(),
            /*copy=*/init.get(), /*memory_space=*/IntegerAttr()));
        before = 0;
      }
      numWrites[destinations.getTiedOpResult(&init)] = before + 1;
    }
  });
}

//===----------------------------------------------------------------------===//
// Shared tensors
//===----------------------------------------------------------------------===//

/// The empty tensor that the operation fills with a scalar, if that is what it
/// does.
static tensor::EmptyOp getFilled(Operation *op) {
  auto fill = dyn_cast<linalg::LinalgOp>(op);
  if (!fill || !fill.hasPureTensorSemantics() || op->getNumResults() != 1 ||
      llvm::any_of(fill.getDpsInputs(), [](Value input) {
        return isa<TensorType>(input.getType());
      }))
    return nullptr;
  return fill.getDpsInits()[0].getDefiningOp<tensor::EmptyOp>();
}

/// Another operation of the same result behind this one, or null if it computes
/// something that is worth more than a copy.
static Operation *repeat(Operation *op) {
  OpBuilder builder(op->getContext());
  builder.setInsertionPointAfter(op);
  if (isa<tensor::EmptyOp>(op) || op->hasTrait<OpTrait::ConstantLike>())
    return builder.clone(*op);
  IRMapping mapping;
  if (tensor::EmptyOp empty = getFilled(op)) {
    mapping.map(empty.getResult(), builder.clone(*empty)->getResult(0));
    return builder.clone(*op, mapping);
  }
  return nullptr;
}

/// Gives every `limit` uses, in the order of the program, a tensor of their
/// own: buffers are shared by neighbours.
static void splitShared(Operation *root, unsigned limit) {
  struct Shared {
    unsigned numUses = 0;
    Value value;
  };
  llvm::DenseMap<Value, Shared> shared;
  root->walk<WalkOrder::PreOrder>([&](Operation *op) {
    for (OpOperand &operand : op->getOpOperands()) {
      Operation *source = operand.get().getDefiningOp();
      if (!source || !isa<TensorType>(operand.get().getType()))
        continue;
      Shared &own = shared[operand.get()];
      if (own.numUses++ % limit == 0) {
        Operation *copy = own.numUses == 1 ? nullptr : repeat(source);
        own.value = copy ? copy->getResult(0) : operand.get();
      }
      operand.set(own.value);
    }
  });
}

namespace {
struct BoundAliases : prune::impl::BoundAliasesPassBase<BoundAliases> {
  using Base::Base;

  void runOnOperation() override {
    if (limit < 1) {
      getOperation()->emitError("prune-bound-aliases: option 'limit' expects "
                                "at least 1 but got ")
          << unsigned(limit);
      return signalPassFailure();
    }
    mergeInsertions(getOperation(), limit);
    cutChains(getOperation(), limit);
    splitShared(getOperation(), limit);
  }
};
} // namespace
