//===- ComputedWeights.cpp - Weights that nodes compute -------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A weight that was normalised or dequantised by nodes cannot be changed where
// it is stored: other numbers there would give others than what was decided.
// The result takes the place of its nodes. Those whose result did not change
// stay as they are.
//
//===----------------------------------------------------------------------===//

#include "ComputedWeights.h"

#include "Import/Model/Rewrites.h"
#include "Patch.h"

#include "prune/IR/ConstantView.h"

using namespace mlir;
using namespace mlir::prune;
using namespace mlir::prune::onnx_export;

/// The weight that the importer made of a node's output; null if it made none.
static const Fact *findComputed(const Facts &facts, const onnx::NodeProto &node,
                                StringRef output) {
  const Fact *fact = facts.get(output);
  bool isOwn = fact && !output.empty() && fact->name() == output;
  return isOwn && node.op_type() != "Constant" ? fact : nullptr;
}

void mlir::prune::onnx_export::storeComputedWeights(
    onnx::ModelProto &model, const Facts &facts,
    function_ref<bool(StringRef)> isChanged) {
  onnx::GraphProto &graph = *model.mutable_graph();
  llvm::StringSet<> stored;
  for (const onnx::TensorProto &tensor : graph.initializer())
    stored.insert(tensor.name());
  bool changed = false;
  for (onnx::NodeProto &node : *graph.mutable_node())
    for (std::string &output : *node.mutable_output()) {
      const Fact *fact = findComputed(facts, node, output);
      if (!fact || !facts.isUsed(output) || stored.contains(output) ||
          !isChanged(output))
        continue;
      std::optional<ConstantBytes> data = getConstantBytes(fact->constant);
      if (!data || data->isSplat)
        continue;
      onnx::TensorProto &tensor = *graph.add_initializer();
      tensor.set_name(output);
      tensor.set_data_type(static_cast<int>(fact->type));
      Patcher::setTensor(tensor, fact->shape(), data->data);
      // A node none of whose outputs has a reader is dropped.
      output.clear();
      changed = true;
    }
  if (!changed)
    return;
  // Files before version 4 list their initialisers among the inputs.
  model.set_ir_version(std::max<int64_t>(model.ir_version(), 4));
  onnx_import::dropUnread(graph);
}
