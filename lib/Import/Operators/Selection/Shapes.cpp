//===- Shapes.cpp - Operators about sizes, and constants ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shape and what is done with its result: Reshape, Expand, Squeeze and so on.
// They take their sizes from elements that are followed through the graph, and
// leave no arithmetic in the program where these are known.
//
//===----------------------------------------------------------------------===//

#include "Import/Model/Node.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <cmath>

using namespace mlir;
using namespace mlir::prune::onnx_import;

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

static LogicalResult importConstant(Node &n) {
  if (n.has("value")) {
    onnx::TensorProto *tensor = n.tensor("value");
    if (!tensor)
      return failure();
    return n.output(n.stored(*tensor));
  }
  if (n.has("value_float"))
    return n.output(
        n.Emitter::number(DataType::Float, n.number("value_float", 0)));
  if (n.has("value_int"))
    return n.output(
        n.makeInts(DataType::Int64, {}, n.size(n.integer("value_int", 0))));
  if (n.has("value_floats")) {
    // A weight as any other, with a name.
    SmallVector<double> values = n.numbers("value_floats");
    for (onnx::AttributeProto &attribute : *n.proto.mutable_attribute()) {
      if (attribute.name() != "value_floats")
        continue;
      onnx::TensorProto &tensor = *attribute.mutable_t();
      tensor.set_data_type(onnx::TensorProto::FLOAT);
      tensor.add_dims(values.size());
      tensor.mutable_float_data()->CopyFrom(attribute.floats());
      return n.output(n.stored(tensor));
    }
    return failure();
  }
  if (n.has("value_ints")) {
    SmallVector<AffineExpr> values = llvm::map_to_vector(
        n.integers("value_ints"), [&](int64_t v) { return n.size(v); });
    return n.output(n.makeInts(DataType::Int64, n.size(values.size()), values));
  }
  return n.error() << "expects a value that is a tensor of numbers";
}

static LogicalResult importConstantOfShape(Node &n) {
  auto dims = n.elements(0);
  if (!dims || !n.hasRank(0, 1, 1))
    return failure();
  Tensor *value = n.Emitter::number(DataType::Float, 0);
  if (n.has("value")) {
    onnx::TensorProto *tensor = n.tensor("value");
    value = tensor ? n.stored(*tensor) : nullptr;
    if (!value)
      return failure();
    if (value->rank() > 1 || !n.scalarOf(value))
      return n.error() << "expects a value of one element";
    value = n.reshape(value, {});
  }
  n.typeOf(*dims, value->type);
  if (n.state.failed)
    return failure();
  return n.output(n.expand(value, *dims));
}

static LogicalResult importShape(Node &n) {
  Sizes dims = n.input(0)->dims;
  int64_t rank = dims.size();
  if (n.opset >= 15) {
    auto clamp = [&](int64_t at) {
      return std::clamp<int64_t>(at < 0 ? at + rank : at, 0, rank);
    };
    int64_t start = clamp(n.integer("start", 0));
    int64_t end = clamp(n.integer("end", rank));
    dims.resize(end);
    dims.erase(dims.begin(), dims.begin() + std::min(start, end));
  }
  return n.output(n.makeInts(DataType::Int64, n.size(dims.size()), dims));
}

static LogicalResult importSize(Node &n) {
  return n.output(n.makeInts(DataType::Int64, {}, n.product(n.input(0)->dims)));
}

static LogicalResult importIdentity(Node &n) { return n.output(n.input(0)); }

static LogicalResult importDropout(Node &n) {
  if (n.opset < 12) {
    (void)n.number("ratio", 0.5);
    if (n.opset < 7)
      (void)n.integer("is_test", 1);
  } else {
    (void)n.integer("seed", 0);
    if (n.input(2) && n.constant(2).value_or(1) != 0)
      return n.state.failed
                 ? failure()
                 : LogicalResult(n.error() << "expects a model for inference, "
                                              "but got training_mode");
  }
  if (failed(n.output(0, n.input(0))))
    return failure();
  if (!n.wants(1))
    return success();
  Tensor *mask =
      n.expand(n.Emitter::number(DataType::Bool, 1), n.input(0)->dims);
  return n.output(1, n.opset < 10 ? n.convert(mask, n.input(0)->type) : mask);
}

//===----------------------------------------------------------------------===//
// Reshape
//===----------------------------------------------------------------------===//

/// The size that makes the product of `dims` that of `all`: common factors
/// leave, so that a batch of any size can pass.
static AffineExpr quotient(Node &n, ArrayRef<AffineExpr> all,
                           ArrayRef<AffineExpr> dims) {
  SmallVector<AffineExpr> rest(all.begin(), all.end());
  AffineExpr divisor = n.size(1);
  for (AffineExpr dim : dims) {
    auto *common = llvm::find(rest, dim);
    if (common != rest.end() && !Emitter::known(dim))
      rest.erase(common);
    else
      divisor = divisor * dim;
  }
  AffineExpr dividend = n.product(rest);
  if (Emitter::known(divisor) == 0)
    return nullptr;
  return dividend.floorDiv(divisor);
}

