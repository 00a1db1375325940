//===- Lanes.cpp - Scalar operations on many numbers at once --------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One kernel for each operation, found by the operation's name. Functions of
// math come from the C library, which is what generated code calls. What the
// operations leave undefined, such as a conversion that does not fit, is not
// computed at all: generated code may give anything.
//
//===----------------------------------------------------------------------===//

#include "Lanes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/StringSwitch.h"

#include <cmath>

using namespace mlir;
using namespace mlir::prune;

using Kernel = decltype(LaneStep::kernel);

//===----------------------------------------------------------------------===//
// Floats
//===----------------------------------------------------------------------===//

template <typename F, typename T>
static bool unaryLanes(const LaneStep &step, int64_t count) {
  const T *x = step.operands[0]->as<T>();
  T *result = step.result->as<T>();
  for (int64_t at = 0; at != count; ++at)
    result[at] = F()(x[at]);
  return true;
}

template <typename F, typename T>
static bool binaryLanes(const LaneStep &step, int64_t count) {
  const T *x = step.operands[0]->as<T>(), *y = step.operands[1]->as<T>();
  T *result = step.result->as<T>();
  for (int64_t at = 0; at != count; ++at)
    result[at] = F()(x[at], y[at]);
  return true;
}

#define UNARY(NAME, EXPRESSION)                                                \
  struct NAME {                                                                \
    template <typename T> T operator()(T x) const { return EXPRESSION; }       \
  };
#define BINARY(NAME, EXPRESSION)                                               \
  struct NAME {                                                                \
    template <typename T> T operator()(T x, T y) const { return EXPRESSION; }  \
  };

/// NaN if one is; a positive zero is greater than a negative one.
template <typename T> static T greater(T x, T y) {
  if (std::isnan(x) || std::isnan(y))
    return x + y;
  if (x == y)
    return std::signbit(x) ? y : x;
  return x > y ? x : y;
}

/// LLVM replaces these exponents.
template <typename T> static T power(T x, T y) {
  if (y == T(2))
    return x * x;
  if (y == T(-1))
    return T(1) / x;
  return std::pow(x, y);
}

namespace {
UNARY(Negate, -x)
UNARY(Absolute, std::abs(x))
UNARY(SquareRoot, std::sqrt(x))
UNARY(InverseRoot, T(1) / std::sqrt(x))
UNARY(Exp, std::exp(x))
UNARY(Exp2, std::exp2(x))
UNARY(ExpM1, std::expm1(x))
UNARY(Log, std::log(x))
UNARY(Log2, std::log2(x))
UNARY(Log1p, std::log1p(x))
UNARY(Tanh, std::tanh(x))
UNARY(Erf, std::erf(x))
UNARY(Sin, std::sin(x))
UNARY(Cos, std::cos(x))
UNARY(Tan, std::tan(x))
UNARY(Sinh, std::sinh(x))
UNARY(Cosh, std::cosh(x))
UNARY(Asin, std::asin(x))
UNARY(Acos, std::acos(x))
UNARY(Atan, std::atan(x))
UNARY(Asinh, std::asinh(x))
UNARY(Acosh, std::acosh(x))
UNARY(Atanh, std::atanh(x))
UNARY(Ceil, std::ceil(x))
UNARY(Floor, std::floor(x))
UNARY(Round, std::round(x))
UNARY(RoundEven, std::nearbyint(x))
UNARY(Truncate, std::trunc(x))
BINARY(Add, x + y)
BINARY(Subtract, x - y)
BINARY(Multiply, x *y)
BINARY(Divide, x / y)
BINARY(Remainder, std::fmod(x, y))
BINARY(Maximum, greater(x, y))
BINARY(Minimum, -greater(-x, -y))
BINARY(MaxNumber, std::isnan(x) || x < y ? y : x)
BINARY(MinNumber, std::isnan(x) || x > y ? y : x)
BINARY(Power, power(x, y))
BINARY(CopySign, std::copysign(x, y))
} // namespace
#undef UNARY
#undef BINARY

