//===- TensorView.h - A constant tensor as a buffer -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights are handled as buffers, never element attribute by element attribute.
// A TensorView names such a buffer together with its shape and element type and
// converts runs of elements to double, exactly: every supported type embeds in
// double. It owns nothing.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CORE_TENSORVIEW_H
#define PRUNE_CORE_TENSORVIEW_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <optional>

namespace mlir::prune {

/// The floating-point types that a prunable weight may have.
enum class FloatKind { F64, F32, F16, BF16 };

/// The size of one element in bytes.
unsigned byteSize(FloatKind kind);

/// A dense row-major tensor. If `splat`, `data` holds one element that stands
/// for all of them.
struct TensorView {
  FloatKind kind = FloatKind::F32;
  llvm::ArrayRef<char> data;
  llvm::ArrayRef<int64_t> shape;
  bool splat = false;

  /// The number of elements.
  int64_t size() const;

  /// Converts the elements [begin, begin + out.size()) in row-major order.
  void load(int64_t begin, llvm::MutableArrayRef<double> out) const;
};

/// The position of the first NaN, if there is one.
std::optional<llvm::SmallVector<int64_t>> findNaN(const TensorView &tensor);

/// The value of a half-precision or bfloat16 number given by its bits.
double halfToDouble(uint16_t bits);
double bfloatToDouble(uint16_t bits);

/// Rounds to the nearest number of `kind`, ties to even, and returns its value.
double roundTo(FloatKind kind, double value);

/// The number of elements of a tensor of this shape.
int64_t countElements(llvm::ArrayRef<int64_t> shape);

} // namespace mlir::prune

#endif // PRUNE_CORE_TENSORVIEW_H
