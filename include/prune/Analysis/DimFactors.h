//===- DimFactors.h - Where reshaped indices come from ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A row of reshapes and transposes maps each index of the last tensor to
// factors of the indices of the first one: after a flatten of [C, H, W], the
// index of a column is a number of which the leading factor is the channel.
// Following factors through the row says which element of a constant a channel
// scales, without moving any data.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_ANALYSIS_DIMFACTORS_H
#define PRUNE_ANALYSIS_DIMFACTORS_H

#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"

namespace mlir::prune {

/// `(index / stride) % size` of an index along dimension `dim` of the first
/// tensor. A size may be dynamic.
struct Factor {
  /// The dimension of an index that does not come from the first tensor.
  static constexpr unsigned kUnknown = ~0u;
  unsigned dim;
  int64_t stride;
  int64_t size;
};

class DimFactors {
public:
  /// Starts with the tensor itself.
  explicit DimFactors(RankedTensorType type);

  unsigned getRank() const { return factors.size(); }
  /// The factors that an index along `dim` is made of, the leading one first. A
  /// dimension of size one has none.
  ArrayRef<Factor> getFactors(unsigned dim) const { return factors[dim]; }

  /// Goes on to the result of `op`, a reshape or transpose of its operand 0.
  /// False if it is another operation or mixes factors.
  bool follow(Operation *op);
  /// Goes on to a tensor whose dimension i is this one's `permutation[i]`.
  void transpose(ArrayRef<int64_t> permutation);
  /// Goes on to a tensor that is longer along `dim`.
  void forget(unsigned dim, int64_t size) {
    factors[dim] = {Factor{Factor::kUnknown, 1, size}};
  }

private:
  bool expand(ArrayRef<ReassociationIndices> groups, ArrayRef<int64_t> shape);
  void collapse(ArrayRef<ReassociationIndices> groups);

  SmallVector<SmallVector<Factor>> factors;
};

} // namespace mlir::prune

#endif // PRUNE_ANALYSIS_DIMFACTORS_H
