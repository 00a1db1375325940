//===- MaskPlan.h - What prune-mask-weights was asked to do -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The options of the pass, checked and resolved weight by weight, apart from
// the IR that results from them.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_TRANSFORMS_WEIGHTS_MASKPLAN_H
#define PRUNE_LIB_TRANSFORMS_WEIGHTS_MASKPLAN_H

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
/// option and what it expects.
FailureOr<MaskPlan> planMasks(llvm::ArrayRef<Weight> weights,
                              const MaskOptions &options, Location loc);

} // namespace mlir::prune

#endif // PRUNE_LIB_TRANSFORMS_WEIGHTS_MASKPLAN_H
