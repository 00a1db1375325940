//===- Order.cpp - The greatest, the first k, running sums ----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that compare the elements along an axis. ONNX says which of equal
// elements comes first, so positions are found by comparing and not by sorting.
//
//===----------------------------------------------------------------------===//

#include "Import/Model/Node.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;

/// The position of the greatest or least element along an axis, which is kept:
/// the first of equal ones, or the last.
static Tensor *positionOf(Node &n, Tensor *x, int64_t axis, bool greatest,
                          bool last) {
  Tensor *best =
      greatest
          ? n.greatest(x, axis, true)
          : n.reduce(x, axis, true, n.extreme(x->type, true),
                     [](Scalar &s, ValueRange v) { return s.min(v[0], v[1]); });
  if (!best)
    return nullptr;
  Value source = n.value(x), target = n.value(best);
  Value size = n.index(x->dims[axis]);
  Tensor *candidates =
      n.generate(x->dims, DataType::Int64, [&](Scalar &s, ValueRange at) {
        SmallVector<Value> position(at);
        position[axis] = s.index(0);
        Value hit = s.compare(Order::EQ, s.extract(source, at),
                              s.extract(target, position));
        Value miss = last ? s.index(0) : s.sub(size, s.index(1));
        return s.fromIndex(s.select(hit, at[axis], miss), s.b.getI64Type());
      });
  if (last)
    return n.greatest(candidates, axis, true);
  return n.reduce(candidates, axis, true, n.extreme(DataType::Int64, true),
                  [](Scalar &s, ValueRange v) { return s.min(v[0], v[1]); });
}

template <bool Greatest> static LogicalResult importArg(Node &n) {
  Tensor *x = n.input(0);
  bool keepDims = n.integer("keepdims", 1);
  bool last = n.opset >= 12 && n.integer("select_last_index", 0);
  if (!n.hasRank(0, 1))
    return failure();
  std::optional<int64_t> axis = n.axis(n.integer("axis", 0), x->rank());
  if (!axis)
    return failure();
  Tensor *result = positionOf(n, x, *axis, Greatest, last);
  return n.output(keepDims || !result ? result : n.squeeze(result, *axis));
}

static LogicalResult importHardmax(Node &n) {
  Tensor *x = n.input(0);
  bool flattens = n.opset < 13;
  if (!n.hasRank(0, 1) || !n.isFloating(0))
    return failure();
  std::optional<int64_t> axis =
      n.axis(n.integer("axis", flattens ? 1 : -1), x->rank());
  if (!axis)
    return failure();
  Sizes dims(x->dims);
  if (flattens) {
    ArrayRef<AffineExpr> all(x->dims);
    x = n.reshape(x, {n.product(all.take_front(*axis)),
                      n.product(all.drop_front(*axis))});
    axis = 1;
  }
  Tensor *position = x ? positionOf(n, x, *axis, true, false) : nullptr;
  if (!position)
    return failure();
  Value which = n.value(position);
  Tensor *result = n.generate(x->dims, x->type, [&](Scalar &s, ValueRange at) {
    SmallVector<Value> from(at);
    from[*axis] = s.index(0);
    Value hot =
        s.compare(Order::EQ, s.toIndex(s.extract(which, from)), at[*axis]);
    Type type = elementType(x->type, n.state.context);
    return s.select(hot, s.constant(type, 1), s.constant(type, 0));
  });
  return n.output(result ? n.reshape(result, dims) : nullptr);
}

/// How many elements come before each along an axis, in the order asked for;
/// equal ones keep theirs.
static Tensor *ranksOf(Node &n, Tensor *x, int64_t axis, bool largest) {
  Sizes pairs(x->dims);
  pairs.push_back(x->dims[axis]);
  Value source = n.value(x);
  bool natural = isUnsigned(x->type);
  Tensor *before =
      n.generate(pairs, DataType::Int64, [&](Scalar &s, ValueRange at) {
        Scalar typed(s.b, s.loc, natural);
        SmallVector<Value> other(at.drop_back());
        other[axis] = at.back();
        Value mine = s.extract(source, at.drop_back());
        Value theirs = s.extract(source, other);
        Value ahead =
            typed.compare(largest ? Order::GT : Order::LT, theirs, mine);
        Value tie = s.bitAnd(typed.compare(Order::EQ, theirs, mine),
                             s.compare(Order::LT, at.back(), at[axis]));
        Type type = s.b.getI64Type();
        return s.select(s.bitOr(ahead, tie), s.integer(type, 1),
                        s.integer(type, 0));
      });
  return n.sum(before, x->rank(), false);
}

