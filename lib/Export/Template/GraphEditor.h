//===- GraphEditor.h - Tensors, names and readers of a graph ----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The outermost graph of a model while it changes. Whatever is asked for a node
// is answered from tables: files are not trusted, and may have very many nodes.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_EXPORT_TEMPLATE_GRAPHEDITOR_H
#define PRUNE_LIB_EXPORT_TEMPLATE_GRAPHEDITOR_H

#include "Import/Rules/NodeAttributes.h"

#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/ADT/StringSet.h"

namespace mlir::prune::onnx_export {

/// Null if the node has no attribute of that name.
onnx::AttributeProto *findAttribute(onnx::NodeProto &node, StringRef name);

/// The version of the standard operators that a model imports.
int64_t opsetOf(const onnx::ModelProto &model);

/// An input of a node.
struct Reader {
  onnx::NodeProto *node;
  int input;
};

/// Edits a model in place.
class GraphEditor {
public:
  explicit GraphEditor(onnx::ModelProto &model);

  /// The tensor that defines a name: an initialiser or a Constant node's value.
  onnx::TensorProto *findTensor(StringRef name) const;
  /// Replaces type-independent parts of a tensor: sizes and raw bytes.
  static void setTensor(onnx::TensorProto &tensor, ArrayRef<int64_t> shape,
                        ArrayRef<char> bytes);
  /// Returns the name, which starts with `stem` and is new.
  std::string addInitializer(StringRef stem, onnx::TensorProto tensor);

  /// How often anything reads the name: nodes, graphs inside of nodes and
  /// outputs of the graph.
  unsigned countReads(StringRef name) const { return reads.lookup(name); }
  /// The inputs of nodes of this graph that read the name.
  SmallVector<Reader> readersOf(StringRef name) const;
  /// The node that computes the name, or null.
  onnx::NodeProto *producerOf(StringRef name) const;
  void setInput(onnx::NodeProto &node, int input, StringRef name);
  void renameOutput(onnx::NodeProto &node, StringRef from, StringRef to);
  std::string freshName(StringRef stem);
  int64_t getOpset() const { return opset; }

  /// Both take effect with `finish`. What is inserted last comes first.
  void insertAfter(onnx::NodeProto &node, onnx::NodeProto added);
  void remove(onnx::NodeProto &node);
  void finish();

protected:
  onnx::ModelProto &model;
  onnx::GraphProto &graph;
  int64_t opset;

private:
  llvm::StringMap<onnx::TensorProto *> tensors;
  llvm::StringMap<onnx::NodeProto *> producers;
  llvm::StringMap<unsigned> reads;
  /// May have inputs that read another name by now.
  llvm::StringMap<SmallVector<Reader, 1>> readers;
  llvm::StringSet<> names;
  llvm::DenseMap<onnx::NodeProto *, SmallVector<onnx::NodeProto, 1>> inserted;
  llvm::SmallPtrSet<onnx::NodeProto *, 8> removed;
};

/// The bytes of a tensor of one number throughout.
std::vector<char> fill(double number, FloatType type, int64_t count);

/// Names that the nodes of a graph read, those inside of nodes included.
void collectReads(const onnx::GraphProto &graph,
                  llvm::StringMap<unsigned> &reads);

} // namespace mlir::prune::onnx_export

#endif // PRUNE_LIB_EXPORT_TEMPLATE_GRAPHEDITOR_H
