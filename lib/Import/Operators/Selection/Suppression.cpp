//===- Suppression.cpp - NonMaxSuppression --------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Of the boxes that a detector finds, the best of those that overlap are kept.
// Whether one is kept depends on all that were kept before it, so this is a
// loop; how many there are is a size that the run knows.
//
//===----------------------------------------------------------------------===//

#include "Selection.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;

namespace {
/// Least and greatest coordinates of a box.
struct Box {
  Value low[2], high[2];
};

struct Suppression {
  Value boxes, scores;
  /// How boxes are given: by center and extent, or by two corners.
  bool isCentered;
  /// Overlaps above this suppress.
  Value threshold;
  /// Scores have to be above this, if it is there.
  Value leastScore;
  /// How many of each class are kept at most.
  Value most;
};
} // namespace

static Box readBox(Scalar &s, const Suppression &by, Value batch, Value at) {
  auto part = [&](int64_t which) {
    return s.extract(by.boxes, {batch, at, s.index(which)});
  };
  Box box;
  for (int64_t dim = 0; dim < 2; ++dim) {
    Value first = part(dim), second = part(dim + 2);
    if (by.isCentered) {
      Value half = s.div(second, s.constant(second.getType(), 2));
      second = s.add(first, half);
      first = s.sub(first, half);
    }
    box.low[dim] = by.isCentered ? first : s.min(first, second);
    box.high[dim] = by.isCentered ? second : s.max(first, second);
  }
  return box;
}

static Value areaOf(Scalar &s, const Box &box) {
  return s.mul(s.sub(box.high[0], box.low[0]), s.sub(box.high[1], box.low[1]));
}

/// Whether the common part of two boxes is more than the threshold allows, as a
/// share of what both cover. Boxes without an area overlap with none.
static Value overlaps(Scalar &s, const Suppression &by, Value batch, Value i,
                      Value j) {
  Box x = readBox(s, by, batch, i), y = readBox(s, by, batch, j), common;
  Value zero = s.constant(by.threshold.getType(), 0), result;
  auto needsPositive = [&](Value size) {
    Value isPositive = s.compare(Order::GT, size, zero);
    result = result ? s.bitAnd(result, isPositive) : isPositive;
  };
  for (int64_t dim = 0; dim < 2; ++dim) {
    common.low[dim] = s.max(x.low[dim], y.low[dim]);
    common.high[dim] = s.min(x.high[dim], y.high[dim]);
    needsPositive(s.sub(common.high[dim], common.low[dim]));
  }
  Value shared = areaOf(s, common), first = areaOf(s, x), second = areaOf(s, y);
  Value both = s.sub(s.add(first, second), shared);
  for (Value area : {shared, first, second, both})
    needsPositive(area);
  return s.bitAnd(result,
                  s.compare(Order::GT, s.div(shared, both), by.threshold));
}

/// Appends the boxes of one class that stay to `kept`: rows and their number.
static SmallVector<Value> suppressClass(Scalar &s, const Suppression &by,
                                        Value batch, Value klass, Value total,
                                        ValueRange kept) {
  auto score = [&](Scalar &s, Value at) {
    return s.extract(by.scores, {batch, klass, at});
  };
  Value order = sortedPositions(s, total, [&](Scalar &s, Value i, Value j) {
    return s.compare(Order::GT, score(s, i), score(s, j));
  });
  Value begin = kept[1];
  return carry(
      s, s.index(0), total, kept,
      [&](Scalar &s, Value at, ValueRange carried) -> SmallVector<Value> {
        Value rows = carried[0], count = carried[1];
        Value box = positionAt(s, order, at);
        Value takes = s.compare(Order::LT, s.sub(count, begin), by.most);
        if (by.leastScore)
          takes = s.bitAnd(takes,
                           s.compare(Order::GT, score(s, box), by.leastScore));
        // What is not taken anyway needs no comparison.
        Value end = s.select(takes, count, begin);
        Value isFree = carry(
            s, begin, end, takes,
            [&](Scalar &s, Value at, ValueRange free) -> SmallVector<Value> {
              Value other = s.toIndex(s.extract(rows, {at, s.index(2)}));
              Value hit = overlaps(s, by, batch, box, other);
              return {s.select(hit, s.integer(hit.getType(), 0), free[0])};
            })[0];
        Value next = s.add(count, s.index(1));
        Value columns[] = {batch, klass, box};
        for (auto [column, element] : llvm::enumerate(columns))
          rows = tensor::InsertOp::create(
              s.b, s.loc, s.fromIndex(element, s.b.getI64Type()), rows,
              ValueRange{count, s.index(column)});
        return {rows, s.select(isFree, next, count)};
      });
}

