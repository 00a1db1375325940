//===- Scalar.cpp - Arithmetic on single elements -------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Chooses the arith or math operation for an element type. What C leaves
// undefined and a processor traps on (integer division by zero, shifts by the
// width) is kept from happening, because the operands are the user's data.
//
//===----------------------------------------------------------------------===//

#include "Scalar.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;

int64_t mlir::prune::onnx_import::toInteger(double value) {
  APSInt result(64, /*isUnsigned=*/false);
  bool isExact;
  APFloat(value).convertToInteger(result, APFloat::rmTowardZero, &isExact);
  return result.getExtValue();
}

static bool isFloat(Value x) { return isa<FloatType>(x.getType()); }

Value Scalar::constant(Type type, double value) {
  if (auto floating = dyn_cast<FloatType>(type))
    return arith::ConstantOp::create(b, loc, b.getFloatAttr(floating, value));
  return integer(type, toInteger(value));
}

Value Scalar::integer(Type type, int64_t value) {
  return arith::ConstantOp::create(
      b, loc,
      type.isIndex()
          ? b.getIndexAttr(value)
          : b.getIntegerAttr(type, APInt(type.getIntOrFloatBitWidth(), value,
                                         /*isSigned=*/true,
                                         /*implicitTrunc=*/true)));
}

Value Scalar::index(int64_t value) { return integer(b.getIndexType(), value); }

Value Scalar::extreme(Type type, bool greatest) {
  if (auto floating = dyn_cast<FloatType>(type))
    return arith::ConstantOp::create(
        b, loc,
        b.getFloatAttr(floating, APFloat::getInf(floating.getFloatSemantics(),
                                                 /*Negative=*/!greatest)));
  unsigned bits = type.getIntOrFloatBitWidth();
  bool plain = isUnsigned || bits == 1;
  APInt value =
      greatest
          ? (plain ? APInt::getMaxValue(bits) : APInt::getSignedMaxValue(bits))
          : (plain ? APInt::getMinValue(bits) : APInt::getSignedMinValue(bits));
  return arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, value));
}

Value Scalar::add(Value x, Value y) {
  if (isFloat(x))
    return arith::AddFOp::create(b, loc, x, y);
  return arith::AddIOp::create(b, loc, x, y);
}

Value Scalar::sub(Value x, Value y) {
  if (isFloat(x))
    return arith::SubFOp::create(b, loc, x, y);
  return arith::SubIOp::create(b, loc, x, y);
}

Value Scalar::mul(Value x, Value y) {
  if (isFloat(x))
    return arith::MulFOp::create(b, loc, x, y);
  return arith::MulIOp::create(b, loc, x, y);
}

/// Replaces the divisors that trap by one: zero, and minus one, for which the
/// least number has no quotient.
static Value safeDivisor(Scalar &s, Value x, Value y) {
  if (auto constant = y.getDefiningOp<arith::ConstantOp>())
    if (auto value = dyn_cast<IntegerAttr>(constant.getValue()))
      if (!value.getValue().isZero() && !value.getValue().isAllOnes())
        return y;
  Type type = y.getType();
  Value one = s.integer(type, 1);
  Value traps = s.compare(Order::EQ, y, s.integer(type, 0));
  if (!s.isUnsigned) {
    Value overflow =
        s.bitAnd(s.compare(Order::EQ, y, s.integer(type, -1)),
                 s.compare(Order::EQ, x, s.extreme(type, /*greatest=*/false)));
    traps = s.bitOr(traps, overflow);
  }
  return s.select(traps, one, y);
}

Value Scalar::div(Value x, Value y) {
  if (isFloat(x))
    return arith::DivFOp::create(b, loc, x, y);
  if (!x.getType().isIndex())
    y = safeDivisor(*this, x, y);
  if (isUnsigned)
    return arith::DivUIOp::create(b, loc, x, y);
  return arith::DivSIOp::create(b, loc, x, y);
}

Value Scalar::rem(Value x, Value y) {
  if (isFloat(x))
    return arith::RemFOp::create(b, loc, x, y);
  if (!x.getType().isIndex())
    y = safeDivisor(*this, x, y);
  if (isUnsigned)
    return arith::RemUIOp::create(b, loc, x, y);
  return arith::RemSIOp::create(b, loc, x, y);
}

Value Scalar::min(Value x, Value y) {
  if (isFloat(x))
    return arith::MinimumFOp::create(b, loc, x, y);
  if (isUnsigned || x.getType().isInteger(1))
    return arith::MinUIOp::create(b, loc, x, y);
  return arith::MinSIOp::create(b, loc, x, y);
}

Value Scalar::max(Value x, Value y) {
  if (isFloat(x))
    return arith::MaximumFOp::create(b, loc, x, y);
  if (isUnsigned || x.getType().isInteger(1))
    return arith::MaxUIOp::create(b, loc, x, y);
  return arith::MaxSIOp::create(b, loc, x, y);
}

Value Scalar::neg(Value x) {
  if (isFloat(x))
    return arith::NegFOp::create(b, loc, x);
  return sub(integer(x.getType(), 0), x);
}

Value Scalar::abs(Value x) {
  if (isFloat(x))
    return math::AbsFOp::create(b, loc, x);
  if (isUnsigned)
    return x;
  return math::AbsIOp::create(b, loc, x);
}

Value Scalar::pow(Value x, Value y) {
  if (isFloat(x))
    return math::PowFOp::create(b, loc, x, y);
  return math::IPowIOp::create(b, loc, x, y);
}

