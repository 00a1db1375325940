//===- Rules.cpp - How ONNX operators couple dimensions -------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One function per family of operators, on the shapes that the importer found.
// Where an operator looks at all indices of a dimension (a mean, a softmax, a
// window) it keeps them: removing one would change what the operator computes,
// even if the module's own lowering of it could lose it.
//
//===----------------------------------------------------------------------===//

#include "Rules.h"
#include "prune/Export/ONNX.h"

#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace mlir::prune::onnx_export;
using Dim = Coupling::Dim;

//===----------------------------------------------------------------------===//
// Rules
//===----------------------------------------------------------------------===//

namespace mlir::prune::onnx_export {
/// Couples the dimensions around one node.
class NodeRules {
public:
  NodeRules(Network &network, const onnx::NodeProto &node)
      : network(network), coupling(network.coupling), node(node) {}

  void add();
  /// Whether nodes of that operator can lose channels.
  static bool knows(StringRef op);

private:
  using Rule = void (*)(NodeRules &);
  static const llvm::StringMap<Rule> &ruleTable();
  bool hasInput(int at) const {
    return at < node.input_size() && !node.input(at).empty();
  }
  ArrayRef<Dim> input(int at) { return network.dimsOf(node.input(at)); }
  ArrayRef<Dim> output(int at = 0) { return network.dimsOf(node.output(at)); }
  std::optional<int64_t> axis(int64_t otherwise, int64_t rank) {
    return normalizeAxis(integerOf(node, "axis", otherwise), rank);
  }
  bool isJoinable(Dim a, Dim b) {
    return coupling.sizeOf(a) == coupling.sizeOf(b);
  }

  void keepAll();
  void keepValue(ArrayRef<Dim> dims);
  void elementwise();
  void batchNorm();
  void convolution(bool isTransposed);
  void gemm();
  void matmul();
  void pooling();
  void alongAxis(ArrayRef<int64_t> kept);
  void softmax();
  void layerNorm();
  void reduction();
  void reshape();
  void transpose();
  void concat();
  void split();
  void slice();
  void pad();
  void gather();
  void resize();
  void expand();
  void identityWhereEqual();

  Network &network;
  Coupling &coupling;
  const onnx::NodeProto &node;
};
} // namespace mlir::prune::onnx_export

void NodeRules::keepValue(ArrayRef<Dim> dims) {
  for (Dim dim : dims)
    coupling.keep(dim);
}

void NodeRules::keepAll() {
  for (int at = 0; at != node.input_size(); ++at)
    if (hasInput(at))
      keepValue(input(at));
  for (int at = 0; at != node.output_size(); ++at)
    if (!node.output(at).empty())
      keepValue(output(at));
}

/// Also with broadcasting: dimensions are matched from the last.
void NodeRules::elementwise() {
  for (int o = 0; o != node.output_size(); ++o) {
    if (node.output(o).empty())
      continue;
    ArrayRef<Dim> out = output(o);
    for (int at = 0; at != node.input_size(); ++at) {
      if (!hasInput(at))
        continue;
      ArrayRef<Dim> in = input(at);
      for (size_t back = 1; back <= in.size() && back <= out.size(); ++back) {
        Dim a = in[in.size() - back], b = out[out.size() - back];
        // One number for all.
        if (coupling.sizeOf(a) == 1 && coupling.sizeOf(b) != 1)
          continue;
        coupling.join(a, b);
      }
    }
  }
}

void NodeRules::batchNorm() {
  ArrayRef<Dim> x = input(0), y = output();
  for (auto [a, b] : llvm::zip_equal(x, y))
    coupling.join(a, b);
  for (int at = 1; at != node.input_size(); ++at)
    coupling.join(input(at)[0], x[1]);
  for (int at = 1; at < node.output_size(); ++at)
    if (!node.output(at).empty())
      keepValue(output(at));
}

