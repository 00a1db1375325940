//===- FoldComputed.cpp - Weights computed from constants -----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weight normalisation, fake quantisation, merged adapters: a weight can be
// what nodes make of stored tensors. Such nodes are imported like any others,
// and where a node reads both their result and something that the run gives,
// the result is computed once and becomes a constant under its ONNX name.
//
// What only moves the elements of one stored weight stays, since all passes
// look through it and the weight keeps its name. So does what has many more
// elements than it is made of, such as a mask made of a range: it is no weight,
// and would only make the module large.
//
//===----------------------------------------------------------------------===//

#include "Graph.h"
#include "Node.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace mlir::prune;
using namespace mlir::prune::onnx_import;

/// Elements of the result for each stored one.
static constexpr int64_t kMaxGrowth = 2;
/// Steps that looking at what a tensor is made of counts as, so that a chain of
/// nodes that only move elements is not walked too often.
static constexpr uint64_t kStepsToLook = 1 << 16;

bool Node::isFixed() const {
  if (llvm::any_of(proto.attribute(),
                   [](const onnx::AttributeProto &attribute) {
                     return attribute.has_g() || attribute.graphs_size();
                   }))
    return false;
  return llvm::all_of(inputs, [](Tensor *tensor) {
    return !tensor || tensor->isConstant() || !tensor->computedName.empty();
  });
}

void Node::noteComputed(Tensor *tensor, StringRef name) {
  if (tensor->isConstant() || !tensor->value || !tensor->computedName.empty() ||
      llvm::is_contained(inputs, tensor))
    return;
  tensor->computedName = name.str();
  // Small ones may say how the network looks: sizes, conditions.
  std::optional<SmallVector<int64_t>> shape = known(tensor->dims);
  if (shape && ShapedType::getNumElements(*shape) <= kMaxContents &&
      tensor->value.getDefiningOp<linalg::GenericOp>())
    foldComputed(tensor);
}

void Node::foldComputed(Tensor *tensor) {
  if (!tensor || tensor->computedName.empty())
    return;
  EvaluationBudget &budget = graph.reader.budget;
  std::string name = std::exchange(tensor->computedName, "");
  if (budget.steps < kStepsToLook)
    return;
  budget.steps -= kStepsToLook;
  std::optional<SmallVector<int64_t>> shape = known(tensor->dims);
  std::optional<EvaluationSources> sources = findSources(tensor->value);
  if (!shape || !sources)
    return;
  if (sources->isView) {
    // What is computed from it may be another matter.
    tensor->computedName = name;
    return;
  }
  int64_t count = ShapedType::getNumElements(*shape);
  if (count > std::max(kMaxContents, kMaxGrowth * sources->numElements))
    return;
  std::optional<std::string> bytes = evaluateTensor(tensor->value, budget);
  if (!bytes) {
    // Said once; the others are likely to be of the same size.
    bool isTooLarge = std::exchange(budget.isExceeded, false);
    if (isTooLarge && !std::exchange(state.saidTooLarge, true))
      emitWarning(UnknownLoc::get(state.context))
          << "'" << name
          << "' is computed from constants, but not at import: "
             "that would take more memory or time than the stored "
             "tensors allow";
    return;
  }
  StoredTensor stored;
  stored.type = tensor->type;
  stored.element = elementType(tensor->type, state.context);
  stored.shape = *shape;
  stored.count = count;
  stored.bytes = std::move(*bytes);
  Value computed = std::exchange(tensor->value, Value());
  tensor->source = nullptr;
  graph.reader.store(std::move(stored), name, *tensor);
  // What else was computed from it need not compute it again.
  computed.replaceAllUsesWith(value(tensor));
}
