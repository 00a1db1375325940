//===- WidenSums.cpp - Sums of 16-bit numbers in f32 ----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A sum that is rounded to f16 or bf16 at each step stops growing after a few
// hundred elements. Here it is kept in f32, with everything else that its body
// computes, and rounded once. Elementwise operations that follow and are all
// that reads it (a bias, an activation, a residual) are computed before that
// rounding. All kernels are made from what this pass leaves, so they agree.
//
// What is not obvious:
// - Operands stay as they are stored and are extended where they are read, so
//   that a weight is still one of 16 bits.
// - Maxima and minima are exact in any type and stay.
//
//===----------------------------------------------------------------------===//

#include "CastElements.h"
#include "prune/Analysis/Fills.h"

#include "prune/Lowering/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace mlir::prune {
#define GEN_PASS_DEF_WIDENSUMSPASS
#include "prune/Lowering/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;
using namespace mlir::prune;

static bool isNarrow(Type type) { return type.isF16() || type.isBF16(); }

static bool isNarrowTensor(Value value) {
  return isa<RankedTensorType>(value.getType()) &&
         isNarrow(getElementTypeOrSelf(value.getType()));
}

static Value widenTensor(RewriterBase &b, Location loc, Value tensor) {
  return castElements(b, loc, tensor, b.getF32Type());
}

//===----------------------------------------------------------------------===//
// Bodies
//===----------------------------------------------------------------------===//

namespace {
/// Copies a body whose numbers of 16 bits become f32. Each value has a copy in
/// its own type, one in f32, or both.
class WideBody {
public:
  WideBody(OpBuilder &b, Location loc) : b(b), loc(loc) {}

  void map(Value old, Value copy) {
    if (isNarrow(old.getType()) && !isNarrow(copy.getType()))
      wide[old] = copy;
    else
      plain.map(old, copy);
  }
  void copy(Operation &op);
  Value getWide(Value old);
  Value getPlain(Value old);
  /// What is stored in a result: a rounding at the end of a step is left out.
  Value getStored(Value old) {
    auto truncation = old.getDefiningOp<arith::TruncFOp>();
    if (truncation && truncation.getIn().getType().isF32())
      return getPlain(truncation.getIn());
    return getWide(old);
  }

private:
  OpBuilder &b;
  Location loc;
  IRMapping plain;
  llvm::SmallDenseMap<Value, Value, 8> wide;
};
} // namespace

Value WideBody::getWide(Value old) {
  if (!isNarrow(old.getType()))
    return getPlain(old);
  Value &copy = wide[old];
  if (copy)
    return copy;
  FloatAttr number;
  if (matchPattern(old, m_Constant(&number)))
    return copy = arith::ConstantOp::create(
               b, loc, b.getF32FloatAttr(float(number.getValueAsDouble())));
  return copy = arith::ExtFOp::create(b, loc, b.getF32Type(),
                                      plain.lookupOrDefault(old));
}

Value WideBody::getPlain(Value old) {
  if (!plain.contains(old))
    if (Value copy = wide.lookup(old))
      plain.map(
          old,
          arith::TruncFOp::create(b, loc, old.getType(), copy).getResult());
  return plain.lookupOrDefault(old);
}

/// Whether an operation means the same on f32, but for its rounding.
static bool isArithmetic(Operation &op) {
  return OpTrait::hasElementwiseMappableTraits(&op) &&
         isa<arith::ArithDialect, math::MathDialect>(op.getDialect()) &&
         !isa<arith::BitcastOp, arith::TruncFOp, arith::ExtFOp>(op);
}

