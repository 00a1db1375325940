//===- Selection.cpp - NonZero, Compress, Unique --------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators of which the data say how many elements the result has. One loop
// writes the positions that are chosen one after the other and counts them; the
// count becomes a size that the run knows. No linalg operation writes as many
// elements as it finds, so the loops are scf.for.
//
// Equal elements are found by a merge sort of positions. It is stable, so that
// the first of equal ones leads, as ONNX wants it, and needs neither a bound on
// the elements nor quadratic time.
//
//===----------------------------------------------------------------------===//

#include "Selection.h"
#include "Indexing.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

SmallVector<Value> mlir::prune::onnx_import::carry(Scalar &s, Value from,
                                                   Value to, ValueRange start,
                                                   CarryBody body) {
  auto loop = scf::ForOp::create(
      s.b, s.loc, from, to, s.index(1), start,
      [&](OpBuilder &nested, Location at, Value position, ValueRange carried) {
        Scalar inner(nested, at);
        scf::YieldOp::create(nested, at, body(inner, position, carried));
      });
  return SmallVector<Value>(loop.getResults());
}

static Value insert(Scalar &s, Value element, Value whole, Value at) {
  return tensor::InsertOp::create(s.b, s.loc, element, whole, at);
}

static Value asElement(Scalar &s, Value position) {
  return s.fromIndex(position, s.b.getI64Type());
}

static Value emptyPositions(Scalar &s, Value total) {
  OpFoldResult size = total;
  if (std::optional<int64_t> known = getConstantIntValue(total))
    size = s.b.getIndexAttr(*known);
  return tensor::EmptyOp::create(s.b, s.loc, size, s.b.getI64Type());
}

Value mlir::prune::onnx_import::positionAt(Scalar &s, Value positions,
                                           Value at) {
  return Scalar(s.b, s.loc).toIndex(s.extract(positions, at));
}

Tensor *mlir::prune::onnx_import::positionsWhere(
    Node &n, AffineExpr total, function_ref<Value(Scalar &, Value)> holds) {
  Scalar s(n.b, n.loc);
  Value size = n.index(total);
  // What was found so far is never more than what was looked at, so that the
  // next place exists. A position that was not chosen is overwritten.
  SmallVector<Value> found =
      carry(s, s.index(0), size, {emptyPositions(s, size), s.index(0)},
            [&](Scalar &s, Value at, ValueRange carried) -> SmallVector<Value> {
              Value count = carried[1];
              Value next = s.add(count, s.index(1));
              return {insert(s, asElement(s, at), carried[0], count),
                      s.select(holds(s, at), next, count)};
            });
  Tensor *all = n.make(found[0], DataType::Int64, total);
  return n.slice(all, 0, n.size(0), n.symbol(found[1]));
}

/// How often a run of one element doubles before it is all of them.
static Value countLevels(Scalar &s, Value total) {
  constexpr int64_t kMost = 41;
  return carry(s, s.index(0), s.index(kMost), {s.index(0), s.index(1)},
               [&](Scalar &s, Value, ValueRange carried) -> SmallVector<Value> {
                 Value grows = s.compare(Order::LT, carried[1], total);
                 Value next = s.add(carried[0], s.index(1));
                 return {s.select(grows, next, carried[0]),
                         s.mul(carried[1], s.index(2))};
               })[0];
}

/// Merges pairs of sorted runs of `width` positions.
static Value mergeRuns(Scalar &s, Value order, Value width, Value total,
                       Less less) {
  Value pair = s.mul(width, s.index(2)), last = s.sub(total, s.index(1));
  SmallVector<Value> merged = carry(
      s, s.index(0), total, {emptyPositions(s, total), s.index(0), s.index(0)},
      [&](Scalar &s, Value at, ValueRange carried) -> SmallVector<Value> {
        Value inside = s.rem(at, pair), begin = s.sub(at, inside);
        Value middle = s.min(s.add(begin, width), total);
        Value end = s.min(s.add(begin, pair), total);
        Value isFirst = s.compare(Order::EQ, inside, s.index(0));
        Value left = s.select(isFirst, begin, carried[1]);
        Value right = s.select(isFirst, middle, carried[2]);
        Value x = positionAt(s, order, s.min(left, last));
        Value y = positionAt(s, order, s.min(right, last));
        Value noLeft = s.compare(Order::GE, left, middle);
        Value takesRight = s.bitAnd(s.compare(Order::LT, right, end),
                                    s.bitOr(noLeft, less(s, y, x)));
        Value element = asElement(s, s.select(takesRight, y, x));
        auto step = [&](Value from, bool isRight) {
          Value next = s.add(from, s.index(1));
          return isRight ? s.select(takesRight, next, from)
                         : s.select(takesRight, from, next);
        };
        return {insert(s, element, carried[0], at), step(left, false),
                step(right, true)};
      });
  return merged[0];
}

