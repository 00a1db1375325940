//===- ExportRules.h - How ONNX operators couple dimensions -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which indices of a node's inputs and outputs leave together, such that the
// same operator on smaller tensors gives the smaller result. An operator that
// is not known keeps everything.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_IMPORT_RULES_EXPORTRULES_H
#define PRUNE_LIB_IMPORT_RULES_EXPORTRULES_H

#include "Coupling.h"
#include "NodeAttributes.h"

#include <deque>

namespace mlir::prune::onnx_export {

/// The dimensions of a graph's values.
class Network {
public:
  /// With `separateUses`, each input of a node that reads a weight has
  /// dimensions of its own: uses can get tensors that differ.
  Network(const onnx::GraphProto &graph, const GraphInfo &facts, int64_t opset,
          bool separateUses = false);

  const onnx::GraphProto &graph;
  const GraphInfo &facts;
  int64_t opset;
  Coupling coupling;

  /// Of a value that facts are known of.
  ArrayRef<Coupling::Dim> dimsOf(StringRef name);
  ArrayRef<Coupling::Dim> dimsOfInput(const onnx::NodeProto &node, int input);
  /// The dimensions of each use of a weight, with `separateUses`.
  std::vector<SmallVector<Coupling::Dim>> usesOf(StringRef name);
  /// Couples everything; weights are told to `coupling` before or after.
  void addRules();
  /// The sizes that remain, -1 where only the run knows.
  SmallVector<int64_t> keptShape(StringRef name);
  /// Whether any index of the value leaves; of one dimension of it.
  bool isTouched(StringRef name);
  bool isTouched(StringRef name, int64_t dim);
  /// The number of groups that remain of a convolution or normalisation that
  /// has several.
  std::optional<int64_t> keptGroups(const onnx::NodeProto &node);

  /// Whether an input of a recurrent node is a state of zeros.
  bool isZeroState(const onnx::NodeProto &node, int input);
  /// Whether nothing reads an index of a tensor: the forget gate of an LSTM
  /// that has none. It has to be there all the same.
  bool isUnread(StringRef name, int64_t dim, int64_t index);

private:
  friend class NodeRules;
  void addRule(const onnx::NodeProto &node);

  SmallVector<Coupling::Dim> makeDims(StringRef name);

  bool separateUses;
  llvm::StringMap<SmallVector<Coupling::Dim>> dims;
  llvm::StringMap<std::deque<SmallVector<Coupling::Dim>>> uses;
  /// The node that makes each value, once something asked for it.
  llvm::StringMap<const onnx::NodeProto *> producers;
  /// The tensors of LSTMs without a forget gate, and the number of gates in
  /// them; from 2 on, every fourth is none.
  std::optional<llvm::StringMap<int64_t>> withoutForget;
  /// Positions in the lists of `uses`.
  llvm::DenseMap<std::pair<const onnx::NodeProto *, int>, size_t> useOf;
  llvm::DenseMap<const onnx::NodeProto *, Coupling::Dim> groups;
};

/// LSTM, GRU and RNN, which have a file of their own to say what they couple
/// and what changes with them.
bool isRecurrent(const onnx::NodeProto &node);
void addRecurrentRule(Network &network, const onnx::NodeProto &node);
void patchRecurrent(Network &network, const onnx::NodeProto &original,
                    onnx::NodeProto &node);

/// For each weight that cannot lose just any of its indices in a file with the
/// operators of `graph`, an entry for each dimension: unit if all are free, the
/// node that needs them all as text, or for each index a number, the same for
/// those that can only leave together, and -1 for those that stay. For a weight
/// that cannot be written at all, the node that has it inside, as text.
DictionaryAttr describeLimits(const onnx_import::Graph &graph);

} // namespace mlir::prune::onnx_export

#endif // PRUNE_LIB_IMPORT_RULES_EXPORTRULES_H
