//===- Graph.cpp - Graphs and the module made of them ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Walks the model: all operators are looked up first, so that those that cannot
// be imported are listed at once; then inputs become arguments, initialisers
// constants, and nodes whatever their operators are made of.
//
//===----------------------------------------------------------------------===//

#include "Graph.h"

#include "Branches.h"
#include "Import/Emitter/NarrowTypes.h"
#include "Node.h"
#include "Rewrites.h"
#include "prune/IR/Prune.h"
#include "prune/IR/Records.h"
#include "prune/Import/ONNX.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace mlir::prune;
using namespace mlir::prune::onnx_import;

//===----------------------------------------------------------------------===//
// Graph
//===----------------------------------------------------------------------===//

Tensor *Graph::lookup(StringRef name) const {
  for (const Graph *graph = this; graph; graph = graph->parent)
    if (auto found = graph->values.find(name); found != graph->values.end())
      return found->second;
  return nullptr;
}

LogicalResult Graph::define(StringRef name, Tensor *tensor) {
  return success(values.try_emplace(name, tensor).second);
}

static InFlightDiagnostic modelError(State &state) {
  state.failed = true;
  return emitError(UnknownLoc::get(state.context));
}

LogicalResult Graph::readInitializers() {
  while (numInitializersRead != proto.initializer_size()) {
    onnx::TensorProto &tensor =
        *proto.mutable_initializer(numInitializersRead++);
    Tensor &result = state.tensors.emplace_back();
    if (llvm::Error error = reader.read(tensor, tensor.name(), result))
      return modelError(state) << llvm::toString(std::move(error));
    if (tensor.name().empty() || failed(define(tensor.name(), &result)))
      return modelError(state)
             << "initializer '" << tensor.name() << "' has no unique name";
  }
  return success();
}

bool Graph::isRead(StringRef name) {
  if (!reads)
    collectReads(proto, reads.emplace());
  return reads->contains(name);
}

int64_t Graph::opsetOf(const onnx::NodeProto &node) const {
  for (const onnx::AttributeProto &attribute : node.attribute())
    if (attribute.name() == kOpsetAttribute)
      return attribute.i();
  return opsets.lookup(node.domain() == "ai.onnx" ? "" : node.domain());
}

void Graph::takeBranch(const onnx::NodeProto &node, bool condition) {
  branches[keyOfBranch(node)] = condition;
}

bool Graph::isTaken(const onnx::NodeProto &node) const {
  return node.op_type() == "If" && branches.contains(keyOfBranch(node));
}

LogicalResult Graph::importNode(OpBuilder &b, onnx::NodeProto &node) {
  return Node(*this, state, b, node, opsetOf(node)).import();
}

LogicalResult Graph::importNodes(OpBuilder &b) {
  // A loop's body is imported several times, and knows less each time.
  if (parent) {
    for (onnx::NodeProto &node : *proto.mutable_node())
      if (failed(importNode(b, node)))
        return failure();
    return success();
  }
  // The nodes leave the graph while they are visited.
  collectReads(proto, reads.emplace());
  auto visit = [&](onnx::NodeProto &node, std::optional<bool> &branch) {
    if (failed(readInitializers()) || failed(importNode(b, node)))
      return failure();
    if (isTaken(node))
      branch = branches.lookup(keyOfBranch(node));
    return success();
  };
  if (failed(BranchInliner(proto).run(visit)))
    return failure();
  return readInitializers();
}

FailureOr<SmallVector<Tensor *>> Graph::results() {
  SmallVector<Tensor *> tensors;
  for (const onnx::ValueInfoProto &output : proto.output()) {
    Tensor *tensor = lookup(output.name());
    if (!tensor)
      return modelError(state)
             << "nothing defines the graph's output '" << output.name() << "'";
    tensors.push_back(tensor);
  }
  return tensors;
}

