//===- SegmentedNetwork.h - A network cut in front of its layers -*- C++-*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Calibration looks at the inputs of one layer after the other, with all layers
// in front as they have become. The network is cut where layers begin and each
// piece compiled once; the tensors that cross the cuts are kept for all
// samples, so that a sweep over all layers runs each operation once.
//
// The floating-point constants of the network are inputs of the pieces: other
// numbers in them cost no compilation.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CALIBRATION_SEGMENTEDNETWORK_H
#define PRUNE_CALIBRATION_SEGMENTEDNETWORK_H

#include "prune/Execution/Program.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::prune {

/// A piece of the network. Tensors and scalars that cross a cut have numbers,
/// the first of them the arguments of the network.
struct NetworkSegment {
  /// What it reads: numbers of values, then of constants.
  SmallVector<unsigned> inputs, constants;
  /// What it computes that others read.
  SmallVector<unsigned> outputs;
  /// Values that nothing behind it reads.
  SmallVector<unsigned> dead;
  std::unique_ptr<Program> program;
};

class SegmentedNetwork {
public:
  /// Cuts a function of one block in front of `layers`, operations of that
  /// block in their order; several that read what is known at one cut share
  /// it. The module stays as it is, and must outlive the network.
  static llvm::Expected<std::unique_ptr<SegmentedNetwork>>
  create(func::FuncOp function, ArrayRef<Operation *> layers,
         ArrayRef<OpOperand *> inputs);

  ArrayRef<NetworkSegment> segments() const { return pieces; }
  /// The floating-point constants with a name.
  ArrayRef<DenseResourceElementsAttr> constants() const { return known; }
  /// The segment behind which a layer's input is known, by its position in
  /// `layers`.
  unsigned stageOf(unsigned layer) const { return stages[layer]; }
  /// The number of a value that crosses a cut: a layer's input, an argument.
  unsigned numberOf(Value value) const { return numbers.lookup(value); }
  bool isKnown(Value value) const { return numbers.contains(value); }
  unsigned numValues() const { return numbers.size(); }
  /// The number of a constant by an operation that holds it.
  std::optional<unsigned> constantOf(Operation *holder) const;
  /// The numbers of what the function returns.
  ArrayRef<unsigned> results() const { return resultNumbers; }

private:
  friend class Cutter;
  std::vector<NetworkSegment> pieces;
  std::vector<DenseResourceElementsAttr> known;
  llvm::DenseMap<Attribute, unsigned> constantNumbers;
  llvm::DenseMap<Value, unsigned> numbers;
  SmallVector<unsigned> stages, resultNumbers;
};

} // namespace mlir::prune

#endif // PRUNE_CALIBRATION_SEGMENTEDNETWORK_H
