//===- Functions.cpp - Calls of functions that the model defines ----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A call becomes the nodes of the function's body: parameters become what the
// call gives, all other names get the call's name in front, attributes that
// refer to the call's are filled in. Calls in bodies are replaced the same way.
// What a model's few functions stand for can be exponentially large, so nodes,
// bytes and nesting are counted.
//
// libonnx 1.12 lacks the newer fields of functions: defaults of attributes and
// overloads. They are read from what its messages do not know.
//
//===----------------------------------------------------------------------===//

#include "Rewrites.h"

#include <google/protobuf/unknown_field_set.h>

using namespace llvm;
using namespace mlir::prune::onnx_import;
using onnx::AttributeProto;
using onnx::FunctionProto;
using onnx::GraphProto;
using onnx::NodeProto;

/// What calls may grow to.
static constexpr int64_t kMaxNodes = 1000000;
static constexpr uint64_t kMaxBytes = uint64_t(1) << 30;
/// Calls and graphs inside of each other; as many as protobuf's limit allows.
static constexpr unsigned kMaxNesting = 100;

/// Numbers of fields that came after libonnx 1.12.
static constexpr int kNodeOverload = 8, kFunctionDefaults = 11,
                     kFunctionOverload = 13;

/// The bytes of a field that this version of a message does not know.
static SmallVector<std::string>
unknownField(const google::protobuf::Message &message, int number) {
  SmallVector<std::string> values;
  const auto &fields = message.GetReflection()->GetUnknownFields(message);
  for (int at = 0; at != fields.field_count(); ++at)
    if (const auto &field = fields.field(at);
        field.number() == number &&
        field.type() == google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED)
      values.push_back(field.length_delimited());
  return values;
}

static std::string overloadOf(const google::protobuf::Message &message,
                              int number) {
  SmallVector<std::string> values = unknownField(message, number);
  return values.empty() ? std::string() : values.back();
}

/// The standard domain has two names.
static StringRef plainDomain(StringRef domain) {
  return domain == "ai.onnx" ? StringRef() : domain;
}

/// What functions are found by.
static std::string keyOf(StringRef domain, StringRef name, StringRef overload) {
  std::string key = plainDomain(domain).str();
  key += '\0';
  key += name;
  key += '\0';
  key += overload;
  return key;
}

namespace {
struct Function {
  const FunctionProto *proto;
  /// Attributes that a call may leave out.
  SmallVector<AttributeProto> defaults;
  StringMap<int64_t> opsets;
  /// Whether a call of it is being replaced.
  bool isActive = false;

  std::string text() const {
    return "function '" + proto->name() + "' of domain '" + proto->domain() +
           "'";
  }
};

/// What names and attributes of a body mean in one call.
struct Call {
  Function &function;
  std::string prefix;
  StringMap<std::string> names;
  StringMap<const AttributeProto *> attributes;
};

class Inliner {
public:
  explicit Inliner(onnx::ModelProto &model) : model(model) {}

  Error run();

private:
  using Nodes = google::protobuf::RepeatedPtrField<NodeProto>;

  Error collectFunctions();
  Function *find(const NodeProto &node);
  /// Replaces the calls in a graph.
  Error expandGraph(GraphProto &graph, unsigned nesting, Function *context);
  /// Appends a node, or what it calls.
  Error expandNode(NodeProto &node, Nodes &nodes, unsigned nesting,
                   Function *context);
  Error expandCall(const NodeProto &node, Function &function, Nodes &nodes,
                   unsigned nesting);
  Expected<Call> bindCall(const NodeProto &node, Function &function);
  Error expandBody(Call &call, Nodes &nodes, unsigned nesting);
  void bindOutputs(const NodeProto &node, Call &call, Nodes &passed);
  Error countNode(const NodeProto &node);
  void noteVersion(NodeProto &node, const Function &function);

  void collectNames(const GraphProto &graph);
  std::string freshName(const std::string &stem);
  const std::string &rename(Call &call, const std::string &name);
  void renameNode(Call &call, NodeProto &node);
  void renameGraph(Call &call, GraphProto &graph);

  onnx::ModelProto &model;
  StringMap<Function> functions;
  StringMap<int64_t> opsets;
  /// Names of values that are taken, and how often each was varied.
  StringMap<unsigned> taken;
  int64_t numNodes = 0;
  uint64_t numBytes = 0;
};
} // namespace

//===----------------------------------------------------------------------===//
// Functions of the file
//===----------------------------------------------------------------------===//

