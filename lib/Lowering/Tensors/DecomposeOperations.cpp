//===- DecomposeOperations.cpp - Structured forms of composite operations -===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each pattern gives one operation without indexing maps an equal form of
// structured operations, slices and reshapes. Where upstream has the rewriting
// as a function, the pattern calls it; concat, gather, scatter, bitcast and
// switch are ours.
//
//===----------------------------------------------------------------------===//

#include "prune/Lowering/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::prune {
#define GEN_PASS_DEF_DECOMPOSEOPERATIONSPASS
#include "prune/Lowering/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;

/// The sizes of a tensor, as index values.
static SmallVector<Value> sizesOf(OpBuilder &builder, Location loc,
                                  Value tensor) {
  return getValueOrCreateConstantIndexOp(
      builder, loc, tensor::getMixedSizes(builder, loc, tensor));
}

/// The position in the indexed tensor that a gather or scatter means: the
/// dimensions in `dims` come from the index tensor at `batch`, the others from
/// `rest`, which leaves out `dims` if it is shorter than the rank.
static SmallVector<Value> indexedPosition(OpBuilder &builder, Location loc,
                                          Value indices, ValueRange batch,
                                          ValueRange rest,
                                          ArrayRef<int64_t> dims,
                                          int64_t rank) {
  bool full = int64_t(rest.size()) == rank;
  SmallVector<Value> position;
  for (int64_t dim = 0, next = 0; dim < rank; ++dim) {
    const auto *it = llvm::find(dims, dim);
    if (it == dims.end()) {
      position.push_back(rest[full ? dim : next++]);
      continue;
    }
    SmallVector<Value> at(batch);
    at.push_back(
        arith::ConstantIndexOp::create(builder, loc, it - dims.begin()));
    Value index = tensor::ExtractOp::create(builder, loc, indices, at);
    if (!index.getType().isIndex())
      index = arith::IndexCastOp::create(builder, loc, builder.getIndexType(),
                                         index);
    position.push_back(index);
  }
  return position;
}

namespace {
/// Softmax and every other operation that knows its own decomposition.
struct DecomposeAggregate
    : OpInterfaceRewritePattern<linalg::AggregatedOpInterface> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(linalg::AggregatedOpInterface op,
                                PatternRewriter &rewriter) const override {
    FailureOr<SmallVector<Value>> results = op.decomposeOperation(rewriter);
    if (failed(results))
      return rewriter.notifyMatchFailure(op, "has no decomposition");
    rewriter.replaceOp(op, *results);
    return success();
  }
};

/// A softmax of f16 or bf16 is computed in f32 and rounded once.
struct WidenSoftmax : OpRewritePattern<linalg::SoftmaxOp> {
  WidenSoftmax(MLIRContext *context)
      : OpRewritePattern(context, /*benefit=*/2) {}

  LogicalResult matchAndRewrite(linalg::SoftmaxOp op,
                                PatternRewriter &rewriter) const override {
    auto type = dyn_cast<RankedTensorType>(op.getInput().getType());
    if (!type ||
        !(type.getElementType().isF16() || type.getElementType().isBF16()))
      return rewriter.notifyMatchFailure(op, "is not of 16-bit numbers");
    Location loc = op.getLoc();
    Type f32 = rewriter.getF32Type();
    Value input =
        arith::ExtFOp::create(rewriter, loc, type.clone(f32), op.getInput());
    Value init = tensor::EmptyOp::create(
        rewriter, loc, tensor::getMixedSizes(rewriter, loc, op.getOutput()),
        f32);
    auto wide = linalg::SoftmaxOp::create(rewriter, loc, init.getType(), input,
                                          init, op.getDimension());
    rewriter.replaceOpWithNewOp<arith::TruncFOp>(
        op, op.getResult()[0].getType(), wide->getResult(0));
    return success();
  }
};

struct DecomposePack : OpRewritePattern<linalg::PackOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::PackOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return rewriter.notifyMatchFailure(op, "is not on tensors");
    return linalg::lowerPack(rewriter, op);
  }
};

struct DecomposeUnpack : OpRewritePattern<linalg::UnPackOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::UnPackOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return rewriter.notifyMatchFailure(op, "is not on tensors");
    return linalg::lowerUnPack(rewriter, op);
  }
};

