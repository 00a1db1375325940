//===- Node.cpp - One ONNX node -------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Typed access to what a node says, with diagnostics for everything that is not
// what the operator's definition promises.
//
//===----------------------------------------------------------------------===//

#include "Node.h"
#include "Graph.h"
#include "Rewrites.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;
using onnx::AttributeProto;

/// Where a node stands, for locations of operations: its name, or its first
/// output's, which is unique.
static Location locationOf(const onnx::NodeProto &proto, MLIRContext *context) {
  std::string name = proto.name();
  if (name.empty() && proto.output_size() != 0)
    name = proto.output(0);
  if (name.empty())
    return UnknownLoc::get(context);
  return NameLoc::get(StringAttr::get(context, name));
}

Node::Node(Graph &graph, State &state, OpBuilder &b, onnx::NodeProto &proto,
           int64_t opset)
    : Emitter(state, b, locationOf(proto, state.context)), graph(graph),
      proto(proto), opset(opset) {}

InFlightDiagnostic Node::error() {
  state.failed = true;
  InFlightDiagnostic diagnostic = emitError(loc);
  diagnostic << "node '"
             << (proto.name().empty() && proto.output_size() != 0
                     ? proto.output(0)
                     : proto.name())
             << "' (" << proto.op_type() << ", domain '" << proto.domain()
             << "', opset " << opset << "): ";
  return diagnostic;
}

//===----------------------------------------------------------------------===//
// Inputs and outputs
//===----------------------------------------------------------------------===//

void Node::computeWide() {
  for (Tensor *&tensor : inputs)
    if (tensor && isHalf(tensor->type)) {
      rounded = tensor->type;
      tensor = convert(tensor, DataType::Float);
    }
}

LogicalResult Node::output(unsigned at, Tensor *tensor) {
  if (tensor && rounded != DataType::Undefined &&
      tensor->type == DataType::Float)
    tensor = convert(tensor, rounded);
  if (!tensor || state.failed) {
    assert(state.failed && "failure without a diagnostic");
    // Should one be forgotten, the user is told that much.
    if (!state.failed)
      error() << "cannot be imported";
    return failure();
  }
  if (outputs.size() <= at)
    outputs.resize(at + 1, nullptr);
  outputs[at] = tensor;
  return success();
}

std::optional<SmallVector<AffineExpr>> Node::elements(unsigned at) {
  Tensor *tensor = input(at);
  if (tensor->contents && !isFloat(tensor->type))
    return tensor->contents->ints;
  std::optional<SmallVector<int64_t>> shape = known(tensor->dims);
  if (isFloat(tensor->type) || !shape || tensor->rank() > 1 ||
      (tensor->rank() == 1 && shape->front() > 64)) {
    error() << "expects input " << at
            << " to be a short list of integers, but got "
            << nameOf(tensor->type) << text(tensor->dims);
    return std::nullopt;
  }
  SmallVector<AffineExpr> result;
  Scalar s(b, loc, isUnsigned(tensor->type));
  Value source = value(tensor);
  if (tensor->rank() == 0) {
    result.push_back(symbol(s.toIndex(s.extract(source, {}))));
    return result;
  }
  for (int64_t i = 0; i < shape->front(); ++i)
    result.push_back(symbol(s.toIndex(s.extract(source, s.index(i)))));
  return result;
}

std::optional<SmallVector<int64_t>> Node::constants(unsigned at) {
  Tensor *tensor = input(at);
  if (tensor->contents && !isFloat(tensor->type))
    if (auto values = known(tensor->contents->ints))
      return values;
  error() << "expects input " << at << " ('" << proto.input(at)
          << "') to be a constant" << (isFloat(tensor->type) ? " integer" : "");
  return std::nullopt;
}

