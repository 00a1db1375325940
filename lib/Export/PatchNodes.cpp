//===- PatchNodes.cpp - Numbers in nodes that are sizes -------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Groups, shapes, bounds and pads of nodes whose inputs or results became
// smaller, and the sizes that a file states.
//
//===----------------------------------------------------------------------===//

#include "Patch.h"

using namespace mlir;
using namespace mlir::prune::onnx_export;

static void setList(onnx::NodeProto &node, StringRef name,
                    ArrayRef<int64_t> values) {
  onnx::AttributeProto *attribute = findAttribute(node, name);
  if (!attribute) {
    attribute = node.add_attribute();
    attribute->set_name(name.str());
    attribute->set_type(onnx::AttributeProto::INTS);
  }
  attribute->clear_ints();
  for (int64_t value : values)
    attribute->add_ints(value);
}

/// One size that only the run knows can be inferred, and one that stays in its
/// place can be copied.
LogicalResult Patcher::patchReshape(Network &network, onnx::NodeProto &node) {
  const Fact &from = *network.facts.get(node.input(0));
  const Fact &to = *network.facts.get(node.output(0));
  SmallVector<int64_t> shape = network.keptShape(node.output(0));
  bool copiesZero = opset < 14 || !integerOf(node, "allowzero", 0);
  unsigned numInferred = 0;
  for (auto [dim, size] : llvm::enumerate(shape)) {
    if (size >= 0)
      continue;
    bool isCopied = copiesZero && int64_t(dim) < from.rank() &&
                    from.sizes[dim] == to.sizes[dim];
    size = isCopied ? 0 : -1;
    numInferred += !isCopied;
  }
  if (numInferred > 1)
    return error(node, "makes a smaller tensor with several open sizes; fix "
                       "them with --dim");
  if (opset < 5)
    setList(node, "shape", shape);
  else
    setIntegers(node, 1, shape);
  return success();
}

void Patcher::patchSlice(Network &network, onnx::NodeProto &node) {
  auto runs = getSliceRuns(node, network.facts, opset);
  ArrayRef<Coupling::Dim> x = network.dimsOf(node.input(0));
  // All axes are stated anew; those that do not change keep their bounds, which
  // may be open, only if no axis changes.
  SmallVector<int64_t> axes, starts, ends;
  for (size_t dim = 0; dim != x.size(); ++dim) {
    if (!network.isTouched(node.input(0), dim))
      continue;
    const Run &run = *(*runs)[dim];
    axes.push_back(dim);
    starts.push_back(network.coupling.countKept(x[dim], 0, run.begin));
    ends.push_back(starts.back() +
                   network.coupling.countKept(x[dim], run.begin, run.count));
  }
  bool isInput = opset >= 10;
  auto oldAxes = isInput ? std::optional<SmallVector<int64_t>>()
                         : integersOf(node, "axes");
  if (isInput && node.input_size() > 3 && !node.input(3).empty())
    oldAxes = network.facts.get(node.input(3))->numbers();
  auto read = [&](int input, StringRef name) {
    if (!isInput)
      return integersOf(node, name);
    const Fact *fact = network.facts.get(node.input(input));
    return fact ? fact->numbers() : std::nullopt;
  };
  auto oldStarts = read(1, "starts"), oldEnds = read(2, "ends");
  if (!oldStarts || !oldEnds)
    return;
  for (size_t at = 0; at != oldStarts->size(); ++at) {
    int64_t axis = oldAxes ? (*oldAxes)[at] : int64_t(at);
    axis = axis < 0 ? axis + int64_t(x.size()) : axis;
    auto *found = llvm::find(axes, axis);
    if (found == axes.end())
      continue;
    size_t position = found - axes.begin();
    (*oldStarts)[at] = starts[position];
    (*oldEnds)[at] = ends[position];
  }
  if (!isInput) {
    setList(node, "starts", *oldStarts);
    return setList(node, "ends", *oldEnds);
  }
  setIntegers(node, 1, *oldStarts);
  setIntegers(node, 2, *oldEnds);
}

/// Indices that are known are numbered anew.
void Patcher::patchGather(Network &network, onnx::NodeProto &node) {
  ArrayRef<Coupling::Dim> x = network.dimsOf(node.input(0));
  ArrayRef<Coupling::Dim> y = network.dimsOf(node.output(0));
  std::optional<int64_t> axis =
      normalizeAxis(integerOf(node, "axis", 0), x.size());
  auto chosen = getGathered(node, network.facts);
  if (!axis || !chosen || !network.isTouched(node.input(0), *axis))
    return;
  SmallVector<int64_t> kept;
  for (auto [position, index] : llvm::enumerate(*chosen))
    if (network.coupling.isKept(y[*axis], position))
      kept.push_back(network.coupling.countKept(x[*axis], 0, index));
  setIntegers(node, 1, kept);
}

void Patcher::patchSplit(Network &network, onnx::NodeProto &node) {
  int64_t axis = integerOf(node, "axis", 0);
  axis = axis < 0 ? axis + network.dimsOf(node.input(0)).size() : axis;
  if (!network.isTouched(node.input(0), axis))
    return;
  SmallVector<int64_t> parts;
  for (const std::string &name : node.output())
    parts.push_back(network.keptShape(name)[axis]);
  if (opset < 13)
    return setList(node, "split", parts);
  // Since operator set 18 the number of parts and their sizes exclude another.
  auto *attributes = node.mutable_attribute();
  for (int at = attributes->size(); at-- > 0;)
    if (attributes->Get(at).name() == "num_outputs")
      attributes->DeleteSubrange(at, 1);
  setIntegers(node, 1, parts);
}