Error Inliner::collectFunctions() {
  for (const FunctionProto &proto : model.functions()) {
    Function function{&proto, {}, {}, false};
    for (const std::string &bytes : unknownField(proto, kFunctionDefaults))
      if (!function.defaults.emplace_back().ParseFromString(bytes))
        return createStringError(function.text() +
                                 " has a damaged default of an attribute");
    for (const auto &set : proto.opset_import())
      function.opsets[plainDomain(set.domain())] = set.version();
    std::string key = keyOf(proto.domain(), proto.name(),
                            overloadOf(proto, kFunctionOverload));
    if (!functions.try_emplace(key, std::move(function)).second)
      return createStringError(function.text() + " is defined twice");
  }
  return Error::success();
}

Function *Inliner::find(const NodeProto &node) {
  auto found = functions.find(
      keyOf(node.domain(), node.op_type(), overloadOf(node, kNodeOverload)));
  return found == functions.end() ? nullptr : &found->second;
}

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

void Inliner::collectNames(const GraphProto &graph) {
  auto take = [&](const std::string &name) { taken.try_emplace(name, 0); };
  llvm::for_each(graph.input(), [&](auto &input) { take(input.name()); });
  llvm::for_each(graph.initializer(), [&](auto &t) { take(t.name()); });
  for (const NodeProto &node : graph.node()) {
    llvm::for_each(node.output(), take);
    for (const AttributeProto &attribute : node.attribute())
      if (attribute.has_g())
        collectNames(attribute.g());
  }
}

std::string Inliner::freshName(const std::string &stem) {
  std::string name = stem;
  while (!taken.try_emplace(name, 0).second)
    name = stem + "_" + std::to_string(++taken[stem]);
  return name;
}

const std::string &Inliner::rename(Call &call, const std::string &name) {
  auto [entry, isNew] = call.names.try_emplace(name);
  if (isNew && !name.empty())
    entry->second = freshName(call.prefix + "/" + name);
  return entry->second;
}

void Inliner::renameGraph(Call &call, GraphProto &graph) {
  auto change = [&](auto &list) {
    for (auto &named : list)
      named.set_name(rename(call, named.name()));
  };
  change(*graph.mutable_input());
  change(*graph.mutable_output());
  change(*graph.mutable_initializer());
  for (onnx::SparseTensorProto &sparse : *graph.mutable_sparse_initializer())
    sparse.mutable_values()->set_name(rename(call, sparse.values().name()));
  graph.clear_value_info();
  for (NodeProto &node : *graph.mutable_node())
    renameNode(call, node);
}