/// The number in an optional input of one float; null if it is not there or not
/// one, which is said.
static Value readThreshold(Node &n, unsigned at) {
  Tensor *given = n.input(at);
  if (!given)
    return nullptr;
  if (given->type != DataType::Float || n.product(given->dims) != n.size(1)) {
    n.error() << "expects input " << at << " to be one float, but got "
              << nameOf(given->type) << n.text(given->dims);
    return nullptr;
  }
  Tensor *number = n.reshape(given, {});
  return number ? Scalar(n.b, n.loc).extract(n.value(number), {}) : nullptr;
}

static bool hasBoxes(Node &n) {
  Tensor *boxes = n.input(0), *scores = n.input(1);
  if (!n.hasRank(0, 3, 3) || !n.hasRank(1, 3, 3))
    return false;
  if (boxes->type != DataType::Float || scores->type != DataType::Float) {
    n.error() << "expects boxes and scores of floats, but got "
              << nameOf(boxes->type) << " and " << nameOf(scores->type);
    return false;
  }
  return n.requireEqual(boxes->dims[2], n.size(4), "numbers of a box and 4") &&
         n.requireEqual(boxes->dims[0], scores->dims[0], "batch sizes") &&
         n.requireEqual(boxes->dims[1], scores->dims[2], "numbers of boxes");
}

/// How many boxes of a class are kept at most.
static AffineExpr readMost(Node &n) {
  AffineExpr count = n.size(0), boxes = n.input(0)->dims[1];
  if (n.input(2)) {
    auto given = n.elements(2);
    if (!given || given->size() != 1) {
      if (!n.state.failed)
        n.error() << "expects one max_output_boxes_per_class";
      return nullptr;
    }
    count = given->front();
  }
  std::optional<int64_t> most = Emitter::known(count),
                         all = Emitter::known(boxes);
  if (most && (*most <= 0 || all))
    return n.size(std::clamp<int64_t>(*most, 0, all.value_or(0)));
  Scalar s(n.b, n.loc);
  return n.symbol(s.min(s.max(n.index(count), s.index(0)), n.index(boxes)));
}

LogicalResult mlir::prune::onnx_import::importNonMaxSuppression(Node &n) {
  int64_t format = n.integer("center_point_box", 0);
  if (format != 0 && format != 1)
    return n.error() << "expects a center_point_box of 0 or 1, but got "
                     << format;
  if (!hasBoxes(n))
    return failure();
  AffineExpr most = readMost(n);
  Value threshold = readThreshold(n, 3), score = readThreshold(n, 4);
  if (!most || n.state.failed)
    return failure();
  Scalar s(n.b, n.loc);
  if (!threshold)
    threshold = s.constant(n.b.getF32Type(), 0);
  Suppression by = {
      n.value(n.input(0)), n.value(n.input(1)), format == 1, threshold, score,
      n.index(most)};
  ArrayRef<AffineExpr> dims = n.input(1)->dims;
  // The row after the last one takes what is not kept.
  Sizes room = {n.product({dims[0], dims[1], most}) + 1, n.size(3)};
  Value rows = n.empty(room, DataType::Int64);
  if (n.state.failed)
    return failure();
  Value classes = n.index(dims[1]), total = n.index(dims[2]);
  SmallVector<Value> kept =
      carry(s, s.index(0), s.mul(n.index(dims[0]), classes), {rows, s.index(0)},
            [&](Scalar &s, Value at, ValueRange carried) {
              return suppressClass(s, by, s.div(at, classes),
                                   s.rem(at, classes), total, carried);
            });
  Tensor *all = n.make(kept[0], DataType::Int64, room);
  return n.output(n.slice(all, 0, n.size(0), n.symbol(kept[1])));
}
