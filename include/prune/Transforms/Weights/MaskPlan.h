//===- MaskPlan.h - What prune-mask-weights was asked to do -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The options of the pass, checked and resolved weight by weight, apart from
// the IR that results from them; and what masks have in common whose scores
// come from elsewhere.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_TRANSFORMS_WEIGHTS_MASKPLAN_H
#define PRUNE_TRANSFORMS_WEIGHTS_MASKPLAN_H

#include "prune/Analysis/WeightFilter.h"
#include "prune/IR/Prune.h"
#include "prune/Transforms/Weights/Transforms.h"

namespace mlir::prune {

/// What happens to one weight. No pattern: it is left alone, for `reason`.
struct WeightPlan {
  PatternAttrInterface pattern;
  Target target;
  /// It has a target of its own and is ranked alone in any scope.
  bool isOwnTarget = false;
  std::string reason;
  /// The same without what differs between weights, and what to do.
  std::string kind;
  /// Whether reports have the reason later. A target of zero leaves the module
  /// as it is.
  bool isRecorded = true;
  /// The units of its pattern.
  int64_t units = 0;
};

struct MaskPlan {
  CriterionAttrInterface criterion;
  bool isGlobal = false;
  llvm::SmallVector<WeightPlan> weights;

  /// Whether a weight is ranked with others.
  bool isTogether(const WeightPlan &weight) const {
    return isGlobal && !weight.isOwnTarget && !weight.pattern.isTarget();
  }
};

/// Resolves the options for the weights of a module. Every error names the
/// option and what it expects, and begins with `by`.
FailureOr<MaskPlan> planMasks(llvm::ArrayRef<Weight> weights,
                              const MaskOptions &options, Location loc,
                              StringRef by = "prune-mask-weights");

/// A count cannot exceed the units there are to remove.
LogicalResult checkCounts(llvm::ArrayRef<Weight> weights, const MaskPlan &plan,
                          Location loc);

/// Emits one remark a weight; returns the weights that are ranked together.
llvm::SmallVector<size_t> reportPlan(llvm::ArrayRef<Weight> weights,
                                     const MaskPlan &plan, StringRef pattern,
                                     LeftAlone &left);

/// Who decides, and by what.
struct Decider {
  StringRef by;
  Attribute criterion;
};

/// What became of the elements of a weight; `cut` is the score at which the
/// ranking was cut, if it was.
DictionaryAttr makeOutcome(MLIRContext *context, int64_t kept, int64_t removed,
                           std::optional<double> cut);

/// What stands on the apply operation of a weight; `outcome` is null if only
/// folding tells.
DecisionAttr makeDecision(const WeightPlan &plan, const Decider &decider,
                          bool isGlobal, DictionaryAttr outcome);

/// Lets everything that uses the constant see it masked, except `score`.
void applyMask(const Weight &weight, Operation *constant, Value mask,
               DecisionAttr decision, Operation *score = nullptr);

} // namespace mlir::prune

#endif // PRUNE_TRANSFORMS_WEIGHTS_MASKPLAN_H
