//===- Network.cpp - The dimensions of a graph's values -------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Inputs and outputs of the graph keep their sizes, and so does what a graph
// inside of a node reads.
//
//===----------------------------------------------------------------------===//

#include "ExportRules.h"

using namespace mlir;
using namespace mlir::prune::onnx_export;
using Dim = Coupling::Dim;

Network::Network(const onnx::GraphProto &graph, const GraphInfo &facts,
                 int64_t opset, bool separateUses)
    : graph(graph), facts(facts), opset(opset), separateUses(separateUses) {}

SmallVector<Dim> Network::makeDims(StringRef name) {
  SmallVector<Dim> result;
  if (const Fact *fact = facts.get(name))
    for (int64_t size : fact->shape())
      result.push_back(coupling.addDim(size));
  return result;
}

ArrayRef<Dim> Network::dimsOf(StringRef name) {
  auto [entry, isNew] = dims.try_emplace(name);
  if (isNew)
    entry->second = makeDims(name);
  return entry->second;
}

ArrayRef<Dim> Network::dimsOfInput(const onnx::NodeProto &node, int input) {
  StringRef name = node.input(input);
  const Fact *fact = separateUses ? facts.get(name) : nullptr;
  // What only moves a weight has its name.
  if (!fact || fact->name() != name)
    return dimsOf(name);
  auto &list = uses[name];
  auto [entry, isNew] = useOf.try_emplace({&node, input}, list.size());
  if (isNew)
    list.push_back(makeDims(name));
  return list[entry->second];
}

std::vector<SmallVector<Dim>> Network::usesOf(StringRef name) {
  return {uses[name].begin(), uses[name].end()};
}

/// Names that a node's graphs, if any, take from the graph around.
static void keepCaptured(Network &network, const onnx::GraphProto &graph) {
  for (const onnx::NodeProto &node : graph.node()) {
    for (int at = 0; at != node.input_size(); ++at)
      for (Dim dim : network.dimsOfInput(node, at))
        network.coupling.keep(dim);
    for (const onnx::AttributeProto &attribute : node.attribute())
      if (attribute.has_g())
        keepCaptured(network, attribute.g());
  }
}

void Network::addRules() {
  for (const onnx::NodeProto &node : graph.node()) {
    addRule(node);
    for (const onnx::AttributeProto &attribute : node.attribute())
      if (attribute.has_g())
        keepCaptured(*this, attribute.g());
  }
  auto keepAll = [&](StringRef kind, StringRef name) {
    coupling.setCause((kind + " '" + name + "'").str());
    for (Dim dim : dimsOf(name))
      coupling.keep(dim);
  };
  for (const onnx::ValueInfoProto &output : graph.output())
    keepAll("output", output.name());
  for (const onnx::ValueInfoProto &input : graph.input()) {
    const Fact *fact = facts.get(input.name());
    if (fact && !fact->constant)
      keepAll("input", input.name());
  }
}

SmallVector<int64_t> Network::keptShape(StringRef name) {
  SmallVector<int64_t> shape;
  const Fact *fact = facts.get(name);
  for (auto [at, dim] : llvm::enumerate(dimsOf(name)))
    shape.push_back(fact->size(at) <= 0 ? fact->size(at)
                                        : coupling.countKept(dim));
  return shape;
}

bool Network::isTouched(StringRef name, int64_t dim) {
  Dim which = dimsOf(name)[dim];
  return coupling.countKept(which) != coupling.sizeOf(which);
}

bool Network::isTouched(StringRef name) {
  for (size_t dim = 0; dim != dimsOf(name).size(); ++dim)
    if (isTouched(name, dim))
      return true;
  return false;
}

std::optional<int64_t> Network::keptGroups(const onnx::NodeProto &node) {
  auto found = groups.find(&node);
  if (found == groups.end())
    return std::nullopt;
  return coupling.countKept(found->second);
}