//===----------------------------------------------------------------------===//
// Operators that are not there
//===----------------------------------------------------------------------===//

/// Lists the nodes whose operators cannot be imported, graphs inside of nodes
/// included. Protobuf's limit on nesting bounds the recursion. Returns whether
/// one of them is needed for certain: of If, one branch may never be imported.
static bool findUnsupported(const onnx::GraphProto &proto, const Graph &graph,
                            SmallVector<const onnx::NodeProto *> &nodes) {
  bool isNeeded = false;
  for (const onnx::NodeProto &node : proto.node()) {
    if (!findOperator(node, graph.opsetOf(node))) {
      nodes.push_back(&node);
      isNeeded = true;
    }
    for (const onnx::AttributeProto &attribute : node.attribute())
      if (attribute.has_g() && findUnsupported(attribute.g(), graph, nodes))
        isNeeded |= node.op_type() != "If";
  }
  return isNeeded;
}

LogicalResult mlir::prune::onnx_import::checkOperators(const Graph &graph) {
  SmallVector<const onnx::NodeProto *> nodes;
  if (!findUnsupported(graph.proto, graph, nodes))
    return success();
  // One line for each operator; the first nodes of each are enough to find it.
  llvm::MapVector<std::pair<StringRef, StringRef>,
                  SmallVector<const onnx::NodeProto *>>
      byOperator;
  for (const onnx::NodeProto *node : nodes)
    byOperator[{node->domain(), node->op_type()}].push_back(node);
  for (auto &[key, found] : byOperator) {
    InFlightDiagnostic diagnostic = modelError(graph.state);
    diagnostic << "operator '" << key.second << "' of domain '" << key.first
               << "' is not supported in opset " << graph.opsetOf(*found[0])
               << ", used by " << (found.size() == 1 ? "node" : "nodes");
    constexpr size_t kNamed = 4;
    for (const onnx::NodeProto *node : ArrayRef(found).take_front(kNamed)) {
      diagnostic << (node == found[0] ? " '" : ", '") << nameOf(*node) << "'";
    }
    if (found.size() > kNamed)
      diagnostic << " and " << found.size() - kNamed << " more";
  }
  return failure();
}

//===----------------------------------------------------------------------===//
// The function
//===----------------------------------------------------------------------===//

namespace {
/// Builds `@main` from a model's graph.
class MainBuilder {
public:
  MainBuilder(Graph &graph, ModuleOp module, const ONNXImportOptions &options)
      : graph(graph), state(graph.state), b(module.getBodyRegion()),
        options(options), used(options.dims.size(), false) {}

  LogicalResult build();

private:
  struct Input {
    StringRef name;
    DataType type;
    /// Known sizes, or the model's name for one, which may be empty.
    SmallVector<std::pair<int64_t, std::string>> dims;
  };

  LogicalResult declareInputs();
  FailureOr<Input> readInput(const onnx::ValueInfoProto &info);
  /// What --dim calls a size: the model's name, or input and position.
  static std::string openName(const Input &input, unsigned at) {
    StringRef symbol = input.dims[at].second;
    return symbol.empty() ? (input.name + ":" + Twine(at)).str() : symbol.str();
  }
  std::optional<int64_t> fixedSize(StringRef symbol, StringRef input,
                                   unsigned at);
  LogicalResult checkOptions();
  void bindInputs(func::FuncOp function);
  LogicalResult addResults(func::FuncOp function);

  Graph &graph;
  State &state;
  OpBuilder b;
  const ONNXImportOptions &options;
  SmallVector<bool> used;
  SmallVector<Input> inputs;
  /// What --dim could have named.
  SmallVector<std::string> open;
};
} // namespace