/// Replaces 0 by the input's size and -1 by what remains.
static std::optional<Sizes> resolveShape(Node &n, Sizes dims, bool allowZero) {
  Tensor *x = n.input(0);
  std::optional<unsigned> inferred;
  for (auto [at, dim] : llvm::enumerate(dims)) {
    std::optional<int64_t> size = Emitter::known(dim);
    if (size == 0 && !allowZero) {
      if (static_cast<int64_t>(at) >= x->rank()) {
        n.error() << "copies size " << at << " of a tensor of rank "
                  << x->rank();
        return std::nullopt;
      }
      dims[at] = x->dims[at];
    } else if (size == -1 && !inferred) {
      inferred = at;
      dims[at] = n.size(1);
    } else if (size && *size < 0) {
      n.error() << "has an impossible shape, " << n.text(dims);
      return std::nullopt;
    }
  }
  if (inferred) {
    AffineExpr rest = quotient(n, x->dims, dims);
    if (!rest) {
      n.error() << "cannot infer a size beside one that is zero";
      return std::nullopt;
    }
    dims[*inferred] = rest;
  }
  return dims;
}

/// Whether a shape that was read at run time is trusted: -1 and 0 mean other
/// sizes then, so each is resolved by the program.
static Sizes resolveAtRunTime(Node &n, Sizes dims, bool allowZero) {
  Tensor *x = n.input(0);
  Scalar s(n.b, n.loc);
  auto isRead = [](AffineExpr dim) { return isa<AffineSymbolExpr>(dim); };
  Value total = n.index(n.product(x->dims)), others = s.index(1);
  SmallVector<Value> sizes;
  for (auto [at, dim] : llvm::enumerate(dims)) {
    Value size = n.index(dim);
    if (!allowZero && static_cast<int64_t>(at) < x->rank())
      size = s.select(s.compare(Order::EQ, size, s.index(0)),
                      n.index(x->dims[at]), size);
    sizes.push_back(size);
    Value isInferred = s.compare(Order::EQ, size, s.index(-1));
    others = s.mul(others, s.select(isInferred, s.index(1), size));
  }
  others = s.max(others, s.index(1));
  for (auto [at, dim] : llvm::enumerate(dims))
    if (isRead(dim) || Emitter::known(dim) == -1) {
      Value isInferred = s.compare(Order::EQ, sizes[at], s.index(-1));
      dim = n.symbol(s.select(isInferred, s.div(total, others), sizes[at]));
    } else if (Emitter::known(dim) == 0 && !allowZero &&
               static_cast<int64_t>(at) < x->rank()) {
      dim = x->dims[at];
    }
  return dims;
}

static LogicalResult importReshape(Node &n) {
  Tensor *x = n.input(0);
  bool allowZero = n.opset >= 14 && n.integer("allowzero", 0);
  Sizes dims;
  if (n.opset < 5) {
    for (int64_t dim : n.integers("shape"))
      dims.push_back(n.size(dim));
  } else {
    if (!n.input(1))
      return n.error() << "expects 2 inputs";
    bool isKnown = n.input(1)->contents.has_value();
    auto shape = n.elements(1);
    if (!shape || !n.hasRank(1, 1, 1))
      return failure();
    dims = *shape;
    if (!isKnown)
      dims = resolveAtRunTime(n, dims, allowZero);
  }
  std::optional<Sizes> resolved = resolveShape(n, dims, allowZero);
  if (!resolved || !n.requireEqual(n.product(x->dims), n.product(*resolved),
                                   "numbers of elements"))
    return failure();
  return n.output(n.reshape(x, *resolved));
}

static LogicalResult importFlatten(Node &n) {
  Tensor *x = n.input(0);
  int64_t value = n.integer("axis", 1);
  int64_t rank = x->rank();
  if (value < -rank || value > rank)
    return n.error() << "axis " << value << " is not in a tensor of rank "
                     << rank;
  int64_t axis = value < 0 ? value + rank : value;
  ArrayRef<AffineExpr> dims(x->dims);
  return n.output(n.reshape(
      x, {n.product(dims.take_front(axis)), n.product(dims.drop_front(axis))}));
}

/// Axes from an attribute or, since opset 13, from input 1.
static std::optional<SmallVector<int64_t>> readAxes(Node &n, int64_t rank) {
  if (n.opset < 13)
    return n.axes(n.integers("axes"), rank);
  if (!n.input(1))
    return SmallVector<int64_t>();
  std::optional<SmallVector<int64_t>> axes = n.constants(1);
  return axes ? n.axes(*axes, rank) : std::nullopt;
}

static LogicalResult importSqueeze(Node &n) {
  Tensor *x = n.input(0);
  std::optional<SmallVector<int64_t>> axes = readAxes(n, x->rank());
  if (!axes)
    return failure();
  bool isStated = n.opset < 13 ? n.has("axes") : n.input(1) != nullptr;
  for (auto [at, dim] : llvm::enumerate(x->dims)) {
    if (!isStated && !Emitter::known(dim))
      return n.error() << "cannot decide whether size " << at << " of "
                       << n.text(x->dims) << " is 1; fix it with --dim";
    if (!isStated && Emitter::known(dim) == 1)
      axes->push_back(at);
  }
  for (int64_t axis : *axes)
    if (!n.requireEqual(x->dims[axis], n.size(1), "size and 1"))
      return failure();
  return n.output(n.squeeze(x, *axes));
}

