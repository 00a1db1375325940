//===- WeightUses.h - The weights of a network ------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A weight is a constant tensor that reaches the weight operand of a
// contraction or convolution, directly or through transposes, reshapes, casts,
// broadcasts and slices. This analysis finds all of them in a module, and says
// of every contraction without a prunable weight why it has none.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_ANALYSIS_WEIGHTUSES_H
#define PRUNE_ANALYSIS_WEIGHTUSES_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/SmallVector.h"

#include <optional>
#include <string>

namespace mlir::prune {

/// One place where a weight enters a contraction or convolution.
struct WeightUse {
  /// The operand of the contraction.
  OpOperand *operand;
  /// What stands between the constant and the operand, in data-flow order:
  /// linalg.transpose, tensor.expand_shape, tensor.collapse_shape,
  /// tensor.extract_slice, casts, linalg.broadcast, or a linalg.generic that
  /// does one of these.
  llvm::SmallVector<Operation *> chain;
  /// For a convolution without input channels of its own (depthwise).
  bool isDepthwise = false;

  /// The dimension of the constant along which the contraction sums and that
  /// lies innermost, if it can be followed through the chain: the reduction
  /// dimension of a matmul, the input channel of a convolution.
  std::optional<int64_t> getReductionDim() const;
};

/// A constant and everything that it is the weight of. Several constant
/// operations that hold the same resource are one weight.
struct Weight {
  /// The resource key up to the first '#'; a generated name (`weight<n>`, by
  /// position) for a constant that is not a resource.
  std::string name;
  /// The constant operations that hold it, in module order; at least one.
  llvm::SmallVector<Operation *> constants;
  llvm::SmallVector<WeightUse> uses;

  ElementsAttr getValue() const;
  RankedTensorType getType() const;
  Location getLoc() const { return constants.front()->getLoc(); }
  bool isDepthwise() const;
};

/// A contraction or constant that is not prunable, with the reason.
struct NotPrunable {
  Operation *op;
  /// The name, if a constant is concerned.
  std::string name;
  std::string reason;
};

/// All weights below an operation, in module order. Constant once built.
class WeightUses {
public:
  explicit WeightUses(Operation *root);

  llvm::ArrayRef<Weight> getWeights() const { return weights; }
  llvm::ArrayRef<NotPrunable> getNotPrunable() const { return notPrunable; }

  /// Multiplications with weights in one call; open sizes count as 1.
  int64_t countMultiplications() const;

private:
  llvm::SmallVector<Weight> weights;
  llvm::SmallVector<NotPrunable> notPrunable;
};

/// The name of record of a resource: its key up to the first '#'.
llvm::StringRef getWeightName(llvm::StringRef resourceKey);

/// The name of a constant if it is a resource, else empty.
llvm::StringRef getWeightName(Attribute value);

/// If `op` passes a constant on to a contraction, all of it or a part,
/// unchanged but for shape, layout or element type, the operand that it passes
/// on, else null.
OpOperand *getForwardedOperand(Operation *op);

} // namespace mlir::prune

#endif // PRUNE_ANALYSIS_WEIGHTUSES_H