template <typename F> static Kernel unary(LaneType type) {
  return type.kind == LaneType::F64 ? Kernel(unaryLanes<F, double>)
                                    : Kernel(unaryLanes<F, float>);
}

template <typename F> static Kernel binary(LaneType type) {
  return type.kind == LaneType::F64 ? Kernel(binaryLanes<F, double>)
                                    : Kernel(binaryLanes<F, float>);
}

static Kernel findFloatKernel(StringRef name, LaneType type) {
  return llvm::StringSwitch<Kernel>(name)
      .Case("arith.addf", binary<Add>(type))
      .Case("arith.subf", binary<Subtract>(type))
      .Case("arith.mulf", binary<Multiply>(type))
      .Case("arith.divf", binary<Divide>(type))
      .Case("arith.remf", binary<Remainder>(type))
      .Case("arith.maximumf", binary<Maximum>(type))
      .Case("arith.minimumf", binary<Minimum>(type))
      .Case("arith.maxnumf", binary<MaxNumber>(type))
      .Case("arith.minnumf", binary<MinNumber>(type))
      .Case("math.powf", binary<Power>(type))
      .Case("math.copysign", binary<CopySign>(type))
      .Case("arith.negf", unary<Negate>(type))
      .Case("math.absf", unary<Absolute>(type))
      .Case("math.sqrt", unary<SquareRoot>(type))
      .Case("math.rsqrt", unary<InverseRoot>(type))
      .Case("math.exp", unary<Exp>(type))
      .Case("math.exp2", unary<Exp2>(type))
      .Case("math.expm1", unary<ExpM1>(type))
      .Case("math.log", unary<Log>(type))
      .Case("math.log2", unary<Log2>(type))
      .Case("math.log1p", unary<Log1p>(type))
      .Case("math.tanh", unary<Tanh>(type))
      .Case("math.erf", unary<Erf>(type))
      .Case("math.sin", unary<Sin>(type))
      .Case("math.cos", unary<Cos>(type))
      .Case("math.tan", unary<Tan>(type))
      .Case("math.sinh", unary<Sinh>(type))
      .Case("math.cosh", unary<Cosh>(type))
      .Case("math.asin", unary<Asin>(type))
      .Case("math.acos", unary<Acos>(type))
      .Case("math.atan", unary<Atan>(type))
      .Case("math.asinh", unary<Asinh>(type))
      .Case("math.acosh", unary<Acosh>(type))
      .Case("math.atanh", unary<Atanh>(type))
      .Case("math.ceil", unary<Ceil>(type))
      .Case("math.floor", unary<Floor>(type))
      .Case("math.round", unary<Round>(type))
      .Case("math.roundeven", unary<RoundEven>(type))
      .Case("math.trunc", unary<Truncate>(type))
      .Default(nullptr);
}

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

/// Without the sign that the wider number has.
static uint64_t plain(int64_t x, unsigned width) {
  return width == 64 ? uint64_t(x) : uint64_t(x) & ((uint64_t(1) << width) - 1);
}

/// Signed operands; `F` gives the result or nothing.
template <typename F>
static bool integerLanes(const LaneStep &step, int64_t count) {
  const int64_t *x = step.operands[0]->as<int64_t>();
  const int64_t *y = step.operands[1] ? step.operands[1]->as<int64_t>() : x;
  int64_t *result = step.result->as<int64_t>();
  bool isDefined = true;
  for (int64_t at = 0; at != count; ++at)
    result[at] = F()(x[at], y[at], step.from.width, isDefined);
  return isDefined;
}

#define INTEGER(NAME, EXPRESSION)                                              \
  struct NAME {                                                                \
    int64_t operator()(int64_t x, int64_t y, unsigned width,                   \
                       bool &isDefined) const {                                \
      uint64_t ux = plain(x, width), uy = plain(y, width);                     \
      (void)ux, (void)uy;                                                      \
      return EXPRESSION;                                                       \
    }                                                                          \
  };
