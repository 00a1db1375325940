//===- Elements.cpp - Elements of arrays, made and converted --------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random numbers come from a counter, not from a sequence: number j of argument
// i is a hash of (seed, i, j), so a test can recompute any of them.
//
//===----------------------------------------------------------------------===//

#include "prune/Execution/Elements.h"

#include "prune/Core/TensorView.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/Support/MathExtras.h"

#include <cstring>

using namespace mlir::prune;
using llvm::Expected;

NpyType mlir::prune::fileTypeOf(ElementType type) {
  switch (type) {
  case ElementType::F64:
    return NpyType::F64;
  case ElementType::F32:
  case ElementType::BF16:
    return NpyType::F32;
  case ElementType::F16:
    return NpyType::F16;
  case ElementType::I64:
  case ElementType::Index:
    return NpyType::I64;
  case ElementType::I32:
    return NpyType::I32;
  case ElementType::I16:
    return NpyType::I16;
  case ElementType::I8:
    return NpyType::I8;
  case ElementType::U8:
    return NpyType::U8;
  case ElementType::Bool:
    return NpyType::Bool;
  }
  llvm_unreachable("unknown element type");
}

NpyType mlir::prune::memoryTypeOf(ElementType type) {
  return type == ElementType::BF16 ? NpyType::I16 : fileTypeOf(type);
}

std::string mlir::prune::fileTypeText(const Port &port) {
  std::string element = port.element == ElementType::BF16
                            ? "bfloat16"
                            : typeName(fileTypeOf(port.element)).str();
  if (port.isScalar)
    return element + " scalar";
  return shapeString(port.shape) + " of " + element;
}

bool mlir::prune::isSameType(NpyType a, NpyType b) {
  auto isByte = [](NpyType type) {
    return type == NpyType::I8 || type == NpyType::U8;
  };
  return a == b || (isByte(a) && isByte(b));
}

static uint16_t roundToBits(double value, const llvm::fltSemantics &semantics) {
  llvm::APFloat number(value);
  bool losesInfo;
  number.convert(semantics, llvm::APFloat::rmNearestTiesToEven, &losesInfo);
  return number.bitcastToAPInt().getZExtValue();
}

template <typename T>
static void storeAs(NpyArray &array, int64_t index, T value) {
  std::memcpy(array.bytes().data() + index * sizeof(T), &value, sizeof(T));
}

static bool isReal(NpyType type) {
  return type == NpyType::F16 || type == NpyType::F32 || type == NpyType::F64;
}

static void storeReal(NpyArray &array, int64_t index, double value) {
  switch (array.type()) {
  case NpyType::F64:
    return storeAs(array, index, value);
  case NpyType::F32:
    return storeAs(array, index, float(value));
  default:
    return storeAs(array, index, roundToBits(value, llvm::APFloat::IEEEhalf()));
  }
}

/// Stores the low bits.
static void storeInteger(NpyArray &array, int64_t index, int64_t value) {
  unsigned bytes = byteSize(array.type());
  std::memcpy(array.bytes().data() + index * bytes, &value, bytes);
}

//===----------------------------------------------------------------------===//
// Conversions
//===----------------------------------------------------------------------===//

Expected<NpyArray> mlir::prune::toBFloat(const NpyArray &array) {
  Expected<NpyArray> rounded =
      NpyArray::make("an array of bfloat16", NpyType::I16, array.shape());
  if (!rounded)
    return rounded;
  for (int64_t i = 0, e = array.size(); i < e; ++i)
    storeAs(*rounded, i,
            roundToBits(array.asDouble(i), llvm::APFloat::BFloat()));
  return rounded;
}

Expected<NpyArray> mlir::prune::fromBFloat(const NpyArray &array) {
  Expected<NpyArray> widened =
      NpyArray::make("an array of float32", NpyType::F32, array.shape());
  if (!widened)
    return widened;
  auto *in = reinterpret_cast<const uint16_t *>(array.bytes().data());
  for (int64_t i = 0, e = array.size(); i < e; ++i)
    storeAs(*widened, i, float(bfloatToDouble(in[i])));
  return widened;
}

bool mlir::prune::canConvert(NpyType from, NpyType to) {
  return isReal(to) || !isReal(from);
}

/// Whether an integer has a place among those of a type.
static bool fits(int64_t value, NpyType type) {
  if (type == NpyType::Bool)
    return value == 0 || value == 1;
  if (type == NpyType::U8)
    return llvm::isUInt<8>(value);
  return llvm::isIntN(8 * byteSize(type), value);
}

Expected<NpyArray> mlir::prune::convert(const llvm::Twine &what,
                                        const NpyArray &array, NpyType type) {
  Expected<NpyArray> result = NpyArray::make(what, type, array.shape());
  if (!result)
    return result;
  for (int64_t i = 0, e = array.size(); i < e; ++i) {
    if (isReal(type)) {
      storeReal(*result, i, array.asDouble(i));
      continue;
    }
    int64_t value = array.asInteger(i);
    if (!fits(value, type))
      return llvm::createStringError(what + " holds " + llvm::Twine(value) +
                                     ", which is no " + typeName(type) +
                                     "; the argument is of that type");
    storeInteger(*result, i, value);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Random arrays
//===----------------------------------------------------------------------===//

/// The finaliser of splitmix64: every bit of the result depends on every bit.
static uint64_t mix(uint64_t x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

Expected<NpyArray> mlir::prune::makeRandom(const llvm::Twine &what,
                                           NpyType type,
                                           llvm::ArrayRef<int64_t> shape,
                                           uint64_t seed, unsigned argument) {
  Expected<NpyArray> array = NpyArray::make(what, type, shape);
  if (!array)
    return array;
  uint64_t stream = mix(mix(seed) + argument);
  for (int64_t i = 0, e = array->size(); i < e; ++i) {
    uint64_t hash = mix(stream + i);
    int64_t integer = hash >> 61;
    // 24 bits, so that the number is exact in float32.
    if (isReal(type))
      storeReal(*array, i, double(hash >> 40) / (1 << 23) - 1);
    else
      storeInteger(*array, i, type == NpyType::Bool ? integer & 1 : integer);
  }
  return array;
}
