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

#include "NodeRules.h"

#include "Import/Model/Node.h"

using namespace mlir;
using namespace mlir::prune::onnx_export;
using mlir::prune::onnx_import::ChannelRule;
using Dim = Coupling::Dim;

//===----------------------------------------------------------------------===//
// Rules
//===----------------------------------------------------------------------===//

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

/// Channels are (group, one of the group's); a group stays whole or leaves.
void NodeRules::groupNorm() {
  ArrayRef<Dim> x = input(0), y = output();
  int64_t groups = integerOf(node, "num_groups", 0);
  if (groups < 1 || coupling.sizeOf(x[1]) % groups)
    return keepAll();
  channelsPass();
  Dim group = coupling.addDim(groups);
  Dim part = coupling.addDim(coupling.sizeOf(x[1]) / groups);
  coupling.keep(part);
  coupling.addProduct(y[1], {group, part});
  for (int at = 1; at != node.input_size(); ++at)
    coupling.join(input(at)[0], network.opset < 21 ? group : x[1]);
  network.groups[&node] = group;
}

void NodeRules::instanceNorm() {
  channelsPass();
  for (int at = 1; at != node.input_size(); ++at)
    coupling.join(input(at)[0], input(0)[1]);
}

/// Scales and zero points, if there are several, lie along one axis.
void NodeRules::perAxis() {
  ArrayRef<Dim> x = input(0), y = output();
  if (integerOf(node, "block_size", 0))
    return keepAll();
  for (auto [a, b] : llvm::zip_equal(x, y))
    coupling.join(a, b);
  for (int at = 1; at != node.input_size(); ++at) {
    if (!hasInput(at) || input(at).empty() ||
        coupling.sizeOf(input(at)[0]) == 1)
      continue;
    std::optional<int64_t> along = axis(1, x.size());
    if (!along || input(at).size() != 1)
      return keepAll();
    coupling.join(input(at)[0], x[*along]);
  }
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

/// Dimensions with one letter are one; what is summed may lose zeros.
void NodeRules::einsum() {
  std::optional<Equation> equation = getEquation(node);
  if (!equation)
    return keepAll();
  llvm::SmallDenseMap<char, Dim> dimOf;
  auto bind = [&](StringRef term, ArrayRef<Dim> dims) {
    if (term.size() != dims.size())
      return false;
    for (auto [letter, dim] : llvm::zip_equal(term, dims)) {
      auto [entry, isNew] = dimOf.try_emplace(letter, dim);
      if (!isNew)
        coupling.join(entry->second, dim);
    }
    return true;
  };
  bool fits = true;
  for (auto [at, term] : llvm::enumerate(equation->operands))
    fits &= bind(term, input(at));
  if (!fits || !bind(equation->result, output()))
    keepAll();
}

/// Batch and channels pass, positions stay.
void NodeRules::channelsPass() {
  passWhere([](size_t dim) { return dim < 2; });
}

void NodeRules::passWhere(function_ref<bool(size_t)> passes,
                          std::optional<size_t> except) {
  ArrayRef<Dim> x = input(0), y = output();
  for (size_t dim = 0; dim != x.size(); ++dim) {
    if (dim == except)
      continue;
    if (passes(dim)) {
      coupling.join(x[dim], y[dim]);
      continue;
    }
    coupling.keep(x[dim]);
    coupling.keep(y[dim]);
  }
}

void NodeRules::pooling() {
  channelsPass();
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

/// A sum can lose zeros, also of magnitudes and squares; a mean divides by
/// their number.
void NodeRules::reduction() {
  ArrayRef<Dim> x = input(0), y = output();
  int64_t rank = x.size();
  StringRef type = node.op_type();
  bool isSum = llvm::is_contained(
      {"ReduceL1", "ReduceL2", "ReduceSum", "ReduceSumSquare"}, type);
  bool isInput = network.opset >= (type == "ReduceSum" ? 13 : 18);
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
// The table
//===----------------------------------------------------------------------===//

void NodeRules::add() {
  coupling.setCause(describe(node));
  switch (onnx_import::ruleOf(node)) {
  case ChannelRule::Keep:
    return keepAll();
  case ChannelRule::Free:
    return;
  case ChannelRule::Elementwise:
    // Old operators broadcast along an axis that they are told.
    return network.opset < 7 && node.input_size() > 1 ? keepAll()
                                                      : elementwise();
  case ChannelRule::BatchNorm:
    return batchNorm();
  case ChannelRule::Concat:
    return concat();
  case ChannelRule::Convolution:
    return convolution(false);
  case ChannelRule::DepthToSpace:
    return depthToSpace();
  case ChannelRule::Einsum:
    return einsum();
  case ChannelRule::Expand:
    return identityWhereEqual();
  case ChannelRule::Gather:
    return gather();
  case ChannelRule::Gemm:
    return gemm();
  case ChannelRule::GroupNorm:
    return groupNorm();
  case ChannelRule::InstanceNorm:
    return instanceNorm();
  case ChannelRule::LayerNorm:
    return layerNorm();
  case ChannelRule::MatMul:
    return matmul();
  case ChannelRule::Pad:
    return pad();
  case ChannelRule::PerAxis:
    return perAxis();
  case ChannelRule::Pooling:
    return pooling();
  case ChannelRule::Recurrent:
    return addRecurrentRule(network, node);
  case ChannelRule::Reduction:
    return reduction();
  case ChannelRule::Reshape:
    return reshape();
  case ChannelRule::Resize:
    return resize();
  case ChannelRule::Slice:
    return slice();
  case ChannelRule::Softmax:
    return softmax();
  case ChannelRule::SpaceToDepth:
    return spaceToDepth();
  case ChannelRule::Split:
    return split();
  case ChannelRule::Tile:
    return tile();
  case ChannelRule::TransposedConvolution:
    return convolution(true);
  case ChannelRule::Transpose:
    return transpose();
  }
}

void Network::addRule(const onnx::NodeProto &node) {
  NodeRules(*this, node).add();
}