void WideBody::copy(Operation &op) {
  if (auto extension = dyn_cast<arith::ExtFOp>(op);
      extension && isNarrow(extension.getIn().getType())) {
    Value number = getWide(extension.getIn());
    if (!extension.getType().isF32())
      number = arith::ExtFOp::create(b, loc, extension.getType(), number);
    return plain.map(extension.getResult(), number);
  }
  bool isWidened =
      isArithmetic(op) && (llvm::any_of(op.getOperandTypes(), isNarrow) ||
                           llvm::any_of(op.getResultTypes(), isNarrow));
  if (!isWidened) {
    // Regions may read what is around them.
    op.walk([&](Operation *inner) {
      for (Value operand : inner->getOperands())
        (void)getPlain(operand);
    });
    b.clone(op, plain);
    return;
  }
  OperationState state(loc, op.getName());
  state.addAttributes(op.getAttrs());
  for (Value operand : op.getOperands())
    state.addOperands(getWide(operand));
  for (Type type : op.getResultTypes())
    state.addTypes(isNarrow(type) ? b.getF32Type() : type);
  Operation *copy = b.create(state);
  for (auto [old, result] :
       llvm::zip_equal(op.getResults(), copy->getResults()))
    map(old, result);
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

/// The tensor that a sum starts from, in f32: zeros and biases are made so.
static Value widenInit(RewriterBase &b, Value init) {
  Operation *source = init.getDefiningOp();
  Location loc = init.getLoc();
  Value scalar = getFilledScalar(source), wide;
  if (auto number = dyn_cast_or_null<FloatAttr>(getSplat(init)))
    wide = arith::ConstantOp::create(
        b, loc, b.getF32FloatAttr(float(number.getValueAsDouble())));
  else if (scalar)
    wide = arith::ExtFOp::create(b, loc, b.getF32Type(), scalar);
  if (wide) {
    Value empty = tensor::EmptyOp::create(
        b, loc, tensor::getMixedSizes(b, loc, init), b.getF32Type());
    return linalg::FillOp::create(b, loc, wide, empty).getResult(0);
  }
  auto broadcast = dyn_cast_or_null<linalg::GenericOp>(source);
  if (!broadcast || broadcast.getNumDpsInputs() != 1 ||
      broadcast.getNumResults() != 1 || broadcast.getNumReductionLoops() != 0 ||
      broadcast.getBody()->getTerminator()->getOperand(0) !=
          broadcast.getBody()->getArgument(0))
    return widenTensor(b, loc, init);
  Value vector = widenTensor(b, loc, broadcast.getInputs()[0]);
  Value empty = tensor::EmptyOp::create(
      b, loc, tensor::getMixedSizes(b, loc, init), b.getF32Type());
  return linalg::GenericOp::create(
             b, loc, empty.getType(), vector, empty,
             broadcast.getIndexingMapsArray(),
             broadcast.getIteratorTypesArray(),
             [](OpBuilder &nested, Location loc, ValueRange args) {
               linalg::YieldOp::create(nested, loc, args[0]);
             })
      .getResult(0);
}

/// The operation with `inputs` and the results in `widened` in f32.
static linalg::GenericOp widen(RewriterBase &b, linalg::GenericOp op,
                               ArrayRef<Value> inputs, ArrayRef<Value> inits,
                               ArrayRef<unsigned> widened) {
  Block *old = op.getBody();
  auto copyBody = [&](OpBuilder &nested, Location loc, ValueRange args) {
    WideBody body(nested, loc);
    for (auto [argument, copy] : llvm::zip_equal(old->getArguments(), args))
      body.map(argument, copy);
    for (Operation &inner : old->without_terminator())
      body.copy(inner);
    SmallVector<Value> yielded;
    for (auto [at, value] :
         llvm::enumerate(old->getTerminator()->getOperands()))
      yielded.push_back(llvm::is_contained(widened, at) ? body.getStored(value)
                                                        : body.getPlain(value));
    linalg::YieldOp::create(nested, loc, yielded);
    // Roundings that were left out, and what only they read.
    for (Operation &inner :
         llvm::make_early_inc_range(llvm::reverse(*nested.getBlock())))
      if (isOpTriviallyDead(&inner))
        inner.erase();
  };
  auto copy = linalg::GenericOp::create(
      b, op.getLoc(), TypeRange(ValueRange(inits)), inputs, inits,
      op.getIndexingMapsArray(), op.getIteratorTypesArray(), copyBody);
  copy->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  return copy;
}

/// Whether result `at` of a reduction is rounded at each step.
static bool isNarrowSum(linalg::GenericOp op, unsigned at) {
  if (!isNarrowTensor(op.getDpsInits()[at]) ||
      op.getMatchingBlockArgument(op.getDpsInitOperand(at)).use_empty())
    return false;
  Operation *last =
      op.getBody()->getTerminator()->getOperand(at).getDefiningOp();
  return last && !isa<arith::MaximumFOp, arith::MinimumFOp, arith::MaxNumFOp,
                      arith::MinNumFOp, arith::SelectOp>(last);
}

/// The elementwise operation that alone reads `narrow`, element by element.
static linalg::GenericOp getFollower(Value narrow) {
  if (narrow.use_empty() || !llvm::all_equal(narrow.getUsers()))
    return {};
  auto next = dyn_cast<linalg::GenericOp>(*narrow.user_begin());
  if (!next || next->getBlock() != narrow.getParentBlock() ||
      !next.hasPureTensorSemantics() || next.getNumReductionLoops() != 0 ||
      next.getNumResults() != 1 || !isNarrowTensor(next.getResult(0)) ||
      !next.getBody()->getArguments().back().use_empty() ||
      !next.getIndexingMapsArray().back().isIdentity())
    return {};
  for (OpOperand &operand : narrow.getUses())
    if (next.isDpsInit(&operand) ||
        !next.getMatchingIndexingMap(&operand).isIdentity())
      return {};
  return next;
}

/// The reshape that alone reads `value`.
static Operation *getReshape(Value value) {
  if (!value.hasOneUse())
    return nullptr;
  Operation *user = *value.user_begin();
  bool reshapes = isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(user);
  return reshapes && user->getBlock() == value.getParentBlock() ? user
                                                                : nullptr;
}

/// A reshape or an elementwise operation on `wide` instead of `narrow`.
static Value widenFollower(RewriterBase &b, Operation *op, Value wide,
                           Value narrow) {
  if (auto next = dyn_cast<linalg::GenericOp>(op)) {
    SmallVector<Value> inputs(next.getInputs());
    llvm::replace(inputs, narrow, wide);
    Value empty = tensor::EmptyOp::create(
        b, op->getLoc(),
        tensor::getMixedSizes(b, op->getLoc(), next.getDpsInits()[0]),
        b.getF32Type());
    return widen(b, next, inputs, empty, 0).getResult(0);
  }
  IRMapping mapping;
  mapping.map(narrow, wide);
  Operation *copy = b.clone(*op, mapping);
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  copy->getResult(0).setType(type.clone(b.getF32Type()));
  return copy->getResult(0);
}

/// Computes what follows a sum before it is rounded. `wide` is the sum in f32,
/// and `narrow` what is rounded of it.
static void widenFollowers(RewriterBase &b, Value wide, Value narrow) {
  while (true) {
    Operation *next = getReshape(narrow);
    if (!next)
      next = getFollower(narrow);
    if (!next)
      return;
    b.setInsertionPoint(next);
    wide = widenFollower(b, next, wide, narrow);
    Operation *rounding = narrow.getDefiningOp();
    narrow = castElements(b, next->getLoc(), wide,
                          getElementTypeOrSelf(next->getResult(0).getType()));
    b.replaceOp(next, narrow);
    b.eraseOp(rounding);
  }
}

static void widenSums(RewriterBase &b, linalg::GenericOp op) {
  if (!op.hasPureTensorSemantics() || op.getNumReductionLoops() == 0)
    return;
  SmallVector<unsigned> sums;
  for (unsigned at = 0, e = op.getNumResults(); at != e; ++at)
    if (isNarrowSum(op, at))
      sums.push_back(at);
  if (sums.empty())
    return;
  b.setInsertionPoint(op);
  SmallVector<Value> inits(op.getDpsInits());
  for (unsigned at : sums)
    inits[at] = widenInit(b, inits[at]);
  SmallVector<Value> inputs(op.getInputs());
  linalg::GenericOp copy = widen(b, op, inputs, inits, sums);
  SmallVector<Value> results(copy.getResults());
  for (unsigned at : sums)
    results[at] =
        castElements(b, op.getLoc(), results[at],
                     getElementTypeOrSelf(op.getResult(at).getType()));
  b.replaceOp(op, results);
  for (unsigned at : sums)
    widenFollowers(b, copy.getResult(at), results[at]);
}

namespace {
struct WidenSums : prune::impl::WidenSumsPassBase<WidenSums> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<linalg::GenericOp> ops;
    getOperation()->walk([&](linalg::GenericOp op) {
      if (op.getNumReductionLoops() != 0)
        ops.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (linalg::GenericOp op : ops)
      widenSums(rewriter, op);
  }
};
} // namespace
