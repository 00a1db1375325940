//===- Model.h - A file, compiled -------------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_TOOLS_RUN_MODEL_H
#define PRUNE_LIB_TOOLS_RUN_MODEL_H

#include "prune/Execution/Program.h"
#include "prune/Import/ONNX.h"

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace mlir::prune {

/// How to load a model.
struct LoadOptions {
  std::string path, pipeline;
  ONNXImportOptions onnx;
  CompileOptions compile;
};

struct Model {
  std::string path;
  std::unique_ptr<Program> program;
};

/// Reads a file, runs the user's pipeline and compiles. Diagnostics go to
/// standard error; the error then only says which file could not be compiled.
llvm::Expected<Model> loadModel(const DialectRegistry &registry,
                                const LoadOptions &options);

} // namespace mlir::prune

#endif // PRUNE_LIB_TOOLS_RUN_MODEL_H
