//===- GraphEditor.cpp - Tensors, names and readers of a graph ------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Nodes and tensors keep their addresses while others are added. Nodes are
// inserted and removed together in the end, so that moving them is linear.
//
//===----------------------------------------------------------------------===//

#include "GraphEditor.h"

using namespace mlir;
using namespace mlir::prune::onnx_export;

onnx::AttributeProto *
mlir::prune::onnx_export::findAttribute(onnx::NodeProto &node, StringRef name) {
  for (onnx::AttributeProto &attribute : *node.mutable_attribute())
    if (StringRef(attribute.name()) == name)
      return &attribute;
  return nullptr;
}

int64_t mlir::prune::onnx_export::opsetOf(const onnx::ModelProto &model) {
  for (const onnx::OperatorSetIdProto &set : model.opset_import())
    if (set.domain().empty() || set.domain() == "ai.onnx")
      return set.version();
  return 0;
}

void mlir::prune::onnx_export::collectReads(const onnx::GraphProto &graph,
                                            llvm::StringMap<unsigned> &reads) {
  for (const onnx::NodeProto &node : graph.node()) {
    for (const std::string &name : node.input())
      ++reads[name];
    for (const onnx::AttributeProto &attribute : node.attribute())
      if (attribute.has_g())
        collectReads(attribute.g(), reads);
  }
  for (const onnx::ValueInfoProto &output : graph.output())
    ++reads[output.name()];
}

std::vector<char> mlir::prune::onnx_export::fill(double number, FloatType type,
                                                 int64_t count) {
  APFloat value(number);
  bool inexact;
  value.convert(type.getFloatSemantics(), APFloat::rmNearestTiesToEven,
                &inexact);
  uint64_t bits = value.bitcastToAPInt().getZExtValue();
  size_t size = type.getWidth() / 8;
  std::vector<char> bytes(count * size);
  for (int64_t at = 0; at != count; ++at)
    std::memcpy(bytes.data() + at * size, &bits, size);
  return bytes;
}

/// The value of a Constant node as a tensor; lists become one.
static onnx::TensorProto *getConstantTensor(onnx::NodeProto &node) {
  if (onnx::AttributeProto *value = findAttribute(node, "value"))
    return value->mutable_t();
  bool isList = findAttribute(node, "value_floats");
  onnx::AttributeProto *value =
      findAttribute(node, isList ? "value_floats" : "value_float");
  if (!value)
    return nullptr;
  onnx::TensorProto tensor;
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  if (isList) {
    tensor.add_dims(value->floats_size());
    tensor.mutable_float_data()->CopyFrom(value->floats());
  } else {
    tensor.add_float_data(value->f());
  }
  value->clear_floats();
  value->clear_f();
  value->set_name("value");
  value->set_type(onnx::AttributeProto::TENSOR);
  value->mutable_t()->Swap(&tensor);
  return value->mutable_t();
}

GraphEditor::GraphEditor(onnx::ModelProto &model)
    : model(model), graph(*model.mutable_graph()), opset(opsetOf(model)) {
  collectReads(graph, reads);
  for (const auto &entry : reads)
    names.insert(entry.getKey());
  for (const onnx::ValueInfoProto &input : graph.input())
    names.insert(input.name());
  for (onnx::TensorProto &tensor : *graph.mutable_initializer()) {
    names.insert(tensor.name());
    tensors.try_emplace(tensor.name(), &tensor);
  }
  for (onnx::NodeProto &node : *graph.mutable_node()) {
    for (int at = 0; at != node.input_size(); ++at)
      readers[node.input(at)].push_back({&node, at});
    for (const std::string &output : node.output()) {
      names.insert(output);
      producers.try_emplace(output, &node);
    }
    if (node.op_type() == "Constant" && node.output_size() == 1)
      if (onnx::TensorProto *tensor = getConstantTensor(node))
        tensors.try_emplace(node.output(0), tensor);
  }
}

onnx::TensorProto *GraphEditor::findTensor(StringRef name) const {
  return tensors.lookup(name);
}

