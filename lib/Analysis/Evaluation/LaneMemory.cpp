//===- LaneMemory.cpp - Numbers of element types, to and from memory ------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Half precision is rounded to nearest, ties to even, and integers wrap.
//
//===----------------------------------------------------------------------===//

#include "Lanes.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/Support/MathExtras.h"

#include <cstring>

using namespace mlir;
using namespace mlir::prune;

std::optional<LaneType> mlir::prune::getLaneType(Type type) {
  if (type.isF64())
    return LaneType{LaneType::F64, 64, FloatKind::F64};
  if (type.isF32())
    return LaneType{LaneType::F32, 32, FloatKind::F32};
  if (type.isF16())
    return LaneType{LaneType::F32, 16, FloatKind::F16};
  if (type.isBF16())
    return LaneType{LaneType::F32, 16, FloatKind::BF16};
  if (type.isIndex())
    return LaneType{LaneType::Int, 64, {}};
  if (type.isSignlessInteger(1) || type.isSignlessInteger(8) ||
      type.isSignlessInteger(16) || type.isSignlessInteger(32) ||
      type.isSignlessInteger(64))
    return LaneType{LaneType::Int, type.getIntOrFloatBitWidth(), {}};
  return std::nullopt;
}

template <typename Stored, typename T, typename Convert>
static void loadAs(const char *data, int64_t stride, int64_t count, T *to,
                   Convert convert) {
  for (int64_t at = 0; at != count; ++at) {
    Stored stored;
    std::memcpy(&stored, data + at * stride * int64_t(sizeof(Stored)),
                sizeof(Stored));
    to[at] = convert(stored);
  }
}

template <typename Stored, typename T, typename Convert>
static void storeAs(char *data, int64_t stride, int64_t count, const T *from,
                    Convert convert) {
  for (int64_t at = 0; at != count; ++at) {
    Stored stored = convert(from[at]);
    std::memcpy(data + at * stride * int64_t(sizeof(Stored)), &stored,
                sizeof(Stored));
  }
}

void mlir::prune::loadLanes(const char *data, int64_t stride, int64_t count,
                            LaneType type, Lanes &lanes) {
  auto same = [](auto x) { return x; };
  if (type.kind == LaneType::F64)
    return loadAs<double>(data, stride, count, lanes.as<double>(), same);
  if (type.kind == LaneType::F32) {
    float *to = lanes.as<float>();
    if (type.stored == FloatKind::F32)
      return loadAs<float>(data, stride, count, to, same);
    auto convert =
        type.stored == FloatKind::F16 ? halfToDouble : bfloatToDouble;
    return loadAs<uint16_t>(data, stride, count, to,
                            [&](uint16_t x) { return float(convert(x)); });
  }
  int64_t *to = lanes.as<int64_t>();
  switch (type.width) {
  case 1:
    return loadAs<uint8_t>(data, stride, count, to,
                           [](uint8_t x) { return int64_t(x != 0); });
  case 8:
    return loadAs<int8_t>(data, stride, count, to, same);
  case 16:
    return loadAs<int16_t>(data, stride, count, to, same);
  case 32:
    return loadAs<int32_t>(data, stride, count, to, same);
  default:
    return loadAs<int64_t>(data, stride, count, to, same);
  }
}

/// The bits of a number that its type holds.
static uint16_t narrowBits(float x, FloatKind kind) {
  bool inexact;
  llvm::APFloat value(x);
  value.convert(kind == FloatKind::F16 ? llvm::APFloat::IEEEhalf()
                                       : llvm::APFloat::BFloat(),
                llvm::APFloat::rmNearestTiesToEven, &inexact);
  return value.bitcastToAPInt().getZExtValue();
}

void mlir::prune::storeLanes(char *data, int64_t stride, int64_t count,
                             LaneType type, Lanes &lanes) {
  auto same = [](auto x) { return x; };
  if (type.kind == LaneType::F64)
    return storeAs<double>(data, stride, count, lanes.as<double>(), same);
  if (type.kind == LaneType::F32) {
    const float *from = lanes.as<float>();
    if (type.stored == FloatKind::F32)
      return storeAs<float>(data, stride, count, from, same);
    return storeAs<uint16_t>(data, stride, count, from, [&](float x) {
      return narrowBits(x, type.stored);
    });
  }
  const int64_t *from = lanes.as<int64_t>();
  switch (type.bytes()) {
  case 1:
    return storeAs<int8_t>(data, stride, count, from, same);
  case 2:
    return storeAs<int16_t>(data, stride, count, from, same);
  case 4:
    return storeAs<int32_t>(data, stride, count, from, same);
  default:
    return storeAs<int64_t>(data, stride, count, from, same);
  }
}

void mlir::prune::fillLanes(Attribute number, LaneType type, Lanes &lanes) {
  if (auto value = dyn_cast<FloatAttr>(number)) {
    if (type.kind == LaneType::F64)
      std::fill_n(lanes.as<double>(), kLanes, value.getValueAsDouble());
    else
      std::fill_n(lanes.as<float>(), kLanes, float(value.getValueAsDouble()));
    return;
  }
  const APInt &bits = cast<IntegerAttr>(number).getValue();
  std::fill_n(lanes.as<int64_t>(), kLanes,
              type.width == 1 ? int64_t(!bits.isZero()) : bits.getSExtValue());
}

void mlir::prune::settleLanes(Lanes &lanes, LaneType type, int64_t count) {
  if (type.kind == LaneType::Int) {
    int64_t *x = lanes.as<int64_t>();
    if (type.width == 1)
      for (int64_t at = 0; at != count; ++at)
        x[at] &= 1;
    else if (type.width < 64)
      for (int64_t at = 0; at != count; ++at)
        x[at] = llvm::SignExtend64(x[at], type.width);
  } else if (type.width == 16) {
    float *x = lanes.as<float>();
    for (int64_t at = 0; at != count; ++at)
      x[at] = roundTo(type.stored, x[at]);
  }
}