/// Channels are (group, one of the group's), also in the filter.
void NodeRules::convolution(bool isTransposed) {
  ArrayRef<Dim> x = input(0), w = input(1), y = output();
  for (size_t dim = 2; dim != x.size(); ++dim) {
    coupling.keep(x[dim]);
    coupling.keep(w[dim]);
    coupling.keep(y[dim]);
  }
  coupling.join(x[0], y[0]);
  if (hasInput(2))
    coupling.join(input(2)[0], y[1]);
  // The filter's leading dimension belongs to the result, or to the input.
  Dim outer = isTransposed ? x[1] : y[1];
  Dim inner = isTransposed ? y[1] : x[1];
  coupling.join(w[0], outer);
  int64_t groups = integerOf(node, "group", 1);
  if (groups == 1)
    return coupling.join(w[1], inner);
  if (coupling.sizeOf(outer) % groups || coupling.sizeOf(inner) % groups)
    return keepAll();
  Dim group = coupling.addDim(groups);
  Dim outerPart = coupling.addDim(coupling.sizeOf(outer) / groups);
  coupling.addProduct(outer, {group, outerPart});
  coupling.addProduct(inner, {group, w[1]});
  network.groups[&node] = group;
}

void NodeRules::gemm() {
  ArrayRef<Dim> a = input(0), b = input(1), y = output();
  bool swapA = integerOf(node, "transA", 0),
       swapB = integerOf(node, "transB", 0);
  coupling.join(a[swapA ? 1 : 0], y[0]);
  coupling.join(a[swapA ? 0 : 1], b[swapB ? 1 : 0]);
  coupling.join(b[swapB ? 0 : 1], y[1]);
  if (!hasInput(2))
    return;
  ArrayRef<Dim> c = input(2);
  for (size_t back = 1; back <= c.size(); ++back) {
    Dim dim = c[c.size() - back];
    if (coupling.sizeOf(dim) != 1 || coupling.sizeOf(y[2 - back]) == 1)
      coupling.join(dim, y[2 - back]);
  }
}

void NodeRules::matmul() {
  ArrayRef<Dim> a = input(0), b = input(1), y = output();
  coupling.join(a.back(), b.size() == 1 ? b[0] : b[b.size() - 2]);
  // The dimensions of the result, from the last.
  size_t back = 1;
  if (b.size() > 1)
    coupling.join(b.back(), y[y.size() - back++]);
  if (a.size() > 1)
    coupling.join(a[a.size() - 2], y[y.size() - back++]);
  for (ArrayRef<Dim> side : {a, b})
    for (size_t from = 3, to = back; from <= side.size() && to <= y.size();
         ++from, ++to) {
      Dim dim = side[side.size() - from], out = y[y.size() - to];
      if (coupling.sizeOf(dim) != 1 || coupling.sizeOf(out) == 1)
        coupling.join(dim, out);
    }
}

/// Batch and channels pass, positions stay.
void NodeRules::pooling() {
  ArrayRef<Dim> x = input(0), y = output();
  for (size_t dim = 0; dim != x.size(); ++dim) {
    if (dim < 2) {
      coupling.join(x[dim], y[dim]);
      continue;
    }
    coupling.keep(x[dim]);
    coupling.keep(y[dim]);
  }
  for (int at = 1; at < node.output_size(); ++at)
    if (!node.output(at).empty())
      keepValue(output(at));
}

void NodeRules::alongAxis(ArrayRef<int64_t> kept) {
  elementwise();
  for (int64_t dim : kept)
    coupling.keep(input(0)[dim]);
}

void NodeRules::softmax() {
  int64_t rank = input(0).size();
  bool flattens = network.opset < 13;
  std::optional<int64_t> at = axis(flattens ? 1 : -1, rank);
  if (!at)
    return keepAll();
  alongAxis(flattens ? onnx_import::range(*at, rank)
                     : SmallVector<int64_t>{*at});
}

void NodeRules::layerNorm() {
  int64_t rank = input(0).size();
  std::optional<int64_t> at = axis(-1, rank);
  if (!at || node.output_size() > 1)
    return keepAll();
  alongAxis(onnx_import::range(*at, rank));
}

