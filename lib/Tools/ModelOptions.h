//===- ModelOptions.h - Options for reading models --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_TOOLS_MODELOPTIONS_H
#define PRUNE_LIB_TOOLS_MODELOPTIONS_H

#include "prune/Import/ONNX.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Error.h"

namespace mlir::prune {

/// What can be said about an ONNX model on the command line.
struct ModelOptions {
  explicit ModelOptions(llvm::cl::OptionCategory &category);

  /// Fails if an option does not make sense.
  llvm::Expected<ONNXImportOptions> get() const;

private:
  llvm::Error readValues(ONNXImportOptions &options) const;

  llvm::cl::list<std::string> dims, values;
};

} // namespace mlir::prune

#endif // PRUNE_LIB_TOOLS_MODELOPTIONS_H
