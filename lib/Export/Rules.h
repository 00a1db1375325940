//===- Rules.h - How ONNX operators couple dimensions -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which indices of a node's inputs and outputs leave together, such that the
// same operator on smaller tensors gives the smaller result. An operator that
// is not known keeps everything.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_EXPORT_RULES_H
#define PRUNE_LIB_EXPORT_RULES_H

#include "Coupling.h"
#include "Nodes.h"

namespace mlir::prune::onnx_export {

/// The dimensions of a graph's values.
class Network {
public:
  Network(const onnx::GraphProto &graph, const Facts &facts, int64_t opset);

  const onnx::GraphProto &graph;
  const Facts &facts;
  int64_t opset;
  Coupling coupling;

  /// Of a value that facts are known of.
  ArrayRef<Coupling::Dim> dimsOf(StringRef name);
  /// Couples everything; weights are told to `coupling` before or after.
  void addRules();
  /// The sizes that remain, -1 where only the run knows.
  SmallVector<int64_t> keptShape(StringRef name);
  /// Whether any index of the value leaves; of one dimension of it.
  bool isTouched(StringRef name);
  bool isTouched(StringRef name, int64_t dim);
  /// The number of groups of a convolution that remain.
  int64_t keptGroups(const onnx::NodeProto &node);

private:
  friend class NodeRules;
  void addRule(const onnx::NodeProto &node);

  llvm::StringMap<SmallVector<Coupling::Dim>> dims;
  llvm::DenseMap<const onnx::NodeProto *, Coupling::Dim> groups;
};

} // namespace mlir::prune::onnx_export

#endif // PRUNE_LIB_EXPORT_RULES_H
