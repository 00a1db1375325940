//===- Batches.h - Run a program on a data set, batch by batch --*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_EXECUTION_BATCHES_H
#define PRUNE_EXECUTION_BATCHES_H

#include "prune/Core/Npy.h"
#include "prune/Execution/Program.h"

namespace mlir::prune {

/// Elements that lie in memory as compiled code reads them, which differs from
/// what files hold only for bfloat16.
struct Input {
  NpyArray array;
  bool isBFloat = false;
};

/// How a data set is cut into calls.
struct Batching {
  bool enabled = false;
  /// The number of samples in one call where the function leaves it open.
  int64_t size = 0;
  /// Never fill up the last call where it has too few samples.
  bool wholeOnly = false;
};

/// Whether an argument takes slices of this input rather than all of it.
bool isSliced(const Port &port, const Input &input, const Batching &batching);

/// Whether an argument takes an input, possibly in slices; else what is wrong,
/// which begins with `source`.
llvm::Error checkInput(const Port &port, const Input &input, StringRef source,
                       const Batching &batching);

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

/// Calls the program on all inputs, which fit, cut into slices if batching asks
/// for it, and puts the results together.
llvm::Expected<Outcome> runProgram(const Program &program,
                                   ArrayRef<Input> inputs,
                                   const Batching &batching,
                                   const Timing &timing);

} // namespace mlir::prune

#endif // PRUNE_EXECUTION_BATCHES_H
