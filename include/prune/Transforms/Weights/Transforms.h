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

#include "mlir/IR/Location.h"

namespace mlir::func {
class FuncOp;
} // namespace mlir::func

namespace mlir::prune {

/// The options of prune-mask-weights as text, so that "not given", which is
/// empty, differs from every number.
struct MaskOptions {
  std::string criterion = "l1", pattern = "element";
  std::string sparsity, threshold, count;
  std::string scope = "local";
  std::string include, exclude;
  llvm::ArrayRef<std::string> targets;
  uint64_t seed = 0;
  int64_t minSize = 0;
};

/// Inserts score, mask and apply operations on weights, which must be of one
/// module. Errors name the option and are reported at `loc`, before anything
/// changes. `left` counts what is left alone.
LogicalResult maskWeights(llvm::ArrayRef<Weight> weights,
                          const MaskOptions &options, Location loc,
                          LeftAlone &left);

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

} // namespace mlir::prune

#endif // PRUNE_TRANSFORMS_WEIGHTS_TRANSFORMS_H