static LogicalResult importTopK(Node &n) {
  Tensor *x = n.input(0);
  bool largest = n.opset < 11 || n.integer("largest", 1);
  if (n.opset >= 11)
    (void)n.integer("sorted", 1);
  if (!n.hasRank(0, 1))
    return failure();
  std::optional<int64_t> axis = n.axis(n.integer("axis", -1), x->rank());
  if (!axis)
    return failure();
  AffineExpr count;
  if (n.opset < 10) {
    count = n.size(n.integer("k", 0));
  } else {
    if (!n.input(1))
      return n.error() << "expects k";
    auto elements = n.elements(1);
    if (!elements || elements->size() != 1)
      return n.state.failed ? failure()
                            : LogicalResult(n.error() << "expects one k");
    count = elements->front();
  }
  std::optional<int64_t> k = Emitter::known(count),
                         size = Emitter::known(x->dims[*axis]);
  if (k && (*k < 0 || (size && *k > *size)))
    return n.error() << "cannot take " << *k << " elements of "
                     << n.text(x->dims[*axis]);
  Tensor *ranks = ranksOf(n, x, *axis, largest);
  if (!ranks)
    return failure();
  // The element of each rank, found by comparing.
  Sizes pairs(x->dims);
  pairs[*axis] = count;
  Sizes dims(pairs);
  pairs.push_back(x->dims[*axis]);
  Value order = n.value(ranks);
  Tensor *matches =
      n.generate(pairs, DataType::Int64, [&](Scalar &s, ValueRange at) {
        SmallVector<Value> from(at.drop_back());
        from[*axis] = at.back();
        Value rank = s.toIndex(s.extract(order, from));
        Value hit = s.compare(Order::EQ, rank, at[*axis]);
        return s.fromIndex(s.select(hit, at.back(), s.index(0)),
                           s.b.getI64Type());
      });
  Tensor *indices = n.sum(matches, x->rank(), false);
  if (!indices)
    return failure();
  Value source = n.value(x), which = n.value(indices);
  Tensor *values = n.generate(dims, x->type, [&](Scalar &s, ValueRange at) {
    SmallVector<Value> from(at);
    Scalar plain(s.b, s.loc);
    from[*axis] = plain.toIndex(s.extract(which, at));
    return s.extract(source, from);
  });
  if (failed(n.output(0, values)))
    return failure();
  return n.output(1, indices);
}

/// Sums or products of what comes before.
template <Tensor *(Emitter::*Combine)(Tensor *, Tensor *), int Neutral>
static LogicalResult importCumulative(Node &n) {
  Tensor *x = n.input(0);
  bool exclusive = n.integer("exclusive", 0), reverse = n.integer("reverse", 0);
  std::optional<double> given = n.constant(1);
  if (!given || !n.hasRank(0, 1))
    return failure();
  std::optional<int64_t> axis = n.axis(toInteger(*given), x->rank());
  if (!axis)
    return failure();
  n.computeWide();
  x = n.input(0);
  Sizes slice(x->dims);
  slice.erase(slice.begin() + *axis);
  Tensor *total =
      n.make(n.splat(slice, x->type, double(Neutral)), x->type, slice);
  Tensor *result = n.make(n.empty(x->dims, x->type), x->type, x->dims);
  Value last = n.index(x->dims[*axis] - 1);
  SmallVector<Tensor *> both = n.loop(
      x->dims[*axis], {total, result},
      [&](Value at, ArrayRef<Tensor *> carried) -> SmallVector<Tensor *> {
        if (reverse)
          at = Scalar(n.b, n.loc).sub(last, at);
        Tensor *sum = (n.*Combine)(carried[0], n.sliceAt(x, *axis, at));
        Tensor *part = exclusive ? carried[0] : sum;
        return {sum, n.insertAt(part, carried[1], *axis, at)};
      });
  return n.output(both.empty() ? nullptr : both[1]);
}

ArrayRef<Operator> mlir::prune::onnx_import::orderOperators() {
  static const Operator operators[] = {
      {"ArgMax", 1, kNewest, 1, ChannelRule::Keep, importArg<true>},
      {"ArgMin", 1, kNewest, 1, ChannelRule::Keep, importArg<false>},
      {"CumProd", 26, kNewest, 2, ChannelRule::Keep,
       importCumulative<&Emitter::mul, 1>, "the axis is a constant"},
      {"CumSum", 11, kNewest, 2, ChannelRule::Keep,
       importCumulative<&Emitter::add, 0>, "the axis is a constant"},
      {"Hardmax", 1, kNewest, 1, ChannelRule::Keep, importHardmax},
      {"TopK", 1, kNewest, 1, ChannelRule::Keep, importTopK},
  };
  return operators;
}
