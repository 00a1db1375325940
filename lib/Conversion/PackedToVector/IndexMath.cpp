//===- IndexMath.cpp - Arithmetic on addresses and counts -----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels are written with general formulas; where a term is constant, none of
// it should be left to be cleaned up.
//
//===----------------------------------------------------------------------===//

#include "PackedToVector.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::prune;

static constexpr auto kNoWrap =
    arith::IntegerOverflowFlags::nsw | arith::IntegerOverflowFlags::nuw;

Value IndexMath::constant(int64_t value) {
  return arith::ConstantIndexOp::create(b, loc, value);
}

Value IndexMath::add(Value lhs, Value rhs) {
  if (matchPattern(rhs, m_Zero()))
    return lhs;
  if (matchPattern(lhs, m_Zero()))
    return rhs;
  return arith::AddIOp::create(b, loc, lhs, rhs, kNoWrap);
}

Value IndexMath::add(Value lhs, int64_t rhs) {
  return rhs == 0 ? lhs : add(lhs, constant(rhs));
}

Value IndexMath::sub(Value lhs, Value rhs) {
  if (matchPattern(rhs, m_Zero()))
    return lhs;
  return arith::SubIOp::create(b, loc, lhs, rhs, kNoWrap);
}

Value IndexMath::mul(Value lhs, int64_t rhs) {
  APInt known;
  if (matchPattern(lhs, m_ConstantInt(&known)))
    return constant(known.getSExtValue() * rhs);
  return rhs == 1 ? lhs
                  : arith::MulIOp::create(b, loc, lhs, constant(rhs), kNoWrap);
}

Value IndexMath::min(Value lhs, Value rhs) {
  return arith::MinUIOp::create(b, loc, lhs, rhs);
}
