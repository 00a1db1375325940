//===- ExpandNarrowFloats.cpp - Conversions as integer arithmetic ---------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the processor cannot convert, LLVM converts by calls of the compiler's
// own library, which a program that we compiled need not have. Bits are moved
// here instead, for scalars and vectors alike. Every conversion rounds to
// nearest, ties to even, once.
//
// What is not obvious:
// - A number of f64 goes through f32 on its way to 16 bits. That step rounds to
//   odd: what is lost sticks to the last bit, so that the second rounding sees
//   on which side of a tie the number was.
// - The unit in the last place of 0.5 in f32 is that of f16's denormal numbers,
//   so adding 0.5 rounds to them.
//
//===----------------------------------------------------------------------===//

#include "prune/Lowering/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Builders.h"

namespace mlir::prune {
#define GEN_PASS_DEF_EXPANDNARROWFLOATSPASS
#include "prune/Lowering/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;

namespace {
/// Arithmetic on the bits of numbers, which are scalars or vectors like `like`.
class Bits {
public:
  Bits(OpBuilder &b, Location loc, Type like) : b(b), loc(loc), like(like) {}

  Type typeOf(Type element) const {
    if (auto shaped = dyn_cast<ShapedType>(like))
      return shaped.clone(element);
    return element;
  }
  Type integer(unsigned width) const { return typeOf(b.getIntegerType(width)); }
  Value constant(unsigned width, int64_t value) {
    TypedAttr attribute = b.getIntegerAttr(b.getIntegerType(width), value);
    if (auto shaped = dyn_cast<ShapedType>(integer(width)))
      attribute = DenseElementsAttr::get(shaped, Attribute(attribute));
    return arith::ConstantOp::create(b, loc, attribute);
  }
  Value constant(Value like, int64_t value) {
    return constant(
        getElementTypeOrSelf(like.getType()).getIntOrFloatBitWidth(), value);
  }
  Value cast(Value value, Type element) {
    return arith::BitcastOp::create(b, loc, typeOf(element), value);
  }
  Value widen(Value value, unsigned width) {
    return arith::ExtUIOp::create(b, loc, integer(width), value);
  }
  Value narrow(Value value, unsigned width) {
    return arith::TruncIOp::create(b, loc, integer(width), value);
  }
  Value bitAnd(Value x, int64_t y) {
    return arith::AndIOp::create(b, loc, x, constant(x, y));
  }
  Value bitOr(Value x, int64_t y) {
    return arith::OrIOp::create(b, loc, x, constant(x, y));
  }
  Value bitOr(Value x, Value y) { return arith::OrIOp::create(b, loc, x, y); }
  Value add(Value x, int64_t y) {
    return arith::AddIOp::create(b, loc, x, constant(x, y));
  }
  Value add(Value x, Value y) { return arith::AddIOp::create(b, loc, x, y); }
  Value left(Value x, int64_t by) {
    return arith::ShLIOp::create(b, loc, x, constant(x, by));
  }
  Value right(Value x, int64_t by) {
    return arith::ShRUIOp::create(b, loc, x, constant(x, by));
  }
  Value isAbove(Value x, int64_t y) {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ugt, x,
                                 constant(x, y));
  }
  Value select(Value condition, Value x, Value y) {
    return arith::SelectOp::create(b, loc, condition, x, y);
  }
  /// Shifts `bits` off the right end and rounds what is left, ties to even.
  Value roundOff(Value x, int64_t bits) {
    Value odd = bitAnd(right(x, bits), 1);
    return right(add(add(x, (int64_t(1) << (bits - 1)) - 1), odd), bits);
  }

  OpBuilder &b;
  Location loc;

private:
  Type like;
};
} // namespace

static constexpr int64_t kInfinity = 0x7f800000, kMagnitude = 0x7fffffff;

static Value fromBFloat(Bits &bits, Value x) {
  Value wide = bits.widen(bits.cast(x, bits.b.getI16Type()), 32);
  return bits.cast(bits.left(wide, 16), bits.b.getF32Type());
}

static Value toBFloat(Bits &bits, Value x) {
  Value all = bits.cast(x, bits.b.getI32Type());
  Value isNaN = bits.isAbove(bits.bitAnd(all, kMagnitude), kInfinity);
  // Rounding could carry a NaN to infinity; it is made quiet instead.
  Value quiet = bits.right(bits.bitOr(all, 1 << 22), 16);
  Value result = bits.select(isNaN, quiet, bits.roundOff(all, 16));
  return bits.cast(bits.narrow(result, 16), bits.b.getBF16Type());
}

static Value fromHalf(Bits &bits, Value x) {
  Value all = bits.widen(bits.cast(x, bits.b.getI16Type()), 32);
  Value magnitude = bits.bitAnd(all, 0x7fff);
  // Exponents are biased by 15 in f16 and by 127 in f32; those of infinity and
  // NaN are the greatest of both.
  constexpr int64_t kBias = int64_t(127 - 15) << 23;
  Value normal = bits.add(bits.left(magnitude, 13), kBias);
  Value isSpecial = bits.isAbove(magnitude, 0x7bff);
  Value isNaN = bits.isAbove(magnitude, 0x7c00);
  Value special = bits.add(normal, kBias);
  special = bits.select(isNaN, bits.bitOr(special, 1 << 22), special);
  // Denormal numbers are multiples of 2^-24.
  Value count = arith::SIToFPOp::create(
      bits.b, bits.loc, bits.typeOf(bits.b.getF32Type()), magnitude);
  Value unit = bits.cast(bits.constant(32, int64_t(127 - 24) << 23),
                         bits.b.getF32Type());
  Value denormal = bits.cast(
      arith::MulFOp::create(bits.b, bits.loc, count, unit).getResult(),
      bits.b.getI32Type());
  Value result = bits.select(isSpecial, special, normal);
  result = bits.select(bits.isAbove(magnitude, 0x3ff), result, denormal);
  Value sign = bits.left(bits.bitAnd(all, 0x8000), 16);
  return bits.cast(bits.bitOr(result, sign), bits.b.getF32Type());
}

