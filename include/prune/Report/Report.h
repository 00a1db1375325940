//===- Report.h - What became of the weights --------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Collects, per weight, what was decided, what is left and what it takes, in
// whatever form the weight is at this point of the compilation. Printing goes
// to a stream that the caller owns.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_REPORT_REPORT_H
#define PRUNE_REPORT_REPORT_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/SmallVector.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mlir::prune {

/// One weight. Keys of `prune-report-weights` with the same names explain the
/// fields.
struct WeightEntry {
  std::string name;
  /// The type of the constant before it was packed.
  RankedTensorType type;
  /// The type before channels were removed; `type` where none were.
  RankedTensorType typeBefore;
  int64_t nonzeros = 0;
  int64_t uses = 0;
  /// The module's record of it, or null.
  DictionaryAttr record;
  /// Its forms, each once.
  SmallVector<std::string> formats;
  int64_t bytesAfter = 0;
  Location loc;

  explicit WeightEntry(Location loc) : loc(loc) {}
  void addFormat(StringRef format);
  int64_t getElements() const { return type.getNumElements(); }
  int64_t getBytesBefore() const;
  /// Whether no operation reads it any more.
  bool isRemoved() const;
  double getAchieved() const;
  /// Why nothing was decided for it; empty if something was.
  std::string getReason() const;
};

/// A contraction or constant that cannot be pruned.
struct SkippedEntry {
  std::string name;
  std::string operation;
  std::string reason;
  Location loc;
};

struct WeightReport {
  std::vector<WeightEntry> weights;
  std::vector<SkippedEntry> skipped;
  /// Multiplications with weights in one call, before channels were removed and
  /// since, if the module knows.
  std::optional<std::pair<int64_t, int64_t>> multiplications;

  /// Reads all weights below `module`.
  static WeightReport collect(ModuleOp module);

  void printText(raw_ostream &os) const;
  void printJSON(raw_ostream &os) const;
};

} // namespace mlir::prune

#endif // PRUNE_REPORT_REPORT_H
