//===- SparseTensors.cpp - Dense forms of sparse tensors ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Pruned weights are often stored as values with their indices. All passes work
// on dense weights with zeros, so that is what they become here. A few bytes
// can stand for any number of zeros; the file is not trusted, so the memory
// that it asks for is bounded by its own size.
//
//===----------------------------------------------------------------------===//

#include "Import/Emitter/NarrowTypes.h"
#include "Rewrites.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;
using namespace mlir;
using namespace mlir::prune::onnx_import;

/// Dense bytes that any model may ask for, and those for each stored byte.
static constexpr uint64_t kFreeBytes = uint64_t(64) << 20;
static constexpr uint64_t kBytesForByte = 1024;

namespace {
/// Makes the sparse tensors of one model dense.
class Expander {
public:
  explicit Expander(TensorReader &reader) : reader(reader) {}

  Error expand(onnx::GraphProto &graph);

private:
  Expected<onnx::TensorProto> toDense(onnx::SparseTensorProto &sparse,
                                      StringRef name);
  Expected<SmallVector<uint64_t>> readPositions(onnx::SparseTensorProto &sparse,
                                                uint64_t numValues,
                                                uint64_t numElements);
  Error expandAttribute(onnx::AttributeProto &attribute,
                        const onnx::NodeProto &node);

  TensorReader &reader;
  uint64_t limit = kFreeBytes, used = 0;
};
} // namespace

/// Row-major positions of the values, strictly ascending and within the tensor.
Expected<SmallVector<uint64_t>>
Expander::readPositions(onnx::SparseTensorProto &sparse, uint64_t numValues,
                        uint64_t numElements) {
  Expected<StoredTensor> indices = reader.take(*sparse.mutable_indices());
  if (!indices)
    return createStringError("indices: " + toString(indices.takeError()));
  limit = SaturatingMultiplyAdd<uint64_t>(kBytesForByte, indices->bytes.size(),
                                          limit);
  if (indices->type != DataType::Int64)
    return createStringError("has indices of type " + nameOf(indices->type) +
                             " and not int64");
  ArrayRef<int64_t> shape = indices->shape;
  size_t rank = sparse.dims_size();
  bool isLinear = shape.size() == 1;
  if (!(isLinear || (shape.size() == 2 && shape[1] == int64_t(rank))) ||
      uint64_t(shape[0]) != numValues)
    return createStringError(
        formatv("has {0} values, so its indices need the sizes [{0}] or [{0}, "
                "{1}]",
                numValues, rank)
            .str());
  SmallVector<uint64_t> positions(numValues);
  const char *from = indices->bytes.data();
  auto next = [&] {
    int64_t index;
    std::memcpy(&index, from, sizeof(index));
    from += sizeof(index);
    return index;
  };
  for (auto [at, position] : llvm::enumerate(positions)) {
    bool isInside = true;
    for (size_t dim = 0; dim != (isLinear ? 1 : rank); ++dim) {
      int64_t index = next();
      int64_t size = isLinear ? numElements : sparse.dims(dim);
      isInside &= index >= 0 && index < size;
      position = position * size + index;
    }
    if (!isInside)
      return createStringError("has an index outside of its sizes, at value " +
                               std::to_string(at));
    if (at != 0 && position <= positions[at - 1])
      return createStringError("has indices that are not in ascending order, "
                               "at value " +
                               std::to_string(at));
  }
  return positions;
}

Expected<onnx::TensorProto> Expander::toDense(onnx::SparseTensorProto &sparse,
                                              StringRef name) {
  auto refuse = [&](const Twine &why) {
    return createStringError("sparse tensor '" + name + "' " + why);
  };
  Expected<StoredTensor> values = reader.take(*sparse.mutable_values());
  if (!values)
    return refuse("values: " + toString(values.takeError()));
  limit = SaturatingMultiplyAdd<uint64_t>(kBytesForByte, values->bytes.size(),
                                          limit);
  if (narrowBits(values->type))
    return refuse("has values of type " + nameOf(values->type) +
                  ", which is not supported");
  if (values->shape.size() != 1)
    return refuse("has values that are no list");
  if (sparse.dims_size() > kMaxRank)
    return refuse("has more than " + Twine(kMaxRank) + " dimensions");
  uint64_t count = 1;
  for (int64_t size : sparse.dims()) {
    if (size < 0 || size > kMaxElements)
      return refuse("has absurd sizes");
    count = SaturatingMultiply<uint64_t>(count, size);
  }
  if (count > static_cast<uint64_t>(kMaxElements))
    return refuse("has absurd sizes");
  Expected<SmallVector<uint64_t>> positions =
      readPositions(sparse, values->shape[0], count);
  if (!positions)
    return refuse(toString(positions.takeError()));
  size_t width = values->elementBytes;
  uint64_t size = SaturatingMultiply<uint64_t>(count, width);
  used = SaturatingAdd(used, size);
  if (used > limit)
    return refuse("would make the dense tensors take " + Twine(used) +
                  " bytes, but what is stored allows " + Twine(limit));
  onnx::TensorProto dense;
  dense.set_name(name.str());
  dense.set_data_type(static_cast<int>(values->type));
  *dense.mutable_dims() = sparse.dims();
  std::string &bytes = *dense.mutable_raw_data();
  bytes.resize(size);
  for (auto [at, position] : llvm::enumerate(*positions))
    std::memcpy(bytes.data() + position * width,
                values->bytes.data() + at * width, width);
  return dense;
}

Error Expander::expandAttribute(onnx::AttributeProto &attribute,
                                const onnx::NodeProto &node) {
  if (attribute.has_g())
    return expand(*attribute.mutable_g());
  if (node.op_type() != "Constant" || attribute.name() != "sparse_value" ||
      !attribute.has_sparse_tensor())
    return Error::success();
  StringRef name = node.output_size() ? StringRef(node.output(0)) : "value";
  Expected<onnx::TensorProto> dense =
      toDense(*attribute.mutable_sparse_tensor(), name);
  if (!dense)
    return dense.takeError();
  attribute.clear_sparse_tensor();
  attribute.set_name("value");
  attribute.set_type(onnx::AttributeProto::TENSOR);
  attribute.mutable_t()->Swap(&*dense);
  return Error::success();
}

Error Expander::expand(onnx::GraphProto &graph) {
  for (onnx::SparseTensorProto &sparse : *graph.mutable_sparse_initializer()) {
    std::string name = sparse.values().name();
    Expected<onnx::TensorProto> dense = toDense(sparse, name);
    if (!dense)
      return dense.takeError();
    graph.add_initializer()->Swap(&*dense);
  }
  graph.clear_sparse_initializer();
  for (onnx::NodeProto &node : *graph.mutable_node())
    for (onnx::AttributeProto &attribute : *node.mutable_attribute())
      if (Error error = expandAttribute(attribute, node))
        return error;
  return Error::success();
}

Error mlir::prune::onnx_import::expandSparseTensors(onnx::GraphProto &graph,
                                                    TensorReader &reader) {
  return Expander(reader).expand(graph);
}
