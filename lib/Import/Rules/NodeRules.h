//===- NodeRules.h - How one ONNX node couples dimensions -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One function per family of operators. Those that compute are in
// ExportRules.cpp, those that only move elements in MovementRules.cpp.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_IMPORT_RULES_NODERULES_H
#define PRUNE_LIB_IMPORT_RULES_NODERULES_H

#include "ExportRules.h"

namespace mlir::prune::onnx_export {
/// Couples the dimensions around one node.
class NodeRules {
public:
  NodeRules(Network &network, const onnx::NodeProto &node)
      : network(network), coupling(network.coupling), node(node) {}

  void add();

private:
  using Dim = Coupling::Dim;
  bool hasInput(int at) const {
    return at < node.input_size() && !node.input(at).empty();
  }
  ArrayRef<Dim> input(int at) { return network.dimsOfInput(node, at); }
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
  void groupNorm();
  void instanceNorm();
  void perAxis();
  void convolution(bool isTransposed);
  void gemm();
  void matmul();
  void einsum();
  void pooling();
  void channelsPass();
  /// Dimensions of the first input and output that are the same pass, all
  /// others but `except` stay.
  void passWhere(function_ref<bool(size_t)> passes,
                 std::optional<size_t> except = std::nullopt);
  void blockOfChannels(Dim wide, Dim narrow, bool isBehind);
  void alongAxis(ArrayRef<int64_t> kept);
  void softmax();
  void layerNorm();
  void reduction();
  void reshape();
  void refine(ArrayRef<Dim> from, ArrayRef<Dim> to);
  void transpose();
  void concat();
  void split();
  void slice();
  void pad();
  void gather();
  void resize();
  void depthToSpace();
  void spaceToDepth();
  void tile();
  void expand();
  void identityWhereEqual();

  Network &network;
  Coupling &coupling;
  const onnx::NodeProto &node;
};
} // namespace mlir::prune::onnx_export

#endif // PRUNE_LIB_IMPORT_RULES_NODERULES_H
