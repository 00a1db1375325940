//===- NodeAttributes.cpp - What an ONNX node says of itself --------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Numbers are read from what the importer knows of an input, so that it does
// not matter whether they are stored or computed.
//
//===----------------------------------------------------------------------===//

#include "NodeAttributes.h"

using namespace mlir;
using namespace mlir::prune::onnx_export;

std::string mlir::prune::onnx_export::describe(const onnx::NodeProto &node) {
  return "node '" + nameOf(node) + "' (" + node.op_type() + ")";
}

static const onnx::AttributeProto *find(const onnx::NodeProto &node,
                                        StringRef name) {
  for (const onnx::AttributeProto &attribute : node.attribute())
    if (StringRef(attribute.name()) == name)
      return &attribute;
  return nullptr;
}

int64_t mlir::prune::onnx_export::integerOf(const onnx::NodeProto &node,
                                            StringRef name, int64_t otherwise) {
  const onnx::AttributeProto *attribute = find(node, name);
  return attribute ? attribute->i() : otherwise;
}

std::optional<SmallVector<int64_t>>
mlir::prune::onnx_export::integersOf(const onnx::NodeProto &node,
                                     StringRef name) {
  const onnx::AttributeProto *attribute = find(node, name);
  if (!attribute)
    return std::nullopt;
  return SmallVector<int64_t>(attribute->ints().begin(),
                              attribute->ints().end());
}

StringRef mlir::prune::onnx_export::stringOf(const onnx::NodeProto &node,
                                             StringRef name,
                                             StringRef otherwise) {
  const onnx::AttributeProto *attribute = find(node, name);
  return attribute ? StringRef(attribute->s()) : otherwise;
}

std::optional<Equation>
mlir::prune::onnx_export::getEquation(const onnx::NodeProto &node) {
  std::string text = stringOf(node, "equation", "").str();
  llvm::erase(text, ' ');
  auto [left, right] = StringRef(text).split("->");
  SmallVector<StringRef> terms;
  left.split(terms, ',');
  if (StringRef(text).contains('.') ||
      int64_t(terms.size()) != node.input_size())
    return std::nullopt;
  Equation equation;
  for (StringRef term : terms)
    equation.operands.push_back(term.str());
  if (StringRef(text).contains("->")) {
    equation.result = right.str();
    return equation;
  }
  for (char letter = 'A'; letter <= 'z'; ++letter)
    if (left.count(letter) == 1 && llvm::isAlpha(letter))
      equation.result += letter;
  return equation;
}

//===----------------------------------------------------------------------===//
// Numbers that a node is given
//===----------------------------------------------------------------------===//

std::optional<SmallVector<int64_t>> mlir::prune::onnx_export::readList(
    const onnx::NodeProto &node, const GraphInfo &facts, bool isInput,
    int input, StringRef attribute, SmallVector<int64_t> otherwise) {
  if (!isInput)
    return integersOf(node, attribute).value_or(otherwise);
  if (input >= node.input_size() || node.input(input).empty())
    return otherwise;
  const Fact *fact = facts.get(node.input(input));
  return fact ? fact->numbers() : std::nullopt;
}

std::optional<int64_t> mlir::prune::onnx_export::normalizeAxis(int64_t axis,
                                                               int64_t rank) {
  axis = axis < 0 ? axis + rank : axis;
  return axis >= 0 && axis < rank ? std::optional(axis) : std::nullopt;
}

std::optional<SmallVector<std::optional<Run>>>
mlir::prune::onnx_export::getSliceRuns(const onnx::NodeProto &node,
                                       const GraphInfo &facts, int64_t opset) {
  const Fact *x = facts.get(node.input(0));
  bool isInput = opset >= 10;
  auto axes = readList(node, facts, isInput, 3, "axes",
                       onnx_import::range(0, x ? x->rank() : 0));
  auto starts = readList(node, facts, isInput, 1, "starts", {});
  auto ends = readList(node, facts, isInput, 2, "ends", {});
  if (!x || !axes)
    return std::nullopt;
  SmallVector<std::optional<Run>> runs;
  for (int64_t size : x->shape())
    runs.push_back(Run{0, std::max<int64_t>(size, 0)});
  auto steps = readList(node, facts, isInput, 4, "",
                        SmallVector<int64_t>(axes->size(), 1));
  for (size_t at = 0; at != axes->size(); ++at) {
    std::optional<int64_t> axis = normalizeAxis((*axes)[at], x->rank());
    if (!axis)
      return std::nullopt;
    runs[*axis].reset();
    int64_t size = x->size(*axis);
    if (size < 0 || !starts || !ends || !steps || at >= starts->size() ||
        at >= ends->size() || at >= steps->size() || (*steps)[at] != 1)
      continue;
    auto clamp = [&](int64_t bound) {
      return std::clamp<int64_t>(bound < 0 ? bound + size : bound, 0, size);
    };
    int64_t begin = clamp((*starts)[at]);
    runs[*axis] = Run{begin, std::max<int64_t>(clamp((*ends)[at]) - begin, 0)};
  }
  return runs;
}

std::optional<SmallVector<int64_t>>
mlir::prune::onnx_export::getGathered(const onnx::NodeProto &node,
                                      const GraphInfo &facts) {
  const Fact *x = facts.get(node.input(0)), *from = facts.get(node.input(1));
  auto indices = from ? from->numbers() : std::nullopt;
  auto axis = normalizeAxis(integerOf(node, "axis", 0), x ? x->rank() : 0);
  if (!indices || !axis)
    return std::nullopt;
  for (int64_t &index : *indices) {
    std::optional<int64_t> known = normalizeAxis(index, x->size(*axis));
    if (!known)
      return std::nullopt;
    index = *known;
  }
  return indices;
}

std::optional<Padding>
mlir::prune::onnx_export::getPadding(const onnx::NodeProto &node,
                                     const GraphInfo &facts, int64_t opset) {
  const Fact *x = facts.get(node.input(0));
  auto pads = readList(node, facts, opset >= 11, 1,
                       opset < 2 ? "paddings" : "pads", {});
  auto axes = readList(node, facts, true, 3, "",
                       onnx_import::range(0, x ? x->rank() : 0));
  if (!x || !pads || !axes || pads->size() != 2 * axes->size())
    return std::nullopt;
  Padding padding;
  padding.low.assign(x->rank(), 0);
  padding.high.assign(x->rank(), 0);
  for (size_t at = 0; at != axes->size(); ++at) {
    std::optional<int64_t> axis = normalizeAxis((*axes)[at], x->rank());
    if (!axis)
      return std::nullopt;
    padding.low[*axis] = (*pads)[at];
    padding.high[*axis] = (*pads)[at + axes->size()];
  }
  return padding;
}
