//===- Patch.cpp - Changes to an ONNX graph -------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shapes that reach a Reshape may be computed by a dozen nodes from the sizes
// of some other tensor. They are not followed: where the result became smaller
// the Reshape gets its shape as numbers, and what nothing needs any more is
// dropped.
//
//===----------------------------------------------------------------------===//

#include "Patch.h"

#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace mlir::prune::onnx_export;

Patcher::Patcher(onnx::ModelProto &model,
                 const llvm::StringMap<unsigned> &wasRead, Location loc)
    : GraphEditor(model), loc(loc), wasRead(wasRead) {}

LogicalResult Patcher::error(const onnx::NodeProto &node,
                             const Twine &message) {
  return emitError(loc) << describe(node) << " " << message;
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

static ArrayRef<char> bytesOf(ArrayRef<int64_t> values) {
  return ArrayRef<char>(reinterpret_cast<const char *>(values.data()),
                        values.size() * sizeof(int64_t));
}

void Patcher::setIntegers(onnx::NodeProto &node, int input,
                          ArrayRef<int64_t> values) {
  while (node.input_size() <= input)
    node.add_input();
  std::string old = node.input(input);
  int64_t size = values.size();
  onnx::TensorProto *tensor = old.empty() ? nullptr : findTensor(old);
  if (tensor && countReads(old) == 1 &&
      tensor->data_type() == onnx::TensorProto::INT64) {
    edited.insert(old);
    return setTensor(*tensor, size, bytesOf(values));
  }
  onnx::TensorProto fresh;
  fresh.set_data_type(onnx::TensorProto::INT64);
  setTensor(fresh, size, bytesOf(values));
  std::string stem = node.output(0) + "_sizes";
  setInput(node, input, addInitializer(stem, std::move(fresh)));
}

//===----------------------------------------------------------------------===//
// Sizes that other nodes compute with
//===----------------------------------------------------------------------===//

/// Whether an input is a shape, which the proof compares with what it has to
/// be.
static bool isShapeInput(const onnx::NodeProto &node, int input) {
  return input == 1 &&
         (node.op_type() == "Reshape" || node.op_type() == "Expand");
}

FailureOr<bool> Patcher::pinSizes(const Facts &before, const Facts &after) {
  bool changed = false;
  for (onnx::NodeProto &node : *graph.mutable_node()) {
    bool isFollowed = node.output_size() > 0;
    for (const std::string &name : node.output()) {
      const Fact *fact = after.get(name);
      isFollowed &= fact && fact->elements && fact->isInteger();
    }
    for (int at = 0; at != node.input_size(); ++at) {
      const Fact *old = before.get(node.input(at));
      const Fact *now = after.get(node.input(at));
      if (!old || !now || !old->elements || !old->name().empty() ||
          old->elements == now->elements || isFollowed ||
          edited.contains(node.input(at)) || isShapeInput(node, at))
        continue;
      std::optional<SmallVector<int64_t>> numbers = old->numbers();
      if (!numbers || old->type != onnx_import::DataType::Int64)
        return error(node, "computes with sizes ('" + node.input(at) +
                               "') that became smaller; fix open sizes with "
                               "--dim");
      onnx::TensorProto tensor;
      tensor.set_data_type(onnx::TensorProto::INT64);
      setTensor(tensor, old->shape(), bytesOf(*numbers));
      setInput(node, at, addInitializer(node.input(at), std::move(tensor)));
      changed = true;
    }
  }
  return changed;
}

void Patcher::dropUnused() {
  llvm::StringMap<unsigned> reads;
  // What nothing needed before is none of our business.
  auto isDead = [&](StringRef name) {
    return wasRead.contains(name) && !reads.contains(name);
  };
  auto drop = [](auto &list, auto isDropped) {
    int kept = 0;
    for (int at = 0; at != list.size(); ++at)
      if (!isDropped(list.Get(at)))
        list.SwapElements(at, kept++);
    bool changed = kept != list.size();
    list.DeleteSubrange(kept, list.size() - kept);
    return changed;
  };
  do {
    reads.clear();
    collectReads(graph, reads);
  } while (drop(*graph.mutable_node(), [&](const onnx::NodeProto &node) {
    return llvm::any_of(node.output(), isDead) &&
           llvm::none_of(node.output(),
                         [&](StringRef name) { return reads.contains(name); });
  }));
  llvm::StringSet<> dropped;
  drop(*graph.mutable_initializer(), [&](const onnx::TensorProto &tensor) {
    bool isUnused = isDead(tensor.name());
    if (isUnused)
      dropped.insert(tensor.name());
    return isUnused;
  });
  drop(*graph.mutable_input(), [&](const onnx::ValueInfoProto &input) {
    return dropped.contains(input.name());
  });
  drop(*graph.mutable_value_info(),
       [&](const onnx::ValueInfoProto &info) { return isDead(info.name()); });
}
