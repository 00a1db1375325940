//===- Indexing.cpp - Gather, scatter, reverse ----------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators whose positions are data. ONNX calls an index outside of its tensor
// an error; generated code moves it to the nearest element instead, so that it
// neither reads nor writes elsewhere.
//
//===----------------------------------------------------------------------===//

#include "Indexing.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;

Value mlir::prune::onnx_import::indexWithin(Scalar &s, Value element,
                                            Value size) {
  Scalar indices(s.b, s.loc);
  Value at = indices.toIndex(element), zero = indices.index(0);
  at = indices.select(indices.compare(Order::LT, at, zero),
                      indices.add(at, size), at);
  Value last = indices.sub(size, indices.index(1));
  return indices.max(indices.min(at, last), zero);
}

Tensor *mlir::prune::onnx_import::pick(Emitter &e, Tensor *x, int64_t axis,
                                       ArrayRef<int64_t> positions) {
  Sizes dims(x->dims);
  dims[axis] = e.size(positions.size());
  SmallVector<AffineExpr> ints =
      llvm::map_to_vector(positions, [&](int64_t at) { return e.size(at); });
  Value source = e.value(x);
  Value which = e.value(e.makeInts(DataType::Int64, dims[axis], ints));
  return e.generate(dims, x->type, [&](Scalar &s, ValueRange at) {
    SmallVector<Value> from(at);
    Scalar plain(s.b, s.loc);
    from[axis] = plain.toIndex(s.extract(which, at[axis]));
    return s.extract(source, from);
  });
}

static bool hasIndices(Node &n, unsigned at) {
  DataType type = n.input(at)->type;
  if (type == DataType::Int32 || type == DataType::Int64)
    return true;
  n.error() << "expects indices of type int32 or int64, but got "
            << nameOf(type);
  return false;
}

//===----------------------------------------------------------------------===//
// Gather
//===----------------------------------------------------------------------===//

/// The positions of known indices; null if some are not, or one is outside.
static std::optional<SmallVector<int64_t>> knownIndices(Tensor *indices,
                                                        int64_t size) {
  if (!indices->contents || !indices->isConstant())
    return std::nullopt;
  SmallVector<int64_t> result = *Emitter::known(indices->contents->ints);
  for (int64_t &at : result) {
    if (at < -size || at >= size)
      return std::nullopt;
    at += at < 0 ? size : 0;
  }
  return result;
}

/// Known elements of a tensor, at known positions along an axis.
static Tensor *gatherKnown(Node &n, Tensor *x, int64_t axis,
                           ArrayRef<int64_t> positions, const Sizes &dims) {
  std::optional<SmallVector<int64_t>> shape = Emitter::known(x->dims);
  std::optional<SmallVector<int64_t>> indices =
      Emitter::known(ArrayRef(dims).slice(axis, dims.size() - x->rank() + 1));
  if (!shape || !indices)
    return nullptr;
  int64_t rank = indices->size();
  return n.moved(x, dims, [&](ArrayRef<int64_t> at) {
    int64_t from = 0, which = 0;
    for (int64_t dim = 0; dim < rank; ++dim)
      which = which * (*indices)[dim] + at[axis + dim];
    for (int64_t dim = 0; dim < x->rank(); ++dim) {
      int64_t position = dim < axis    ? at[dim]
                         : dim == axis ? positions[which]
                                       : at[dim + rank - 1];
      from = from * (*shape)[dim] + position;
    }
    return from;
  });
}

/// Several known positions along an axis of known size.
static Tensor *moveKnown(Node &n, Tensor *x, int64_t axis,
                         ArrayRef<int64_t> positions) {
  for (size_t at = 1; at != positions.size(); ++at)
    if (positions[at] != positions[at - 1] + 1)
      return pick(n, x, axis, positions);
  return n.slice(x, axis, n.size(positions[0]), n.size(positions.size()));
}

