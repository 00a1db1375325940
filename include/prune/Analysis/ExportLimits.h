//===- ExportLimits.h - What an ONNX file can lose --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A module can lose channels that the operators of the file which it came from
// need. The import writes down, as the module's `prune.onnx`, what each weight
// could lose there: for each dimension unit if any index can go, the node that
// needs all of them as text, or a number for each index, the same for indices
// that only leave together, and -1 for one that stays. A weight that no export
// writes has the node that it lies in instead.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_ANALYSIS_EXPORTLIMITS_H
#define PRUNE_ANALYSIS_EXPORTLIMITS_H

#include "prune/IR/KeptRecord.h"

namespace mlir::prune {

class ExportLimits {
public:
  /// What `export-safe=option` means for a module: nothing if exports need not
  /// be thought of. Fails after a diagnostic about the option of `pass`.
  static FailureOr<std::unique_ptr<ExportLimits>>
  choose(ModuleOp module, StringRef option, StringRef pass);

  explicit ExportLimits(ModuleOp module);

  /// Along one dimension of a weight, which may be smaller than the original:
  /// the reason for indices that stay, as text that lives with the context.
  struct Limit {
    StringRef reason;
    /// The same number for indices that leave together, -1 for those that stay.
    /// Of several lists one has to hold; of none, all indices stay.
    SmallVector<SmallVector<int64_t>, 1> classes;
  };
  /// The node inside of which a weight of that name lies; empty if in none.
  StringRef getOuterNode(StringRef name) const;
  std::optional<Limit> get(DenseResourceElementsAttr weight, int64_t dim) const;

private:
  DictionaryAttr limits;
  KeptRecord record;
};

} // namespace mlir::prune

#endif // PRUNE_ANALYSIS_EXPORTLIMITS_H
