//===- Template.cpp - The file as the module has it -----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Nodes that were folded are found from the weight that took them, by the names
// of their constants, so that it does not matter how many other nodes read the
// same ones.
//
//===----------------------------------------------------------------------===//

#include "Template.h"
#include "Biases.h"
#include "Import/Rules/NodeAttributes.h"
#include "prune/IR/ConstantView.h"
#include "prune/IR/Records.h"

#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace mlir::prune;
using namespace mlir::prune::onnx_export;

Template::Template(onnx::ModelProto &model, const Facts &facts, ModuleOp module,
                   const Resources &resources)
    : GraphEditor(model), facts(facts), module(module), resources(resources),
      weights(module) {
  auto add = [&](StringRef tensor) {
    if (StringRef weight = weightOf(tensor); !weight.empty())
      tensorOf.try_emplace(weight, tensor.str());
  };
  for (const onnx::TensorProto &tensor : graph.initializer())
    add(tensor.name());
  for (const onnx::NodeProto &node : graph.node()) {
    // As the import names locations, before outputs get other names.
    nodeNames[&node] = nameOf(node);
    if (node.op_type() == "Constant" && node.output_size() == 1)
      add(node.output(0));
  }
}

StringRef Template::weightOf(StringRef tensor) const {
  const Fact *fact = facts.get(tensor);
  return fact ? fact->name() : StringRef();
}

std::optional<StringRef> Template::keyOf(StringRef tensor) const {
  auto found = keys.find(tensor);
  if (found == keys.end())
    return std::nullopt;
  return StringRef(found->second);
}

LogicalResult Template::adapt() {
  if (failed(dropAllFolded()) || failed(splitAll()))
    return failure();
  finish();
  return success();
}

//===----------------------------------------------------------------------===//
// What was folded
//===----------------------------------------------------------------------===//

static bool isMovement(const onnx::NodeProto &node) {
  return llvm::is_contained({"DepthToSpace", "Dropout", "Flatten", "Identity",
                             "Reshape", "SpaceToDepth", "Squeeze", "Transpose",
                             "Unsqueeze"},
                            StringRef(node.op_type()));
}

/// Whether a node does nothing once its parameters have none.
static bool isAffine(const onnx::NodeProto &node) {
  return llvm::is_contained({"Add", "BatchNormalization", "Div", "Mul", "Sub"},
                            StringRef(node.op_type()));
}

/// The input that is scaled and shifted by the others.
std::optional<int> Template::getData(const onnx::NodeProto &node) {
  StringRef type = node.op_type();
  if (llvm::is_contained(
          {"BatchNormalization", "LayerNormalization", "RMSNormalization"},
          type))
    return 0;
  if (!isAffine(node) || node.input_size() != 2)
    return std::nullopt;
  bool isLeft = weightOf(node.input(0)).empty();
  if (isLeft == weightOf(node.input(1)).empty() || (type == "Div" && !isLeft))
    return std::nullopt;
  return isLeft ? 0 : 1;
}

/// The number that a weight holds throughout, if it does.
static std::optional<double> getOnlyNumber(const Fact &fact) {
  std::optional<TensorView> view = getTensorView(fact.constant);
  if (!view || view->size() == 0)
    return std::nullopt;
  std::vector<double> elements(view->size());
  view->load(0, elements);
  if (!llvm::all_equal(elements))
    return std::nullopt;
  return elements.front();
}

std::optional<double> Template::getOnlyNumber(StringRef tensor) const {
  const Fact *fact = facts.get(tensor);
  return fact ? ::getOnlyNumber(*fact) : std::nullopt;
}

/// Whether a node passes on its data, and the module may have dropped it.
bool Template::isIdentity(const onnx::NodeProto &node, int data) {
  if (node.input_size() != 2 || weightOf(node.input(1 - data)).empty())
    return false;
  bool isProduct = node.op_type() == "Mul" || node.op_type() == "Div";
  return ::getOnlyNumber(*facts.get(node.input(1 - data))) ==
         (isProduct ? 1.0 : 0.0);
}

