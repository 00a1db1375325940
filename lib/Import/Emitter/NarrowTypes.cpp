//===- NarrowTypes.cpp - Numbers of 8 bits and less -----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rounding works on floats of 64 bits, which hold what any other type has, so
// that it happens once: the number is divided by the step of the narrow type at
// its magnitude, a power of two, rounded to a whole number, and multiplied by
// the step again. Both products are exact.
//
//===----------------------------------------------------------------------===//

#include "NarrowTypes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace llvm;
using namespace mlir;
using namespace mlir::prune::onnx_import;

static const fltSemantics *semanticsOf(DataType type) {
  switch (type) {
  case DataType::Float8E4M3FN:
    return &APFloat::Float8E4M3FN();
  case DataType::Float8E4M3FNUZ:
    return &APFloat::Float8E4M3FNUZ();
  case DataType::Float8E5M2:
    return &APFloat::Float8E5M2();
  case DataType::Float8E5M2FNUZ:
    return &APFloat::Float8E5M2FNUZ();
  case DataType::Float4E2M1:
    return &APFloat::Float4E2M1FN();
  case DataType::Float8E8M0:
    return &APFloat::Float8E8M0FNU();
  default:
    return nullptr;
  }
}

bool mlir::prune::onnx_import::isNarrowFloat(DataType type) {
  return semanticsOf(type) != nullptr;
}

bool mlir::prune::onnx_import::isNarrowInteger(DataType type) {
  return type == DataType::Int4 || type == DataType::UInt4 ||
         type == DataType::Int2 || type == DataType::UInt2;
}

std::optional<unsigned> mlir::prune::onnx_import::narrowBits(DataType type) {
  if (type == DataType::Int2 || type == DataType::UInt2)
    return 2;
  if (isNarrowInteger(type) || type == DataType::Float4E2M1)
    return 4;
  if (isNarrowFloat(type))
    return 8;
  return std::nullopt;
}

std::pair<int64_t, int64_t>
mlir::prune::onnx_import::narrowRange(DataType type) {
  int64_t count = int64_t(1) << *narrowBits(type);
  if (isUnsigned(type))
    return {0, count - 1};
  return {-count / 2, count / 2 - 1};
}

/// The bytes in which one stored number is held.
static uint64_t heldBits(DataType type, unsigned bits, unsigned raw,
                         Type held) {
  const fltSemantics *semantics = semanticsOf(type);
  if (!semantics) {
    APInt value(bits, raw);
    return (isUnsigned(type) ? value.zext(8) : value.sext(8)).getZExtValue();
  }
  APFloat value(*semantics, APInt(bits, raw));
  const fltSemantics &wide = cast<FloatType>(held).getFloatSemantics();
  bool inexact;
  // A type without bits to say more has a NaN that converts to infinity.
  if (value.isNaN())
    value = APFloat::getQNaN(wide);
  else
    value.convert(wide, APFloat::rmNearestTiesToEven, &inexact);
  return value.bitcastToAPInt().getZExtValue();
}

std::string mlir::prune::onnx_import::widen(DataType type,
                                            const std::string &bytes,
                                            uint64_t count, Type held) {
  unsigned bits = *narrowBits(type), mask = (1u << bits) - 1;
  size_t width = held.getIntOrFloatBitWidth() / 8;
  SmallVector<uint64_t> table;
  for (unsigned raw = 0; raw <= mask; ++raw)
    table.push_back(heldBits(type, bits, raw, held));
  std::string result(count * width, '\0');
  for (uint64_t at = 0, perByte = 8 / bits; at < count; ++at) {
    unsigned byte = static_cast<unsigned char>(bytes[at / perByte]);
    unsigned raw = (byte >> (at % perByte * bits)) & mask;
    std::memcpy(result.data() + at * width, &table[raw], width);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Rounding
//===----------------------------------------------------------------------===//

/// The distance between numbers of the type at the magnitude of `x`.
static Value stepAt(Scalar &s, Value x, const fltSemantics &semantics) {
  Type wide = s.b.getI64Type();
  Value bits = arith::BitcastOp::create(s.b, s.loc, wide, x);
  Value exponent = s.bitAnd(s.shift(/*left=*/false, bits, s.integer(wide, 52)),
                            s.integer(wide, 0x7ff));
  int64_t least = 1023 + APFloat::semanticsMinExponent(semantics);
  int64_t mantissa = APFloat::semanticsPrecision(semantics) - 1;
  exponent =
      s.sub(s.max(exponent, s.integer(wide, least)), s.integer(wide, mantissa));
  Value step = s.shift(/*left=*/true, exponent, s.integer(wide, 52));
  return arith::BitcastOp::create(s.b, s.loc, s.b.getF64Type(), step);
}

Value mlir::prune::onnx_import::roundToNarrow(Scalar &s, Value x, DataType type,
                                              bool saturates) {
  const fltSemantics &semantics = *semanticsOf(type);
  Type wide = x.getType();
  auto number = [&](double value) { return s.constant(wide, value); };
  double most = APFloat::getLargest(semantics).convertToDouble();
  bool isFour = type == DataType::Float4E2M1;
  bool isPlain = type == DataType::Float8E4M3FN || type == DataType::Float8E5M2;
  bool hasInfinity = type == DataType::Float8E5M2;
  double infinity = std::numeric_limits<double>::infinity();
  double none = std::numeric_limits<double>::quiet_NaN();

  Value step = stepAt(s, x, semantics);
  Value rounded = s.mul(s.unary("Round", s.div(x, step)), step);
  Value size = s.abs(rounded);
  Value isInfinite = s.compare(Order::EQ, s.abs(x), number(infinity));
  Value isLarge = s.bitOr(s.compare(Order::GT, size, number(most)), isInfinite);
  Value limit = number(saturates || isFour ? most
                       : hasInfinity       ? infinity
                                           : none);
  Value isNegative = s.compare(Order::LT, x, number(0));
  limit = s.select(isNegative, s.neg(limit), limit);
  rounded = s.select(isLarge, limit, rounded);
  if (isFour) {
    // It has no other way to say so.
    Value isNone = s.compare(Order::NE, x, x);
    return s.select(isNone, number(most), rounded);
  }
  if (isPlain)
    return rounded;
  // These have one zero, and nothing that is infinite.
  rounded = s.select(isInfinite, number(none), rounded);
  Value isZero = s.compare(Order::EQ, rounded, number(0));
  return s.select(isZero, number(0), rounded);
}

Value mlir::prune::onnx_import::wrapToNarrow(Scalar &s, Value x,
                                             DataType type) {
  Type byte = x.getType();
  unsigned bits = *narrowBits(type);
  if (isUnsigned(type))
    return s.bitAnd(x, s.integer(byte, (1 << bits) - 1));
  Value by = s.integer(byte, 8 - bits);
  return arith::ShRSIOp::create(s.b, s.loc,
                                arith::ShLIOp::create(s.b, s.loc, x, by), by);
}