/// Upstream's rewriting writes each open offset as the sum of all sizes before
/// it, which takes cubic time; here it is the offset before plus one size.
struct DecomposeConcat : OpRewritePattern<tensor::ConcatOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::ConcatOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    RankedTensorType type = op.getResultType();
    int64_t dim = op.getDim();
    SmallVector<SmallVector<OpFoldResult>> sizes, offsets;
    SmallVector<OpFoldResult> end(type.getRank(), rewriter.getIndexAttr(0));
    for (Value input : op.getInputs()) {
      sizes.push_back(tensor::getMixedSizes(rewriter, loc, input));
      offsets.push_back(end);
      end[dim] = add(rewriter, loc, end[dim], sizes.back()[dim]);
    }
    // Another operand, or the result, may know what is open in the first.
    SmallVector<OpFoldResult> whole = sizes.front();
    whole[dim] = end[dim];
    for (int64_t at = 0; at != type.getRank(); ++at) {
      for (ArrayRef<OpFoldResult> known : sizes)
        if (at != dim && isa<Value>(whole[at]))
          whole[at] = known[at];
      if (!type.isDynamicDim(at))
        whole[at] = rewriter.getIndexAttr(type.getDimSize(at));
    }
    Value result =
        tensor::EmptyOp::create(rewriter, loc, whole, type.getElementType());
    SmallVector<OpFoldResult> strides(type.getRank(), rewriter.getIndexAttr(1));
    for (auto [input, size, offset] :
         llvm::zip_equal(op.getInputs(), sizes, offsets))
      result = tensor::InsertSliceOp::create(rewriter, loc, input, result,
                                             offset, size, strides);
    if (result.getType() != type)
      result = tensor::CastOp::create(rewriter, loc, type, result);
    rewriter.replaceOp(op, result);
    return success();
  }

private:
  static OpFoldResult add(OpBuilder &builder, Location loc, OpFoldResult a,
                          OpFoldResult b) {
    std::optional<int64_t> knownA = getConstantIntValue(a),
                           knownB = getConstantIntValue(b);
    if (knownA && knownB)
      return builder.getIndexAttr(*knownA + *knownB);
    return Value(arith::AddIOp::create(
        builder, loc, getValueOrCreateConstantIndexOp(builder, loc, a),
        getValueOrCreateConstantIndexOp(builder, loc, b)));
  }
};

struct DecomposeGather : OpRewritePattern<tensor::GatherOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::GatherOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    RankedTensorType type = op.getResultType();
    int64_t batchRank = op.getIndicesType().getRank() - 1;
    int64_t rank = op.getSourceType().getRank();
    // The sizes of the result: the batch, then the source's, 1 where gathered.
    SmallVector<Value> batchSizes = sizesOf(rewriter, loc, op.getIndices());
    SmallVector<Value> sourceSizes = sizesOf(rewriter, loc, op.getSource());
    SmallVector<Value> sizes(ArrayRef(batchSizes).drop_back());
    bool full = type.getRank() - batchRank == rank;
    for (int64_t dim = 0; dim < rank; ++dim)
      if (!llvm::is_contained(op.getGatherDims(), dim))
        sizes.push_back(sourceSizes[dim]);
      else if (full)
        sizes.push_back(arith::ConstantIndexOp::create(rewriter, loc, 1));
    SmallVector<Value> dynamic;
    for (auto [dim, size] : llvm::zip_equal(type.getShape(), sizes))
      if (ShapedType::isDynamic(dim))
        dynamic.push_back(size);
    rewriter.replaceOpWithNewOp<tensor::GenerateOp>(
        op, type, dynamic, [&](OpBuilder &b, Location loc, ValueRange at) {
          SmallVector<Value> position = indexedPosition(
              b, loc, op.getIndices(), at.take_front(batchRank),
              at.drop_front(batchRank), op.getGatherDims(), rank);
          Value element =
              tensor::ExtractOp::create(b, loc, op.getSource(), position);
          tensor::YieldOp::create(b, loc, element);
        });
    return success();
  }
};

struct DecomposeScatter : OpRewritePattern<tensor::ScatterOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::ScatterOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    int64_t batchRank = op.getIndicesType().getRank() - 1;
    int64_t rank = op.getDestType().getRank();
    SmallVector<Value> sizes = sizesOf(rewriter, loc, op.getSource());
    Value zero = arith::ConstantIndexOp::create(rewriter, loc, 0);
    Value one = arith::ConstantIndexOp::create(rewriter, loc, 1);
    SmallVector<Value> zeros(sizes.size(), zero), ones(sizes.size(), one);
    scf::LoopNest nest = scf::buildLoopNest(
        rewriter, loc, zeros, sizes, ones, op.getDest(),
        [&](OpBuilder &b, Location loc, ValueRange at,
            ValueRange dest) -> scf::ValueVector {
          SmallVector<Value> position = indexedPosition(
              b, loc, op.getIndices(), at.take_front(batchRank),
              at.drop_front(batchRank), op.getScatterDims(), rank);
          Value element = tensor::ExtractOp::create(b, loc, op.getSource(), at);
          return {tensor::InsertOp::create(b, loc, element, dest[0], position)};
        });
    rewriter.replaceOp(op, nest.results);
    return success();
  }
};