/// Whether all inputs but `data` are among the names; then these are found.
bool Template::take(onnx::NodeProto &node, int data, Names &names) {
  SmallVector<StringRef> left = names.left, taken;
  for (int at = 0; at != node.input_size(); ++at) {
    if (at == data || node.input(at).empty())
      continue;
    StringRef name = weightOf(node.input(at));
    auto *found = llvm::find(left, name);
    // One operand may stand for two inputs.
    if (name.empty() ||
        (found == left.end() && !llvm::is_contained(taken, name)))
      return false;
    if (found != left.end())
      left.erase(found);
    taken.push_back(name);
  }
  if (taken.empty())
    return false;
  names.left = left;
  for (StringRef name : taken)
    names.found.insert(name);
  return true;
}

void Template::dropBehind(onnx::NodeProto &node, Names &names) {
  // A bias of the node itself.
  bool hasBias = llvm::is_contained({"Conv", "ConvTranspose", "Gemm"},
                                    StringRef(node.op_type())) &&
                 node.input_size() > 2 && !node.input(2).empty();
  if (hasBias) {
    auto *found = llvm::find(names.left, weightOf(node.input(2)));
    if (found != names.left.end()) {
      names.found.insert(*found);
      names.left.erase(found);
      setInput(node, 2, "");
      if (onnx::AttributeProto *beta = findAttribute(node, "beta"))
        beta->set_f(1);
    }
  }
  std::string value = node.output(0);
  while (!names.left.empty() && countReads(value) == 1) {
    SmallVector<Reader> readers = readersOf(value);
    if (readers.size() != 1)
      return;
    onnx::NodeProto &next = *readers[0].node;
    if (isMovement(next) && readers[0].input == 0) {
      value = next.output(0);
      continue;
    }
    std::optional<int> data = getData(next);
    if (data != readers[0].input || !isAffine(next))
      return;
    if (!take(next, *data, names)) {
      if (!isIdentity(next, *data))
        return;
      value = next.output(0);
      continue;
    }
    // Whoever read the result goes on reading it.
    renameOutput(*producerOf(value), value, next.output(0));
    value = next.output(0);
    remove(next);
  }
}

/// Scales of one and no shift, for a node that does more than scale.
void Template::neutralize(onnx::NodeProto &node) {
  onnx::TensorProto ones = *findTensor(node.input(1));
  ShapedType type = facts.get(node.input(1))->constant.getShapedType();
  setTensor(
      ones, type.getShape(),
      fill(1, cast<FloatType>(type.getElementType()), type.getNumElements()));
  std::string stem = node.input(1) + "_ones";
  setInput(node, 1, addInitializer(stem, std::move(ones)));
  if (node.input_size() > 2)
    setInput(node, 2, "");
}

void Template::dropInFront(Reader reader, Names &names) {
  while (!names.left.empty()) {
    std::string value = reader.node->input(reader.input);
    onnx::NodeProto *node = producerOf(value);
    if (!node || countReads(value) != 1)
      return;
    if (isMovement(*node) || node->op_type() == "Pad") {
      reader = {node, 0};
      continue;
    }
    std::optional<int> data = getData(*node);
    if (!data)
      return;
    if (!take(*node, *data, names)) {
      if (!isIdentity(*node, *data))
        return;
      reader = {node, *data};
      continue;
    }
    if (!isAffine(*node))
      return neutralize(*node);
    setInput(*reader.node, reader.input, node->input(*data));
    remove(*node);
  }
}

/// The node that computes with a weight, past what only moves its elements.
static std::optional<Reader> findReader(const GraphEditor &editor,
                                        StringRef tensor) {
  std::string name = tensor.str();
  while (true) {
    SmallVector<Reader> readers = editor.readersOf(name);
    if (readers.size() != 1 || editor.countReads(name) != 1)
      return std::nullopt;
    if (!isMovement(*readers[0].node))
      return readers[0];
    name = readers[0].node->output(0);
  }
}

