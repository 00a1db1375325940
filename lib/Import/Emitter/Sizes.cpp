//===- Sizes.cpp - Element types and sizes --------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A size is an affine expression, made IR only where the program needs the
// number. Equal expressions are one pointer, so most comparisons are decided
// here; those that are not become a check in the program.
//
//===----------------------------------------------------------------------===//

#include "Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

Type mlir::prune::onnx_import::elementType(DataType type,
                                           MLIRContext *context) {
  Builder b(context);
  switch (type) {
  case DataType::Float:
    return b.getF32Type();
  case DataType::Double:
    return b.getF64Type();
  case DataType::Float16:
    return b.getF16Type();
  case DataType::BFloat16:
    return b.getBF16Type();
  case DataType::Float8E4M3FN:
  case DataType::Float8E4M3FNUZ:
  case DataType::Float8E5M2:
  case DataType::Float8E5M2FNUZ:
  case DataType::Float4E2M1:
    return b.getF16Type();
  case DataType::Float8E8M0:
    return b.getF32Type();
  case DataType::Int8:
  case DataType::UInt8:
  case DataType::Int4:
  case DataType::UInt4:
  case DataType::Int2:
  case DataType::UInt2:
    return b.getIntegerType(8);
  case DataType::Int16:
  case DataType::UInt16:
    return b.getIntegerType(16);
  case DataType::Int32:
  case DataType::UInt32:
    return b.getIntegerType(32);
  case DataType::Int64:
  case DataType::UInt64:
    return b.getIntegerType(64);
  case DataType::Bool:
    return b.getIntegerType(1);
  default:
    return nullptr;
  }
}

bool mlir::prune::onnx_import::isFloat(DataType type) {
  return type == DataType::Float || type == DataType::Double ||
         type == DataType::Float16 || type == DataType::BFloat16;
}

bool mlir::prune::onnx_import::isUnsigned(DataType type) {
  return type == DataType::UInt8 || type == DataType::UInt16 ||
         type == DataType::UInt32 || type == DataType::UInt64 ||
         type == DataType::UInt4 || type == DataType::UInt2 ||
         type == DataType::Bool;
}

bool mlir::prune::onnx_import::isHalf(DataType type) {
  return type == DataType::Float16 || type == DataType::BFloat16;
}

StringRef mlir::prune::onnx_import::nameOf(DataType type) {
  static const char *const names[] = {
      "undefined",      "float",      "uint8",
      "int8",           "uint16",     "int16",
      "int32",          "int64",      "string",
      "bool",           "float16",    "double",
      "uint32",         "uint64",     "complex64",
      "complex128",     "bfloat16",   "float8e4m3fn",
      "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz",
      "uint4",          "int4",       "float4e2m1",
      "float8e8m0",     "uint2",      "int2"};
  unsigned at = static_cast<unsigned>(type);
  return at < std::size(names) ? names[at] : "unknown";
}

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

InFlightDiagnostic Emitter::error() {
  state.failed = true;
  return emitError(loc);
}

AffineExpr Emitter::size(int64_t value) {
  return getAffineConstantExpr(value, state.context);
}

AffineExpr Emitter::symbol(Value index) {
  if (auto constant = getConstantIntValue(index))
    return size(*constant);
  state.symbols.push_back(index);
  return getAffineSymbolExpr(state.symbols.size() - 1, state.context);
}

std::optional<int64_t> Emitter::known(AffineExpr size) {
  if (auto constant = dyn_cast<AffineConstantExpr>(size))
    return constant.getValue();
  return std::nullopt;
}

std::optional<SmallVector<int64_t>> Emitter::known(ArrayRef<AffineExpr> sizes) {
  SmallVector<int64_t> values;
  for (AffineExpr size : sizes) {
    std::optional<int64_t> value = known(size);
    if (!value)
      return std::nullopt;
    values.push_back(*value);
  }
  return values;
}

AffineExpr Emitter::product(ArrayRef<AffineExpr> sizes) {
  AffineExpr result = size(1);
  for (AffineExpr size : sizes)
    result = result * size;
  return result;
}

Value Emitter::index(AffineExpr expr) {
  Scalar s(b, loc);
  switch (expr.getKind()) {
  case AffineExprKind::Constant:
    return s.index(cast<AffineConstantExpr>(expr).getValue());
  case AffineExprKind::SymbolId:
    return state.symbols[cast<AffineSymbolExpr>(expr).getPosition()];
  case AffineExprKind::DimId:
    llvm_unreachable("sizes have no dimensions");
  default:
    break;
  }
  auto binary = cast<AffineBinaryOpExpr>(expr);
  Value x = index(binary.getLHS());
  Value y = index(binary.getRHS());
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return s.add(x, y);
  case AffineExprKind::Mul:
    return s.mul(x, y);
  case AffineExprKind::FloorDiv:
    return arith::FloorDivSIOp::create(b, loc, x, y);
  case AffineExprKind::CeilDiv:
    return arith::CeilDivSIOp::create(b, loc, x, y);
  default: {
    // Euclidean: the remainder is never negative.
    Value remainder = s.rem(x, y);
    return s.select(s.compare(Order::LT, remainder, s.index(0)),
                    s.add(remainder, y), remainder);
  }
  }
}

OpFoldResult Emitter::fold(AffineExpr size) {
  if (std::optional<int64_t> value = known(size))
    return b.getIndexAttr(*value);
  return index(size);
}

SmallVector<OpFoldResult> Emitter::fold(ArrayRef<AffineExpr> sizes) {
  return llvm::map_to_vector(sizes,
                             [&](AffineExpr size) { return fold(size); });
}

SmallVector<OpFoldResult> Emitter::fold(ArrayRef<int64_t> sizes) {
  return llvm::map_to_vector(sizes, [&](int64_t size) -> OpFoldResult {
    return b.getIndexAttr(size);
  });
}

bool Emitter::requireEqual(AffineExpr x, AffineExpr y, StringRef what) {
  if (x == y)
    return true;
  if (known(x) && known(y)) {
    error() << "expects equal " << what << ", but got " << text(x) << " and "
            << text(y);
    return false;
  }
  Value same = Scalar(b, loc).compare(Order::EQ, index(x), index(y));
  cf::AssertOp::create(b, loc, same, ("expects equal " + what).str());
  return true;
}

std::string Emitter::text(AffineExpr size) {
  std::string plain, result;
  llvm::raw_string_ostream(plain) << size;
  // Symbols print as s0, s1 ...
  for (StringRef rest = plain; !rest.empty();) {
    size_t number = 0;
    StringRef after = rest;
    if (after.consume_front("s") && !after.consumeInteger(10, number) &&
        number < state.symbolNames.size() &&
        !state.symbolNames[number].empty()) {
      result += state.symbolNames[number];
      rest = after;
    } else {
      result += rest.front();
      rest = rest.drop_front();
    }
  }
  return result;
}

std::string Emitter::text(ArrayRef<AffineExpr> sizes) {
  std::string result = "[";
  for (AffineExpr size : sizes)
    result += (result.size() == 1 ? "" : ", ") + text(size);
  return result + "]";
}
