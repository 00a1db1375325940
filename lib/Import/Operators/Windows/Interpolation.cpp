//===- Interpolation.cpp - Resizing one axis ------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Along an axis an output element is a weighted sum of a few input elements.
// Positions and weights depend on sizes only. Where these are known, they are
// computed at import, in double precision, and become small constant tables;
// else the program computes the same tables before it resizes.
//
//===----------------------------------------------------------------------===//

#include "Interpolation.h"
#include "Import/Operators/Selection/Indexing.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;

std::optional<Line<double>> ResizeAxis::known() const {
  std::optional<int64_t> from = Emitter::known(in), to = Emitter::known(out);
  if (!from || !to || !scale || !begin || !end)
    return std::nullopt;
  return Line<double>{double(*from), double(*to), *scale, *begin, *end};
}

/// Aligns a vector with an axis.
static Tensor *along(Node &n, Tensor *vector, int64_t axis, int64_t rank) {
  Sizes dims = {vector->dims[0]};
  dims.append(rank - axis - 1, n.size(1));
  return n.reshape(vector, dims);
}

/// Replaces what was read outside of the input.
static Tensor *extrapolate(Node &n, Tensor *x, Tensor *isOutside, int64_t at,
                           double value) {
  return n.map({along(n, isOutside, at, x->rank()), x,
                n.Emitter::number(x->type, value)},
               x->type, [](Scalar &s, ValueRange v) {
                 return s.select(v[0], v[2], v[1]);
               });
}

static bool extrapolates(const ResizeRules &rules) {
  return rules.transformation == "tf_crop_and_resize";
}

//===----------------------------------------------------------------------===//
// Known sizes
//===----------------------------------------------------------------------===//

namespace {
/// Taps of an axis: for each output position, where and how much.
struct Taps {
  unsigned count;
  SmallVector<SmallVector<int64_t>> positions;
  SmallVector<SmallVector<double>> weights;
  /// Positions that lie outside of the input.
  SmallVector<bool> outside;
};
} // namespace

/// Weights of the elements around a place.
static void interpolate(const ResizeRules &rules, int64_t size, double x,
                        SmallVectorImpl<int64_t> &positions,
                        SmallVectorImpl<double> &weights) {
  if (rules.isNearest()) {
    positions.push_back(toInteger(roundNearest(rules.nearest, x)));
    weights.push_back(1);
  } else {
    for (int64_t tap = 1 - rules.reach(); tap <= rules.reach(); ++tap) {
      positions.push_back(toInteger(std::floor(x) + tap));
      weights.push_back(weightOf(rules, std::floor(x) + tap - x));
    }
  }
  double total = 0;
  for (auto [position, weight] : llvm::zip(positions, weights)) {
    if (rules.excludeOutside && (position < 0 || position >= size))
      weight = 0;
    total += weight;
    position = std::clamp<int64_t>(position, 0, size - 1);
  }
  if (rules.excludeOutside && total != 0)
    for (double &weight : weights)
      weight /= total;
}

static Taps tapsOf(const ResizeRules &rules, const Line<double> &line) {
  Taps taps;
  for (int64_t at = 0; at < line.out; ++at) {
    double x = sourceOf(rules, line, double(at));
    bool isInside = x >= 0 && x <= line.in - 1;
    taps.outside.push_back(extrapolates(rules) && !isInside);
    interpolate(rules, line.in, x, taps.positions.emplace_back(),
                taps.weights.emplace_back());
  }
  taps.count = taps.positions.empty() ? 0 : taps.positions[0].size();
  return taps;
}

Tensor *mlir::prune::onnx_import::resizeKnown(Node &n, Tensor *x, int64_t at,
                                              const ResizeRules &rules,
                                              const Line<double> &line) {
  Taps taps = tapsOf(rules, line);
  Tensor *result = nullptr;
  for (unsigned tap = 0; tap < taps.count; ++tap) {
    SmallVector<int64_t> positions;
    for (const auto &row : taps.positions)
      positions.push_back(row[tap]);
    Tensor *part = pick(n, x, at, positions);
    if (taps.count > 1) {
      SmallVector<double> weights;
      for (const auto &row : taps.weights)
        weights.push_back(row[tap]);
      Tensor *vector = n.makeFloats(x->type, n.size(weights.size()), weights);
      part = n.mul(part, along(n, vector, at, x->rank()));
    }
    result = result ? n.add(result, part) : part;
  }
  if (!result || !llvm::is_contained(taps.outside, true))
    return result;
  SmallVector<AffineExpr> flags;
  for (bool outside : taps.outside)
    flags.push_back(n.size(outside));
  Tensor *mask = n.makeInts(DataType::Bool, n.size(flags.size()), flags);
  return extrapolate(n, result, mask, at, rules.extrapolation);
}

//===----------------------------------------------------------------------===//
// Sizes of the run
//===----------------------------------------------------------------------===//

namespace {
/// Computes the tables of one axis in the program.
class OpenTables {
public:
  OpenTables(Node &n, const ResizeRules &rules, const ResizeAxis &axis);

  /// Positions in the input: `[out]`, or `[out, taps]`.
  Tensor *positions();
  /// How much they count, `[out, taps]`.
  Tensor *weights(DataType type);
  /// Whether an element is read outside of the input, `[out]`.
  Tensor *outside();

  /// Null for the nearest element.
  AffineExpr taps;

private:
  Line<Real> line(Scalar &s) const {
    return {{&s, in}, {&s, out}, {&s, scale}, {&s, begin}, {&s, end}};
  }
  Real number(Scalar &s, Value index) const {
    return {&s, s.fromIndex(index, wide)};
  }
  Real source(Scalar &s, Value at) const {
    return sourceOf(rules, line(s), number(s, at));
  }
  /// Where a tap reads, perhaps outside.
  Real placeOf(Scalar &s, Real x, Value tap) const {
    return floorOf(x) + number(s, tap) + Real{&s, first};
  }
  void stretch(Scalar &s, const ResizeAxis &axis);

