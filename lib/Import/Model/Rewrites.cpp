//===- Rewrites.cpp - Plainer forms of a parsed model ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What nothing reads goes first, so that it is not asked what it means: an
// operator that is not supported does not matter where its result does not. A
// walk from the last node to the first finds it, since nodes come after what
// they read.
//
//===----------------------------------------------------------------------===//

#include "Rewrites.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;

void mlir::prune::onnx_import::collectReads(const onnx::GraphProto &graph,
                                            llvm::StringSet<> &reads) {
  for (const onnx::NodeProto &node : graph.node()) {
    for (const std::string &name : node.input())
      reads.insert(name);
    for (const onnx::AttributeProto &attribute : node.attribute())
      if (attribute.has_g())
        collectReads(attribute.g(), reads);
  }
  for (const onnx::ValueInfoProto &output : graph.output())
    reads.insert(output.name());
}

/// Keeps the elements of a list that `isKept` holds for, in their order.
template <typename List, typename Predicate>
static void keepIf(List &list, Predicate isKept) {
  int kept = 0;
  for (int at = 0; at != list.size(); ++at)
    if (isKept(at))
      list.SwapElements(at, kept++);
  list.DeleteSubrange(kept, list.size() - kept);
}

/// The nodes of a graph that its outputs need; the names that these read.
static SmallVector<bool> findNeeded(onnx::GraphProto &graph,
                                    llvm::StringSet<> &reads) {
  for (const onnx::ValueInfoProto &output : graph.output())
    reads.insert(output.name());
  SmallVector<bool> needed(graph.node_size());
  for (int at = graph.node_size(); at-- > 0;) {
    onnx::NodeProto &node = *graph.mutable_node(at);
    needed[at] = llvm::any_of(node.output(), [&](const std::string &name) {
      return !name.empty() && reads.contains(name);
    });
    if (!needed[at])
      continue;
    for (const std::string &name : node.input())
      reads.insert(name);
    for (onnx::AttributeProto &attribute : *node.mutable_attribute())
      if (attribute.has_g()) {
        dropUnread(*attribute.mutable_g());
        collectReads(attribute.g(), reads);
      }
  }
  return needed;
}

void mlir::prune::onnx_import::dropUnread(onnx::GraphProto &graph) {
  llvm::StringSet<> reads, dropped;
  SmallVector<bool> needed = findNeeded(graph, reads);
  for (auto [at, node] : llvm::enumerate(graph.node()))
    if (!needed[at])
      dropped.insert(node.output().begin(), node.output().end());
  for (const onnx::TensorProto &tensor : graph.initializer())
    if (!reads.contains(tensor.name()))
      dropped.insert(tensor.name());
  keepIf(*graph.mutable_node(), [&](int at) { return needed[at]; });
  // One without a name is no stored value, and is refused later.
  auto isRead = [&](StringRef name) {
    return name.empty() || reads.contains(name);
  };
  keepIf(*graph.mutable_initializer(),
         [&](int at) { return isRead(graph.initializer(at).name()); });
  keepIf(*graph.mutable_sparse_initializer(), [&](int at) {
    return isRead(graph.sparse_initializer(at).values().name());
  });
  // Old files list initialisers among the inputs.
  keepIf(*graph.mutable_input(),
         [&](int at) { return !dropped.contains(graph.input(at).name()); });
  keepIf(*graph.mutable_value_info(), [&](int at) {
    return !dropped.contains(graph.value_info(at).name());
  });
}

llvm::Error mlir::prune::onnx_import::rewriteModel(
    onnx::ModelProto &model, TensorReader &reader,
    const ONNXImportOptions &options, MLIRContext *context) {
  onnx::GraphProto &graph = *model.mutable_graph();
  if (llvm::Error error = fixInputs(graph, options, context))
    return error;
  // Files before version 4 list their initialisers among the inputs.
  if (!options.values.empty())
    model.set_ir_version(std::max<int64_t>(model.ir_version(), 4));
  dropUnread(graph);
  if (model.functions_size() != 0) {
    if (llvm::Error error = inlineFunctions(model))
      return error;
    dropUnread(graph);
  }
  return expandSparseTensors(graph, reader);
}