onnx::NodeProto *GraphEditor::producerOf(StringRef name) const {
  return producers.lookup(name);
}

void GraphEditor::remove(onnx::NodeProto &node) {
  if (removed.insert(&node).second)
    for (const std::string &name : node.input())
      --reads[name];
}

SmallVector<Reader> GraphEditor::readersOf(StringRef name) const {
  SmallVector<Reader> result;
  auto found = readers.find(name);
  if (found == readers.end())
    return result;
  for (const Reader &reader : found->second)
    if (!removed.contains(reader.node) &&
        reader.input < reader.node->input_size() &&
        StringRef(reader.node->input(reader.input)) == name)
      result.push_back(reader);
  return result;
}

void GraphEditor::setTensor(onnx::TensorProto &tensor, ArrayRef<int64_t> shape,
                            ArrayRef<char> bytes) {
  onnx::TensorProto result;
  result.set_name(tensor.name());
  result.set_doc_string(tensor.doc_string());
  result.set_data_type(tensor.data_type());
  for (int64_t size : shape)
    result.add_dims(size);
  result.set_raw_data(bytes.data(), bytes.size());
  tensor.Swap(&result);
}

std::string GraphEditor::freshName(StringRef stem) {
  std::string name = stem.str();
  for (unsigned count = 1; !names.insert(name).second; ++count)
    name = (stem + "_" + Twine(count)).str();
  return name;
}

/// Files before version 4 list their initialisers among the inputs.
std::string GraphEditor::addInitializer(StringRef stem,
                                        onnx::TensorProto tensor) {
  std::string name = freshName(stem);
  tensor.set_name(name);
  if (model.ir_version() < 4) {
    onnx::ValueInfoProto *input = graph.add_input();
    input->set_name(name);
    onnx::TypeProto_Tensor *type = input->mutable_type()->mutable_tensor_type();
    type->set_elem_type(tensor.data_type());
    type->mutable_shape();
    for (int64_t size : tensor.dims())
      type->mutable_shape()->add_dim()->set_dim_value(size);
  }
  onnx::TensorProto *added = graph.add_initializer();
  added->Swap(&tensor);
  tensors[name] = added;
  return name;
}

void GraphEditor::setInput(onnx::NodeProto &node, int input, StringRef name) {
  while (node.input_size() <= input)
    node.add_input();
  --reads[node.input(input)];
  ++reads[name];
  node.set_input(input, name.str());
  readers[name].push_back({&node, input});
}

void GraphEditor::renameOutput(onnx::NodeProto &node, StringRef from,
                               StringRef to) {
  for (std::string &output : *node.mutable_output())
    if (StringRef(output) == from)
      output = to.str();
  producers[to] = &node;
}

void GraphEditor::insertAfter(onnx::NodeProto &node, onnx::NodeProto added) {
  for (const std::string &name : added.input())
    ++reads[name];
  for (const std::string &name : added.output())
    names.insert(name);
  auto &list = inserted[&node];
  list.insert(list.begin(), std::move(added));
}

void GraphEditor::finish() {
  if (inserted.empty() && removed.empty())
    return;
  auto *list = graph.mutable_node();
  std::vector<onnx::NodeProto *> nodes(list->size());
  list->ExtractSubrange(0, list->size(), nodes.data());
  for (onnx::NodeProto *node : nodes) {
    auto found = inserted.find(node);
    bool isRemoved = removed.contains(node);
    if (!isRemoved)
      list->AddAllocated(node);
    if (found != inserted.end())
      for (onnx::NodeProto &added : found->second)
        list->Add()->Swap(&added);
    if (!isRemoved)
      continue;
    // What else was known of it.
    for (const std::string &name : node->output())
      if (producers.lookup(name) == node)
        producers.erase(name);
    for (const std::string &name : node->input())
      llvm::erase_if(readers[name],
                     [&](const Reader &reader) { return reader.node == node; });
    delete node;
  }
  inserted.clear();
  removed.clear();
}