/// A sum can lose zeros; a mean divides by their number.
void NodeRules::reduction() {
  ArrayRef<Dim> x = input(0), y = output();
  int64_t rank = x.size();
  bool isSum = node.op_type() == "ReduceSum";
  bool isInput = network.opset >= (isSum ? 13 : 18);
  auto axes = readList(node, network.facts, isInput, 1, "axes", {});
  if (!axes)
    return keepAll();
  bool doesNothing =
      axes->empty() && integerOf(node, "noop_with_empty_axes", 0);
  if (axes->empty() && !doesNothing)
    axes = onnx_import::range(0, rank);
  SmallVector<bool> isReduced(rank, false);
  for (int64_t value : *axes) {
    std::optional<int64_t> at = normalizeAxis(value, rank);
    if (!at)
      return keepAll();
    isReduced[*at] = true;
  }
  bool keepsDims = integerOf(node, "keepdims", 1);
  size_t to = 0;
  for (int64_t dim = 0; dim != rank; ++dim) {
    if (!isReduced[dim])
      coupling.join(x[dim], y[to]);
    else if (!isSum)
      coupling.keep(x[dim]);
    to += !isReduced[dim] || keepsDims;
  }
}

//===----------------------------------------------------------------------===//
// Movements
//===----------------------------------------------------------------------===//

/// Matches runs of dimensions with equal products; each has to be one dimension
/// on one side, not counting those of size 1.
void NodeRules::reshape() {
  ArrayRef<Dim> x = input(0), y = output();
  const Fact &from = *network.facts.get(node.input(0));
  const Fact &to = *network.facts.get(node.output(0));
  auto isSame = [&](size_t a, size_t b) {
    return from.sizes[a] == to.sizes[b];
  };
  size_t first = 0, lastX = x.size(), lastY = y.size();
  for (; first < lastX && first < lastY && isSame(first, first); ++first)
    coupling.join(x[first], y[first]);
  for (; first < lastX && first < lastY && isSame(lastX - 1, lastY - 1);
       --lastX, --lastY)
    coupling.join(x[lastX - 1], y[lastY - 1]);
  ArrayRef<Dim> restX = x.slice(first, lastX - first);
  ArrayRef<Dim> restY = y.slice(first, lastY - first);
  auto isOpen = [&](Dim dim) { return coupling.sizeOf(dim) == 0; };
  if (llvm::any_of(restX, isOpen) || llvm::any_of(restY, isOpen)) {
    keepValue(restX);
    return keepValue(restY);
  }
  while (!restX.empty() || !restY.empty()) {
    SmallVector<Dim> runX, runY;
    int64_t productX = 1, productY = 1;
    do {
      bool takeX = !restX.empty() && (productX <= productY || restY.empty());
      ArrayRef<Dim> &rest = takeX ? restX : restY;
      int64_t size = coupling.sizeOf(rest.front());
      (takeX ? productX : productY) *= size;
      if (size != 1)
        (takeX ? runX : runY).push_back(rest.front());
      rest = rest.drop_front();
    } while (productX != productY && !(restX.empty() && restY.empty()));
    if (runX.size() == 1 && runY.size() == 1)
      coupling.join(runX[0], runY[0]);
    else if (runX.size() == 1)
      coupling.addProduct(runX[0], runY);
    else if (runY.size() == 1)
      coupling.addProduct(runY[0], runX);
    else {
      keepValue(runX);
      keepValue(runY);
    }
  }
}

void NodeRules::transpose() {
  ArrayRef<Dim> x = input(0), y = output();
  SmallVector<int64_t> order;
  for (int64_t dim = x.size(); dim-- > 0;)
    order.push_back(dim);
  order = integersOf(node, "perm").value_or(order);
  for (auto [dim, from] : llvm::enumerate(order))
    coupling.join(x[from], y[dim]);
}

/// Joins all dimensions but one.
static void joinOthers(Coupling &coupling, ArrayRef<Dim> a, ArrayRef<Dim> b,
                       int64_t axis) {
  for (size_t dim = 0; dim != a.size(); ++dim)
    if (int64_t(dim) != axis)
      coupling.join(a[dim], b[dim]);
}

void NodeRules::concat() {
  ArrayRef<Dim> y = output();
  std::optional<int64_t> at = axis(1, y.size());
  if (!at || coupling.sizeOf(y[*at]) == 0)
    return keepAll();
  int64_t begin = 0;
  for (int part = 0; part != node.input_size(); ++part) {
    ArrayRef<Dim> x = input(part);
    joinOthers(coupling, x, y, *at);
    int64_t size = coupling.sizeOf(x[*at]);
    coupling.join(x[*at], 0, y[*at], begin, size);
    begin += size;
  }
}

