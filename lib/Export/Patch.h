//===- Patch.h - Changes to an ONNX graph -----------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Smaller tensors in the places of the original ones, and the numbers in nodes
// that have to follow.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_EXPORT_PATCH_H
#define PRUNE_LIB_EXPORT_PATCH_H

#include "Rules.h"

namespace mlir::prune::onnx_export {

/// Edits a model in place.
class Patcher {
public:
  Patcher(onnx::ModelProto &model, Location loc);

  /// The tensor that defines a name: an initialiser or a Constant node's value.
  onnx::TensorProto *findTensor(StringRef name);
  /// Replaces type-independent parts of a tensor: sizes and raw bytes.
  static void setTensor(onnx::TensorProto &tensor, ArrayRef<int64_t> shape,
                        ArrayRef<char> bytes);
  /// Gives an input of a node other integers: in place if nothing else reads
  /// them, else by a new initialiser.
  void setIntegers(onnx::NodeProto &node, int input, ArrayRef<int64_t> values);

  /// Gives a convolution or Gemm without a bias one; returns whether it could.
  bool addBias(StringRef weight, onnx::TensorProto bias);

  /// Adapts the numbers of all nodes to what `network` kept.
  LogicalResult patchNodes(Network &network);
  /// Writes the sizes that remain wherever the file states them.
  void patchStatedShapes(Network &network);
  /// States sizes that were open and that options fixed: numbers in nodes may
  /// rely on them.
  void stateFixedSizes(const Facts &facts);
  /// Replaces what a node reads by what it read in the original, where the
  /// smaller network computes another number; returns whether any node needed
  /// it.
  FailureOr<bool> pinSizes(const Facts &before, const Facts &after);
  /// Drops nodes and tensors that only nodes that were changed needed.
  void dropUnused();

private:
  bool isUsed(StringRef name);
  std::string freshName(StringRef stem);
  std::string addInitializer(StringRef stem, onnx::TensorProto tensor);
  LogicalResult patchReshape(Network &network, onnx::NodeProto &node);
  void patchSlice(Network &network, onnx::NodeProto &node);
  void patchSplit(Network &network, onnx::NodeProto &node);
  void patchPad(Network &network, onnx::NodeProto &node);
  void patchSizes(Network &network, onnx::NodeProto &node, int input);
  LogicalResult error(const onnx::NodeProto &node, const Twine &message);

  onnx::ModelProto &model;
  onnx::GraphProto &graph;
  Location loc;
  int64_t opset;
  /// Names that something read before any change.
  llvm::StringSet<> wasRead;
  /// Tensors whose integers were replaced in place.
  llvm::StringSet<> edited;
};

/// The version of the standard operators that a model imports.
int64_t opsetOf(const onnx::ModelProto &model);

} // namespace mlir::prune::onnx_export

#endif // PRUNE_LIB_EXPORT_PATCH_H
