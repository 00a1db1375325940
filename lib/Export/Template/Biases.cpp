//===- Biases.cpp - Numbers to add behind products with weights -----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A convolution and a Gemm take a bias for each channel as an operand. All else
// needs an Add behind the node, which has the name of its result from then on.
//
//===----------------------------------------------------------------------===//

#include "Biases.h"

#include "prune/IR/ConstantView.h"

using namespace mlir;
using namespace mlir::prune;
using namespace mlir::prune::onnx_export;

std::optional<size_t> mlir::prune::onnx_export::getFilterDim(Reader reader,
                                                             size_t rank) {
  StringRef type = reader.node->op_type();
  std::optional<size_t> dim;
  if (type == "MatMul") {
    size_t behind = reader.input == 1 ? 1 : 2;
    return rank < behind ? std::nullopt : std::optional(rank - behind);
  }
  if (llvm::is_contained({"Conv", "ConvTranspose", "Gemm"}, type))
    return rank < 2 ? std::nullopt : std::optional<size_t>(1);
  std::optional<Equation> equation = getEquation(*reader.node);
  if (type != "Einsum" || !equation || equation->operands.size() != 2 ||
      equation->result.size() != rank)
    return std::nullopt;
  // The only letter that the data has not.
  for (auto [at, letter] : llvm::enumerate(equation->result)) {
    if (StringRef(equation->operands[1 - reader.input]).contains(letter))
      continue;
    if (dim)
      return std::nullopt;
    dim = at;
  }
  return dim;
}

/// The sizes of an operand of an Add that gives each of `count` numbers to its
/// channel or element of a result of sizes `shape`; nothing if none fits.
static std::optional<SmallVector<int64_t>>
getAddendShape(Reader reader, int64_t count, ArrayRef<int64_t> shape) {
  std::optional<size_t> dim = getFilterDim(reader, shape.size());
  if (!dim)
    return std::nullopt;
  if (count == shape[*dim]) {
    SmallVector<int64_t> result(shape.size() - *dim, 1);
    result[0] = count;
    return result;
  }
  StringRef type = reader.node->op_type();
  if (type != "Conv" && type != "ConvTranspose")
    return std::nullopt;
  SmallVector<int64_t> result(shape.drop_front());
  if (llvm::any_of(result, [](int64_t size) { return size < 0; }) ||
      count != ShapedType::getNumElements(result))
    return std::nullopt;
  return result;
}

std::string mlir::prune::onnx_export::addBias(GraphEditor &editor,
                                              Reader reader,
                                              onnx::TensorProto bias,
                                              ArrayRef<int64_t> shape) {
  onnx::NodeProto &node = *reader.node;
  int64_t count = 1;
  for (int64_t size : bias.dims())
    count *= size;
  auto addend = getAddendShape(reader, count, shape);
  if (!addend)
    return "";
  auto setShape = [&](ArrayRef<int64_t> sizes) {
    bias.clear_dims();
    for (int64_t size : sizes)
      bias.add_dims(size);
  };
  std::string stem = bias.name();
  StringRef type = node.op_type();
  bool isProduct = type == "MatMul" || type == "Einsum";
  bool takesBias = !isProduct && count == shape[1] &&
                   (node.input_size() < 3 || node.input(2).empty());
  if (takesBias) {
    setShape(count);
    std::string name = editor.addInitializer(stem, std::move(bias));
    editor.setInput(node, 2, name);
    return name;
  }
  // Before operator set 7 an operand says along which axis it lies.
  bool isOld = editor.getOpset() < 7;
  bool perChannel = count == shape[1] && !isProduct;
  setShape(isOld && perChannel ? ArrayRef<int64_t>(count)
                               : ArrayRef<int64_t>(*addend));
  std::string name = editor.addInitializer(stem, std::move(bias));
  std::string result = node.output(0);
  std::string sum = editor.freshName(result + "_sum");
  editor.renameOutput(node, result, sum);
  onnx::NodeProto add;
  add.set_op_type("Add");
  add.set_name(sum + "_bias");
  add.add_input(sum);
  add.add_input(name);
  add.add_output(result);
  if (isOld)
    for (StringRef attribute : {"broadcast", "axis"}) {
      if (attribute == "axis" && !perChannel)
        continue;
      onnx::AttributeProto *added = add.add_attribute();
      added->set_name(attribute.str());
      added->set_type(onnx::AttributeProto::INT);
      added->set_i(1);
    }
  editor.insertAfter(node, std::move(add));
  return name;
}

std::vector<BiasSite>
mlir::prune::onnx_export::findBiasSites(StringRef tensor, Network &network,
                                        const GraphEditor &editor) {
  std::vector<BiasSite> sites;
  for (const Reader &reader : editor.readersOf(tensor)) {
    const onnx::NodeProto &node = *reader.node;
    if (node.output_size())
      sites.push_back({reader, tensor.str(),
                       editor.findTensor(tensor)->data_type(), nameOf(node),
                       network.keptShape(node.output(0))});
  }
  return sites;
}

LogicalResult
mlir::prune::onnx_export::addBiasAt(GraphEditor &editor, const BiasSite &site,
                                    DenseResourceElementsAttr value) {
  onnx::TensorProto bias;
  bias.set_data_type(site.type);
  GraphEditor::setTensor(bias, value.getType().getNumElements(),
                         getConstantBytes(value)->data);
  bias.set_name(site.tensor + ".bias");
  return success(!addBias(editor, site.reader, bias, site.shape).empty());
}
