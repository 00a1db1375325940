//===- Transforms.h - Transformations as functions --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the passes do, for those who choose the operations themselves.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_TRANSFORMS_WEIGHTS_TRANSFORMS_H
#define PRUNE_TRANSFORMS_WEIGHTS_TRANSFORMS_H

#include "prune/Analysis/LeftAlone.h"
#include "prune/Analysis/WeightUses.h"
#include "prune/Core/TensorView.h"
#include "prune/Transforms/Weights/Passes.h"

#include "mlir/IR/Location.h"

namespace mlir::func {
class FuncOp;
} // namespace mlir::func

namespace mlir::prune {

/// The options of prune-mask-weights. Numbers are text, so that "not given",
/// which is empty, differs from every number.
using MaskOptions = MaskWeightsPassOptions;

/// Inserts score, mask and apply operations on weights, which must be of one
/// module. Errors name the option and are reported at `loc`, before anything
/// changes. `left` counts what is left alone.
LogicalResult maskWeights(llvm::ArrayRef<Weight> weights,
                          const MaskOptions &options, Location loc,
                          LeftAlone &left);

/// Scores that somebody else computed.
struct GivenScores {
  /// Who decides, and how, as reports have it.
  StringRef by, criterion;
  /// For each weight its scores; nothing for one that is not to be scored.
  llvm::ArrayRef<std::optional<TensorView>> scores;
};

/// The positions of the weights that `maskWeights` would mask with these
/// options, whose criterion does not matter. Errors are those of `maskWeights`.
FailureOr<llvm::SmallVector<size_t>>
chooseWeights(llvm::ArrayRef<Weight> weights, const MaskOptions &options,
              Location loc);

/// As `maskWeights`, with scores in the place of the criterion: ranks them and
/// writes constant masks and apply operations. Fails before anything changes,
/// also if a weight that is to be masked has no scores, or a NaN among them.
LogicalResult maskWeightsByScores(llvm::ArrayRef<Weight> weights,
                                  const MaskOptions &options,
                                  const GivenScores &given, Location loc,
                                  LeftAlone &left);

/// Puts a constant mask on a weight: true for each element that is kept. `by`
/// is who decided.
void maskWeight(const Weight &weight, llvm::ArrayRef<bool> keep, StringRef by);

/// Gives a weight other numbers, which are as many bytes as its elements have.
/// The operations that hold it are replaced and erased.
void replaceWeight(const Weight &weight, llvm::ArrayRef<char> bytes);

/// Computes and applies the masks of constants below `root`, as
/// prune-fold-masks does. Erases operations. Warns of layers that lose all
/// their elements, and if there are masks but nothing goes; `quiet` is for
/// callers to whom no mask is as good as one.
LogicalResult foldMasks(Operation *root, bool quiet = false);

/// Makes arguments of the named constants of a function that nothing calls, in
/// the order of their first use. Returns what the constants held. Fails after a
/// diagnostic.
FailureOr<llvm::SmallVector<ElementsAttr>>
externalizeWeights(func::FuncOp function);

/// Removes all observers below `root`; users get what was observed.
void stripObservers(Operation *root);

} // namespace mlir::prune

#endif // PRUNE_TRANSFORMS_WEIGHTS_TRANSFORMS_H
