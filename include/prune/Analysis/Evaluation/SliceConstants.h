//===- SliceConstants.h - What whole slices are known to hold ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For each index of each axis: the one number that the whole slice holds, or
// unknown. Constants are read, operations evaluated: a filter of zeros makes a
// channel of zeros, which stays one through ReLU, pooling and residual sums.
// Zero times anything is zero, also NaN and infinity, and zeros have no sign.
//
// Through loops goes what holds in every iteration: the carried values start as
// what they are given, and where the body yields something else, the next round
// knows nothing of them, until a round changes nothing.
//
// From the same evaluation follows whether a reduction notices when a slice of
// its operands goes: it does not where the body yields its accumulator as it
// was.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_ANALYSIS_EVALUATION_SLICECONSTANTS_H
#define PRUNE_ANALYSIS_EVALUATION_SLICECONSTANTS_H

#include "prune/Analysis/ChannelGroups.h"
#include "prune/Core/TensorView.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::prune {

/// What a value in a body is known to be: a number, or what came in as block
/// argument `argument`, or unknown. What is unknown may be known not to be zero
/// and not to be NaN.
struct BodyValue {
  Attribute constant;
  int argument = -1;
  bool isNonzero = false;

  bool operator==(const BodyValue &other) const {
    return constant == other.constant && argument == other.argument;
  }
};

/// What an operation in a body is known to be from where it stands: the index
/// of a loop, an element of a tensor. `operands` are those of the operation.
using EvaluateInPlace = llvm::function_ref<Attribute(
    Operation *inner, ArrayRef<BodyValue> operands)>;

/// Evaluates the body of a structured operation; returns what it yields.
/// `arguments` has one entry for each block argument.
SmallVector<BodyValue> evaluateBody(linalg::LinalgOp op,
                                    ArrayRef<BodyValue> arguments,
                                    EvaluateInPlace inPlace = nullptr);

/// Evaluates one operation of a body, or an elementwise operation on tensors of
/// which the operands are known to consist.
BodyValue evaluateElement(Operation *op, ArrayRef<BodyValue> operands);

/// Whether an operation adds up products of two operands.
bool isSumOfProducts(linalg::LinalgOp op);

/// The numbers of a constant operand whose dimensions are loops of their own.
std::optional<TensorView> getReadableWeight(linalg::LinalgOp op,
                                            OpOperand &operand);

/// The dimension of an operand that `loop` indexes and nothing else.
std::optional<unsigned> dimOfLoop(AffineMap map, unsigned loop);

class SliceConstants {
public:
  SliceConstants(Operation *root, const ChannelGroups &groups);

  /// Null where nothing is known, or nothing was written yet.
  Attribute get(unsigned slot) const {
    return isa_and_nonnull<UnitAttr>(constants[slot]) ? Attribute()
                                                      : constants[slot];
  }
  void set(unsigned slot, Attribute value) { constants[slot] = value; }

  /// Computes the results of operations, given in program order with those of
  /// their regions, from what is known of their operands. With a log, notes
  /// each slot that changes and what it held before.
  using Log = SmallVector<std::pair<unsigned, Attribute>>;
  void evaluate(ArrayRef<Operation *> ops, Log *log = nullptr);

  /// The number that all of an operand, or of an index of its dimension, holds.
  Attribute getUniform(OpOperand &operand) const;
  /// The same for a value; null also if it is repeatable.
  Attribute getUniform(Value value) const;

  /// Whether the results stay as they are when step `index` of `loop`, over
  /// which the operation reduces, is left out.
  bool isNeutral(linalg::LinalgOp op, unsigned loop, int64_t index);

  /// What the operand is known to hold in step `index` of `loop`.
  Attribute getAt(OpOperand &operand, AffineMap map, unsigned loop,
                  int64_t index) const;

  /// What an element that a body reads is known to be, given what is known of
  /// its coordinates.
  Attribute getElement(tensor::ExtractOp read,
                       ArrayRef<BodyValue> coordinates) const;

private:
  struct Edge;
  void readConstant(const Axis &axis);
  void evaluate(Operation *op, Log *log);
  void evaluateNest(ArrayRef<Operation *> nest, Log *log);
  bool pass(const Edge &edge, Log *log);
  void evaluateElementwise(Operation *op, Log *log);
  void evaluateDescribed(ChannelOpInterface op, Log *log);
  void evaluateStructured(linalg::LinalgOp op, Log *log);
  void refineSums(linalg::LinalgOp op);
  void refineSum(linalg::LinalgOp op, OpOperand &x, OpOperand &w);
  void store(unsigned slot, Attribute value, Log *log);
  ArrayRef<Attribute> slots(unsigned axis) const;
  Attribute uniformFrom(unsigned firstAxis, int64_t rank) const;

  const ChannelGroups &groups;
  std::vector<Attribute> constants;
};

} // namespace mlir::prune

#endif // PRUNE_ANALYSIS_EVALUATION_SLICECONSTANTS_H
