//===- Biases.h - Numbers to add behind products with weights ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_EXPORT_TEMPLATE_BIASES_H
#define PRUNE_LIB_EXPORT_TEMPLATE_BIASES_H

#include "GraphEditor.h"
#include "Import/Rules/ExportRules.h"

namespace mlir::prune::onnx_export {

/// The dimension of a node's result that counts the filters of the weight which
/// it reads; nothing if there is none, or several.
std::optional<size_t> getFilterDim(Reader reader, size_t rank);

/// Adds numbers, one for each channel or element, to the result of a node that
/// reads a weight as `reader` and makes tensors of sizes `shape`: as its bias,
/// or by another node. Returns the name of the initialiser, or empty if the
/// numbers do not fit.
std::string addBias(GraphEditor &editor, Reader reader, onnx::TensorProto bias,
                    ArrayRef<int64_t> shape);

/// A node that multiplies by a weight.
struct BiasSite {
  Reader reader;
  /// The weight's name in the file, and the type of its elements.
  std::string tensor;
  int32_t type;
  /// The node's name, as locations have it.
  std::string node;
  /// Of the node's result, which gets another name with each addition.
  SmallVector<int64_t> shape;
};
std::vector<BiasSite> findBiasSites(StringRef tensor, Network &network,
                                    const GraphEditor &editor);

/// Adds the numbers behind the node; fails if they do not fit.
LogicalResult addBiasAt(GraphEditor &editor, const BiasSite &site,
                        DenseResourceElementsAttr value);

} // namespace mlir::prune::onnx_export

#endif // PRUNE_LIB_EXPORT_TEMPLATE_BIASES_H