static LogicalResult importGather(Node &n) {
  Tensor *x = n.input(0), *indices = n.input(1);
  if (!n.hasRank(0, 1) || !hasIndices(n, 1))
    return failure();
  std::optional<int64_t> axis = n.axis(n.integer("axis", 0), x->rank());
  if (!axis)
    return failure();
  ArrayRef<AffineExpr> all(x->dims);
  Sizes dims(all.take_front(*axis));
  llvm::append_range(dims, indices->dims);
  llvm::append_range(dims, all.drop_front(*axis + 1));
  if (std::optional<int64_t> size = Emitter::known(x->dims[*axis])) {
    if (auto positions = knownIndices(indices, *size)) {
      if (Tensor *known = gatherKnown(n, x, *axis, *positions, dims))
        return n.output(known);
      if (positions->size() == 1) {
        Tensor *part = n.slice(x, *axis, n.size(positions->front()), n.size(1));
        return n.output(part ? n.reshape(part, dims) : nullptr);
      }
      if (positions->size() > 1)
        return n.output(n.reshape(moveKnown(n, x, *axis, *positions), dims));
    } else if (indices->contents && indices->isConstant()) {
      return n.error() << "has an index outside of size " << *size;
    }
  }
  Value source = n.value(x), which = n.value(indices);
  Value size = n.index(x->dims[*axis]);
  int64_t rank = indices->rank();
  return n.output(n.generate(dims, x->type, [&](Scalar &s, ValueRange at) {
    Value index = s.extract(which, at.slice(*axis, rank));
    SmallVector<Value> from(at.take_front(*axis));
    from.push_back(indexWithin(s, index, size));
    llvm::append_range(from, at.drop_front(*axis + rank));
    return s.extract(source, from);
  }));
}

static LogicalResult importGatherElements(Node &n) {
  Tensor *x = n.input(0), *indices = n.input(1);
  if (!n.hasRank(0, 1) || !n.hasRank(1, x->rank(), x->rank()) ||
      !hasIndices(n, 1))
    return failure();
  std::optional<int64_t> axis = n.axis(n.integer("axis", 0), x->rank());
  if (!axis)
    return failure();
  Value source = n.value(x), which = n.value(indices);
  SmallVector<Value> sizes = llvm::map_to_vector(
      x->dims, [&](AffineExpr dim) { return n.index(dim); });
  for (int64_t dim = 0; dim < x->rank(); ++dim) {
    std::optional<int64_t> most = Emitter::known(x->dims[dim]),
                           count = Emitter::known(indices->dims[dim]);
    bool fits = x->dims[dim] == indices->dims[dim] ||
                (most && count && *count <= *most);
    if (dim != *axis && !fits)
      return n.error() << "expects indices that fit into " << n.text(x->dims)
                       << ", but got " << n.text(indices->dims);
  }
  return n.output(
      n.generate(indices->dims, x->type, [&](Scalar &s, ValueRange at) {
        SmallVector<Value> from(at);
        from[*axis] = indexWithin(s, s.extract(which, at), sizes[*axis]);
        return s.extract(source, from);
      }));
}

/// Checks the shape of indices of whole positions: their last size is how many
/// dims of the data a position has, after `batch` common ones.
static std::optional<int64_t> positionRank(Node &n, int64_t batch) {
  Tensor *x = n.input(0), *indices = n.input(1);
  if (!n.hasRank(0, 1) || !n.hasRank(1, 1) || !hasIndices(n, 1))
    return std::nullopt;
  std::optional<int64_t> depth = Emitter::known(indices->dims.back());
  if (batch < 0 || batch >= std::min(x->rank(), indices->rank()) || !depth ||
      *depth < 1 || *depth > x->rank() - batch) {
    n.error() << "cannot index " << n.text(x->dims) << " by "
              << n.text(indices->dims);
    return std::nullopt;
  }
  for (int64_t dim = 0; dim < batch; ++dim)
    if (!n.requireEqual(x->dims[dim], indices->dims[dim], "batch sizes"))
      return std::nullopt;
  return depth;
}