  Node &n;
  const ResizeRules &rules;
  AffineExpr size;
  Type wide;
  Value in, out, scale, begin, end;
  /// Distances shrink by that where the filter is stretched.
  Value shrink;
  /// The first tap, from the element before the place.
  Value first;
};
} // namespace

OpenTables::OpenTables(Node &n, const ResizeRules &rules,
                       const ResizeAxis &axis)
    : n(n), rules(rules), size(axis.out), wide(n.b.getF64Type()) {
  Scalar s(n.b, n.loc);
  auto either = [&](std::optional<double> known, Value open) {
    return known ? s.constant(wide, *known) : open;
  };
  in = s.fromIndex(n.index(axis.in), wide);
  out = s.fromIndex(n.index(axis.out), wide);
  scale = either(axis.scale, axis.openScale);
  begin = either(axis.begin, axis.openBegin);
  end = either(axis.end, axis.openEnd);
  if (!rules.isNearest())
    stretch(s, axis);
}

void OpenTables::stretch(Scalar &s, const ResizeAxis &axis) {
  double reach = rules.reach(), factor = 1;
  if (!rules.antialias || axis.scale) {
    if (rules.antialias)
      factor = std::min(*axis.scale, 1.0);
    reach = std::ceil(reach / factor);
    // A scale that makes no table makes no size either.
    if (!(reach < kMaxElements))
      reach = 1;
    shrink = s.constant(wide, factor);
    first = s.constant(wide, 1 - reach);
    taps = n.size(toInteger(2 * reach));
    return;
  }
  Real given = {&s, scale}, one = given.like(1);
  Real least = ifLess(given, one, given, one);
  Real open = ceilOf(given.like(reach) / least);
  // As above.
  open = ifLess(open, double(kMaxElements), open, one);
  shrink = least.v;
  first = (1.0 - open).v;
  Value count = s.cast((open * 2.0).v, n.b.getI64Type(), false);
  taps = n.symbol(s.toIndex(count));
}

Tensor *OpenTables::positions() {
  Sizes dims = {size};
  if (taps)
    dims.push_back(taps);
  return n.generate(dims, DataType::Int64, [&](Scalar &s, ValueRange at) {
    Real x = source(s, at[0]);
    Real place = taps ? placeOf(s, x, at[1]) : roundNearest(rules.nearest, x);
    // Also what is no number comes to lie within the input.
    Real last = Real{&s, in} - 1.0, zero = place.like(0);
    Real low = ifLess(zero, place, place, zero);
    return s.cast(ifLess(low, last, low, last).v, n.b.getI64Type(), false);
  });
}

Tensor *OpenTables::weights(DataType type) {
  Type element = elementType(type, n.state.context);
  Tensor *table =
      n.generate({size, taps}, DataType::Double, [&](Scalar &s, ValueRange at) {
        Real x = source(s, at[0]), place = placeOf(s, x, at[1]);
        Real weight = weightOf(rules, (place - x) * Real{&s, shrink});
        if (!rules.excludeOutside)
          return weight.v;
        Real none = place.like(0), size = {&s, in};
        return ifLess(place, 0.0, none, ifLess(place, size, weight, none)).v;
      });
  if (!rules.excludeOutside && !rules.antialias)
    return n.convert(table, type);
  Tensor *totals = n.sum(table, {1}, /*keepDims=*/true);
  return n.map({table, totals}, type, [&](Scalar &s, ValueRange v) {
    Value none = s.compare(Order::EQ, v[1], s.constant(wide, 0));
    Value total = s.select(none, s.constant(wide, 1), v[1]);
    return s.cast(s.div(v[0], total), element, false);
  });
}

Tensor *OpenTables::outside() {
  return n.generate(size, DataType::Bool, [&](Scalar &s, ValueRange at) {
    Real x = source(s, at[0]), last = Real{&s, in} - 1.0;
    Value isInside = s.bitAnd(s.compare(Order::GE, x.v, s.constant(wide, 0)),
                              s.compare(Order::LE, x.v, last.v));
    return s.compare(Order::EQ, isInside, s.constant(s.b.getI1Type(), 0));
  });
}

Tensor *mlir::prune::onnx_import::resizeOpen(Node &n, Tensor *x, int64_t at,
                                             const ResizeRules &rules,
                                             const ResizeAxis &axis) {
  OpenTables tables(n, rules, axis);
  Value source = n.value(x), places = n.value(tables.positions());
  Value weights = tables.taps ? n.value(tables.weights(x->type)) : nullptr;
  int64_t rank = x->rank();
  Sizes dims(x->dims);
  dims[at] = axis.out;
  if (weights)
    dims.push_back(tables.taps);
  auto read = [&](Scalar &s, ValueRange to) {
    SmallVector<Value> entry = {to[at]}, from(to.take_front(rank));
    if (weights)
      entry.push_back(to.back());
    Scalar plain(s.b, s.loc);
    from[at] = plain.toIndex(s.extract(places, entry));
    Value element = s.extract(source, from);
    return weights ? s.mul(element, s.extract(weights, entry)) : element;
  };
  Tensor *result = n.generate(dims, x->type, read);
  if (weights && result)
    result = n.sum(result, rank, /*keepDims=*/false);
  if (!result || !extrapolates(rules))
    return result;
  return extrapolate(n, result, tables.outside(), at, rules.extrapolation);
}
