//===- Scalar.h - Arithmetic on single elements -----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The bodies of the generics that the importer emits. One name per operation,
// whatever the element type: floats, signed and unsigned integers, booleans.
// MLIR's integers carry no sign, so the caller says which ones are unsigned.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_IMPORT_EMITTER_SCALAR_H
#define PRUNE_LIB_IMPORT_EMITTER_SCALAR_H

#include "mlir/IR/Builders.h"

namespace mlir::prune::onnx_import {

/// The orders that ONNX compares with.
enum class Order { EQ, NE, LT, LE, GT, GE };

/// A number without its fraction: the nearest there is for one out of range,
/// and zero for a NaN.
int64_t toInteger(double value);

class Scalar {
public:
  Scalar(OpBuilder &b, Location loc, bool isUnsigned = false)
      : b(b), loc(loc), isUnsigned(isUnsigned) {}

  OpBuilder &b;
  Location loc;
  /// How integers of both operands and results are read.
  bool isUnsigned;

  Value constant(Type type, double value);
  Value integer(Type type, int64_t value);
  Value index(int64_t value);
  /// The least or greatest value of the type; infinite for floats.
  Value extreme(Type type, bool greatest);

  Value add(Value x, Value y);
  Value sub(Value x, Value y);
  Value mul(Value x, Value y);
  /// Integers are rounded toward zero. Dividing by zero gives an unspecified
  /// value and does not trap.
  Value div(Value x, Value y);
  /// The remainder with the dividend's sign.
  Value rem(Value x, Value y);
  Value min(Value x, Value y);
  Value max(Value x, Value y);
  Value neg(Value x);
  Value abs(Value x);
  Value pow(Value x, Value y);
  Value compare(Order order, Value x, Value y);
  Value select(Value condition, Value x, Value y);
  Value bitAnd(Value x, Value y);
  Value bitOr(Value x, Value y);
  Value bitXor(Value x, Value y);
  Value shift(bool left, Value x, Value amount);

  /// `x` clamped to [low, high].
  Value clamp(Value x, double low, double high);

  /// A conversion with C's meaning; to a boolean: is not zero. `fromUnsigned`
  /// is the sign of `x`, `isUnsigned` that of the result.
  Value cast(Value x, Type to, bool fromUnsigned);
  /// Rounds to an integer type and keeps within its range.
  Value saturate(Value x, Type to, bool toUnsigned);

  /// Of math: exp, log, sqrt, tanh, ... by ONNX's name; null if there is none.
  Value unary(StringRef name, Value x);

  /// The element of a tensor.
  Value extract(Value tensor, ValueRange indices);
  /// Conversions to and from index.
  Value toIndex(Value x);
  Value fromIndex(Value x, Type to);
};

} // namespace mlir::prune::onnx_import

#endif // PRUNE_LIB_IMPORT_EMITTER_SCALAR_H
