//===- RecurrentRules.cpp - LSTM, GRU and RNN with fewer hidden units -----===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A hidden unit is one index of the state, one of each gate in W, R and B, and
// one of each peephole, the same in both directions: a node states one
// hidden_size. A state that starts as zero needs no tensor to say so, so that
// zeros which several layers share do not tie their units together.
//
//===----------------------------------------------------------------------===//

#include "ExportRules.h"

#include "prune/IR/ConstantView.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::prune;
using namespace mlir::prune::onnx_export;
using Dim = Coupling::Dim;

bool mlir::prune::onnx_export::isRecurrent(const onnx::NodeProto &node) {
  return node.op_type() == "LSTM" || node.op_type() == "GRU" ||
         node.op_type() == "RNN";
}

static bool hasInput(const onnx::NodeProto &node, int at) {
  return at < node.input_size() && !node.input(at).empty();
}

//===----------------------------------------------------------------------===//
// States that start as zero
//===----------------------------------------------------------------------===//

static bool isZero(const onnx::TensorProto &tensor) {
  auto isNull = [](const auto &list) {
    return llvm::all_of(list, [](auto value) { return value == 0; });
  };
  return tensor.data_location() != onnx::TensorProto::EXTERNAL &&
         isNull(tensor.raw_data()) && isNull(tensor.float_data()) &&
         isNull(tensor.double_data()) && isNull(tensor.int32_data());
}

static bool isZeroConstant(const Fact *fact) {
  Attribute value = fact ? fact->constant : ElementsAttr();
  std::optional<ConstantBytes> bytes =
      value ? getConstantBytes(value) : std::nullopt;
  return bytes &&
         llvm::all_of(bytes->data, [](char byte) { return byte == 0; });
}

/// Whether a node makes zeros of zeros: what it moves, repeats or selects. The
/// inputs that have to be zero are added to `sources`.
static bool keepsZero(const onnx::NodeProto &node,
                      llvm::SmallSetVector<StringRef, 8> &sources) {
  StringRef type = node.op_type();
  if (type == "ConstantOfShape") {
    for (const onnx::AttributeProto &attribute : node.attribute())
      if (attribute.name() == "value" && !isZero(attribute.t()))
        return false;
    return true;
  }
  if (type == "Concat") {
    for (const std::string &name : node.input())
      sources.insert(name);
    return true;
  }
  static constexpr StringLiteral kMoves[] = {
      "Cast",  "Expand",  "Gather",    "Identity", "Reshape",  "Slice",
      "Split", "Squeeze", "Transpose", "Tile",     "Unsqueeze"};
  if (!llvm::is_contained(kMoves, type) || node.input_size() == 0)
    return false;
  sources.insert(node.input(0));
  return true;
}

bool Network::isZeroState(const onnx::NodeProto &node, int input) {
  if (!isRecurrent(node) || (input != 5 && input != 6) ||
      !hasInput(node, input))
    return false;
  if (producers.empty())
    for (const onnx::NodeProto &other : graph.node())
      for (const std::string &name : other.output())
        producers[name] = &other;
  llvm::SmallSetVector<StringRef, 8> sources;
  sources.insert(node.input(input));
  for (size_t at = 0; at != sources.size(); ++at) {
    StringRef name = sources[at];
    const onnx::NodeProto *producer = producers.lookup(name);
    if (!isZeroConstant(facts.get(name)) &&
        !(producer && keepsZero(*producer, sources)))
      return false;
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Gates that nothing reads
//===----------------------------------------------------------------------===//

bool Network::isUnread(StringRef name, int64_t dim, int64_t index) {
  if (!withoutForget) {
    withoutForget.emplace();
    llvm::StringMap<unsigned> reads;
    for (const onnx::NodeProto &node : graph.node())
      for (const std::string &input : node.input())
        ++reads[input];
    constexpr std::pair<int, int64_t> kGates[] = {
        {1, 4}, {2, 4}, {3, 8}, {7, 3}};
    for (const onnx::NodeProto &node : graph.node())
      for (auto [at, gates] : kGates)
        if (node.op_type() == "LSTM" && integerOf(node, "input_forget", 0) &&
            hasInput(node, at) && reads[node.input(at)] == 1)
          (*withoutForget)[node.input(at)] = gates;
  }
  auto found = withoutForget->find(name);
  if (found == withoutForget->end() || dim != 1)
    return false;
  int64_t gates = found->second;
  int64_t size = coupling.sizeOf(dimsOf(name)[1]) / gates;
  return size != 0 && index / size % 4 == 2;
}

//===----------------------------------------------------------------------===//
// Rules and changes
//===----------------------------------------------------------------------===//

void mlir::prune::onnx_export::addRecurrentRule(Network &network,
                                                const onnx::NodeProto &node) {
  Coupling &coupling = network.coupling;
  auto dimsOf = [&](int at) { return network.dimsOfInput(node, at); };
  Dim hidden = dimsOf(2)[2];
  int64_t size = coupling.sizeOf(hidden);
  auto joinGates = [&](Dim gates) {
    for (int64_t at = 0; at + size <= coupling.sizeOf(gates) && size;
         at += size)
      coupling.join(hidden, 0, gates, at, size);
  };
  auto keepOthers = [&](ArrayRef<Dim> dims, size_t free) {
    for (auto [at, dim] : llvm::enumerate(dims))
      if (at != free)
        coupling.keep(dim);
  };
  keepOthers(dimsOf(0), 2);
  coupling.join(dimsOf(0)[2], dimsOf(1)[2]);
  joinGates(dimsOf(1)[1]);
  joinGates(dimsOf(2)[1]);
  coupling.keep(dimsOf(1)[0]);
  coupling.keep(dimsOf(2)[0]);
  for (int at : {3, 7})
    if (hasInput(node, at)) {
      joinGates(dimsOf(at)[1]);
      coupling.keep(dimsOf(at)[0]);
    }
  if (hasInput(node, 4))
    coupling.keep(dimsOf(4)[0]);
  auto joinState = [&](ArrayRef<Dim> dims) {
    if (dims.empty())
      return;
    keepOthers(dims, dims.size() - 1);
    coupling.join(hidden, dims.back());
  };
  for (int at : {5, 6})
    if (hasInput(node, at) && !network.isZeroState(node, at))
      joinState(dimsOf(at));
  for (const std::string &name : node.output())
    joinState(network.dimsOf(name));
}

void mlir::prune::onnx_export::patchRecurrent(Network &network,
                                              const onnx::NodeProto &original,
                                              onnx::NodeProto &node) {
  if (!network.isTouched(original.input(2), 2))
    return;
  for (onnx::AttributeProto &attribute : *node.mutable_attribute())
    if (attribute.name() == "hidden_size")
      attribute.set_i(network.keptShape(original.input(2))[2]);
  for (int at : {5, 6})
    if (network.isZeroState(original, at))
      node.set_input(at, "");
  while (node.input_size() && node.input(node.input_size() - 1).empty())
    node.mutable_input()->RemoveLast();
}