std::optional<int64_t> MainBuilder::fixedSize(StringRef symbol, StringRef input,
                                              unsigned at) {
  std::string position = (input + ":" + Twine(at)).str();
  open.push_back(symbol.empty() ? position : symbol.str());
  std::optional<int64_t> size;
  for (auto [number, dim] : llvm::enumerate(options.dims)) {
    if (dim.first != position && (symbol.empty() || dim.first != symbol))
      continue;
    used[number] = true;
    size = dim.second;
  }
  return size;
}

FailureOr<MainBuilder::Input>
MainBuilder::readInput(const onnx::ValueInfoProto &info) {
  Input input;
  input.name = info.name();
  if (!info.type().has_tensor_type())
    return modelError(state) << "input '" << info.name()
                             << "' is not a tensor, which is not supported";
  const onnx::TypeProto_Tensor &type = info.type().tensor_type();
  input.type = static_cast<DataType>(type.elem_type());
  if (!elementType(input.type, state.context) || narrowBits(input.type))
    return modelError(state)
           << "input '" << info.name() << "' has the element type "
           << nameOf(input.type) << ", which is not supported";
  if (!type.has_shape())
    return modelError(state) << "input '" << info.name()
                             << "' has no shape; give it one in the model";
  if (type.shape().dim_size() > kMaxRank)
    return modelError(state)
           << "input '" << info.name() << "' has " << type.shape().dim_size()
           << " dimensions; a tensor has at most " << kMaxRank << " dimensions";
  for (auto [at, dim] : llvm::enumerate(type.shape().dim())) {
    if (dim.has_dim_value()) {
      if (dim.dim_value() < 0 || dim.dim_value() > (int64_t(1) << 40))
        return modelError(state) << "input '" << info.name() << "' has size "
                                 << dim.dim_value() << " at " << at;
      input.dims.push_back({dim.dim_value(), ""});
      continue;
    }
    std::string symbol = dim.has_dim_param() ? dim.dim_param() : "";
    int64_t size =
        fixedSize(symbol, info.name(), at).value_or(ShapedType::kDynamic);
    input.dims.push_back({size, symbol});
  }
  return input;
}

LogicalResult MainBuilder::declareInputs() {
  llvm::StringSet<> stored;
  for (const onnx::TensorProto &tensor : graph.proto.initializer())
    stored.insert(tensor.name());
  for (const onnx::ValueInfoProto &info : graph.proto.input()) {
    // Old models list initialisers among the inputs: defaults, which we keep.
    if (stored.contains(info.name()))
      continue;
    FailureOr<Input> input = readInput(info);
    if (failed(input))
      return failure();
    inputs.push_back(*input);
  }
  return checkOptions();
}

LogicalResult MainBuilder::checkOptions() {
  for (auto [dim, wasUsed] : llvm::zip(options.dims, used)) {
    // Inputs that were fixed took their sizes before.
    StringRef input = StringRef(dim.first).rsplit(':').first;
    bool isFixed = llvm::any_of(options.values, [&](const auto &value) {
      return StringRef(value.first) == input;
    });
    if (wasUsed || isFixed)
      continue;
    InFlightDiagnostic diagnostic = modelError(state);
    diagnostic << "no input has an open dimension '" << dim.first << "'; ";
    if (open.empty())
      return diagnostic << "all sizes are fixed";
    return diagnostic << "there are: " << llvm::join(open, ", ");
  }
  return success();
}

void MainBuilder::bindInputs(func::FuncOp function) {
  Emitter emitter(state, b, function.getLoc());
  llvm::StringMap<AffineExpr> symbols;
  for (auto [at, input] : llvm::enumerate(inputs)) {
    Value argument = function.getArgument(at);
    function.setArgAttr(at, "prune.name", b.getStringAttr(input.name));
    Sizes dims;
    for (auto [position, dim] : llvm::enumerate(input.dims)) {
      if (!ShapedType::isDynamic(dim.first)) {
        dims.push_back(emitter.size(dim.first));
        continue;
      }
      auto readSize = [&, position = position] {
        return emitter.symbol(
            tensor::DimOp::create(b, function.getLoc(), argument, position));
      };
      auto [entry, isNew] = symbols.try_emplace(dim.second);
      if (isNew || dim.second.empty()) {
        entry->second = readSize();
        state.symbolNames.resize(state.symbols.size());
        state.symbolNames.back() = openName(input, position);
      } else {
        // Generated code takes one for the other, so a run checks it once.
        emitter.requireEqual(entry->second, readSize(),
                             "sizes '" + dim.second + "' of the inputs");
      }
      dims.push_back(entry->second);
    }
    (void)graph.define(input.name, emitter.make(argument, input.type, dims));
  }
}