Value mlir::prune::onnx_import::sortedPositions(Scalar &s, Value total,
                                                Less less) {
  Value order =
      carry(s, s.index(0), total, emptyPositions(s, total),
            [](Scalar &s, Value at, ValueRange carried) -> SmallVector<Value> {
              return {insert(s, asElement(s, at), carried[0], at)};
            })[0];
  return carry(s, s.index(0), countLevels(s, total), {order, s.index(1)},
               [&](Scalar &s, Value, ValueRange carried) -> SmallVector<Value> {
                 return {mergeRuns(s, carried[0], carried[1], total, less),
                         s.mul(carried[1], s.index(2))};
               })[0];
}

//===----------------------------------------------------------------------===//
// NonZero
//===----------------------------------------------------------------------===//

/// The row-major positions of known elements that are not zero.
static std::optional<SmallVector<int64_t>> knownNonZero(Tensor *x) {
  if (!x->contents || !x->isConstant())
    return std::nullopt;
  SmallVector<int64_t> result;
  for (auto [at, element] : llvm::enumerate(x->contents->ints))
    if (Emitter::known(element) != 0)
      result.push_back(at);
  for (auto [at, element] : llvm::enumerate(x->contents->floats))
    if (element != 0)
      result.push_back(at);
  return result;
}

static Tensor *knownPositions(Node &n, ArrayRef<int64_t> positions) {
  auto ints =
      llvm::map_to_vector(positions, [&](int64_t at) { return n.size(at); });
  return n.makeInts(DataType::Int64, n.size(positions.size()), ints);
}

/// The row-major positions of elements that are not zero.
static Tensor *findNonZero(Node &n, Tensor *x, AffineExpr total) {
  if (auto known = knownNonZero(x))
    return knownPositions(n, *known);
  Tensor *flat = n.reshape(x, n.product(x->dims));
  if (!flat)
    return nullptr;
  Value source = n.value(flat);
  return positionsWhere(n, total, [&](Scalar &s, Value at) {
    Value element = s.extract(source, at);
    return s.compare(Order::NE, element, s.constant(element.getType(), 0));
  });
}

static LogicalResult importNonZero(Node &n) {
  Tensor *x = n.input(0);
  Tensor *positions = findNonZero(n, x, n.product(x->dims));
  if (!positions)
    return failure();
  AffineExpr count = positions->dims[0];
  Sizes dims = {n.size(x->rank()), count};
  auto shape = Emitter::known(x->dims), known = Emitter::known(dims);
  if (positions->contents && shape && known &&
      ShapedType::getNumElements(*known) <= kMaxContents) {
    SmallVector<int64_t> found = *Emitter::known(positions->contents->ints);
    SmallVector<AffineExpr> ints;
    for (int64_t dim = 0; dim < x->rank(); ++dim)
      for (int64_t at : found) {
        for (int64_t inner = dim + 1; inner < x->rank(); ++inner)
          at /= (*shape)[inner];
        ints.push_back(n.size(at % (*shape)[dim]));
      }
    return n.output(n.makeInts(DataType::Int64, dims, ints));
  }
  Value found = n.value(positions);
  SmallVector<Value> extents = llvm::map_to_vector(
      x->dims, [&](AffineExpr dim) { return n.index(dim); });
  return n.output(
      n.generate(dims, DataType::Int64, [&](Scalar &s, ValueRange at) {
        Value rest = positionAt(s, found, at[1]), result = s.index(0);
        for (unsigned dim = extents.size(); dim-- > 0;) {
          Value here = s.compare(Order::EQ, at[0], s.index(dim));
          result = s.select(here, s.rem(rest, extents[dim]), result);
          rest = s.div(rest, extents[dim]);
        }
        return asElement(s, result);
      }));
}

//===----------------------------------------------------------------------===//
// Compress
//===----------------------------------------------------------------------===//

/// The tensor, or all of its elements if there is no axis.
static Tensor *alongAxis(Node &n, int64_t &axis) {
  Tensor *x = n.input(0);
  if (!n.has("axis"))
    return n.reshape(x, n.product(x->dims));
  if (!n.hasRank(0, 1))
    return nullptr;
  std::optional<int64_t> given = n.axis(n.integer("axis", 0), x->rank());
  axis = given.value_or(0);
  return given && !n.state.failed ? x : nullptr;
}

