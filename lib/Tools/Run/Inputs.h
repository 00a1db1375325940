//===- Inputs.h - Arguments from files or at random -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Turns the --input options into one array per argument, in the type that the
// compiled function reads.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_TOOLS_RUN_INPUTS_H
#define PRUNE_LIB_TOOLS_RUN_INPUTS_H

#include "Model.h"

#include "prune/Execution/Batches.h"

namespace mlir::prune {

/// Reads `[name=]@file.npy` or makes random arrays for `[name=]4x8`. An
/// argument that is not mentioned is random. An array of another type is
/// converted, with a note, or refused.
llvm::Expected<std::vector<Input>> makeInputs(const Model &model,
                                              ArrayRef<std::string> options,
                                              uint64_t seed,
                                              const Batching &batching);

/// Whether the inputs of one model can be given to another, possibly in slices.
llvm::Error checkInputs(const Model &model, ArrayRef<Input> inputs,
                        const Batching &batching);

} // namespace mlir::prune

#endif // PRUNE_LIB_TOOLS_RUN_INPUTS_H