LogicalResult Template::dropFolded(StringRef weight, DictionaryAttr names) {
  auto tensor = tensorOf.find(weight);
  std::optional<Reader> reader;
  if (tensor != tensorOf.end())
    reader = findReader(*this, tensor->second);
  if (!reader)
    return error() << "something was folded into weight '" << weight
                   << "', which is not read by one node of the template; give "
                      "the model that the module was imported from";
  auto namesOf = [&](StringRef key) {
    Names result;
    if (auto list = names.getAs<ArrayAttr>(key))
      for (StringAttr name : list.getAsRange<StringAttr>())
        result.left.push_back(name.getValue());
    foldedWeights.insert(result.left.begin(), result.left.end());
    return result;
  };
  Names behind = namesOf("after"), front = namesOf("before");
  onnx::NodeProto &node = *reader->node;
  const Fact *result = facts.get(node.output(0));
  bool isProduct = node.op_type() == "MatMul" || node.op_type() == "Einsum";
  if (!result || result->rank() < 1 || node.input_size() < 2 ||
      reader->input > 1 || (!isProduct && reader->input != 1))
    return error() << "something was folded into weight '" << weight
                   << "', which is no weight of " << describe(node)
                   << "; give the model that the module was imported from";
  SmallVector<int64_t> shape = result->shape();
  dropBehind(node, behind);
  dropInFront({&node, isProduct ? 1 - reader->input : 0}, front);
  llvm::StringSet<> found = behind.found;
  for (const auto &entry : front.found)
    found.insert(entry.getKey());
  // A bias that was made before was folded again.
  for (const Names *part : {&behind, &front})
    for (StringRef name : part->left)
      if (!found.contains(name))
        return error() << describe(node) << " has taken in a node with '"
                       << name << "', which is not next to it in the template; "
                       << "give the model that the module was imported from, "
                          "or export before prune-fold-batch-norms";
  changed = true;
  return addFoldedBias(weight, *reader, shape, found);
}

LogicalResult Template::addFoldedBias(StringRef weight, Reader reader,
                                      ArrayRef<int64_t> shape,
                                      const llvm::StringSet<> &folded) {
  ArrayRef<ModuleUse> uses = weights.usesOf(weight);
  ElementsAttr bias;
  if (!uses.empty())
    bias = weights.findBias(uses.front().key);
  auto resource = dyn_cast_if_present<DenseResourceElementsAttr>(bias);
  if (!resource)
    return success();
  StringRef key = resource.getRawHandle().getKey();
  if (!folded.contains(key.split('#').first))
    return success();
  // As many as the node has before anything is removed.
  const Fact &fact = *facts.get(tensorOf.lookup(weight));
  std::optional<size_t> dim = getFilterDim(reader, shape.size());
  int64_t count = dim ? std::max<int64_t>(shape[*dim], 0) : 0;
  onnx::TensorProto zeros;
  zeros.set_data_type(static_cast<int>(fact.type));
  unsigned width = fact.constant.getElementType().getIntOrFloatBitWidth();
  setTensor(zeros, count, std::vector<char>(count * width / 8, 0));
  zeros.set_name(tensorOf.lookup(weight) + ".bias");
  std::string name = addBias(*this, reader, std::move(zeros), shape);
  if (name.empty())
    return error() << describe(*reader.node)
                   << " has no place for the bias that prune-fold-batch-norms "
                      "made; export before it";
  biases[name] = bias;
  biasKeys.insert(key);
  return success();
}