LogicalResult MainBuilder::addResults(func::FuncOp function) {
  FailureOr<SmallVector<Tensor *>> results = graph.results();
  if (failed(results))
    return failure();
  Emitter emitter(state, b, function.getLoc());
  SmallVector<Value> values;
  SmallVector<Type> types;
  for (Tensor *tensor : *results) {
    values.push_back(emitter.value(tensor));
    types.push_back(values.back().getType());
  }
  func::ReturnOp::create(b, function.getLoc(), values);
  function.setFunctionType(
      b.getFunctionType(function.getArgumentTypes(), types));
  for (auto [at, output] : llvm::enumerate(graph.proto.output()))
    function.setResultAttr(at, "prune.name", b.getStringAttr(output.name()));
  return failure(state.failed);
}

LogicalResult MainBuilder::build() {
  if (failed(checkOperators(graph)) || failed(declareInputs()))
    return failure();
  SmallVector<Type> types;
  for (const Input &input : inputs) {
    SmallVector<int64_t> shape;
    for (auto &dim : input.dims)
      shape.push_back(dim.first);
    types.push_back(
        RankedTensorType::get(shape, elementType(input.type, state.context)));
  }
  auto function = func::FuncOp::create(b, UnknownLoc::get(state.context),
                                       "main", b.getFunctionType(types, {}));
  state.entry = function.addEntryBlock();
  b.setInsertionPointToStart(state.entry);
  bindInputs(function);
  if (failed(graph.readInitializers()) || failed(graph.importNodes(b)))
    return failure();
  return addResults(function);
}

/// What a newer set means is not known, not even where names are the same.
static LogicalResult checkVersion(State &state, int64_t opset) {
  if (opset <= kNewest)
    return success();
  return modelError(state) << "the model imports opset " << opset
                           << ", but the newest that is known is " << kNewest
                           << "; convert it to that";
}

OwningOpRef<ModuleOp> mlir::prune::onnx_import::importModel(
    StringRef path, onnx::ModelProto &model, MLIRContext *context,
    const ONNXImportOptions &options,
    function_ref<void(const Graph &)> inspect) {
  context
      ->loadDialect<arith::ArithDialect, cf::ControlFlowDialect,
                    func::FuncDialect, linalg::LinalgDialect, math::MathDialect,
                    scf::SCFDialect, tensor::TensorDialect, PruneDialect>();
  State state(context);
  llvm::StringMap<int64_t> opsets;
  for (const onnx::OperatorSetIdProto &set : model.opset_import())
    opsets[set.domain() == "ai.onnx" ? "" : set.domain()] = set.version();
  OwningOpRef<ModuleOp> module =
      ModuleOp::create(UnknownLoc::get(context), "onnx");
  module->setSymName(std::nullopt);
  TensorReader reader(path, context);
  Graph graph(*model.mutable_graph(), state, reader, opsets);
  if (failed(checkVersion(state, opsets.lookup(""))) ||
      failed(MainBuilder(graph, *module, options).build()))
    return nullptr;
  if (inspect)
    inspect(graph);
  // Constants and sizes that nothing uses.
  IRRewriter rewriter(context);
  (void)runRegionDCE(rewriter, module->getOperation()->getRegions());
  if (failed(verify(*module)))
    return nullptr;
  return module;
}
