//===- AffineChains.h - Affine parts of elementwise bodies --------*- C++
//-*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A normalisation by stored statistics is, element by element, a row of
// additions and multiplications with numbers that are known at compile time.
// This finds such rows in the body of an elementwise operation, at its
// beginning or its end, and computes `scale * x + shift` of each in double
// precision.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_ANALYSIS_EVALUATION_AFFINECHAINS_H
#define PRUNE_ANALYSIS_EVALUATION_AFFINECHAINS_H

#include "prune/Analysis/Evaluation/SliceConstants.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SetVector.h"

#include <vector>

namespace mlir::prune {

/// scale * x + shift.
struct Affine {
  double scale = 1;
  double shift = 0;
};

/// The values of an elementwise body that only depend on constants.
class BodyConstants {
public:
  explicit BodyConstants(linalg::LinalgOp op);

  bool isKnown(Value value) const { return known.contains(value); }
  /// The constant operands that `chain` depends on and that do not hold one
  /// number throughout.
  SmallVector<OpOperand *> getVarying(ArrayRef<Operation *> chain) const;
  /// The names of the weights that `chain` depends on, in the order of the
  /// operands.
  SmallVector<StringRef> getNames(ArrayRef<Operation *> chain) const;

  /// Computes all known values, the element of each operand that varies being
  /// the one at the row-major position that `position` gives.
  void evaluate(llvm::function_ref<int64_t(OpOperand *)> position);
  double get(Value value) const { return known.lookup(value); }

private:
  llvm::SmallSetVector<Value, 8> getNeeded(ArrayRef<Operation *> chain) const;

  linalg::LinalgOp op;
  SmallVector<OpOperand *> operands;
  /// The elements of each constant operand, one if they are all the same.
  SmallVector<std::vector<double>> elements;
  SmallVector<Operation *> computed;
  llvm::SmallDenseMap<Value, double, 16> known;
};

/// The affine operations, and conversions among them, that follow `start` one
/// after the other, each the only user of the one before.
SmallVector<Operation *> getChainAfter(Value start, const BodyConstants &body);

/// The affine operations that end in `end`; the first one's other operand is
/// not known, and only used there.
SmallVector<Operation *> getChainBefore(Value end, const BodyConstants &body);

/// The operand of an affine operation that is not known.
OpOperand &getVariable(Operation *op, const BodyConstants &body);

/// What a chain starts from, past conversions at its beginning, as a number of
/// `type`; null if there is none.
Value getChainStart(ArrayRef<Operation *> chain, const BodyConstants &body,
                    Type type);

/// Takes the operations of a chain that nothing reads any more out of their
/// body.
void eraseChain(ArrayRef<Operation *> chain);

/// What a row of operations does to `before`, given the known values.
Affine applyChain(ArrayRef<Operation *> chain, const BodyConstants &body,
                  Affine before);

/// Whether an operation of the row multiplies.
bool hasProduct(ArrayRef<Operation *> chain);

/// The operand that an elementwise operation passes on as it is, given what is
/// known of each operand; or null.
OpOperand *getPassedOn(linalg::LinalgOp op, ArrayRef<BodyValue> operands);

/// The operation, if it computes each element of one result from elements of
/// its operands, on tensors.
linalg::LinalgOp asElementwise(Operation *op);

} // namespace mlir::prune

#endif // PRUNE_ANALYSIS_EVALUATION_AFFINECHAINS_H
