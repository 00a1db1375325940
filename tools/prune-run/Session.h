//===- Session.h - Run a model on inputs, slice by slice --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_TOOLS_PRUNERUN_SESSION_H
#define PRUNE_TOOLS_PRUNERUN_SESSION_H

#include "Inputs.h"

namespace mlir::prune {

struct Timing {
  unsigned warmup = 0, repeat = 1;
};

struct Outcome {
  std::vector<NpyArray> results;
  /// The duration of each timed call, in microseconds.
  std::vector<double> microseconds;
  /// What compiled code did not free.
  HeapUse leaked;
};

/// Calls the model on all inputs, cut into slices if batching asks for it, and
/// puts the results together.
llvm::Expected<Outcome> runModel(const Model &model, ArrayRef<Input> inputs,
                                 const Batching &batching,
                                 const Timing &timing);

} // namespace mlir::prune

#endif // PRUNE_TOOLS_PRUNERUN_SESSION_H
