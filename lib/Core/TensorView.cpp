//===- TensorView.cpp - A constant tensor as a buffer ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Conversions are written on bit patterns so that they are exact, need no
// hardware support for half precision, and vectorise where it matters (f32).
//
//===----------------------------------------------------------------------===//

#include "prune/Core/TensorView.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>

using namespace mlir::prune;

unsigned mlir::prune::byteSize(FloatKind kind) {
  switch (kind) {
  case FloatKind::F64:
    return 8;
  case FloatKind::F32:
    return 4;
  case FloatKind::F16:
  case FloatKind::BF16:
    return 2;
  }
  return 0;
}

double mlir::prune::halfToDouble(uint16_t bits) {
  uint64_t sign = uint64_t(bits >> 15) << 63;
  uint64_t exponent = (bits >> 10) & 0x1f;
  uint64_t fraction = bits & 0x3ff;
  if (exponent == 0) {
    double magnitude = std::ldexp(double(fraction), -24);
    return sign ? -magnitude : magnitude;
  }
  // An all-ones exponent stays all ones: infinities and NaNs.
  uint64_t wide = exponent == 0x1f ? 0x7ff : exponent - 15 + 1023;
  uint64_t result = sign | wide << 52 | fraction << 42;
  double value;
  std::memcpy(&value, &result, sizeof(value));
  return value;
}

double mlir::prune::bfloatToDouble(uint16_t bits) {
  uint32_t wide = uint32_t(bits) << 16;
  float value;
  std::memcpy(&value, &wide, sizeof(value));
  return value;
}

/// Rounds to a binary format with `precision` significant bits, the smallest
/// subnormal 2^`minExponent`, and values of 2^`maxExponent` and above infinite.
static double roundToFormat(double value, int precision, int minExponent,
                            int maxExponent) {
  if (value == 0 || !std::isfinite(value))
    return value;
  int exponent;
  std::frexp(value, &exponent);
  int ulp = std::max(exponent - precision, minExponent);
  // nearbyint rounds to even in the default rounding mode.
  double rounded = std::ldexp(std::nearbyint(std::ldexp(value, -ulp)), ulp);
  if (std::fabs(rounded) >= std::ldexp(1.0, maxExponent))
    return std::copysign(INFINITY, value);
  return rounded;
}

double mlir::prune::roundTo(FloatKind kind, double value) {
  switch (kind) {
  case FloatKind::F64:
    return value;
  case FloatKind::F32:
    return static_cast<float>(value);
  case FloatKind::F16:
    return roundToFormat(value, 11, -24, 16);
  case FloatKind::BF16:
    return roundToFormat(value, 8, -133, 128);
  }
  return value;
}

int64_t mlir::prune::countElements(llvm::ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}

int64_t TensorView::size() const { return countElements(shape); }

std::optional<llvm::SmallVector<int64_t>>
mlir::prune::findNaN(const TensorView &tensor) {
  for (int64_t i = 0, e = tensor.size(); i != e; ++i) {
    double value;
    tensor.load(i, value);
    if (!std::isnan(value))
      continue;
    llvm::SmallVector<int64_t> position(tensor.shape.size());
    int64_t rest = i;
    for (size_t dim = tensor.shape.size(); dim-- != 0;) {
      position[dim] = rest % tensor.shape[dim];
      rest /= tensor.shape[dim];
    }
    return position;
  }
  return std::nullopt;
}

/// Converts `out.size()` elements of storage type `T` that start at `data`.
template <typename T, typename Convert>
static void convert(const char *data, llvm::MutableArrayRef<double> out,
                    Convert toDouble) {
  for (size_t i = 0, e = out.size(); i != e; ++i) {
    T element;
    std::memcpy(&element, data + i * sizeof(T), sizeof(T));
    out[i] = toDouble(element);
  }
}

static void convertRun(FloatKind kind, const char *data,
                       llvm::MutableArrayRef<double> out) {
  switch (kind) {
  case FloatKind::F64:
    return convert<double>(data, out, [](double x) { return x; });
  case FloatKind::F32:
    return convert<float>(data, out, [](float x) { return double(x); });
  case FloatKind::F16:
    return convert<uint16_t>(data, out, halfToDouble);
  case FloatKind::BF16:
    return convert<uint16_t>(data, out, bfloatToDouble);
  }
}

void TensorView::load(int64_t begin, llvm::MutableArrayRef<double> out) const {
  assert(begin >= 0 && begin + int64_t(out.size()) <= size() &&
         "run outside of the tensor");
  if (out.empty())
    return;
  if (!splat)
    return convertRun(kind, data.data() + begin * byteSize(kind), out);
  convertRun(kind, data.data(), out.take_front(1));
  std::fill(out.begin() + 1, out.end(), out.front());
}
