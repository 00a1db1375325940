//===- MovementRules.cpp - How ONNX operators move dimensions -------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that give each element of the result one of an input, or padding.
//
//===----------------------------------------------------------------------===//

#include "NodeRules.h"

using namespace mlir;
using namespace mlir::prune::onnx_export;
using Dim = Coupling::Dim;

/// Splits both runs of dimensions, whose products are equal, into the factors
/// that they have in common: [g*p] and [g, p], but also [g*p, w] and [g, p*w].
void NodeRules::refine(ArrayRef<Dim> from, ArrayRef<Dim> to) {
  // Where the dimensions end, counted from the first.
  auto endsOf = [&](ArrayRef<Dim> dims) {
    SmallVector<int64_t> ends = {1};
    for (Dim dim : dims)
      ends.push_back(ends.back() * coupling.sizeOf(dim));
    return ends;
  };
  SmallVector<int64_t> ends = endsOf(from);
  llvm::append_range(ends, endsOf(to));
  llvm::sort(ends);
  ends.erase(llvm::unique(ends), ends.end());
  for (size_t at = 1; at != ends.size(); ++at)
    if (ends[at] % ends[at - 1]) {
      keepValue(from);
      return keepValue(to);
    }
  SmallVector<Dim> factors;
  for (size_t at = 1; at != ends.size(); ++at)
    factors.push_back(coupling.addDim(ends[at] / ends[at - 1]));
  for (ArrayRef<Dim> dims : {from, to}) {
    ArrayRef<Dim> rest = factors;
    for (Dim dim : dims) {
      size_t count = 0;
      for (int64_t product = 1; product != coupling.sizeOf(dim); ++count)
        product *= coupling.sizeOf(rest[count]);
      if (count == 1)
        coupling.join(dim, rest[0]);
      else
        coupling.addProduct(dim, rest.take_front(count));
      rest = rest.drop_front(count);
    }
  }
}

/// Matches runs of dimensions with equal products, not counting those of
/// size 1.
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
  // Open, or of no elements.
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
    refine(runX, runY);
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

/// Known indices are numbered anew; others may be any, so that all they can
/// choose from stays.
void NodeRules::gather() {
  ArrayRef<Dim> x = input(0), indices = input(1), y = output();
  std::optional<int64_t> at = axis(0, x.size());
  if (!at)
    return keepAll();
  keepValue(indices);
  for (size_t dim = 0; dim != y.size(); ++dim)
    if (int64_t(dim) < *at)
      coupling.join(x[dim], y[dim]);
    else if (dim >= *at + indices.size())
      coupling.join(x[dim - indices.size() + 1], y[dim]);
  auto chosen = getGathered(node, network.facts);
  if (chosen && indices.size() == 1) {
    for (auto [position, index] : llvm::enumerate(*chosen))
      coupling.join(y[*at], position, x[*at], index, 1);
    return;
  }
  coupling.keep(x[*at]);
  for (size_t dim = *at; dim != *at + indices.size(); ++dim)
    coupling.keep(y[dim]);
}

/// Dimensions that keep their size pass; the others are interpolated.
void NodeRules::resize() {
  ArrayRef<Dim> x = input(0), y = output();
  passWhere([&](size_t dim) { return dim < 2 && isJoinable(x[dim], y[dim]); });
}

/// Positions of a block are channels, before or behind those of the result.
void NodeRules::blockOfChannels(Dim wide, Dim narrow, bool isBehind) {
  passWhere([](size_t dim) { return dim == 0; }, /*except=*/1);
  Dim block = coupling.addDim(coupling.sizeOf(wide) /
                              std::max<int64_t>(coupling.sizeOf(narrow), 1));
  coupling.keep(block);
  if (isBehind)
    coupling.addProduct(wide, {narrow, block});
  else
    coupling.addProduct(wide, {block, narrow});
}

void NodeRules::depthToSpace() {
  blockOfChannels(input(0)[1], output()[1],
                  stringOf(node, "mode", "DCR") == "CRD");
}

void NodeRules::spaceToDepth() {
  blockOfChannels(output()[1], input(0)[1], /*isBehind=*/false);
}

/// What is not repeated passes.
void NodeRules::tile() {
  auto repeats = readList(node, network.facts, true, 1, "", {});
  passWhere([&](size_t dim) {
    return repeats && dim < repeats->size() && (*repeats)[dim] == 1;
  });
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