static LogicalResult importCompress(Node &n) {
  Tensor *condition = n.input(1);
  int64_t axis = 0;
  Tensor *x = alongAxis(n, axis);
  if (!x || !n.hasRank(1, 1, 1))
    return failure();
  if (condition->type != DataType::Bool)
    return n.error() << "expects a condition of booleans, but got "
                     << nameOf(condition->type);
  AffineExpr size = x->dims[axis], total = condition->dims[0];
  std::optional<int64_t> most = Emitter::known(size),
                         given = Emitter::known(total);
  if (most && given && *given > *most)
    return n.error() << "expects a condition of " << *most
                     << " elements at most, but got " << *given;
  if (total != size && !(most && given)) {
    Scalar s(n.b, n.loc);
    total = n.symbol(s.min(n.index(total), n.index(size)));
  }
  Tensor *chosen = findNonZero(n, condition, total);
  if (!chosen)
    return failure();
  if (chosen->contents && most)
    return n.output(pick(n, x, axis, *Emitter::known(chosen->contents->ints)));
  Sizes dims(x->dims);
  dims[axis] = chosen->dims[0];
  Value source = n.value(x), which = n.value(chosen);
  return n.output(n.generate(dims, x->type, [&](Scalar &s, ValueRange at) {
    SmallVector<Value> from(at);
    from[axis] = positionAt(s, which, at[axis]);
    return s.extract(source, from);
  }));
}

//===----------------------------------------------------------------------===//
// Unique
//===----------------------------------------------------------------------===//

namespace {
/// SelectedRows of a matrix of which some are equal.
struct SelectedRows {
  /// `[count, width]`.
  Tensor *matrix;

  AffineExpr count() const { return matrix->dims[0]; }
};

/// Equal rows, a group each: where the first one stands, and how many they are.
struct Groups {
  Tensor *first, *sizes;
  /// The group of each row.
  Tensor *ofRow;
};
} // namespace

/// Numbers come before what is no number.
static Value comesBefore(Scalar &s, Value x, Value y) {
  Value less = s.compare(Order::LT, x, y);
  if (!isa<FloatType>(x.getType()))
    return less;
  return s.bitOr(
      less, s.bitAnd(s.compare(Order::NE, y, y), s.compare(Order::EQ, x, x)));
}

/// Whether a row is before another one, by the first element that differs.
static Value isLess(Node &n, const SelectedRows &rows, Scalar &s, Value i,
                    Value j) {
  Value source = n.value(rows.matrix);
  AffineExpr width = rows.matrix->dims[1];
  bool natural = isUnsigned(rows.matrix->type);
  auto compare = [&](Scalar &s, Value i, Value j, Value at) {
    Scalar typed(s.b, s.loc, natural);
    Value x = s.extract(source, {i, at}), y = s.extract(source, {j, at});
    return std::make_pair(comesBefore(typed, x, y), comesBefore(typed, y, x));
  };
  if (Emitter::known(width) == 1)
    return compare(s, i, j, s.index(0)).first;
  Type flag = s.b.getI1Type();
  Value no = s.integer(flag, 0);
  return carry(
      s, s.index(0), n.index(width), {no, no},
      [&](Scalar &s, Value at, ValueRange found) -> SmallVector<Value> {
        auto [less, greater] = compare(s, i, j, at);
        Value decided = s.bitOr(found[0], found[1]);
        return {s.select(decided, found[0], less),
                s.select(decided, found[1], greater)};
      })[0];
}

/// The elements of a list at positions.
static Tensor *takeAt(Node &n, Tensor *list, Tensor *positions) {
  if (!list || !positions)
    return nullptr;
  Value source = n.value(list), which = n.value(positions);
  return n.generate(positions->dims, list->type, [&](Scalar &s, ValueRange at) {
    return s.extract(source, positionAt(s, which, at[0]));
  });
}

/// Writes to each row, in sorted order, the number of its group.
static Value numberRows(Node &n, const SelectedRows &rows, Value order,
                        Tensor *starts) {
  Scalar s(n.b, n.loc);
  Value total = n.index(rows.count()), begins = n.value(starts);
  Value last = s.sub(n.index(starts->dims[0]), s.index(1));
  return carry(
      s, s.index(0), total, {emptyPositions(s, total), s.index(0)},
      [&](Scalar &s, Value at, ValueRange carried) -> SmallVector<Value> {
        Value next = s.min(s.add(carried[1], s.index(1)), last);
        Value begun = s.compare(Order::EQ, positionAt(s, begins, next), at);
        Value group = s.select(begun, next, carried[1]);
        return {insert(s, asElement(s, group), carried[0],
                       positionAt(s, order, at)),
                group};
      })[0];
}

