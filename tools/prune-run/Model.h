//===- Model.h - A module, compiled -----------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a file to machine code: read, check, run the passes, compile. What is
// left of the IR afterwards is the signature of the entry function.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_TOOLS_PRUNERUN_MODEL_H
#define PRUNE_TOOLS_PRUNERUN_MODEL_H

#include "prune/Core/Support/Npy.h"
#include "prune/Execution/Runner.h"
#include "prune/Import/ONNX.h"

#include "mlir/Support/LLVM.h"

#include <string>
#include <vector>

namespace mlir {
class DialectRegistry;
class Type;
} // namespace mlir

namespace mlir::prune {

/// One argument or result of the entry function.
struct Port {
  /// "argument 1 ('x') of 'main'"
  std::string description;
  /// The name that an attribute gives it, or nothing.
  std::string name;
  /// The type in files. bfloat16 is float32 there.
  NpyType type = NpyType::F32;
  bool isBFloat = false;
  bool isScalar = false;
  /// A dimension that is not known is -1.
  SmallVector<int64_t> shape;

  PortType portType() const;
  /// "4x?xfloat32"
  std::string typeText() const;
  bool isDynamic() const;
};

/// How to load a model.
struct LoadOptions {
  std::string path, entry, pipeline, kernels;
  ONNXImportOptions onnx;
  bool runtimeChecks = true;
  unsigned threads = 1;
};

struct Model {
  std::string path, entry;
  std::vector<Port> arguments, results;
  std::unique_ptr<Runner> runner;
};

/// Diagnostics of the compiler go to standard error; the error then only says
/// which file could not be compiled.
llvm::Expected<Model> loadModel(const DialectRegistry &registry,
                                const LoadOptions &options);

} // namespace mlir::prune

#endif // PRUNE_TOOLS_PRUNERUN_MODEL_H
