//===- NodeAttributes.h - What an ONNX node says of itself ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attributes, and numbers that are an attribute in some operator sets and an
// input in others.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_IMPORT_RULES_NODEATTRIBUTES_H
#define PRUNE_LIB_IMPORT_RULES_NODEATTRIBUTES_H

#include "GraphInfo.h"

namespace mlir::prune::onnx_export {

using onnx_import::nameOf;

/// How a node is called in messages.
std::string describe(const onnx::NodeProto &node);

/// One integer, or a list of them, of a node's attributes.
int64_t integerOf(const onnx::NodeProto &node, StringRef name,
                  int64_t otherwise);
std::optional<SmallVector<int64_t>> integersOf(const onnx::NodeProto &node,
                                               StringRef name);
StringRef stringOf(const onnx::NodeProto &node, StringRef name,
                   StringRef otherwise);

/// An axis from 0, if it is one.
std::optional<int64_t> normalizeAxis(int64_t axis, int64_t rank);

/// An optional list of integers: an input if `isInput`, else an attribute.
/// Nothing if it is there but not known.
std::optional<SmallVector<int64_t>>
readList(const onnx::NodeProto &node, const GraphInfo &facts, bool isInput,
         int input, StringRef attribute, SmallVector<int64_t> otherwise);

/// Per axis of the input, the run of indices that a Slice takes with step 1, or
/// no value where it does something else; nothing if it is not known at all.
struct Run {
  int64_t begin, count;
};
std::optional<SmallVector<std::optional<Run>>>
getSliceRuns(const onnx::NodeProto &node, const GraphInfo &facts,
             int64_t opset);

/// The indices that a Gather takes, from 0; nothing if any is not known.
std::optional<SmallVector<int64_t>> getGathered(const onnx::NodeProto &node,
                                                const GraphInfo &facts);

/// The terms of an Einsum, the implied result spelt out; nothing for one with
/// an ellipsis.
struct Equation {
  SmallVector<std::string> operands;
  std::string result;
};
std::optional<Equation> getEquation(const onnx::NodeProto &node);

/// What a Pad adds at each side of each axis; nothing if it is not known.
struct Padding {
  SmallVector<int64_t> low, high;
};
std::optional<Padding> getPadding(const onnx::NodeProto &node,
                                  const GraphInfo &facts, int64_t opset);

} // namespace mlir::prune::onnx_export

#endif // PRUNE_LIB_IMPORT_RULES_NODEATTRIBUTES_H
