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

#include "Export/Template/Facts.h"
#include "Export/Template/GraphEditor.h"
#include "Import/Rules/ExportRules.h"

namespace mlir::prune::onnx_export {

/// Edits a model in place.
class Patcher : public GraphEditor {
public:
  /// `wasRead` are the names that anything read in the original.
  Patcher(onnx::ModelProto &model, const llvm::StringMap<unsigned> &wasRead,
          Location loc);

  /// Gives an input of a node other integers: in place if nothing else reads
  /// them, else by a new initialiser.
  void setIntegers(onnx::NodeProto &node, int input, ArrayRef<int64_t> values);

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
  LogicalResult patchReshape(Network &network, onnx::NodeProto &node);
  void patchGather(Network &network, onnx::NodeProto &node);
  void patchSlice(Network &network, onnx::NodeProto &node);
  void patchSplit(Network &network, onnx::NodeProto &node);
  void patchPad(Network &network, onnx::NodeProto &node);
  void patchSizes(Network &network, onnx::NodeProto &node, int input);
  LogicalResult error(const onnx::NodeProto &node, const Twine &message);

  Location loc;
  const llvm::StringMap<unsigned> &wasRead;
  /// Tensors whose integers were replaced in place.
  llvm::StringSet<> edited;
};

} // namespace mlir::prune::onnx_export

#endif // PRUNE_LIB_EXPORT_PATCH_H
