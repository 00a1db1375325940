//===- KeptRecord.h - Which indices a weight kept ---------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The module's `prune.kept` says how the weights of a smaller network came from
// those of the original, so that they can be traced, trained elsewhere or put
// back. Keys are resource keys. A weight that is smaller has a list with an
// entry per dimension, the kept indices of the original or unit for all of
// them. A weight that is gone has the number that it held throughout, or unit
// if it held several.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_IR_KEPTRECORD_H
#define PRUNE_IR_KEPTRECORD_H

#include "prune/Core/TensorSlices.h"
#include "prune/IR/EditedDictionary.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::prune {

/// What the removal of constant channels adds behind a weight that no bias
/// follows is a constant of the weight's name, a dot, and this.
constexpr StringLiteral kShiftSuffix = "shift";

/// The weights of a module by name: versions that differ, in order.
using Versions = SmallVector<DenseResourceElementsAttr, 1>;
llvm::MapVector<StringRef, Versions> collectResources(ModuleOp module);

/// What a module records, while a pass may change it; the module gets the
/// changes by `commit`.
class KeptRecord {
public:
  explicit KeptRecord(ModuleOp module);
  void commit() { entries.commit(); }

  /// The indices of the original that a weight consists of. Keys that nothing
  /// is recorded of, since a pass only rewrote the numbers, take the record of
  /// another version of the weight of this shape. Nothing if there are several
  /// that differ.
  std::optional<KeptIndices> get(StringRef key, ArrayRef<int64_t> shape) const;

  /// Records that `newKey` consists of the given indices of `oldKey`, which has
  /// `oldShape`.
  void set(StringRef oldKey, ArrayRef<int64_t> oldShape, StringRef newKey,
           const KeptIndices &kept);

  /// Records that a constant of other numbers has the indices of the one that
  /// it replaces. Constants that are not resources have no record.
  void setVersion(Attribute before, Attribute after);

  /// Limits the record to the weights that are there, and to those that were
  /// `before` and are gone.
  void tidy(ModuleOp module,
            const llvm::MapVector<StringRef, Versions> &before);

private:
  void set(StringRef key, Attribute entry);

  MLIRContext *context;
  EditedDictionary entries;
  /// The keys of the versions of each weight.
  llvm::StringMap<SmallVector<std::string, 1>> keys;
};

} // namespace mlir::prune

#endif // PRUNE_IR_KEPTRECORD_H
