//===- ScheduleReductions.cpp - Order the loops of reductions -------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vector lanes become different results instead of parts of one sum: the loop
// over the result's last dimension goes innermost, inside of all reductions.
// The reductions keep their order among themselves, so every result is the same
// sequence of additions as before.
//
// This pays where that loop walks through memory step by step. Where it does
// not, an operand that is a plain permutation of loops is transposed; if that
// is not worth it either, and the loop would jump through memory, the order
// stays as it is. Strided accesses of convolutions are taken as they are: a
// vector of strided loads still beats a chain of additions.
//
//===----------------------------------------------------------------------===//

#include "prune/Lowering/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/AffineExprVisitor.h"
#include "mlir/IR/Matchers.h"

namespace mlir::prune {
#define GEN_PASS_DEF_SCHEDULEREDUCTIONSPASS
#include "prune/Lowering/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;

/// A transposition reads and writes each element once; it is worth while if
/// each is used so many times.
static constexpr int64_t kMinReuse = 8;

/// How an operand is accessed as one loop advances.
enum class Access { None, Adjacent, Permuted, Strided };

static Access accessOf(AffineMap map, unsigned loop) {
  if (!map.isFunctionOfDim(loop))
    return Access::None;
  for (AffineExpr expr : map.getResults().drop_back())
    if (expr.isFunctionOfDim(loop))
      return map.isProjectedPermutation() ? Access::Permuted : Access::Strided;
  // Convolutions: the loop may come with others, as in (d0 + d1).
  AffineExpr last = map.getResults().back();
  AffineExpr step = last.replace(getAffineDimExpr(loop, map.getContext()),
                                 getAffineDimExpr(loop, map.getContext()) + 1);
  AffineExpr stride = simplifyAffineExpr(step - last, map.getNumDims(), 0);
  return stride == getAffineConstantExpr(1, map.getContext()) ? Access::Adjacent
                                                              : Access::Strided;
}

/// Whether each element of an operand is used often enough to move it first.
static bool isWorthTransposing(linalg::GenericOp op, OpOperand &operand) {
  if (matchPattern(operand.get(), m_Constant()))
    return true;
  AffineMap map = op.getMatchingIndexingMap(&operand);
  int64_t reuse = 1;
  for (auto [loop, size] : llvm::enumerate(op.getStaticLoopRanges()))
    if (!map.isFunctionOfDim(loop))
      reuse *= ShapedType::isDynamic(size) ? kMinReuse : size;
  return reuse >= kMinReuse;
}

/// Moves the dimension that `loop` walks to the end of an operand.
static void transposeOperand(RewriterBase &rewriter, linalg::GenericOp op,
                             OpOperand &operand, unsigned loop) {
  Location loc = op.getLoc();
  AffineMap map = op.getMatchingIndexingMap(&operand);
  auto type = cast<RankedTensorType>(operand.get().getType());
  unsigned moved =
      *map.getResultPosition(getAffineDimExpr(loop, map.getContext()));
  SmallVector<int64_t> permutation;
  SmallVector<AffineExpr> results;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (dim != moved)
      permutation.push_back(dim);
  permutation.push_back(moved);
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(rewriter, loc,
                                                          operand.get()),
                            moveSizes;
  for (int64_t dim : permutation) {
    results.push_back(map.getResult(dim));
    moveSizes.push_back(sizes[dim]);
  }
  Value init =
      tensor::EmptyOp::create(rewriter, loc, moveSizes, type.getElementType());
  Value transposed = linalg::TransposeOp::create(rewriter, loc, operand.get(),
                                                 init, permutation)
                         ->getResult(0);
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  maps[operand.getOperandNumber()] =
      AffineMap::get(map.getNumDims(), 0, results, map.getContext());
  rewriter.modifyOpInPlace(op, [&] {
    operand.set(transposed);
    op.setIndexingMapsAttr(rewriter.getAffineMapArrayAttr(maps));
  });
}

/// The parallel loop that should be innermost, or nothing.
static std::optional<unsigned> chooseInnermost(linalg::GenericOp op) {
  std::optional<unsigned> loop;
  for (OpOperand &init : op.getDpsInitsMutable()) {
    AffineMap map = op.getMatchingIndexingMap(&init);
    if (map.getNumResults() == 0)
      return std::nullopt;
    auto dim = dyn_cast<AffineDimExpr>(map.getResults().back());
    if (!dim || (loop && *loop != dim.getPosition()))
      return std::nullopt;
    loop = dim.getPosition();
  }
  // A vector of one lane is none.
  if (!loop || op.getStaticLoopRanges()[*loop] == 1)
    return std::nullopt;
  for (OpOperand *input : op.getDpsInputOperands())
    if (accessOf(op.getMatchingIndexingMap(input), *loop) == Access::Permuted &&
        !isWorthTransposing(op, *input))
      return std::nullopt;
  return loop;
}

/// Lets the back end fuse a product into its sum.
static void allowContraction(linalg::GenericOp op) {
  op.getBody()->walk([](arith::ArithFastMathInterface scalar) {
    if (!isa<arith::MulFOp, arith::AddFOp>(scalar.getOperation()) ||
        !(scalar->getResult(0).getType().isF32() ||
          scalar->getResult(0).getType().isF64()))
      return;
    auto flags = scalar.getFastMathFlagsAttr().getValue() |
                 arith::FastMathFlags::contract;
    scalar->setAttr(scalar.getFastMathAttrName(),
                    arith::FastMathFlagsAttr::get(scalar->getContext(), flags));
  });
}

static LogicalResult schedule(RewriterBase &rewriter, linalg::GenericOp op) {
  if (!op.hasPureTensorSemantics() || op.getNumReductionLoops() == 0)
    return failure();
  allowContraction(op);
  std::optional<unsigned> innermost = chooseInnermost(op);
  if (!innermost)
    return failure();
  rewriter.setInsertionPoint(op);
  for (OpOperand *input : op.getDpsInputOperands())
    if (accessOf(op.getMatchingIndexingMap(input), *innermost) ==
        Access::Permuted)
      transposeOperand(rewriter, op, *input, *innermost);
  SmallVector<unsigned> order;
  for (unsigned loop = 0; loop < op.getNumLoops(); ++loop)
    if (loop != *innermost)
      order.push_back(loop);
  order.push_back(*innermost);
  return linalg::interchangeGenericOp(rewriter, op, order);
}

namespace {
struct ScheduleReductions
    : prune::impl::ScheduleReductionsPassBase<ScheduleReductions> {
  using Base::Base;

  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    getOperation()->walk(
        [&](linalg::GenericOp op) { (void)schedule(rewriter, op); });
  }
};
} // namespace