namespace {
INTEGER(AddI, int64_t(uint64_t(x) + uint64_t(y)))
INTEGER(SubI, int64_t(uint64_t(x) - uint64_t(y)))
INTEGER(MulI, int64_t(uint64_t(x) * uint64_t(y)))
INTEGER(DivS,
        y == 0 || (y == -1 && x == INT64_MIN) ? (isDefined = false, 0) : x / y)
INTEGER(RemS, y == 0 || y == -1 ? (isDefined &= y != 0, 0) : x % y)
INTEGER(DivU, uy == 0 ? (isDefined = false, 0) : int64_t(ux / uy))
INTEGER(RemU, uy == 0 ? (isDefined = false, 0) : int64_t(ux % uy))
INTEGER(And, x &y)
INTEGER(Or, x | y)
INTEGER(Xor, x ^ y)
INTEGER(ShiftLeft, uy >= width ? (isDefined = false, 0) : int64_t(ux << uy))
INTEGER(ShiftRightU, uy >= width ? (isDefined = false, 0) : int64_t(ux >> uy))
INTEGER(ShiftRightS, uy >= width ? (isDefined = false, 0) : x >> uy)
INTEGER(MaxS, std::max(x, y))
INTEGER(MinS, std::min(x, y))
INTEGER(MaxU, ux > uy ? x : y)
INTEGER(MinU, ux < uy ? x : y)
INTEGER(AbsI, x < 0 ? int64_t(0 - uint64_t(x)) : x)
INTEGER(KeepLow, x)
INTEGER(ExtendS, width == 1 ? -x : x)
INTEGER(ExtendU, int64_t(ux))
} // namespace
#undef INTEGER

static Kernel findIntegerKernel(StringRef name) {
  return llvm::StringSwitch<Kernel>(name)
      .Case("arith.addi", integerLanes<AddI>)
      .Case("arith.subi", integerLanes<SubI>)
      .Case("arith.muli", integerLanes<MulI>)
      .Case("arith.divsi", integerLanes<DivS>)
      .Case("arith.remsi", integerLanes<RemS>)
      .Case("arith.divui", integerLanes<DivU>)
      .Case("arith.remui", integerLanes<RemU>)
      .Case("arith.andi", integerLanes<And>)
      .Case("arith.ori", integerLanes<Or>)
      .Case("arith.xori", integerLanes<Xor>)
      .Case("arith.shli", integerLanes<ShiftLeft>)
      .Case("arith.shrui", integerLanes<ShiftRightU>)
      .Case("arith.shrsi", integerLanes<ShiftRightS>)
      .Case("arith.maxsi", integerLanes<MaxS>)
      .Case("arith.minsi", integerLanes<MinS>)
      .Case("arith.maxui", integerLanes<MaxU>)
      .Case("arith.minui", integerLanes<MinU>)
      .Case("math.absi", integerLanes<AbsI>)
      .Case("arith.trunci", integerLanes<KeepLow>)
      .Cases({"arith.extsi", "arith.index_cast"}, integerLanes<ExtendS>)
      .Cases({"arith.extui", "arith.index_castui"}, integerLanes<ExtendU>)
      .Default(nullptr);
}

//===----------------------------------------------------------------------===//
// Comparisons and conversions
//===----------------------------------------------------------------------===//

template <typename T>
static bool compareFloats(const LaneStep &step, int64_t count) {
  using P = arith::CmpFPredicate;
  const T *x = step.operands[0]->as<T>(), *y = step.operands[1]->as<T>();
  int64_t *result = step.result->as<int64_t>();
  auto predicate = static_cast<P>(step.predicate);
  for (int64_t at = 0; at != count; ++at) {
    bool unordered = std::isnan(x[at]) || std::isnan(y[at]);
    // The predicates count the orders that they hold for.
    auto order = unordered ? 8 : x[at] == y[at] ? 1 : x[at] > y[at] ? 2 : 4;
    result[at] = (static_cast<int>(predicate) & order) != 0;
  }
  return true;
}

