//===- ONNX.h - Import of ONNX models ---------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Turns a model file into a module with one function `@main` of linalg on
// tensors. Arguments and results carry ONNX's names as `prune.name`, and a
// weight is a `dense_resource` constant named after its initialiser. The file
// is not trusted.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_IMPORT_ONNX_H
#define PRUNE_IMPORT_ONNX_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <string>
#include <utility>
#include <vector>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace mlir::prune {

struct ONNXImportOptions {
  /// Sizes for dimensions that the model leaves open: by the model's name for
  /// them (`N`), or by input and position (`image:0`).
  std::vector<std::pair<std::string, int64_t>> dims;
  /// Inputs that become constants: by name, one number for all elements or a
  /// list of them in row-major order, separated by commas.
  std::vector<std::pair<std::string, std::string>> values;
};

/// Reads a model. Null after diagnostics, which name the file's node, operator
/// and value at fault.
OwningOpRef<ModuleOp> importONNX(StringRef path, MLIRContext *context,
                                 const ONNXImportOptions &options);

/// Writes the operators that can be imported, and what an exported file can
/// lose through them, as a Markdown table.
void printONNXOperators(llvm::raw_ostream &os);

} // namespace mlir::prune

#endif // PRUNE_IMPORT_ONNX_H
