//===- Branches.cpp - Branches of conditions that are known ---------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Exporters of frameworks leave If where a size decides, and an import knows
// most sizes. The branch that remains becomes part of the graph, so that
// channels leave it as they leave all other nodes, in a file, too. Nodes are
// visited one by one, as a condition can depend on a branch before it.
//
//===----------------------------------------------------------------------===//

#include "Branches.h"

#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;
using onnx::AttributeProto;
using onnx::GraphProto;
using onnx::NodeProto;

using Names = llvm::StringMap<std::string>;

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

void BranchInliner::count(const NodeProto &node, int by) {
  for (const std::string &output : node.output())
    definitions[output] += by;
  for (const AttributeProto &attribute : node.attribute())
    if (attribute.has_g())
      count(attribute.g(), by);
}

void BranchInliner::count(const GraphProto &part, int by) {
  for (const auto &input : part.input())
    definitions[input.name()] += by;
  for (const auto &tensor : part.initializer())
    definitions[tensor.name()] += by;
  for (const NodeProto &node : part.node())
    count(node, by);
}

std::string BranchInliner::freshName(const std::string &stem) {
  std::string name = stem;
  for (unsigned at = 1; definitions.lookup(name) != 0; ++at)
    name = stem + "_" + std::to_string(at);
  return name;
}

static void rename(std::string *name, const Names &names) {
  if (auto found = names.find(*name); found != names.end())
    *name = found->second;
}

static void rename(NodeProto &node, const Names &names);

/// Names that a graph inside of a node shares with those around are changed
/// there as well, which keeps what each of them stands for.
static void rename(GraphProto &graph, const Names &names) {
  auto change = [&](auto &list) {
    for (auto &named : list)
      rename(named.mutable_name(), names);
  };
  change(*graph.mutable_input());
  change(*graph.mutable_output());
  change(*graph.mutable_initializer());
  change(*graph.mutable_value_info());
  for (NodeProto &node : *graph.mutable_node())
    rename(node, names);
}

static void rename(NodeProto &node, const Names &names) {
  for (std::string &name : *node.mutable_input())
    rename(&name, names);
  for (std::string &name : *node.mutable_output())
    rename(&name, names);
  for (AttributeProto &attribute : *node.mutable_attribute())
    if (attribute.has_g())
      rename(*attribute.mutable_g(), names);
}

//===----------------------------------------------------------------------===//
// Branches
//===----------------------------------------------------------------------===//

StringRef mlir::prune::onnx_import::keyOfBranch(const NodeProto &node) {
  for (const std::string &output : node.output())
    if (!output.empty())
      return output;
  return "";
}

/// Moves the branch out of an If.
static GraphProto takeBranch(NodeProto &node, bool condition) {
  GraphProto branch;
  for (AttributeProto &attribute : *node.mutable_attribute())
    if (attribute.name() == (condition ? "then_branch" : "else_branch"))
      branch.Swap(attribute.mutable_g());
  return branch;
}

/// Gives what the branch computes the names of the outputs. What it does not
/// compute itself, or returns twice, is copied; the copies are returned.
static std::vector<std::unique_ptr<NodeProto>>
bindOutputs(const NodeProto &node, const GraphProto &branch, Names &names) {
  llvm::StringSet<> isOwn;
  for (const NodeProto &inner : branch.node())
    isOwn.insert(inner.output().begin(), inner.output().end());
  std::vector<std::unique_ptr<NodeProto>> copies;
  for (int at = 0; at != node.output_size(); ++at) {
    if (node.output(at).empty())
      continue;
    const std::string &inner = branch.output(at).name();
    if (isOwn.contains(inner) &&
        names.try_emplace(inner, node.output(at)).second)
      continue;
    auto &copy = copies.emplace_back(std::make_unique<NodeProto>());
    copy->set_op_type("Identity");
    copy->set_name(node.output(at));
    copy->add_input(inner);
    copy->add_output(node.output(at));
  }
  return copies;
}

void BranchInliner::expand(NodeProto &node, bool condition) {
  count(node, -1);
  GraphProto branch = takeBranch(node, condition);
  Names names;
  auto copies = bindOutputs(node, branch, names);
  for (const std::string &output : node.output())
    ++definitions[output];
  auto define = [&](const std::string &name) {
    if (!name.empty() && definitions.lookup(name) != 0)
      names.try_emplace(name, freshName(name));
    auto found = names.find(name);
    ++definitions[found == names.end() ? StringRef(name)
                                       : StringRef(found->second)];
  };
  for (onnx::TensorProto &tensor : *branch.mutable_initializer()) {
    define(tensor.name());
    rename(tensor.mutable_name(), names);
    graph.add_initializer()->Swap(&tensor);
  }
  for (const NodeProto &inner : branch.node())
    for (const std::string &output : inner.output())
      if (names.count(output) == 0)
        define(output);
  for (auto &copy : llvm::reverse(copies)) {
    rename(copy->mutable_input(0), names);
    pending.push_back(std::move(copy));
  }
  for (int at = branch.node_size(); at-- > 0;) {
    auto inner = std::make_unique<NodeProto>();
    inner->Swap(branch.mutable_node(at));
    rename(*inner, names);
    for (const AttributeProto &attribute : inner->attribute())
      if (attribute.has_g())
        count(attribute.g(), 1);
    pending.push_back(std::move(inner));
  }
}

LogicalResult BranchInliner::run(
    function_ref<LogicalResult(NodeProto &, std::optional<bool> &)> visit) {
  auto &nodes = *graph.mutable_node();
  // Names matter where a branch brings others.
  if (llvm::any_of(
          nodes, [](const NodeProto &node) { return node.op_type() == "If"; }))
    count(graph, 1);
  while (!nodes.empty())
    pending.emplace_back(nodes.ReleaseLast());
  while (!pending.empty()) {
    std::unique_ptr<NodeProto> node = std::move(pending.back());
    pending.pop_back();
    std::optional<bool> branch;
    if (failed(visit(*node, branch)))
      return failure();
    if (branch)
      expand(*node, *branch);
    else
      nodes.AddAllocated(node.release());
  }
  return success();
}

void mlir::prune::onnx_import::inlineBranches(
    GraphProto &graph, const llvm::StringMap<bool> &branches) {
  if (branches.empty())
    return;
  auto visit = [&](NodeProto &node, std::optional<bool> &branch) {
    auto found = branches.find(keyOfBranch(node));
    if (node.op_type() == "If" && found != branches.end())
      branch = found->second;
    return success();
  };
  (void)BranchInliner(graph).run(visit);
}
