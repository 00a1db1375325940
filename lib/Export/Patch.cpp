//===- Patch.cpp - Changes to an ONNX graph -------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shapes that reach a Reshape may be computed by a dozen nodes from the sizes
// of some other tensor. They are not followed: where the result became smaller
// the Reshape gets its shape as numbers, and what nothing needs any more is
// dropped.
//
//===----------------------------------------------------------------------===//

#include "Patch.h"

#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace mlir::prune::onnx_export;

int64_t mlir::prune::onnx_export::opsetOf(const onnx::ModelProto &model) {
  for (const onnx::OperatorSetIdProto &set : model.opset_import())
    if (set.domain().empty() || set.domain() == "ai.onnx")
      return set.version();
  return 0;
}

/// Names that the nodes of a graph read, those inside of nodes included.
static void collectReads(const onnx::GraphProto &graph,
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

Patcher::Patcher(onnx::ModelProto &model, Location loc)
    : model(model), graph(*model.mutable_graph()), loc(loc),
      opset(opsetOf(model)) {
  llvm::StringMap<unsigned> reads;
  collectReads(graph, reads);
  for (const auto &entry : reads)
    wasRead.insert(entry.getKey());
}

LogicalResult Patcher::error(const onnx::NodeProto &node,
                             const Twine &message) {
  return emitError(loc) << describe(node) << " " << message;
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

static onnx::AttributeProto *findAttribute(onnx::NodeProto &node,
                                           StringRef name) {
  for (onnx::AttributeProto &attribute : *node.mutable_attribute())
    if (StringRef(attribute.name()) == name)
      return &attribute;
  return nullptr;
}

onnx::TensorProto *Patcher::findTensor(StringRef name) {
  for (onnx::TensorProto &tensor : *graph.mutable_initializer())
    if (StringRef(tensor.name()) == name)
      return &tensor;
  for (onnx::NodeProto &node : *graph.mutable_node())
    if (node.op_type() == "Constant" && node.output_size() == 1 &&
        StringRef(node.output(0)) == name)
      if (onnx::AttributeProto *value = findAttribute(node, "value"))
        return value->mutable_t();
  return nullptr;
}

void Patcher::setTensor(onnx::TensorProto &tensor, ArrayRef<int64_t> shape,
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

bool Patcher::isUsed(StringRef name) {
  for (const onnx::NodeProto &node : graph.node())
    if (llvm::is_contained(node.output(), name))
      return true;
  for (const onnx::ValueInfoProto &input : graph.input())
    if (StringRef(input.name()) == name)
      return true;
  llvm::StringMap<unsigned> reads;
  collectReads(graph, reads);
  return reads.contains(name) || findTensor(name);
}

std::string Patcher::freshName(StringRef stem) {
  std::string name = stem.str();
  for (unsigned count = 1; isUsed(name); ++count)
    name = (stem + "_" + Twine(count)).str();
  return name;
}

/// Files before version 4 list their initialisers among the inputs.
std::string Patcher::addInitializer(StringRef stem, onnx::TensorProto tensor) {
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
  graph.add_initializer()->Swap(&tensor);
  return name;
}

static ArrayRef<char> bytesOf(ArrayRef<int64_t> values) {
  return ArrayRef<char>(reinterpret_cast<const char *>(values.data()),
                        values.size() * sizeof(int64_t));
}

void Patcher::setIntegers(onnx::NodeProto &node, int input,
                          ArrayRef<int64_t> values) {
  while (node.input_size() <= input)
    node.add_input();
  std::string old = node.input(input);
  llvm::StringMap<unsigned> reads;
  collectReads(graph, reads);
  int64_t size = values.size();
  onnx::TensorProto *tensor = old.empty() ? nullptr : findTensor(old);
  if (tensor && reads[old] == 1 &&
      tensor->data_type() == onnx::TensorProto::INT64) {
    edited.insert(old);
    return setTensor(*tensor, size, bytesOf(values));
  }
  onnx::TensorProto fresh;
  fresh.set_data_type(onnx::TensorProto::INT64);
  setTensor(fresh, size, bytesOf(values));
  std::string stem = node.output(0) + "_sizes";
  node.set_input(input, addInitializer(stem, std::move(fresh)));
}

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

bool Patcher::addBias(StringRef weight, onnx::TensorProto bias) {
  onnx::NodeProto *user = nullptr;
  for (onnx::NodeProto &node : *graph.mutable_node())
    if (llvm::is_contained(node.input(), weight)) {
      bool takesBias = node.op_type() == "Conv" || node.op_type() == "Gemm" ||
                       node.op_type() == "ConvTranspose";
      if (user || !takesBias || StringRef(node.input(1)) != weight ||
          (node.input_size() > 2 && !node.input(2).empty()))
        return false;
      user = &node;
    }
  if (!user)
    return false;
  while (user->input_size() < 3)
    user->add_input();
  user->set_input(2, addInitializer((weight + ".bias").str(), std::move(bias)));
  return true;
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

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
    if (type == "Conv" || type == "ConvTranspose") {
      int64_t groups = network.keptGroups(original);
      if (onnx::AttributeProto *group = findAttribute(node, "group"))
        group->set_i(groups);
    } else if (isRecurrent(original)) {
      patchRecurrent(network, original, node);
    } else if (type == "Reshape") {
      if (failed(patchReshape(network, node)))
        return failure();
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

//===----------------------------------------------------------------------===//
// Sizes that other nodes compute with
//===----------------------------------------------------------------------===//

/// Whether an input is a shape, which the proof compares with what it has to
/// be.
static bool isShapeInput(const onnx::NodeProto &node, int input) {
  return input == 1 &&
         (node.op_type() == "Reshape" || node.op_type() == "Expand");
}

FailureOr<bool> Patcher::pinSizes(const Facts &before, const Facts &after) {
  bool changed = false;
  for (onnx::NodeProto &node : *graph.mutable_node()) {
    bool isFollowed = node.output_size() > 0;
    for (const std::string &name : node.output()) {
      const Fact *fact = after.get(name);
      isFollowed &= fact && fact->elements && fact->isInteger();
    }
    for (int at = 0; at != node.input_size(); ++at) {
      const Fact *old = before.get(node.input(at));
      const Fact *now = after.get(node.input(at));
      if (!old || !now || !old->elements || !old->name().empty() ||
          old->elements == now->elements || isFollowed ||
          edited.contains(node.input(at)) || isShapeInput(node, at))
        continue;
      std::optional<SmallVector<int64_t>> numbers = old->numbers();
      if (!numbers || old->type != onnx_import::DataType::Int64)
        return error(node, "computes with sizes ('" + node.input(at) +
                               "') that became smaller; fix open sizes with "
                               "--dim");
      onnx::TensorProto tensor;
      tensor.set_data_type(onnx::TensorProto::INT64);
      setTensor(tensor, old->shape(), bytesOf(*numbers));
      node.set_input(at, addInitializer(node.input(at), std::move(tensor)));
      changed = true;
    }
  }
  return changed;
}

void Patcher::dropUnused() {
  llvm::StringMap<unsigned> reads;
  // What nothing needed before is none of our business.
  auto isDead = [&](StringRef name) {
    return wasRead.contains(name) && !reads.contains(name);
  };
  auto drop = [](auto &list, auto isDropped) {
    int kept = 0;
    for (int at = 0; at != list.size(); ++at)
      if (!isDropped(list.Get(at)))
        list.SwapElements(at, kept++);
    bool changed = kept != list.size();
    list.DeleteSubrange(kept, list.size() - kept);
    return changed;
  };
  do {
    reads.clear();
    collectReads(graph, reads);
  } while (drop(*graph.mutable_node(), [&](const onnx::NodeProto &node) {
    return llvm::any_of(node.output(), isDead) &&
           llvm::none_of(node.output(),
                         [&](StringRef name) { return reads.contains(name); });
  }));
  llvm::StringSet<> dropped;
  drop(*graph.mutable_initializer(), [&](const onnx::TensorProto &tensor) {
    bool isUnused = isDead(tensor.name());
    if (isUnused)
      dropped.insert(tensor.name());
    return isUnused;
  });
  drop(*graph.mutable_input(), [&](const onnx::ValueInfoProto &input) {
    return dropped.contains(input.name());
  });
  drop(*graph.mutable_value_info(),
       [&](const onnx::ValueInfoProto &info) { return isDead(info.name()); });
}