static Value toHalf(Bits &bits, Value x) {
  Value all = bits.cast(x, bits.b.getI32Type());
  Value magnitude = bits.bitAnd(all, kMagnitude);
  constexpr int64_t kBias = int64_t(127 - 15) << 23;
  // From 2^16 on everything is infinite.
  Value capped = arith::MinUIOp::create(bits.b, bits.loc, magnitude,
                                        bits.constant(32, int64_t(143) << 23));
  Value normal = bits.roundOff(bits.add(capped, -kBias), 13);
  Value half = bits.constant(32, 0x3f000000);
  Value sum = arith::AddFOp::create(bits.b, bits.loc,
                                    bits.cast(magnitude, bits.b.getF32Type()),
                                    bits.cast(half, bits.b.getF32Type()));
  Value denormal = bits.add(bits.cast(sum, bits.b.getI32Type()), -0x3f000000);
  Value isNormal = bits.isAbove(magnitude, (int64_t(127 - 14) << 23) - 1);
  Value result = bits.select(isNormal, normal, denormal);
  Value quiet =
      bits.bitOr(bits.bitAnd(bits.right(magnitude, 13), 0x3ff), 0x7e00);
  result = bits.select(bits.isAbove(magnitude, kInfinity), quiet, result);
  Value sign = bits.bitAnd(bits.right(all, 16), 0x8000);
  return bits.cast(bits.narrow(bits.bitOr(result, sign), 16),
                   bits.b.getF16Type());
}

/// f64 to f32, where an inexact result has its last bit set.
static Value toOdd(Bits &bits, Value x) {
  OpBuilder &b = bits.b;
  Location loc = bits.loc;
  Value nearest =
      arith::TruncFOp::create(b, loc, bits.typeOf(b.getF32Type()), x);
  Value back = arith::ExtFOp::create(b, loc, x.getType(), nearest);
  auto magnitude = [&](Value of) {
    return bits.bitAnd(bits.cast(of, b.getI64Type()),
                       std::numeric_limits<int64_t>::max());
  };
  Value isAbove = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ugt,
                                        magnitude(back), magnitude(x));
  Value isInexact =
      arith::CmpFOp::create(b, loc, arith::CmpFPredicate::ONE, back, x);
  Value all = bits.cast(nearest, b.getI32Type());
  Value towardZero = bits.select(isAbove, bits.add(all, -1), all);
  Value result = bits.select(isInexact, bits.bitOr(towardZero, 1), all);
  return bits.cast(result, b.getF32Type());
}

static void expandExt(arith::ExtFOp op, bool nativeHalf) {
  Type from = getElementTypeOrSelf(op.getIn().getType());
  Type to = getElementTypeOrSelf(op.getType());
  if (!from.isBF16() && (!from.isF16() || nativeHalf))
    return;
  OpBuilder b(op);
  Bits bits(b, op.getLoc(), op.getType());
  Value wide =
      from.isBF16() ? fromBFloat(bits, op.getIn()) : fromHalf(bits, op.getIn());
  if (!to.isF32())
    wide = arith::ExtFOp::create(b, op.getLoc(), op.getType(), wide);
  op.replaceAllUsesWith(wide);
  op.erase();
}

static void expandTrunc(arith::TruncFOp op, bool nativeHalf) {
  Type from = getElementTypeOrSelf(op.getIn().getType());
  Type to = getElementTypeOrSelf(op.getType());
  bool isDirect = to.isF16() && from.isF32() && nativeHalf;
  if ((!to.isF16() && !to.isBF16()) || isDirect ||
      (!from.isF32() && !from.isF64()))
    return;
  OpBuilder b(op);
  Bits bits(b, op.getLoc(), op.getType());
  Value single = from.isF64() ? toOdd(bits, op.getIn()) : op.getIn();
  Value result;
  if (to.isBF16())
    result = toBFloat(bits, single);
  else if (!nativeHalf)
    result = toHalf(bits, single);
  else
    result = arith::TruncFOp::create(b, op.getLoc(), op.getType(), single);
  op.replaceAllUsesWith(result);
  op.erase();
}

namespace {
struct ExpandNarrowFloats
    : prune::impl::ExpandNarrowFloatsPassBase<ExpandNarrowFloats> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<arith::ExtFOp> extensions;
    SmallVector<arith::TruncFOp> truncations;
    getOperation()->walk([&](Operation *op) {
      if (auto extension = dyn_cast<arith::ExtFOp>(op))
        extensions.push_back(extension);
      else if (auto truncation = dyn_cast<arith::TruncFOp>(op))
        truncations.push_back(truncation);
    });
    for (arith::ExtFOp op : extensions)
      expandExt(op, nativeHalf);
    for (arith::TruncFOp op : truncations)
      expandTrunc(op, nativeHalf);
  }
};
} // namespace