void NodeRules::split() {
  ArrayRef<Dim> x = input(0);
  std::optional<int64_t> at = axis(0, x.size());
  if (!at || coupling.sizeOf(x[*at]) == 0)
    return keepAll();
  int64_t begin = 0;
  for (int part = 0; part != node.output_size(); ++part) {
    if (node.output(part).empty())
      return keepAll();
    ArrayRef<Dim> y = output(part);
    joinOthers(coupling, x, y, *at);
    int64_t size = coupling.sizeOf(y[*at]);
    coupling.join(y[*at], 0, x[*at], begin, size);
    begin += size;
  }
}

void NodeRules::slice() {
  ArrayRef<Dim> x = input(0), y = output();
  auto runs = getSliceRuns(node, network.facts, network.opset);
  if (!runs)
    return keepAll();
  for (size_t dim = 0; dim != x.size(); ++dim) {
    const std::optional<Run> &run = (*runs)[dim];
    if (run && run->count == coupling.sizeOf(y[dim])) {
      coupling.join(y[dim], 0, x[dim], run->begin, run->count);
      continue;
    }
    coupling.keep(x[dim]);
    coupling.keep(y[dim]);
  }
}

void NodeRules::pad() {
  ArrayRef<Dim> x = input(0), y = output();
  std::optional<Padding> padding =
      getPadding(node, network.facts, network.opset);
  if (!padding)
    return keepAll();
  bool isConstant = stringOf(node, "mode", "constant") == "constant";
  for (size_t dim = 0; dim != x.size(); ++dim) {
    int64_t low = padding->low[dim], high = padding->high[dim];
    if (low < 0 || high < 0 || (!isConstant && (low || high)) ||
        coupling.sizeOf(x[dim]) == 0) {
      coupling.keep(x[dim]);
      coupling.keep(y[dim]);
      continue;
    }
    coupling.join(x[dim], 0, y[dim], low, coupling.sizeOf(x[dim]));
  }
}

void NodeRules::gather() {
  ArrayRef<Dim> x = input(0), indices = input(1), y = output();
  std::optional<int64_t> at = axis(0, x.size());
  if (!at)
    return keepAll();
  coupling.keep(x[*at]);
  keepValue(indices);
  for (size_t dim = 0; dim != y.size(); ++dim) {
    if (int64_t(dim) < *at)
      coupling.join(x[dim], y[dim]);
    else if (dim < *at + indices.size())
      coupling.keep(y[dim]);
    else
      coupling.join(x[dim - indices.size() + 1], y[dim]);
  }
}

/// Dimensions that keep their size pass; the others are interpolated.
void NodeRules::resize() {
  ArrayRef<Dim> x = input(0), y = output();
  for (size_t dim = 0; dim != x.size(); ++dim) {
    if (dim < 2 && isJoinable(x[dim], y[dim])) {
      coupling.join(x[dim], y[dim]);
      continue;
    }
    coupling.keep(x[dim]);
    coupling.keep(y[dim]);
  }
}

