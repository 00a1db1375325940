//===- WeightFilter.h - Choosing weights by name ----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The options `include` and `exclude` of every pass that works weight by
// weight, and lists of per-layer values such as `targets=fc1:0.9,fc2:0.5`.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_ANALYSIS_WEIGHTFILTER_H
#define PRUNE_ANALYSIS_WEIGHTFILTER_H

#include "prune/Analysis/WeightUses.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace mlir::prune {

using ErrorEmitter = llvm::function_ref<InFlightDiagnostic()>;

/// How a weight was chosen.
enum class Choice {
  Excluded,    ///< matched by `exclude`
  NotIncluded, ///< not matched by `include`
  Implied,     ///< there is no `include`
  Named,       ///< matched by `include`
};

/// Decides for each weight: it is chosen if `include` (a POSIX extended regular
/// expression, found anywhere in the name) is empty or matches, and `exclude`
/// is empty or does not match. An expression that does not compile, or matches
/// no weight, is an error that names it.
FailureOr<llvm::SmallVector<Choice>>
filterWeights(llvm::ArrayRef<Weight> weights, StringRef include,
              StringRef exclude, ErrorEmitter emitError);

/// For each weight the index of the first of `entries` (`layer:value`) that it
/// belongs to, or -1, and the values' texts. `layer` is a regular expression
/// for the whole name or for what stands before a '.' or '/' in it. An entry
/// without a value, with an invalid expression, or that matches no weight is an
/// error that names it. `optionName` is how messages call the option.
struct LayerValues {
  llvm::SmallVector<int> entryOfWeight;
  llvm::SmallVector<std::string> values;
};
FailureOr<LayerValues> matchLayerValues(llvm::ArrayRef<Weight> weights,
                                        llvm::ArrayRef<std::string> entries,
                                        StringRef optionName,
                                        ErrorEmitter emitError);

} // namespace mlir::prune

#endif // PRUNE_ANALYSIS_WEIGHTFILTER_H
