//===- Inputs.h - Arguments from files or at random -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Turns the --input options into one array per argument, in the type that the
// compiled function reads.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_TOOLS_PRUNERUN_INPUTS_H
#define PRUNE_TOOLS_PRUNERUN_INPUTS_H

#include "Model.h"

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
};

/// Reads `[name=]@file.npy` or makes random arrays for `[name=]4x8`. An
/// argument that is not mentioned is random. An array of another type is
/// converted, with a note, or refused.
llvm::Expected<std::vector<Input>> makeInputs(const Model &model,
                                              ArrayRef<std::string> options,
                                              uint64_t seed,
                                              const Batching &batching);

/// Whether the inputs can be given to the model, possibly in slices.
llvm::Error checkInputs(const Model &model, ArrayRef<Input> inputs,
                        const Batching &batching);

/// Whether an argument takes slices of this input rather than all of it.
bool isSliced(const Port &port, const Input &input, const Batching &batching);

} // namespace mlir::prune

#endif // PRUNE_TOOLS_PRUNERUN_INPUTS_H