static LogicalResult importUnsqueeze(Node &n) {
  Tensor *x = n.input(0);
  std::optional<SmallVector<int64_t>> given = n.opset < 13 ? n.integers("axes")
                                              : n.input(1) ? n.constants(1)
                                                           : std::nullopt;
  if (!given)
    return n.state.failed ? failure()
                          : LogicalResult(n.error() << "expects 2 inputs");
  std::optional<SmallVector<int64_t>> axes =
      n.axes(*given, x->rank() + given->size());
  if (!axes)
    return failure();
  return n.output(n.unsqueeze(x, *axes));
}

static LogicalResult importExpand(Node &n) {
  Tensor *x = n.input(0);
  auto shape = n.elements(1);
  if (!shape)
    return failure();
  std::optional<Sizes> dims = n.broadcast(x->dims, *shape);
  if (!dims)
    return failure();
  return n.output(n.expand(x, *dims));
}

static LogicalResult importRange(Node &n) {
  if (!n.sameTypes({0, 1, 2}))
    return failure();
  for (unsigned at = 0; at < 3; ++at)
    if (!n.hasRank(at, 0, 0))
      return failure();
  DataType type = n.input(0)->type;
  auto start = n.scalarOf(n.input(0)), limit = n.scalarOf(n.input(1)),
       step = n.scalarOf(n.input(2));
  AffineExpr count;
  // A double does not hold every integer.
  for (std::optional<double> *number : {&start, &limit, &step})
    if (*number && !isFloat(type) && std::abs(**number) > 9e15)
      *number = std::nullopt;
  if (start && limit && step) {
    if (*step == 0)
      return n.error() << "has a step of zero";
    double steps = std::ceil((*limit - *start) / *step);
    if (!(steps < 1e9))
      return n.error() << "would make " << steps << " elements";
    count = n.size(std::max<int64_t>(toInteger(steps), 0));
  } else {
    // ceil((limit - start) / step), at least zero.
    Scalar s(n.b, n.loc, isUnsigned(type));
    Value from = s.extract(n.value(n.input(0)), {});
    Value to = s.extract(n.value(n.input(1)), {});
    Value by = s.extract(n.value(n.input(2)), {});
    Type wide = n.b.getF64Type();
    auto asDouble = [&](Value v) { return s.cast(v, wide, s.isUnsigned); };
    Value steps =
        s.unary("Ceil", s.div(asDouble(s.sub(to, from)), asDouble(by)));
    steps = s.max(steps, s.constant(wide, 0));
    Scalar plain(n.b, n.loc);
    count = n.symbol(plain.toIndex(plain.cast(steps, n.b.getI64Type(), false)));
  }
  if (std::optional<int64_t> known = Emitter::known(count);
      known && *known <= kMaxContents && start && step) {
    if (!isFloat(type)) {
      SmallVector<AffineExpr> values;
      for (int64_t at = 0; at < *known; ++at)
        values.push_back(n.size(toInteger(*start) + at * toInteger(*step)));
      return n.output(n.makeInts(type, count, values));
    }
  }
  Value from = n.value(n.input(0)), by = n.value(n.input(2));
  return n.output(n.generate(count, type, [&](Scalar &s, ValueRange at) {
    Value first = s.extract(from, {}), step = s.extract(by, {});
    return s.add(first, s.mul(step, s.fromIndex(at[0], first.getType())));
  }));
}

ArrayRef<Operator> mlir::prune::onnx_import::shapeOperators() {
  static const Operator operators[] = {
      {"Constant", 1, kNewest, 0, ChannelRule::Free, importConstant,
       "no strings"},
      {"ConstantOfShape", 9, kNewest, 1, ChannelRule::Keep,
       importConstantOfShape},
      {"Dropout", 1, kNewest, 1, ChannelRule::Elementwise, importDropout,
       "inference: no training_mode"},
      {"Expand", 8, kNewest, 2, ChannelRule::Expand, importExpand},
      {"Flatten", 1, kNewest, 1, ChannelRule::Reshape, importFlatten},
      {"Identity", 1, kNewest, 1, ChannelRule::Elementwise, importIdentity},
      {"Range", 11, kNewest, 3, ChannelRule::Keep, importRange},
      {"Reshape", 1, kNewest, 1, ChannelRule::Reshape, importReshape},
      {"Shape", 1, kNewest, 1, ChannelRule::Free, importShape},
      {"Size", 1, kNewest, 1, ChannelRule::Free, importSize},
      {"Squeeze", 1, kNewest, 1, ChannelRule::Reshape, importSqueeze,
       "axes are constants"},
      {"Unsqueeze", 1, kNewest, 1, ChannelRule::Reshape, importUnsqueeze,
       "axes are constants"},
  };
  return operators;
}
