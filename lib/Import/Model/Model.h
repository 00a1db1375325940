//===- Model.h - ONNX files and their tensors -------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Everything that touches bytes of a file: parsing, and the elements of stored
// tensors, whether in the model or in a file beside it.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_IMPORT_MODEL_MODEL_H
#define PRUNE_LIB_IMPORT_MODEL_MODEL_H

#include "Import/Emitter/Emitter.h"

#include "prune/Analysis/Evaluation/TensorEvaluation.h"
#include "prune/Import/ONNX.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/Support/Error.h"

#include <onnx/onnx_pb.h>

#include <memory>
#include <string>

namespace mlir::prune::onnx_import {

/// Parses a model and rewrites what is rarely used into what is usual: see
/// Rewrites.h. The error names the file or what is in it.
llvm::Expected<std::unique_ptr<onnx::ModelProto>>
loadModel(StringRef path, const ONNXImportOptions &options,
          MLIRContext *context);

/// The elements of a stored tensor, row-major; booleans take a byte.
struct StoredTensor {
  DataType type = DataType::Undefined;
  Type element;
  SmallVector<int64_t> shape;
  uint64_t count = 0;
  unsigned elementBytes = 0;
  std::string bytes;
};

/// Makes constants of stored tensors. Large data moves out of the model, so a
/// tensor is read once.
class TensorReader {
public:
  /// `path` is the model's; external data lies beneath its directory.
  TensorReader(StringRef path, MLIRContext *context);

  /// Moves the elements out of the model, or reads them from another file.
  llvm::Expected<StoredTensor> take(onnx::TensorProto &tensor);

  /// Fills type, sizes, constant and contents. `name` names the resource.
  llvm::Error read(onnx::TensorProto &tensor, StringRef name, Tensor &result);

  /// Makes a constant of elements: fills constant and contents.
  void store(StoredTensor stored, StringRef name, Tensor &result);

  /// What may be computed from the tensors that were read: in proportion to
  /// their bytes, and something on top.
  EvaluationBudget budget{uint64_t(64) << 20, uint64_t(1) << 29};

private:
  llvm::Error readNew(onnx::TensorProto &tensor, StringRef name,
                      Tensor &result);
  llvm::Error external(onnx::TensorProto &tensor, uint64_t size,
                       std::string &bytes);
  llvm::Expected<std::string> resolve(StringRef location);
  ElementsAttr toResource(RankedTensorType type, StringRef name,
                          std::string bytes);

  std::string directory;
  MLIRContext *context;
  /// What was read, since a loop's body may be imported more than once.
  llvm::DenseMap<const onnx::TensorProto *, Tensor> done;
};

/// What a node is called in locations: by its first output if it has no name.
std::string nameOf(const onnx::NodeProto &node);

} // namespace mlir::prune::onnx_import

#endif // PRUNE_LIB_IMPORT_MODEL_MODEL_H