struct DecomposeBitcast : OpRewritePattern<tensor::BitcastOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::BitcastOp op,
                                PatternRewriter &rewriter) const override {
    auto type = dyn_cast<RankedTensorType>(op.getType());
    auto isPlain = [](Type element) {
      return element.isSignlessInteger() || isa<FloatType>(element);
    };
    if (!type || !isPlain(type.getElementType()) ||
        !isPlain(getElementTypeOrSelf(op.getSource().getType())))
      return rewriter.notifyMatchFailure(op, "is not of scalars");
    rewriter.replaceOpWithNewOp<arith::BitcastOp>(op, type, op.getSource());
    return success();
  }
};

/// Upstream's lowering of an expansion finds one size of a run from the others,
/// and ends the program where two are open. A reshape takes them all.
struct DecomposeOpenExpansion : OpRewritePattern<tensor::ExpandShapeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::ExpandShapeOp op,
                                PatternRewriter &rewriter) const override {
    RankedTensorType type = op.getResultType();
    bool isOpen = llvm::any_of(op.getReassociationIndices(), [&](auto &run) {
      return llvm::count_if(
                 run, [&](int64_t dim) { return type.isDynamicDim(dim); }) > 1;
    });
    if (!isOpen)
      return rewriter.notifyMatchFailure(op, "has one open size in a run");
    SmallVector<Value> sizes = getValueOrCreateConstantIndexOp(
        rewriter, op.getLoc(), op.getMixedOutputShape());
    Value shape = tensor::FromElementsOp::create(rewriter, op.getLoc(), sizes);
    rewriter.replaceOpWithNewOp<tensor::ReshapeOp>(op, type, op.getSrc(),
                                                   shape);
    return success();
  }
};

/// Takes the first case off a switch. Upstream's bufferization does not see
/// that the result of a switch may be a buffer written in one of its cases, and
/// lets a later operation overwrite it; that of scf.if is right.
struct DecomposeIndexSwitch : OpRewritePattern<scf::IndexSwitchOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(scf::IndexSwitchOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    if (op.getCases().empty()) {
      Block &block = op.getDefaultRegion().front();
      Operation *yield = block.getTerminator();
      SmallVector<Value> results(yield->getOperands());
      rewriter.inlineBlockBefore(&block, op);
      rewriter.eraseOp(yield);
      rewriter.replaceOp(op, results);
      return success();
    }
    Value first =
        arith::ConstantIndexOp::create(rewriter, loc, op.getCases().front());
    Value isFirst = arith::CmpIOp::create(
        rewriter, loc, arith::CmpIPredicate::eq, op.getArg(), first);
    auto branch =
        scf::IfOp::create(rewriter, loc, op.getResultTypes(), isFirst,
                          /*addThenBlock=*/false, /*addElseBlock=*/false);
    rewriter.inlineRegionBefore(op.getCaseRegions().front(),
                                branch.getThenRegion(),
                                branch.getThenRegion().end());
    rewriter.createBlock(&branch.getElseRegion());
    auto rest = scf::IndexSwitchOp::create(
        rewriter, loc, op.getResultTypes(), op.getArg(),
        op.getCases().drop_front(), op.getNumCases() - 1);
    for (auto [to, from] : llvm::zip_equal(rest.getCaseRegions(),
                                           op.getCaseRegions().drop_front()))
      rewriter.inlineRegionBefore(from, to, to.end());
    rewriter.inlineRegionBefore(op.getDefaultRegion(), rest.getDefaultRegion(),
                                rest.getDefaultRegion().end());
    scf::YieldOp::create(rewriter, loc, rest.getResults());
    rewriter.replaceOp(op, branch.getResults());
    return success();
  }
};

struct DecomposeOperations
    : prune::impl::DecomposeOperationsPassBase<DecomposeOperations> {
  using Base::Base;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns
        .add<DecomposeAggregate, DecomposeBitcast, DecomposeConcat,
             DecomposeGather, DecomposeIndexSwitch, DecomposeOpenExpansion,
             DecomposePack, DecomposeScatter, DecomposeUnpack, WidenSoftmax>(
            &getContext());
    linalg::populateDecomposeWinogradOpsPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
