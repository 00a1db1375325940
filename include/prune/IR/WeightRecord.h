//===- WeightRecord.h - What is known of rewritten weights ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The module attribute `prune.weights` holds a dictionary for each weight that
// something was decided for, as the description of the dialect says. And the
// memory of new constants.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_IR_WEIGHTRECORD_H
#define PRUNE_IR_WEIGHTRECORD_H

#include "prune/Core/Support/ByteBuffer.h"
#include "prune/IR/EditedDictionary.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/DenseMap.h"

#include <memory>

namespace mlir::prune {

/// What the module around `op` records of the weight `name`, or null.
DictionaryAttr getWeightRecord(Operation *op, StringRef name);

/// The records while a pass changes them; modules get them by `commit`. The
/// module of a weight is the innermost one that is or is around `op`. Weights
/// without a name have no record.
class WeightRecords {
public:
  /// The record of a weight, or null.
  DictionaryAttr get(Operation *op, StringRef name);

  void commit();

  /// Adds entries; those of the same names are replaced.
  void add(Operation *op, StringRef name, ArrayRef<NamedAttribute> entries);

  /// Adds a decision in the place of an earlier one.
  void decide(Operation *op, StringRef name, ArrayRef<NamedAttribute> entries);

private:
  EditedDictionary *find(Operation *op);

  llvm::DenseMap<Operation *, std::unique_ptr<EditedDictionary>> modules;
};

/// The elements of a constant that are not zero; 0 if it is no dense constant
/// of floating-point numbers.
int64_t countNonzeros(Attribute constant);

/// Memory for the contents of a constant, not initialised.
AsmResourceBlob allocateBlob(size_t size);

/// The contents of a constant, without a copy.
AsmResourceBlob adoptBlob(ByteBuffer buffer);

} // namespace mlir::prune

#endif // PRUNE_IR_WEIGHTRECORD_H