std::optional<double> Node::constant(unsigned at) {
  if (std::optional<double> value = scalarOf(input(at)))
    return value;
  error() << "expects input " << at << " ('" << proto.input(at)
          << "') to be a constant of one element";
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

const AttributeProto *Node::find(StringRef name, int type) {
  read.insert(name);
  for (const AttributeProto &attribute : proto.attribute()) {
    if (StringRef(attribute.name()) != name)
      continue;
    if (!attribute.ref_attr_name().empty()) {
      error() << "attribute '" << name << "' refers to attribute '"
              << attribute.ref_attr_name() << "' of a function, outside of one";
      return nullptr;
    }
    // Models of the oldest versions leave the type out.
    if (attribute.type() == type ||
        attribute.type() == AttributeProto::UNDEFINED)
      return &attribute;
    error() << "attribute '" << name << "' has the wrong type";
    return nullptr;
  }
  return nullptr;
}

bool Node::has(StringRef name) {
  return llvm::any_of(proto.attribute(), [&](const AttributeProto &attribute) {
    return StringRef(attribute.name()) == name;
  });
}

int64_t Node::integer(StringRef name, int64_t otherwise) {
  const AttributeProto *attribute = find(name, AttributeProto::INT);
  return attribute ? attribute->i() : otherwise;
}

double Node::number(StringRef name, double otherwise) {
  const AttributeProto *attribute = find(name, AttributeProto::FLOAT);
  return attribute ? attribute->f() : otherwise;
}

std::string Node::string(StringRef name, StringRef otherwise) {
  const AttributeProto *attribute = find(name, AttributeProto::STRING);
  return attribute ? attribute->s() : otherwise.str();
}

SmallVector<int64_t> Node::integers(StringRef name,
                                    ArrayRef<int64_t> otherwise) {
  const AttributeProto *attribute = find(name, AttributeProto::INTS);
  if (!attribute)
    return SmallVector<int64_t>(otherwise);
  return {attribute->ints().begin(), attribute->ints().end()};
}

SmallVector<double> Node::numbers(StringRef name) {
  const AttributeProto *attribute = find(name, AttributeProto::FLOATS);
  if (!attribute)
    return {};
  return {attribute->floats().begin(), attribute->floats().end()};
}

SmallVector<std::string> Node::strings(StringRef name) {
  const AttributeProto *attribute = find(name, AttributeProto::STRINGS);
  if (!attribute)
    return {};
  return {attribute->strings().begin(), attribute->strings().end()};
}

onnx::TensorProto *Node::tensor(StringRef name) {
  const AttributeProto *attribute = find(name, AttributeProto::TENSOR);
  if (attribute && attribute->has_t())
    return const_cast<AttributeProto *>(attribute)->mutable_t();
  if (attribute)
    error() << "attribute '" << name << "' has no tensor";
  return nullptr;
}

onnx::GraphProto *Node::subgraph(StringRef name) {
  const AttributeProto *attribute = find(name, AttributeProto::GRAPH);
  if (attribute && attribute->has_g())
    return const_cast<AttributeProto *>(attribute)->mutable_g();
  error() << "has no graph '" << name << "'";
  return nullptr;
}

std::optional<int64_t> Node::axis(int64_t value, int64_t rank) {
  if (value >= -rank && value < rank)
    return value < 0 ? value + rank : value;
  error() << "axis " << value << " is not in a tensor of rank " << rank;
  return std::nullopt;
}

std::optional<SmallVector<int64_t>> Node::axes(ArrayRef<int64_t> values,
                                               int64_t rank) {
  SmallVector<int64_t> result;
  for (int64_t value : values) {
    std::optional<int64_t> at = axis(value, rank);
    if (!at)
      return std::nullopt;
    if (llvm::is_contained(result, *at)) {
      error() << "axis " << value << " is given twice";
      return std::nullopt;
    }
    result.push_back(*at);
  }
  return result;
}

bool Node::hasRank(unsigned at, int64_t least, int64_t most) {
  int64_t rank = input(at)->rank();
  if (rank >= least && rank <= most)
    return true;
  InFlightDiagnostic diagnostic = error();
  diagnostic << "expects input " << at << " to have rank " << least;
  if (most == INT64_MAX)
    diagnostic << " or more";
  else if (most != least)
    diagnostic << " to " << most;
  diagnostic << ", but got " << text(input(at)->dims);
  return false;
}

bool Node::sameTypes(ArrayRef<unsigned> which) {
  for (unsigned at : which.drop_front())
    if (input(at) && input(at)->type != input(which[0])->type) {
      error() << "expects inputs of equal types, but got "
              << nameOf(input(which[0])->type) << " and "
              << nameOf(input(at)->type);
      return false;
    }
  return true;
}

bool Node::isFloating(unsigned at) {
  if (isFloat(input(at)->type))
    return true;
  error() << "expects a floating-point input " << at << ", but got "
          << nameOf(input(at)->type);
  return false;
}

Tensor *Node::stored(onnx::TensorProto &proto) {
  Tensor &result = state.tensors.emplace_back();
  std::string name =
      this->proto.output_size() ? this->proto.output(0) : "value";
  if (llvm::Error failed = graph.reader.read(proto, name, result)) {
    error() << llvm::toString(std::move(failed));
    return nullptr;
  }
  return &result;
}

//===----------------------------------------------------------------------===//
// Import
//===----------------------------------------------------------------------===//

LogicalResult Node::checkUse() {
  for (const AttributeProto &attribute : proto.attribute())
    // The oldest operators say which inputs they overwrite.
    if (!read.contains(attribute.name()) &&
        attribute.name() != "consumed_inputs" &&
        attribute.name() != kOpsetAttribute)
      return error() << "attribute '" << attribute.name()
                     << "' is not supported";
  outputs.resize(std::max<size_t>(outputs.size(), proto.output_size()));
  if (graph.isTaken(proto))
    return success();
  // Outputs that are there for training may be named without being read.
  for (int at = 0; at < proto.output_size(); ++at)
    if (wants(at) && !outputs[at] && graph.isRead(proto.output(at)))
      return error() << "output " << at << " ('" << proto.output(at)
                     << "') is not supported";
  return success();
}

/// No model has more nodes, whatever its loops.
static constexpr int64_t kMaxNodes = 1000000;

LogicalResult Node::import() {
  if (++state.numNodes > kMaxNodes)
    return error() << "is one of more than " << kMaxNodes
                   << " nodes, those of nested loops counted each time";
  const Operator *op = findOperator(proto, opset);
  if (!op)
    return error() << "is not supported";
  for (const std::string &name : proto.input()) {
    Tensor *tensor = name.empty() ? nullptr : graph.lookup(name);
    if (!name.empty() && !tensor)
      return error() << "reads '" << name
                     << "', which nothing before it defines";
    inputs.push_back(tensor);
  }
  for (unsigned at = 0; at < op->inputs; ++at)
    if (!input(at))
      return error() << "expects " << op->inputs
                     << " inputs or more, but input " << at << " is missing";
  bool isComputed = isFixed();
  if (!isComputed)
    for (Tensor *tensor : inputs)
      foldComputed(tensor);
  if (failed(op->function(*this)) || state.failed || failed(checkUse())) {
    assert(state.failed && "failure without a diagnostic");
    if (!state.failed)
      error() << "cannot be imported";
    return failure();
  }
  for (int at = 0; at < proto.output_size(); ++at) {
    if (!wants(at) || !outputs[at])
      continue;
    if (failed(graph.define(proto.output(at), outputs[at])))
      return error() << "defines '" << proto.output(at)
                     << "', which is defined already";
    if (isComputed)
      noteComputed(outputs[at], proto.output(at));
  }
  return success();
}
