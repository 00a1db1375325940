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
  /// Whether an input of a recurrent node is a state of zeros.
  bool isZeroState(const onnx::NodeProto &node, int input);
  /// Whether nothing reads an index of a tensor: the forget gate of an LSTM that
  /// has none. It has to be there all the same.
  bool isUnread(StringRef name, int64_t dim, int64_t index);

private:
  friend class NodeRules;
  void addRule(const onnx::NodeProto &node);

  llvm::StringMap<SmallVector<Coupling::Dim>> dims;
  llvm::DenseMap<const onnx::NodeProto *, Coupling::Dim> groups;
  /// The node that makes each value, once something asked for it.
  llvm::StringMap<const onnx::NodeProto *> producers;
  /// The tensors of LSTMs without a forget gate, and the number of gates in
  /// them; from 2 on, every fourth is none.
  std::optional<llvm::StringMap<int64_t>> withoutForget;
};

/// LSTM, GRU and RNN, which have files of their own to say what they couple and
/// what changes with them.
bool isRecurrent(const onnx::NodeProto &node);
void addRecurrentRule(Network &network, const onnx::NodeProto &node);
void patchRecurrent(Network &network, const onnx::NodeProto &original,
                    onnx::NodeProto &node);

} // namespace mlir::prune::onnx_export

#endif // PRUNE_LIB_EXPORT_RULES_H
