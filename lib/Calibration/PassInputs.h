//===- PassInputs.h - What passes on data have in common --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_CALIBRATION_PASSINPUTS_H
#define PRUNE_LIB_CALIBRATION_PASSINPUTS_H

#include "prune/Calibration/Reconstruct.h"

namespace mlir::prune {

/// What options of passes say, as they have it.
struct DataOptions {
  ArrayRef<std::string> files;
  int64_t samples = 1024, batch = 32;
  StringRef function;
};
struct SolverNames {
  StringRef method = "best";
  double damping = 0.01;
};

/// The network of a pass: a copy of the module with everything inlined, whose
/// constants are those of the module.
struct PassNetwork {
  OwningOpRef<ModuleOp> module;
  func::FuncOp entry;
  std::unique_ptr<WeightUses> uses;

  ArrayRef<Weight> weights() const { return uses->getWeights(); }

  static FailureOr<PassNetwork> create(ModuleOp module, StringRef function,
                                       StringRef by);
};

/// Fails after an error that begins with `by`; one without words has been said.
LogicalResult failWith(ModuleOp module, StringRef by, llvm::Error error);

/// The first samples of .npy files, one for each argument.
llvm::Expected<std::vector<Input>> readSamples(const DataOptions &options);

/// Checks the options; errors name them.
FailureOr<NetworkOptions> readNetworkOptions(ModuleOp module, StringRef by,
                                             const DataOptions &data,
                                             const SolverNames &solver);

/// The dialects of the compilation, which runs inside of the passes.
void insertLoweringDialects(DialectRegistry &registry);

} // namespace mlir::prune

#endif // PRUNE_LIB_CALIBRATION_PASSINPUTS_H