static Groups groupRows(Node &n, const SelectedRows &rows) {
  Scalar s(n.b, n.loc);
  Value total = n.index(rows.count());
  auto less = [&](Scalar &s, Value i, Value j) {
    return isLess(n, rows, s, i, j);
  };
  Value order = sortedPositions(s, total, less);
  Tensor *starts = positionsWhere(n, rows.count(), [&](Scalar &s, Value at) {
    Value zero = s.index(0), before = s.max(s.sub(at, s.index(1)), zero);
    return s.bitOr(
        s.compare(Order::EQ, at, zero),
        less(s, positionAt(s, order, before), positionAt(s, order, at)));
  });
  Groups groups = {nullptr, nullptr, nullptr};
  if (!starts)
    return groups;
  Tensor *sorted = n.make(order, DataType::Int64, rows.count());
  groups.first = takeAt(n, sorted, starts);
  Value begins = n.value(starts), count = n.index(starts->dims[0]);
  groups.sizes =
      n.generate(starts->dims, DataType::Int64, [&](Scalar &s, ValueRange at) {
        Value next = s.add(at[0], s.index(1)), one = s.index(1);
        Value begin = positionAt(s, begins, s.min(next, s.sub(count, one)));
        Value isLast = s.compare(Order::EQ, next, count);
        return asElement(s, s.sub(s.select(isLast, total, begin),
                                  positionAt(s, begins, at[0])));
      });
  groups.ofRow =
      n.make(numberRows(n, rows, order, starts), DataType::Int64, rows.count());
  return groups;
}

/// The groups in the order of their first rows.
static Groups unsorted(Node &n, const Groups &groups) {
  Scalar s(n.b, n.loc);
  AffineExpr count = groups.first->dims[0];
  Value first = n.value(groups.first), total = n.index(count);
  Value order = sortedPositions(s, total, [&](Scalar &s, Value i, Value j) {
    return s.compare(Order::LT, s.extract(first, i), s.extract(first, j));
  });
  Value places =
      carry(s, s.index(0), total, emptyPositions(s, total),
            [&](Scalar &s, Value at, ValueRange carried) -> SmallVector<Value> {
              return {insert(s, asElement(s, at), carried[0],
                             positionAt(s, order, at))};
            })[0];
  Tensor *which = n.make(order, DataType::Int64, count);
  Tensor *place = n.make(places, DataType::Int64, count);
  return {takeAt(n, groups.first, which), takeAt(n, groups.sizes, which),
          takeAt(n, place, groups.ofRow)};
}

/// The rows at the positions, as slices of `like` along the axis.
static Tensor *takeRows(Node &n, const SelectedRows &rows, Tensor *positions,
                        Tensor *like, int64_t axis) {
  if (!positions)
    return nullptr;
  Value source = n.value(rows.matrix), which = n.value(positions);
  Sizes dims = {positions->dims[0], rows.matrix->dims[1]};
  Tensor *taken = n.generate(dims, like->type, [&](Scalar &s, ValueRange at) {
    return s.extract(source, {positionAt(s, which, at[0]), at[1]});
  });
  Sizes leading = {dims[0]};
  SmallVector<int64_t> back;
  for (int64_t dim = 0; dim < like->rank(); ++dim) {
    if (dim != axis)
      leading.push_back(like->dims[dim]);
    back.push_back(dim < axis ? dim + 1 : dim == axis ? 0 : dim);
  }
  return taken ? n.transpose(n.reshape(taken, leading), back) : nullptr;
}

static LogicalResult importUnique(Node &n) {
  bool sorts = n.integer("sorted", 1);
  int64_t axis = 0;
  Tensor *x = alongAxis(n, axis);
  if (!x)
    return failure();
  SmallVector<int64_t> toFront = {axis};
  Sizes others;
  for (int64_t dim = 0; dim < x->rank(); ++dim)
    if (dim != axis) {
      toFront.push_back(dim);
      others.push_back(x->dims[dim]);
    }
  Tensor *front = n.transpose(x, toFront);
  SelectedRows rows = {
      front ? n.reshape(front, {x->dims[axis], n.product(others)}) : nullptr};
  if (!rows.matrix)
    return failure();
  Groups groups = groupRows(n, rows);
  if (!sorts && groups.first)
    groups = unsorted(n, groups);
  if (failed(n.output(0, takeRows(n, rows, groups.first, x, axis))) ||
      failed(n.output(1, groups.first)) || failed(n.output(2, groups.ofRow)))
    return failure();
  return n.output(3, groups.sizes);
}

ArrayRef<Operator> mlir::prune::onnx_import::selectionOperators() {
  static const Operator operators[] = {
      {"Compress", 9, kNewest, 2, ChannelRule::Keep, importCompress},
      {"NonMaxSuppression", 10, kNewest, 2, ChannelRule::Keep,
       importNonMaxSuppression},
      {"NonZero", 9, kNewest, 1, ChannelRule::Keep, importNonZero},
      {"Unique", 11, kNewest, 1, ChannelRule::Keep, importUnique},
  };
  return operators;
}
