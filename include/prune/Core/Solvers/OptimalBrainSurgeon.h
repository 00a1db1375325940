//===- OptimalBrainSurgeon.h - Removal one by one ---------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Removes the weight that costs least, changes the others of its row as is
// best, and starts again (Frantar, Singh and Alistarh, 2022). Rows are
// independent, so that one run gives the masks and errors of all sparsities.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CORE_SOLVERS_OPTIMALBRAINSURGEON_H
#define PRUNE_CORE_SOLVERS_OPTIMALBRAINSURGEON_H

#include "prune/Core/MaskSelection.h"
#include "prune/Core/Solvers/LayerSystem.h"

#include "llvm/Support/Error.h"

namespace mlir::prune {

/// More inputs take too long: time grows with rows * inputs^3 / 3.
constexpr int64_t kMostRemovalInputs = 1024;

/// How the rows of a group lose their weights. Errors are those of `fitSupport`
/// with the damping of the run: squared errors and the ridge.
struct RemovalCurves {
  int64_t rows = 0, inputs = 0;
  /// The error with all weights that have an input.
  double denseError = 0;
  /// Of each row, its inputs in the order of removal. [rows x inputs]
  std::vector<int64_t> order;
  /// How much each of these removals adds to the error. [rows x inputs]
  std::vector<double> increases;
};

/// Removes all weights of each row, one by one; first those whose input is
/// always 0. Of equal costs, the one in front goes first. Fails above
/// `kMostRemovalInputs` inputs, if sizes do not match, a number is not finite,
/// or no damping makes the Gram matrix positive definite.
llvm::Expected<RemovalCurves> computeRemovalCurves(const LayerSystem &system,
                                                   double damping,
                                                   ParallelFor parallelFor);

/// The mask [all elements of all groups] after `removed` weights are gone: the
/// next is always that of the row where it costs least.
std::vector<uint8_t> selectByCurves(llvm::ArrayRef<RemovalCurves> groups,
                                    int64_t removed);

/// The error of all groups after 0, 1, ... removals, as many as there are
/// elements, in the order of `selectByCurves`.
std::vector<double> errorCurve(llvm::ArrayRef<RemovalCurves> groups);

} // namespace mlir::prune

#endif // PRUNE_CORE_SOLVERS_OPTIMALBRAINSURGEON_H