LogicalResult Template::dropAllFolded() {
  auto record = module->getAttrOfType<DictionaryAttr>(kFoldedRecord);
  if (!record)
    return success();
  for (NamedAttribute entry : record) {
    auto names = dyn_cast<DictionaryAttr>(entry.getValue());
    if (names && failed(dropFolded(entry.getName(), names)))
      return failure();
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Versions
//===----------------------------------------------------------------------===//

/// The uses with the names of their nodes: as the module has them, or in the
/// order of the template's. Nothing if neither is possible.
std::optional<std::vector<ModuleUse>>
Template::locate(StringRef weight, ArrayRef<ModuleUse> uses) {
  llvm::StringSet<> nodes;
  ArrayRef<ModuleUse> original = facts.usesOf(weight);
  for (const ModuleUse &use : original)
    nodes.insert(use.node);
  std::vector<ModuleUse> located(uses.begin(), uses.end());
  if (llvm::all_of(
          uses, [&](const ModuleUse &use) { return nodes.contains(use.node); }))
    return located;
  if (uses.size() != original.size())
    return std::nullopt;
  for (auto [use, from] : llvm::zip_equal(located, original))
    use.node = from.node;
  return located;
}

LogicalResult Template::split(StringRef tensor, const Fact &fact,
                              ArrayRef<ModuleUse> uses) {
  auto refuse = [&](const Twine &why) {
    return error() << "initialiser '" << tensor
                   << "' became several weights, and " << why
                   << "; write modules as bytecode or with "
                      "--mlir-print-debuginfo, or keep it in one with exclude=";
  };
  SmallVector<Reader> readers = readersOf(tensor);
  // One node may read several parts.
  if (readers.size() == 1)
    return success();
  if (readers.size() != countReads(tensor))
    return refuse("a graph inside of a node or an output reads it");
  auto located = locate(fact.name(), uses);
  if (!located)
    return refuse("the module does not tell whose they are");
  llvm::StringMap<SmallVector<StringRef, 1>> keysOf;
  for (const ModuleUse &use : *located)
    keysOf[use.node].push_back(use.key);
  auto nameOf = [&](const onnx::NodeProto &node) -> StringRef {
    return nodeNames.find(&node)->second;
  };
  llvm::StringMap<unsigned> numReads, next;
  for (const Reader &reader : readers)
    ++numReads[nameOf(*reader.node)];
  llvm::StringMap<std::string> tensorOfKey;
  for (const Reader &reader : readers) {
    StringRef node = nameOf(*reader.node);
    ArrayRef<StringRef> keys = keysOf[node];
    if (keys.empty()) {
      // What did nothing is gone, and what else it could be is not known.
      std::optional<double> number = ::getOnlyNumber(fact);
      if (!number)
        return refuse("none is left of that of " + describe(*reader.node));
      std::string name = addInitializer(tensor, *findTensor(tensor));
      numbers[name] = *number;
      setInput(*reader.node, reader.input, name);
      continue;
    }
    bool isOne = llvm::all_equal(keys);
    if (!isOne && keys.size() != numReads[node])
      return refuse(describe(*reader.node) + " has uses of more than one");
    StringRef key = keys[isOne ? 0 : next[node]++];
    auto [entry, isNew] = tensorOfKey.try_emplace(key, tensor.str());
    if (isNew) {
      if (tensorOfKey.size() > 1)
        entry->second = addInitializer(tensor, *findTensor(tensor));
      this->keys[entry->second] = key.str();
    }
    if (entry->second != tensor)
      setInput(*reader.node, reader.input, entry->second);
  }
  changed = true;
  return success();
}

/// What did nothing anywhere is gone from the module, and each node that read
/// it may have lost other channels.
void Template::splitGone() {
  auto record = module->getAttrOfType<DictionaryAttr>(kKeptRecord);
  if (!record || llvm::none_of(record, [](NamedAttribute entry) {
        return isa<ArrayAttr>(entry.getValue());
      }))
    return;
  for (const auto &[weight, tensor] : tensorOf) {
    if (!record.get(weight) && !foldedWeights.contains(weight))
      continue;
    std::optional<double> number = ::getOnlyNumber(*facts.get(tensor));
    SmallVector<Reader> readers = readersOf(tensor);
    if (!number || readers.size() < 2 || readers.size() != countReads(tensor) ||
        resources.contains(weight))
      continue;
    numbers[tensor] = *number;
    for (const Reader &reader : ArrayRef(readers).drop_front()) {
      std::string name = addInitializer(tensor, *findTensor(tensor));
      numbers[name] = *number;
      setInput(*reader.node, reader.input, name);
    }
    changed = true;
  }
}

LogicalResult Template::splitAll() {
  splitGone();
  for (const auto &[weight, versions] : resources) {
    auto tensor = tensorOf.find(weight);
    if (tensor == tensorOf.end())
      continue;
    std::vector<ModuleUse> uses;
    llvm::StringSet<> distinct, nodes;
    for (const ModuleUse &use : weights.usesOf(weight))
      if (!isBias(use.key)) {
        uses.push_back(use);
        distinct.insert(use.key);
        nodes.insert(use.node);
      }
    // One version, and a use for each node that reads it.
    bool isWhole =
        llvm::all_of(readersOf(tensor->second), [&](const Reader &reader) {
          return nodes.contains(nodeNames[reader.node]);
        });
    if (distinct.empty() ||
        (distinct.size() < 2 && (isWhole || nodes.contains(""))))
      continue;
    if (failed(split(tensor->second, *facts.get(tensor->second), uses)))
      return failure();
  }
  return success();
}