static LogicalResult importGatherND(Node &n) {
  Tensor *x = n.input(0), *indices = n.input(1);
  int64_t batch = n.opset >= 12 ? n.integer("batch_dims", 0) : 0;
  std::optional<int64_t> depth = positionRank(n, batch);
  if (!depth)
    return failure();
  Sizes dims(ArrayRef(indices->dims).drop_back());
  llvm::append_range(dims, ArrayRef(x->dims).drop_front(batch + *depth));
  int64_t outer = indices->rank() - 1;
  Value source = n.value(x), which = n.value(indices);
  SmallVector<Value> sizes = llvm::map_to_vector(
      x->dims, [&](AffineExpr dim) { return n.index(dim); });
  return n.output(n.generate(dims, x->type, [&](Scalar &s, ValueRange at) {
    SmallVector<Value> from(at.take_front(batch));
    for (int64_t part = 0; part < *depth; ++part) {
      SmallVector<Value> position(at.take_front(outer));
      position.push_back(s.index(part));
      from.push_back(
          indexWithin(s, s.extract(which, position), sizes[batch + part]));
    }
    llvm::append_range(from, at.drop_front(outer));
    return s.extract(source, from);
  }));
}

//===----------------------------------------------------------------------===//
// Scatter
//===----------------------------------------------------------------------===//

/// Combines an update with the element that is there.
static Value combine(Scalar &s, StringRef how, Value old, Value update) {
  if (how == "add")
    return s.add(old, update);
  if (how == "mul")
    return s.mul(old, update);
  if (how == "max")
    return s.max(old, update);
  return how == "min" ? s.min(old, update) : update;
}

static std::optional<std::string> readReduction(Node &n) {
  std::string how =
      n.opset >= 16 ? n.string("reduction", "none") : std::string("none");
  if (how == "none" || how == "add" || how == "mul" ||
      (n.opset >= 18 && (how == "max" || how == "min")))
    return how;
  n.error() << "has an unknown reduction, '" << how << "'";
  return std::nullopt;
}

/// Writes each update where `target` says.
static Tensor *
scatter(Node &n, StringRef how,
        function_ref<SmallVector<Value>(Scalar &, ValueRange)> target) {
  if (how == "add" || how == "mul")
    n.computeWide();
  Tensor *x = n.input(0), *updates = n.input(2);
  Value source = n.value(updates);
  bool natural = isUnsigned(x->type);
  return n.loopOver(
      updates->dims, x, [&](Scalar &s, ValueRange at, Value whole) -> Value {
        SmallVector<Value> to = target(s, at);
        Value update = s.extract(source, at);
        if (how != "none") {
          Scalar typed(s.b, s.loc, natural);
          update = combine(typed, how, s.extract(whole, to), update);
        }
        return tensor::InsertOp::create(s.b, s.loc, update, whole, to);
      });
}

static LogicalResult importScatterElements(Node &n) {
  Tensor *x = n.input(0), *indices = n.input(1), *updates = n.input(2);
  std::optional<std::string> how = readReduction(n);
  if (!how || !n.hasRank(0, 1) || !n.hasRank(1, x->rank(), x->rank()) ||
      !n.hasRank(2, x->rank(), x->rank()) || !hasIndices(n, 1) ||
      !n.sameTypes({0, 2}))
    return failure();
  std::optional<int64_t> axis = n.axis(n.integer("axis", 0), x->rank());
  if (!axis)
    return failure();
  SmallVector<Value> sizes;
  for (auto [dim, x, y] : llvm::zip(x->dims, indices->dims, updates->dims)) {
    if (!n.requireEqual(x, y, "sizes of indices and updates"))
      return failure();
    sizes.push_back(n.index(dim));
  }
  Value which = n.value(indices);
  return n.output(scatter(n, *how, [&](Scalar &s, ValueRange at) {
    SmallVector<Value> to(at);
    for (auto [dim, position] : llvm::enumerate(to))
      position = static_cast<int64_t>(dim) == *axis
                     ? indexWithin(s, s.extract(which, at), sizes[dim])
                     : s.min(position, s.sub(sizes[dim], s.index(1)));
    return to;
  }));
}

