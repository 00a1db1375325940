//===- Node.h - One ONNX node and the table of operators --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a function that imports an operator sees: inputs, attributes, outputs,
// diagnostics. Attributes that such a function did not ask for are an error, so
// that a new or misspelled one cannot be ignored silently; so are outputs that
// it did not set.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_IMPORT_MODEL_NODE_H
#define PRUNE_LIB_IMPORT_MODEL_NODE_H

#include "Import/Emitter/Emitter.h"
#include "Model.h"

#include "llvm/ADT/StringSet.h"

namespace mlir::prune::onnx_import {

class Graph;

class Node : public Emitter {
public:
  Node(Graph &graph, State &state, OpBuilder &b, onnx::NodeProto &proto,
       int64_t opset);

  Graph &graph;
  onnx::NodeProto &proto;
  /// The version of the operator set that the model imports.
  int64_t opset;

  /// Begins with the node's name, operator, domain and version.
  InFlightDiagnostic error() override;

  //===--- Inputs and outputs ---------------------------------------------===//

  unsigned numInputs() const { return inputs.size(); }
  /// Null if it is absent.
  Tensor *input(unsigned at) const {
    return at < inputs.size() ? inputs[at] : nullptr;
  }
  unsigned numOutputs() const { return proto.output_size(); }
  /// Whether the graph asks for this output.
  bool wants(unsigned at) const {
    return static_cast<int>(at) < proto.output_size() &&
           !proto.output(at).empty();
  }
  /// Null means that a diagnostic was given.
  LogicalResult output(unsigned at, Tensor *tensor);
  LogicalResult output(Tensor *tensor) { return output(0, tensor); }

  /// For operators of several steps: inputs of f16 or bf16 become f32, and
  /// outputs are rounded, once, when they are given. Inputs are of one type.
  void computeWide();

  /// The elements of an integer input: known, or read when the program runs.
  std::optional<SmallVector<AffineExpr>> elements(unsigned at);
  /// The elements of an integer input that has to be known.
  std::optional<SmallVector<int64_t>> constants(unsigned at);
  /// The only element of an input that has to be known.
  std::optional<double> constant(unsigned at);

  //===--- Attributes -----------------------------------------------------===//

  bool has(StringRef name);
  int64_t integer(StringRef name, int64_t otherwise);
  double number(StringRef name, double otherwise);
  using Emitter::number;
  std::string string(StringRef name, StringRef otherwise);
  SmallVector<int64_t> integers(StringRef name,
                                ArrayRef<int64_t> otherwise = {});
  SmallVector<double> numbers(StringRef name);
  SmallVector<std::string> strings(StringRef name);
  onnx::TensorProto *tensor(StringRef name);
  onnx::GraphProto *subgraph(StringRef name);

  /// An axis of a tensor of that rank, negative ones counted from the end.
  std::optional<int64_t> axis(int64_t value, int64_t rank);
  std::optional<SmallVector<int64_t>> axes(ArrayRef<int64_t> values,
                                           int64_t rank);
  /// Whether the input has that rank; a diagnostic if not.
  bool hasRank(unsigned at, int64_t least, int64_t most = INT64_MAX);
  /// Whether all given inputs have the first one's element type.
  bool sameTypes(ArrayRef<unsigned> which);
  bool isFloating(unsigned at);

  /// Reads a tensor stored in an attribute.
  Tensor *stored(onnx::TensorProto &tensor);

  LogicalResult import();

private:
  /// Whether the outputs depend on constants only.
  bool isFixed() const;
  void noteComputed(Tensor *tensor, StringRef name);
  /// Replaces a tensor that nodes compute from constants by a constant.
  void foldComputed(Tensor *tensor);
  const onnx::AttributeProto *find(StringRef name, int type);
  LogicalResult checkUse();

  SmallVector<Tensor *> inputs;
  SmallVector<Tensor *> outputs;
  /// What outputs are rounded to, if they are.
  DataType rounded = DataType::Undefined;
  llvm::StringSet<> read;
};

using ImportFunction = LogicalResult (*)(Node &);

/// How indices of an operator's inputs and results stay or leave together: what
/// an exported file can lose through it. `Import/Rules` has the rules.
enum class ChannelRule {
  /// All indices stay.
  Keep,
  /// Nothing is said: a weight, whose uses say what it can lose; or sizes,
  /// which
  /// are looked at after patching.
  Free,
  Elementwise,
  BatchNorm,
  Concat,
  Convolution,
  DepthToSpace,
  Einsum,
  Expand,
  Gather,
  Gemm,
  GroupNorm,
  InstanceNorm,
  LayerNorm,
  MatMul,
  Pad,
  /// One scale for each index of an axis.
  PerAxis,
  Pooling,
  Recurrent,
  Reduction,
  Reshape,
  Resize,
  Slice,
  Softmax,
  SpaceToDepth,
  Split,
  Tile,
  TransposedConvolution,
  Transpose,
};

/// One operator: its operator sets, its import, and its rule for channels.
struct Operator {
  StringRef name;
  /// The first and last operator set in which it means the same.
  int64_t since;
  int64_t until;
  /// Inputs that must be there.
  unsigned inputs;
  ChannelRule channels;
  ImportFunction function;
  /// For the table in the documentation: what is not supported.
  StringRef limits = "";
  /// Empty is the standard one.
  StringRef domain = "";
};

/// The operators that ONNX Runtime writes, of which there is one version.
constexpr StringLiteral kRuntimeDomain = "com.microsoft";

/// The newest operator set that is known. An operator whose row ends here means
/// the same in all sets up to it.
constexpr int64_t kNewest = 26;

ArrayRef<Operator> activationOperators();
ArrayRef<Operator> arithmeticOperators();
ArrayRef<Operator> attentionOperators();
ArrayRef<Operator> controlOperators();
ArrayRef<Operator> convolutionOperators();
ArrayRef<Operator> fusedOperators();
ArrayRef<Operator> indexingOperators();
ArrayRef<Operator> matrixOperators();
ArrayRef<Operator> movementOperators();
ArrayRef<Operator> normalizationOperators();
ArrayRef<Operator> orderOperators();
ArrayRef<Operator> patternOperators();
ArrayRef<Operator> placementOperators();
ArrayRef<Operator> poolingOperators();
ArrayRef<Operator> quantizationOperators();
ArrayRef<Operator> quantizedOperators();
ArrayRef<Operator> recurrentOperators();
ArrayRef<Operator> reductionOperators();
ArrayRef<Operator> regionOperators();
ArrayRef<Operator> resizeOperators();
ArrayRef<Operator> samplingOperators();
ArrayRef<Operator> scanOperators();
ArrayRef<Operator> selectionOperators();
ArrayRef<Operator> shapeOperators();
ArrayRef<Operator> signalOperators();

/// The operator of a node and an operator set of its domain; null if there is
/// none.
const Operator *findOperator(const onnx::NodeProto &node, int64_t opset);
/// The rule of a node's operator, whatever the operator set; `Keep` if there is
/// no such operator.
ChannelRule ruleOf(const onnx::NodeProto &node);

} // namespace mlir::prune::onnx_import

#endif // PRUNE_LIB_IMPORT_MODEL_NODE_H
