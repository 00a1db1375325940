//===- WeightRescaler.h - Scale a weight along its loops ----------*- C++
//-*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A constant weight reaches its contraction through reshapes and transposes. To
// multiply it with one number for each channel, every element of the constant
// has to know its channel; the constant keeps its shape and its place.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_TRANSFORMS_PREPARATION_WEIGHTRESCALER_H
#define PRUNE_LIB_TRANSFORMS_PREPARATION_WEIGHTRESCALER_H

#include "prune/Analysis/DimFactors.h"

#include "prune/Analysis/WeightUses.h"
#include "prune/Core/TensorView.h"
#include "prune/IR/KeptRecord.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <vector>

namespace mlir::prune {

/// A weight that one contraction uses and nothing else.
class WeightRescaler {
public:
  /// Nothing, with the reason, if the weight cannot be rewritten.
  static std::optional<WeightRescaler> create(const Weight &weight,
                                              std::string &reason);

  linalg::LinalgOp getContraction() const {
    return cast<linalg::LinalgOp>(use.operand->getOwner());
  }
  OpOperand *getOperand() const { return use.operand; }
  Operation *getConstant() const { return constant; }
  StringRef getName() const { return name; }
  FloatKind getKind() const;

  /// The extent of a loop that indexes the weight, 0 if it does not.
  int64_t getExtent(unsigned loop) const;

  /// For each loop that indexes the weight, what its steps add to a position in
  /// a table; loops that are missing add nothing.
  using Steps = llvm::SmallDenseMap<unsigned, std::vector<int64_t>>;

  /// Calls `visit(element, value, positions)` for each element of the constant,
  /// with one position for each entry of `tables`.
  void forEach(ArrayRef<Steps> tables,
               llvm::function_ref<void(int64_t element, double value,
                                       ArrayRef<int64_t> positions)>
                   visit) const;

  /// The constant with new values, rounded once, under the next name. False if
  /// a value that was finite no longer is. The indices that it kept are
  /// recorded for the new constant, too.
  bool replaceValues(const std::vector<double> &values, KeptRecord &kept);

private:
  WeightRescaler(const Weight &weight, DimFactors origins)
      : name(weight.name), constant(weight.constants.front()),
        use(weight.uses.front()), type(weight.getType()),
        origins(std::move(origins)) {}

  std::string name;
  Operation *constant;
  WeightUse use;
  RankedTensorType type;
  DimFactors origins;
};

} // namespace mlir::prune

#endif // PRUNE_LIB_TRANSFORMS_PREPARATION_WEIGHTRESCALER_H