static bool compareIntegers(const LaneStep &step, int64_t count) {
  using P = arith::CmpIPredicate;
  const int64_t *x = step.operands[0]->as<int64_t>();
  const int64_t *y = step.operands[1]->as<int64_t>();
  int64_t *result = step.result->as<int64_t>();
  auto predicate = static_cast<P>(step.predicate);
  for (int64_t at = 0; at != count; ++at) {
    unsigned width = step.from.width;
    result[at] =
        arith::applyCmpPredicate(predicate, APInt(width, plain(x[at], width)),
                                 APInt(width, plain(y[at], width)));
  }
  return true;
}

template <typename T>
static bool selectLanes(const LaneStep &step, int64_t count) {
  const int64_t *condition = step.operands[0]->as<int64_t>();
  const T *x = step.operands[1]->as<T>(), *y = step.operands[2]->as<T>();
  T *result = step.result->as<T>();
  for (int64_t at = 0; at != count; ++at)
    result[at] = condition[at] ? x[at] : y[at];
  return true;
}

template <typename From, typename To, bool isUnsigned>
static bool convertLanes(const LaneStep &step, int64_t count) {
  const From *x = step.operands[0]->as<From>();
  To *result = step.result->as<To>();
  for (int64_t at = 0; at != count; ++at)
    if constexpr (isUnsigned && std::is_integral_v<From>)
      result[at] = static_cast<To>(plain(x[at], step.from.width));
    else
      result[at] = static_cast<To>(x[at]);
  return true;
}

/// To integers, where the number fits.
template <typename From, bool isUnsigned>
static bool integersOf(const LaneStep &step, int64_t count) {
  const From *x = step.operands[0]->as<From>();
  int64_t *result = step.result->as<int64_t>();
  double high = std::ldexp(1.0, step.to.width - !isUnsigned);
  double low = isUnsigned ? 0 : -high;
  for (int64_t at = 0; at != count; ++at) {
    double whole = std::trunc(double(x[at]));
    if (!(whole >= low && whole < high))
      return false;
    result[at] = isUnsigned ? int64_t(uint64_t(whole)) : int64_t(whole);
  }
  return true;
}

static Kernel findConversion(StringRef name, LaneType from, LaneType to) {
  bool isDouble = from.kind == LaneType::F64,
       toDouble = to.kind == LaneType::F64;
  if (name == "arith.extf")
    return toDouble ? convertLanes<float, double, false>
                    : Kernel(convertLanes<float, float, false>);
  // A double that became a float would be rounded twice.
  if (name == "arith.truncf")
    return !isDouble        ? Kernel(convertLanes<float, float, false>)
           : to.width == 32 ? Kernel(convertLanes<double, float, false>)
                            : nullptr;
  if (name == "arith.sitofp" && from.width > 1)
    return toDouble ? Kernel(convertLanes<int64_t, double, false>)
                    : Kernel(convertLanes<int64_t, float, false>);
  if (name == "arith.uitofp")
    return toDouble ? Kernel(convertLanes<int64_t, double, true>)
                    : Kernel(convertLanes<int64_t, float, true>);
  if (name == "arith.fptosi")
    return isDouble ? Kernel(integersOf<double, false>)
                    : Kernel(integersOf<float, false>);
  if (name == "arith.fptoui")
    return isDouble ? Kernel(integersOf<double, true>)
                    : Kernel(integersOf<float, true>);
  return nullptr;
}

Kernel mlir::prune::findLaneKernel(Operation *op, LaneType from) {
  StringRef name = op->getName().getStringRef();
  std::optional<LaneType> to = getLaneType(op->getResult(0).getType());
  if (!to)
    return nullptr;
  if (isa<arith::CmpFOp>(op))
    return from.kind == LaneType::F64 ? compareFloats<double>
                                      : compareFloats<float>;
  if (isa<arith::CmpIOp>(op))
    return compareIntegers;
  if (isa<arith::SelectOp>(op))
    return to->kind == LaneType::F64   ? selectLanes<double>
           : to->kind == LaneType::F32 ? selectLanes<float>
                                       : selectLanes<int64_t>;
  if (from.kind == LaneType::Int && to->kind == LaneType::Int)
    return findIntegerKernel(name);
  if (from.kind == to->kind)
    if (Kernel kernel = findFloatKernel(name, from))
      return kernel;
  return findConversion(name, from, *to);
}