void Patcher::patchPad(Network &network, onnx::NodeProto &node) {
  std::optional<Padding> padding = getPadding(node, network.facts, opset);
  ArrayRef<Coupling::Dim> x = network.dimsOf(node.input(0));
  ArrayRef<Coupling::Dim> y = network.dimsOf(node.output(0));
  bool isTouched = false;
  for (size_t dim = 0; dim != y.size(); ++dim) {
    if (!network.isTouched(node.output(0), dim))
      continue;
    isTouched = true;
    int64_t size = network.coupling.sizeOf(x[dim]);
    int64_t low = padding->low[dim], high = padding->high[dim];
    padding->low[dim] = network.coupling.countKept(y[dim], 0, low);
    padding->high[dim] = network.coupling.countKept(y[dim], low + size, high);
  }
  if (!isTouched)
    return;
  auto axes = onnx_import::range(0, x.size());
  if (node.input_size() > 3 && !node.input(3).empty())
    axes = *network.facts.get(node.input(3))->numbers();
  SmallVector<int64_t> pads;
  for (const SmallVector<int64_t> &side : {padding->low, padding->high})
    for (int64_t axis : axes)
      pads.push_back(side[axis < 0 ? axis + int64_t(x.size()) : axis]);
  if (opset < 11)
    return setList(node, opset < 2 ? "paddings" : "pads", pads);
  setIntegers(node, 1, pads);
}

/// The sizes of the result, as Resize and Expand are told.
void Patcher::patchSizes(Network &network, onnx::NodeProto &node, int input) {
  if (input >= node.input_size() || node.input(input).empty())
    return;
  const Fact *old = network.facts.get(node.input(input));
  std::optional<SmallVector<int64_t>> values =
      old ? old->numbers() : std::nullopt;
  SmallVector<int64_t> shape = network.keptShape(node.output(0));
  if (!values || values->size() > shape.size())
    return;
  size_t skipped = shape.size() - values->size();
  for (auto [at, value] : llvm::enumerate(*values))
    if (value > 1 && shape[at + skipped] >= 0)
      value = shape[at + skipped];
  setIntegers(node, input, *values);
}

LogicalResult Patcher::patchNodes(Network &network) {
  // The network describes the original nodes, at the same positions.
  for (int at = 0; at != network.graph.node_size(); ++at) {
    const onnx::NodeProto &original = network.graph.node(at);
    onnx::NodeProto &node = *graph.mutable_node(at);
    StringRef type = node.op_type();
    auto isTouched = [&](StringRef name) {
      return !name.empty() && network.isTouched(name);
    };
    if (llvm::none_of(node.output(), isTouched) &&
        llvm::none_of(node.input(), isTouched))
      continue;
    if (std::optional<int64_t> groups = network.keptGroups(original)) {
      StringRef name = type == "GroupNormalization" ? "num_groups" : "group";
      findAttribute(node, name)->set_i(*groups);
    } else if (isRecurrent(original)) {
      patchRecurrent(network, original, node);
    } else if (type == "Reshape") {
      if (failed(patchReshape(network, node)))
        return failure();
    } else if (type == "Gather") {
      patchGather(network, node);
    } else if (type == "Slice") {
      patchSlice(network, node);
    } else if (type == "Split") {
      patchSplit(network, node);
    } else if (type == "Pad") {
      patchPad(network, node);
    } else if (type == "Expand") {
      patchSizes(network, node, 1);
    } else if (type == "Resize") {
      patchSizes(network, node, 3);
    }
  }
  return success();
}

static void patchInfo(Network &network, onnx::ValueInfoProto &info) {
  if (!info.type().tensor_type().has_shape() ||
      !network.facts.get(info.name()) || !network.isTouched(info.name()))
    return;
  auto *shape = info.mutable_type()->mutable_tensor_type()->mutable_shape();
  SmallVector<int64_t> kept = network.keptShape(info.name());
  for (int dim = 0; dim < shape->dim_size() && dim < int(kept.size()); ++dim)
    if (shape->dim(dim).has_dim_value())
      shape->mutable_dim(dim)->set_dim_value(kept[dim]);
}

void Patcher::patchStatedShapes(Network &network) {
  for (onnx::ValueInfoProto &info : *graph.mutable_value_info())
    patchInfo(network, info);
  for (onnx::ValueInfoProto &info : *graph.mutable_input())
    patchInfo(network, info);
}

void Patcher::stateFixedSizes(const Facts &facts) {
  auto fix = [&](onnx::ValueInfoProto &info) {
    const Fact *fact = facts.get(info.name());
    if (!fact || !info.type().tensor_type().has_shape())
      return;
    auto *shape = info.mutable_type()->mutable_tensor_type()->mutable_shape();
    for (int dim = 0; dim < shape->dim_size() && dim < fact->rank(); ++dim)
      if (!shape->dim(dim).has_dim_value() && fact->size(dim) >= 0)
        shape->mutable_dim(dim)->set_dim_value(fact->size(dim));
  };
  for (auto *list : {graph.mutable_input(), graph.mutable_output(),
                     graph.mutable_value_info()})
    for (onnx::ValueInfoProto &info : *list)
      fix(info);
}