Value Scalar::compare(Order order, Value x, Value y) {
  using F = arith::CmpFPredicate;
  using I = arith::CmpIPredicate;
  // NaN is unequal to everything, and in no order.
  static const F floats[] = {F::OEQ, F::UNE, F::OLT, F::OLE, F::OGT, F::OGE};
  static const I integers[] = {I::eq, I::ne, I::slt, I::sle, I::sgt, I::sge};
  static const I naturals[] = {I::eq, I::ne, I::ult, I::ule, I::ugt, I::uge};
  unsigned at = static_cast<unsigned>(order);
  if (isFloat(x))
    return arith::CmpFOp::create(b, loc, floats[at], x, y);
  bool natural = isUnsigned || x.getType().isInteger(1);
  return arith::CmpIOp::create(b, loc, natural ? naturals[at] : integers[at], x,
                               y);
}

Value Scalar::select(Value condition, Value x, Value y) {
  return arith::SelectOp::create(b, loc, condition, x, y);
}

Value Scalar::bitAnd(Value x, Value y) {
  return arith::AndIOp::create(b, loc, x, y);
}

Value Scalar::bitOr(Value x, Value y) {
  return arith::OrIOp::create(b, loc, x, y);
}

Value Scalar::bitXor(Value x, Value y) {
  return arith::XOrIOp::create(b, loc, x, y);
}

Value Scalar::shift(bool left, Value x, Value amount) {
  Type type = x.getType();
  Value zero = integer(type, 0);
  Value inside =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, amount,
                            integer(type, type.getIntOrFloatBitWidth()));
  amount = select(inside, amount, zero);
  Value shifted;
  if (left)
    shifted = arith::ShLIOp::create(b, loc, x, amount);
  else
    shifted = arith::ShRUIOp::create(b, loc, x, amount);
  return select(inside, shifted, zero);
}

Value Scalar::clamp(Value x, double low, double high) {
  return min(max(x, constant(x.getType(), low)), constant(x.getType(), high));
}

Value Scalar::cast(Value x, Type to, bool fromUnsigned) {
  Type from = x.getType();
  if (from == to)
    return x;
  if (to.isInteger(1))
    return compare(Order::NE, x, constant(from, 0));
  bool natural = fromUnsigned || from.isInteger(1);
  if (isa<FloatType>(from) && isa<FloatType>(to)) {
    unsigned was = from.getIntOrFloatBitWidth();
    unsigned is = to.getIntOrFloatBitWidth();
    if (was < is)
      return arith::ExtFOp::create(b, loc, to, x);
    if (was > is)
      return arith::TruncFOp::create(b, loc, to, x);
    // f16 and bf16: through f32, which holds both.
    return cast(cast(x, b.getF32Type(), false), to, false);
  }
  if (isa<FloatType>(to)) {
    if (natural)
      return arith::UIToFPOp::create(b, loc, to, x);
    return arith::SIToFPOp::create(b, loc, to, x);
  }
  if (isa<FloatType>(from)) {
    if (isUnsigned)
      return arith::FPToUIOp::create(b, loc, to, x);
    return arith::FPToSIOp::create(b, loc, to, x);
  }
  if (from.getIntOrFloatBitWidth() > to.getIntOrFloatBitWidth())
    return arith::TruncIOp::create(b, loc, to, x);
  if (from.getIntOrFloatBitWidth() == to.getIntOrFloatBitWidth())
    return x;
  if (natural)
    return arith::ExtUIOp::create(b, loc, to, x);
  return arith::ExtSIOp::create(b, loc, to, x);
}

Value Scalar::saturate(Value x, Type to, bool toUnsigned) {
  unsigned bits = to.getIntOrFloatBitWidth();
  APInt low =
      toUnsigned ? APInt::getMinValue(bits) : APInt::getSignedMinValue(bits);
  APInt high =
      toUnsigned ? APInt::getMaxValue(bits) : APInt::getSignedMaxValue(bits);
  x = clamp(x, low.signedRoundToDouble(), high.roundToDouble(!toUnsigned));
  Scalar target(b, loc, toUnsigned);
  return target.cast(x, to, isUnsigned);
}

Value Scalar::unary(StringRef name, Value x) {
#define MATH(NAME, OP)                                                         \
  if (name == NAME)                                                            \
    return math::OP::create(b, loc, x);
  MATH("Exp", ExpOp)
  MATH("Log", LogOp)
  MATH("Sqrt", SqrtOp)
  MATH("Rsqrt", RsqrtOp)
  MATH("Tanh", TanhOp)
  MATH("Erf", ErfOp)
  MATH("Sin", SinOp)
  MATH("Cos", CosOp)
  MATH("Tan", TanOp)
  MATH("Sinh", SinhOp)
  MATH("Cosh", CoshOp)
  MATH("Asin", AsinOp)
  MATH("Acos", AcosOp)
  MATH("Atan", AtanOp)
  MATH("Asinh", AsinhOp)
  MATH("Acosh", AcoshOp)
  MATH("Atanh", AtanhOp)
  MATH("Ceil", CeilOp)
  MATH("Floor", FloorOp)
  MATH("Round", RoundEvenOp)
  MATH("Log1p", Log1pOp)
  MATH("Expm1", ExpM1Op)
#undef MATH
  return nullptr;
}

Value Scalar::extract(Value tensor, ValueRange indices) {
  return tensor::ExtractOp::create(b, loc, tensor, indices);
}

Value Scalar::toIndex(Value x) {
  if (isUnsigned)
    return arith::IndexCastUIOp::create(b, loc, b.getIndexType(), x);
  return arith::IndexCastOp::create(b, loc, b.getIndexType(), x);
}

Value Scalar::fromIndex(Value x, Type to) {
  if (isa<FloatType>(to)) {
    Value wide = arith::IndexCastOp::create(b, loc, b.getI64Type(), x);
    return cast(wide, to, false);
  }
  return arith::IndexCastOp::create(b, loc, to, x);
}
