//===- Lanes.h - Scalar operations on many numbers at once ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What arith and math operations compute, on blocks of numbers: f16, bf16 and
// f32 as float, f64 as double, all integers as 64-bit ones. After each
// operation the result is rounded or wrapped to its own type, as generated code
// does.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_ANALYSIS_EVALUATION_LANES_H
#define PRUNE_LIB_ANALYSIS_EVALUATION_LANES_H

#include "prune/Core/TensorView.h"

#include "mlir/IR/Operation.h"

#include <optional>

namespace mlir::prune {

/// Numbers in a block.
constexpr int64_t kLanes = 512;

/// An element type and what its numbers are computed in.
struct LaneType {
  enum Kind { F32, F64, Int } kind;
  unsigned width;
  /// Of floats, how they are stored.
  FloatKind stored;

  unsigned bytes() const { return (width + 7) / 8; }
};

/// Nothing for types that are not computed with.
std::optional<LaneType> getLaneType(Type type);

/// One block: floats, doubles or integers. Booleans are 0 and 1.
struct Lanes {
  alignas(64) char storage[8 * kLanes];

  template <typename T> T *as() { return reinterpret_cast<T *>(storage); }
};

/// Reads elements that lie `stride` elements apart, or writes them.
void loadLanes(const char *data, int64_t stride, int64_t count, LaneType type,
               Lanes &lanes);
void storeLanes(char *data, int64_t stride, int64_t count, LaneType type,
                Lanes &lanes);
/// Fills a block with one number.
void fillLanes(Attribute number, LaneType type, Lanes &lanes);

/// One operation on blocks.
struct LaneStep {
  Lanes *result;
  Lanes *operands[3];
  /// Types of the first operand and of the result.
  LaneType from, to;
  /// The predicate of a comparison.
  int64_t predicate;
  /// Computes `count` numbers; false if one has no defined result.
  bool (*kernel)(const LaneStep &, int64_t count);
};

/// Chooses the kernel of an operation; null if there is none.
decltype(LaneStep::kernel) findLaneKernel(Operation *op, LaneType from);

/// Rounds or wraps a result to its type.
void settleLanes(Lanes &lanes, LaneType type, int64_t count);

} // namespace mlir::prune

#endif // PRUNE_LIB_ANALYSIS_EVALUATION_LANES_H