static LogicalResult importScatterND(Node &n) {
  Tensor *x = n.input(0), *indices = n.input(1), *updates = n.input(2);
  std::optional<std::string> how = readReduction(n);
  std::optional<int64_t> depth = positionRank(n, 0);
  if (!how || !depth || !n.sameTypes({0, 2}))
    return failure();
  Sizes expected(ArrayRef(indices->dims).drop_back());
  llvm::append_range(expected, ArrayRef(x->dims).drop_front(*depth));
  if (expected.size() != updates->dims.size())
    return n.error() << "expects updates of " << n.text(expected)
                     << ", but got " << n.text(updates->dims);
  for (auto [x, y] : llvm::zip(expected, updates->dims))
    if (!n.requireEqual(x, y, "sizes of indices and updates"))
      return failure();
  Value which = n.value(indices);
  SmallVector<Value> sizes = llvm::map_to_vector(
      x->dims, [&](AffineExpr dim) { return n.index(dim); });
  int64_t outer = indices->rank() - 1;
  return n.output(scatter(n, *how, [&](Scalar &s, ValueRange at) {
    SmallVector<Value> to;
    for (int64_t part = 0; part < *depth; ++part) {
      SmallVector<Value> position(at.take_front(outer));
      position.push_back(s.index(part));
      to.push_back(indexWithin(s, s.extract(which, position), sizes[part]));
    }
    llvm::append_range(to, at.drop_front(outer));
    return to;
  }));
}

//===----------------------------------------------------------------------===//
// Reverse
//===----------------------------------------------------------------------===//

static LogicalResult importReverseSequence(Node &n) {
  Tensor *x = n.input(0), *lengths = n.input(1);
  int64_t time = n.integer("time_axis", 0), batch = n.integer("batch_axis", 1);
  if (!n.hasRank(0, 2) || !n.hasRank(1, 1, 1) || !hasIndices(n, 1))
    return failure();
  if (time < 0 || time > 1 || batch != 1 - time)
    return n.error() << "expects batch_axis and time_axis to be 0 and 1";
  if (!n.requireEqual(lengths->dims[0], x->dims[batch], "batch sizes"))
    return failure();
  Value source = n.value(x), ends = n.value(lengths);
  Value size = n.index(x->dims[time]);
  return n.output(n.generate(x->dims, x->type, [&](Scalar &s, ValueRange at) {
    Scalar plain(s.b, s.loc);
    Value length = plain.toIndex(s.extract(ends, at[batch]));
    length = plain.min(length, size);
    SmallVector<Value> from(at);
    Value mirrored = plain.sub(plain.sub(length, plain.index(1)), at[time]);
    from[time] = plain.select(plain.compare(Order::LT, at[time], length),
                              mirrored, at[time]);
    return s.extract(source, from);
  }));
}

ArrayRef<Operator> mlir::prune::onnx_import::indexingOperators() {
  static const Operator operators[] = {
      {"Gather", 1, kNewest, 2, ChannelRule::Gather, importGather},
      {"GatherElements", 11, kNewest, 2, ChannelRule::Keep,
       importGatherElements},
      {"GatherND", 11, kNewest, 2, ChannelRule::Keep, importGatherND},
      {"ReverseSequence", 10, kNewest, 2, ChannelRule::Keep,
       importReverseSequence},
      {"Scatter", 9, 10, 3, ChannelRule::Keep, importScatterElements},
      {"ScatterElements", 11, kNewest, 3, ChannelRule::Keep,
       importScatterElements},
      {"ScatterND", 11, kNewest, 3, ChannelRule::Keep, importScatterND},
  };
  return operators;
}
