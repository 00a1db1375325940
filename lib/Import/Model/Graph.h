//===- Graph.h - Graphs and the values in them ------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A graph maps names to tensors and imports nodes in their order. Graphs inside
// of control flow see the names of the graphs around them.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_IMPORT_MODEL_GRAPH_H
#define PRUNE_LIB_IMPORT_MODEL_GRAPH_H

#include "Import/Emitter/Emitter.h"
#include "Model.h"

#include "prune/Import/ONNX.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

namespace mlir::prune::onnx_import {

class Graph {
public:
  /// `opsets` are versions of operator sets by domain.
  Graph(onnx::GraphProto &proto, State &state, TensorReader &reader,
        const llvm::StringMap<int64_t> &opsets, Graph *parent = nullptr)
      : proto(proto), state(state), reader(reader), opsets(opsets),
        parent(parent) {}

  onnx::GraphProto &proto;
  State &state;
  TensorReader &reader;
  const llvm::StringMap<int64_t> &opsets;

  /// Null if no graph around defines the name.
  Tensor *lookup(StringRef name) const;
  LogicalResult define(StringRef name, Tensor *tensor);

  /// Makes constants of the initialisers that are not read yet.
  LogicalResult readInitializers();
  /// Imports the nodes. Of the outermost graph, the nodes of a branch take the
  /// place of an If whose condition is known.
  LogicalResult importNodes(OpBuilder &b);
  /// The graph's outputs, in their order.
  FailureOr<SmallVector<Tensor *>> results();

  /// Whether a node or an output reads a value of this graph.
  bool isRead(StringRef name);

  bool isOutermost() const { return !parent; }
  /// Notes which branch of an If is to take its place.
  void takeBranch(const onnx::NodeProto &node, bool condition);
  bool isTaken(const onnx::NodeProto &node) const;
  /// The branches that took the place of their Ifs, by `keyOfBranch`.
  const llvm::StringMap<bool> &takenBranches() const { return branches; }

  /// The version of a node's domain, 0 if the model does not import it.
  int64_t opsetOf(const onnx::NodeProto &node) const;

private:
  LogicalResult importNode(OpBuilder &b, onnx::NodeProto &node);

  Graph *parent;
  llvm::StringMap<bool> branches;
  int numInitializersRead = 0;
  llvm::StringMap<Tensor *> values;
  /// Made when it is first asked for.
  std::optional<llvm::StringSet<>> reads;
};

/// Reports the operators of a graph that cannot be imported, all at once.
LogicalResult checkOperators(const Graph &graph);

/// Imports a model that was loaded from `path`; the bytes of its large tensors
/// move into the module. `inspect` sees the graph after its last node.
OwningOpRef<ModuleOp>
importModel(StringRef path, onnx::ModelProto &model, MLIRContext *context,
            const ONNXImportOptions &options,
            function_ref<void(const Graph &)> inspect = {});

} // namespace mlir::prune::onnx_import

#endif // PRUNE_LIB_IMPORT_MODEL_GRAPH_H
