//===- Model.h - A file, compiled -------------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_TOOLS_RUN_MODEL_H
#define PRUNE_LIB_TOOLS_RUN_MODEL_H

#include "prune/Calibration/CollectStatistics.h"
#include "prune/Execution/Program.h"
#include "prune/Import/ONNX.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace mlir::prune {

/// How to load a model.
struct LoadOptions {
  std::string path, pipeline;
  ONNXImportOptions onnx;
  CompileOptions compile;
  /// Collect what the module's observers see.
  bool observe = false;
};

/// A module that is observed while it runs, and what is seen.
struct ObservedModule {
  std::unique_ptr<MLIRContext> context;
  OwningOpRef<ModuleOp> module;
  std::unique_ptr<StatisticsCollector> collector;
};

struct Model {
  std::string path;
  /// Null unless it was asked for.
  std::unique_ptr<ObservedModule> observed;
  std::unique_ptr<Program> program;
};

/// Reads a file, runs the user's pipeline and compiles. Diagnostics go to
/// standard error; the error then only says which file could not be compiled.
llvm::Expected<Model> loadModel(const DialectRegistry &registry,
                                const LoadOptions &options);

/// Writes the module without observers and with what they saw.
llvm::Error writeStatistics(ObservedModule &observed, StringRef output);

} // namespace mlir::prune

#endif // PRUNE_LIB_TOOLS_RUN_MODEL_H
