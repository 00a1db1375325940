//===- Epilogue.h - What follows a packed product ---------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A product applies elementwise operations to its result before it is stored.
// This finds in the IR what of that there is: a bias or a residual that the sum
// starts from, and the operations behind it.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_CONVERSION_WEIGHTS_EPILOGUE_H
#define PRUNE_LIB_CONVERSION_WEIGHTS_EPILOGUE_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::prune {

/// Whether the sums of a contraction start neither from zero nor from a bias.
/// `rowLoop` is the loop over the rows of the weight, if there is one alone.
bool startsFromTensor(linalg::LinalgOp contraction,
                      std::optional<unsigned> rowLoop);

/// What follows a contraction: its initial value, and every operation that
/// fits.
class Epilogue {
public:
  /// Without `takesResidual` no residual is taken, and the sums must not start
  /// from one.
  Epilogue(RewriterBase &builder, linalg::LinalgOp contraction,
           std::optional<unsigned> rowLoop, bool takesResidual = true);

  /// The bias as a vector, and the residual, or null; as wide as the sums.
  Value createBias();
  Value createResidual();

  /// Fills the region of the packed op.
  void build(Region &region);

  /// Replaces the contraction and what was taken by `result`, whose elements
  /// are as wide as the sums.
  void replaceBy(Value result);

  Value bias, residual;
  /// The last operation taken in: its result is what the product yields.
  Operation *last;

private:
  enum class Source { Element, Bias, Residual, Constant };
  std::optional<Source> classify(Value operand, AffineMap map, Value current,
                                 Value &asBias, Value &asResidual);
  void takeInit();
  linalg::GenericOp getNext();
  bool take(linalg::GenericOp op);
  bool takeRounding(linalg::GenericOp op);
  bool isWidenedOnly(Value argument) const;
  bool setOnce(Value &slot, Value value) {
    if (!value || slot == value)
      return true;
    if (slot)
      return false;
    slot = value;
    return true;
  }

  RewriterBase &b;
  linalg::LinalgOp contraction;
  SmallVector<Operation *> taken;
  /// The type of the sums; if the last operation rounds them to 16 bits, to
  /// which.
  Type element, rounded;
  std::optional<unsigned> rowDim;
  bool takesResidual, addsBias = false, addsResidual = false;
};

} // namespace mlir::prune

#endif // PRUNE_LIB_CONVERSION_WEIGHTS_EPILOGUE_H