/// Of the first input only: the others say how.
void NodeRules::identityWhereEqual() {
  ArrayRef<Dim> x = input(0), y = output();
  for (size_t back = 1; back <= y.size(); ++back) {
    Dim to = y[y.size() - back];
    if (back <= x.size() && isJoinable(x[x.size() - back], to))
      coupling.join(x[x.size() - back], to);
    else
      coupling.keep(to);
  }
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

static const llvm::StringSet<> &elementwiseOperators() {
  static const llvm::StringSet<> names = {
      "Abs",         "Acos",         "Acosh",
      "Add",         "And",          "Asin",
      "Asinh",       "Atan",         "Atanh",
      "BiasGelu",    "BipolarQuant", "BitShift",
      "Cast",        "CastLike",     "Ceil",
      "Celu",        "Clip",         "Cos",
      "Cosh",        "Div",          "Dropout",
      "Elu",         "Equal",        "Erf",
      "Exp",         "FastGelu",     "Floor",
      "Gelu",        "Greater",      "GreaterOrEqual",
      "HardSigmoid", "HardSwish",    "Identity",
      "IsInf",       "IsNaN",        "LeakyRelu",
      "Less",        "LessOrEqual",  "Log",
      "Max",         "Mean",         "Min",
      "Mish",        "Mod",          "Mul",
      "Neg",         "Not",          "Or",
      "PRelu",       "Pow",          "Quant",
      "QuickGelu",   "Reciprocal",   "Relu",
      "Round",       "Selu",         "Shrink",
      "Sigmoid",     "Sign",         "Sin",
      "Sinh",        "Softplus",     "Softsign",
      "Sqrt",        "Sub",          "Sum",
      "Tan",         "Tanh",         "ThresholdedRelu",
      "Where",       "Xor"};
  return names;
}

const llvm::StringMap<NodeRules::Rule> &NodeRules::ruleTable() {
  static const llvm::StringMap<Rule> rules = {
      {"AveragePool", [](NodeRules &n) { n.pooling(); }},
      {"BatchNormalization", [](NodeRules &n) { n.batchNorm(); }},
      {"Concat", [](NodeRules &n) { n.concat(); }},
      {"Conv", [](NodeRules &n) { n.convolution(false); }},
      {"ConvTranspose", [](NodeRules &n) { n.convolution(true); }},
      {"Expand", [](NodeRules &n) { n.identityWhereEqual(); }},
      {"Flatten", [](NodeRules &n) { n.reshape(); }},
      {"Gather", [](NodeRules &n) { n.gather(); }},
      {"Gemm", [](NodeRules &n) { n.gemm(); }},
      {"GlobalAveragePool", [](NodeRules &n) { n.pooling(); }},
      {"GlobalLpPool", [](NodeRules &n) { n.pooling(); }},
      {"GlobalMaxPool", [](NodeRules &n) { n.pooling(); }},
      {"LayerNormalization", [](NodeRules &n) { n.layerNorm(); }},
      {"LogSoftmax", [](NodeRules &n) { n.softmax(); }},
      {"LpPool", [](NodeRules &n) { n.pooling(); }},
      {"MatMul", [](NodeRules &n) { n.matmul(); }},
      {"MaxPool", [](NodeRules &n) { n.pooling(); }},
      {"Pad", [](NodeRules &n) { n.pad(); }},
      {"ReduceL1", [](NodeRules &n) { n.reduction(); }},
      {"ReduceL2", [](NodeRules &n) { n.reduction(); }},
      {"ReduceMax", [](NodeRules &n) { n.reduction(); }},
      {"ReduceMean", [](NodeRules &n) { n.reduction(); }},
      {"ReduceMin", [](NodeRules &n) { n.reduction(); }},
      {"ReduceProd", [](NodeRules &n) { n.reduction(); }},
      {"ReduceSum", [](NodeRules &n) { n.reduction(); }},
      {"ReduceSumSquare", [](NodeRules &n) { n.reduction(); }},
      {"Reshape", [](NodeRules &n) { n.reshape(); }},
      {"Resize", [](NodeRules &n) { n.resize(); }},
      // What it tells of smaller sizes is looked at after patching.
      {"Shape", [](NodeRules &) {}},
      {"Size", [](NodeRules &) {}},
      {"Slice", [](NodeRules &n) { n.slice(); }},
      {"Softmax", [](NodeRules &n) { n.softmax(); }},
      {"Split", [](NodeRules &n) { n.split(); }},
      {"Squeeze", [](NodeRules &n) { n.reshape(); }},
      {"Transpose", [](NodeRules &n) { n.transpose(); }},
      {"Unsqueeze", [](NodeRules &n) { n.reshape(); }},
      {"Upsample", [](NodeRules &n) { n.resize(); }},
  };
  return rules;
}

void NodeRules::add() {
  coupling.setCause(describe(node));
  if (isRecurrent(node))
    return addRecurrentRule(network, node);
  // Old operators broadcast along an axis that they are told.
  if (elementwiseOperators().contains(node.op_type()))
    return network.opset < 7 && node.input_size() > 1 ? keepAll()
                                                      : elementwise();
  auto rule = ruleTable().find(node.op_type());
  rule == ruleTable().end() ? keepAll() : rule->second(*this);
}

bool NodeRules::knows(StringRef op) {
  onnx::NodeProto node;
  node.set_op_type(op.str());
  return isRecurrent(node) || elementwiseOperators().contains(op) ||
         ruleTable().contains(op);
}

StringRef mlir::prune::describeONNXExport(StringRef op) {
  return NodeRules::knows(op) ? "yes" : "keeps all channels";
}

void Network::addRule(const onnx::NodeProto &node) {
  NodeRules(*this, node).add();
}
