//===- PatternSelection.h - What solvers keep of a tensor -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Solvers see a weight as groups of rows and inputs; patterns are defined on
// its tensor. This connects the two: a `SelectKept` that ranks by a pattern.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CORE_SOLVERS_PATTERNSELECTION_H
#define PRUNE_CORE_SOLVERS_PATTERNSELECTION_H

#include "prune/Core/MaskSelection.h"

#include "llvm/ADT/ArrayRef.h"

#include <vector>

namespace mlir::prune {

/// Chooses elements of one tensor. Immutable: calls from several threads do not
/// meet.
class PatternSelection {
public:
  /// `elementOf` says for each element of the solver's groups, one after
  /// another, which row-major element of the tensor it is: each exactly once.
  /// If it is empty, they are the same. `target` is as in `MaskSelection`.
  PatternSelection(llvm::ArrayRef<int64_t> shape, UnitPattern pattern,
                   Target target, llvm::ArrayRef<int64_t> elementOf = {});

  /// As `SelectKept` has it. `scores` are in the solver's order and at least 0;
  /// NaN counts as 0. Without candidates, decides as `MaskSelection` does. With
  /// them, ranks the units all of whose elements are candidates and leaves
  /// `keep` of all others alone; a count is cut in proportion.
  void operator()(llvm::ArrayRef<double> scores,
                  llvm::ArrayRef<uint8_t> candidates,
                  llvm::MutableArrayRef<uint8_t> keep) const;

private:
  int64_t elementAt(int64_t i) const { return elements ? (*elements)[i] : i; }
  int64_t unitAt(int64_t i) const { return unitOf.empty() ? i : unitOf[i]; }
  void findUnits();
  std::vector<uint8_t> selectAll(llvm::ArrayRef<double> scores) const;
  std::vector<uint8_t> selectUnits(llvm::ArrayRef<int64_t> units,
                                   llvm::ArrayRef<double> scores) const;

  llvm::SmallVector<int64_t> shape;
  UnitPattern pattern;
  Target target;
  int64_t size;
  /// By element of the solver, that of the tensor; the other way round; and its
  /// unit, or for N:M patterns its group. Units are counted by `unitSizes`.
  std::optional<std::vector<int64_t>> elements;
  std::vector<int64_t> solverOf, unitOf, unitSizes;
};

} // namespace mlir::prune

#endif // PRUNE_CORE_SOLVERS_PATTERNSELECTION_H