/// Gives values the call's names, and attributes the call's values.
void Inliner::renameNode(Call &call, NodeProto &node) {
  for (std::string &name : *node.mutable_input())
    name = rename(call, name);
  for (std::string &name : *node.mutable_output())
    name = rename(call, name);
  if (!node.name().empty())
    node.set_name(call.prefix + "/" + node.name());
  google::protobuf::RepeatedPtrField<AttributeProto> attributes;
  for (AttributeProto &attribute : *node.mutable_attribute()) {
    if (!attribute.ref_attr_name().empty()) {
      // An optional one that the call leaves out is left out here, too.
      auto given = call.attributes.find(attribute.ref_attr_name());
      if (given == call.attributes.end())
        continue;
      std::string name = attribute.name();
      attribute = *given->second;
      attribute.set_name(name);
    } else if (attribute.has_g()) {
      renameGraph(call, *attribute.mutable_g());
    }
    attributes.Add()->Swap(&attribute);
  }
  node.mutable_attribute()->Swap(&attributes);
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

Error Inliner::countNode(const NodeProto &node) {
  numBytes += node.ByteSizeLong();
  if (++numNodes <= kMaxNodes && numBytes <= kMaxBytes)
    return Error::success();
  return createStringError("the model's functions stand for more than " +
                           Twine(kMaxNodes) + " nodes or " + Twine(kMaxBytes) +
                           " bytes");
}

/// A body may rely on another version of an operator set than the model.
void Inliner::noteVersion(NodeProto &node, const Function &function) {
  StringRef domain = plainDomain(node.domain());
  int64_t version = function.opsets.lookup(domain);
  if (version == 0 || find(node))
    return;
  auto [known, isNew] = opsets.try_emplace(domain, version);
  if (isNew) {
    onnx::OperatorSetIdProto *set = model.add_opset_import();
    set->set_domain(domain.str());
    set->set_version(version);
  } else if (known->second != version) {
    AttributeProto *attribute = node.add_attribute();
    attribute->set_name(kOpsetAttribute.str());
    attribute->set_type(AttributeProto::INT);
    attribute->set_i(version);
  }
}

/// Outputs of a call name the values that the body's outputs become. A body
/// that returns an input, or one value twice, has them copied.
void Inliner::bindOutputs(const NodeProto &node, Call &call, Nodes &passed) {
  const FunctionProto &proto = *call.function.proto;
  for (int at = 0; at != node.output_size(); ++at) {
    const std::string &actual = node.output(at);
    if (actual.empty())
      continue;
    auto [entry, isNew] = call.names.try_emplace(proto.output(at), actual);
    if (isNew)
      continue;
    NodeProto &copy = *passed.Add();
    copy.set_op_type("Identity");
    copy.add_input(entry->second);
    copy.add_output(actual);
  }
}

Expected<Call> Inliner::bindCall(const NodeProto &node, Function &function) {
  const FunctionProto &proto = *function.proto;
  auto refuse = [&](const Twine &why) {
    return createStringError("node '" + node.name() + "' calls " +
                             function.text() + " " + why);
  };
  if (node.input_size() > proto.input_size() ||
      node.output_size() > proto.output_size())
    return refuse("with " + Twine(node.input_size()) + " inputs and " +
                  Twine(node.output_size()) + " outputs, but it has " +
                  Twine(proto.input_size()) + " and " +
                  Twine(proto.output_size()));
  std::string prefix = node.name();
  if (prefix.empty())
    prefix = node.output_size() ? node.output(0) : node.op_type();
  Call call{function, prefix, {}, {}};
  for (int at = 0; at != proto.input_size(); ++at)
    call.names[proto.input(at)] =
        at < node.input_size() ? node.input(at) : std::string();
  for (const AttributeProto &attribute : function.defaults)
    call.attributes[attribute.name()] = &attribute;
  for (const AttributeProto &attribute : node.attribute()) {
    if (!call.attributes.contains(attribute.name()) &&
        !is_contained(proto.attribute(), attribute.name()))
      return refuse("with the attribute '" + attribute.name() +
                    "', which it does not have");
    call.attributes[attribute.name()] = &attribute;
  }
  for (const auto &[name, attribute] : call.attributes)
    if (attribute->has_g() || attribute->graphs_size())
      return refuse("with the graph '" + name + "', which is not supported");
  return call;
}

Error Inliner::expandBody(Call &call, Nodes &nodes, unsigned nesting) {
  for (const NodeProto &body : call.function.proto->node()) {
    NodeProto node(body);
    renameNode(call, node);
    if (Error error = countNode(node))
      return error;
    if (Error error = expandNode(node, nodes, nesting, &call.function))
      return error;
  }
  return Error::success();
}

Error Inliner::expandCall(const NodeProto &node, Function &function,
                          Nodes &nodes, unsigned nesting) {
  if (function.isActive)
    return createStringError(function.text() + " calls itself");
  Expected<Call> call = bindCall(node, function);
  if (!call)
    return call.takeError();
  Nodes passed;
  bindOutputs(node, *call, passed);
  function.isActive = true;
  Error error = expandBody(*call, nodes, nesting + 1);
  function.isActive = false;
  if (error)
    return error;
  for (NodeProto &copy : passed) {
    noteVersion(copy, function);
    nodes.Add()->Swap(&copy);
  }
  return Error::success();
}

Error Inliner::expandNode(NodeProto &node, Nodes &nodes, unsigned nesting,
                          Function *context) {
  if (nesting > kMaxNesting)
    return createStringError("calls and graphs are nested deeper than " +
                             Twine(kMaxNesting) + " levels");
  if (Function *function = find(node))
    return expandCall(node, *function, nodes, nesting);
  for (AttributeProto &attribute : *node.mutable_attribute())
    if (attribute.has_g())
      if (Error error =
              expandGraph(*attribute.mutable_g(), nesting + 1, context))
        return error;
  if (context)
    noteVersion(node, *context);
  nodes.Add()->Swap(&node);
  return Error::success();
}

Error Inliner::expandGraph(GraphProto &graph, unsigned nesting,
                           Function *context) {
  Nodes nodes;
  for (NodeProto &node : *graph.mutable_node())
    if (Error error = expandNode(node, nodes, nesting, context))
      return error;
  graph.mutable_node()->Swap(&nodes);
  return Error::success();
}

Error Inliner::run() {
  if (Error error = collectFunctions())
    return error;
  for (const auto &set : model.opset_import())
    opsets[plainDomain(set.domain())] = set.version();
  collectNames(model.graph());
  if (Error error = expandGraph(*model.mutable_graph(), 0, nullptr))
    return error;
  model.clear_functions();
  return Error::success();
}

Error mlir::prune::onnx_import::inlineFunctions(onnx::ModelProto &model) {
  return Inliner(model).run();
}
