//===- RegionPools.cpp - RoiAlign and MaxRoiPool --------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Pools over regions of an image: each is cut into bins, and a bin gives the
// average or the greatest of what it covers. How much that is depends on the
// region, which is data, so bins are loops. No pixel outside of the image is
// read, whatever the regions say.
//
//===----------------------------------------------------------------------===//

#include "Import/Operators/Selection/Selection.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;

namespace {
/// A region's side along an axis, cut into bins.
struct Side {
  /// Where it begins, and how long a bin is, in pixels.
  Value begin, bin;
  /// Pixels of the image.
  Value size;
};

/// Two neighbouring pixels around a position.
struct Between {
  Value low, high;
  /// Of the high one.
  Value weight;
  Value isInside;
};
} // namespace

/// No side is sampled at more points, whatever its region's size.
static constexpr int64_t kMostSamples = 1 << 20;

/// A whole number within [least, most] as an index; what is no number is the
/// least.
static Value wholeWithin(Scalar &s, Value x, Value least, Value most) {
  x = s.select(s.compare(Order::GT, x, least), x, least);
  x = s.select(s.compare(Order::LT, x, most), x, most);
  return s.toIndex(s.cast(x, s.b.getI64Type(), false));
}

static Between between(Scalar &s, Value x, Value size) {
  Type type = x.getType();
  Value zero = s.constant(type, 0), extent = s.fromIndex(size, type);
  Between result;
  result.isInside = s.bitAnd(s.compare(Order::GE, x, s.constant(type, -1)),
                             s.compare(Order::LE, x, extent));
  Value last = s.sub(size, s.index(1));
  Value low = s.min(wholeWithin(s, x, zero, extent), last);
  result.low = s.max(low, s.index(0));
  result.high = s.max(s.min(s.add(low, s.index(1)), last), s.index(0));
  Value rest = s.sub(s.max(x, zero), s.fromIndex(low, type));
  result.weight = s.select(s.compare(Order::EQ, low, last), zero, rest);
  return result;
}

/// Sums up what the points of a bin give, or takes the greatest.
static Value alignBin(Scalar &s, ArrayRef<Side> sides, ValueRange bins,
                      ValueRange samples, bool takesMax,
                      function_ref<Value(Scalar &, Value, Value)> pixel) {
  Type type = sides[0].bin.getType();
  Value start = takesMax ? s.extreme(type, false) : s.constant(type, 0);
  auto pointAt = [&](Scalar &s, int64_t axis, Value at) {
    const Side &side = sides[axis];
    Value count = s.fromIndex(samples[axis], type);
    Value middle = s.add(s.fromIndex(at, type), s.constant(type, 0.5));
    Value first =
        s.add(side.begin, s.mul(s.fromIndex(bins[axis], type), side.bin));
    return between(s, s.add(first, s.div(s.mul(middle, side.bin), count)),
                   side.size);
  };
  auto addPoint = [&](Scalar &s, const Between &y, const Between &x,
                      Value sum) {
    Value one = s.constant(type, 1), zero = s.constant(type, 0), value;
    for (bool highY : {false, true})
      for (bool highX : {false, true}) {
        Value weight = s.mul(highY ? y.weight : s.sub(one, y.weight),
                             highX ? x.weight : s.sub(one, x.weight));
        Value part = s.mul(
            weight, pixel(s, highY ? y.high : y.low, highX ? x.high : x.low));
        // The greatest of the weighted pixels, as all implementations have it.
        value = !value     ? part
                : takesMax ? s.max(value, part)
                           : s.add(value, part);
      }
    value = s.select(s.bitAnd(y.isInside, x.isInside), value, zero);
    return takesMax ? s.max(sum, value) : s.add(sum, value);
  };
  Value zero = s.index(0);
  return carry(
      s, zero, samples[0], start,
      [&](Scalar &s, Value i, ValueRange outer) -> SmallVector<Value> {
        Between y = pointAt(s, 0, i);
        return carry(
            s, zero, samples[1], outer,
            [&](Scalar &s, Value j, ValueRange inner) -> SmallVector<Value> {
              return {addPoint(s, y, pointAt(s, 1, j), inner[0])};
            });
      })[0];
}

static LogicalResult checkRegions(Node &n, int64_t columns,
                                  ArrayRef<int64_t> bins) {
  if (!n.hasRank(0, 4, 4) || !n.hasRank(1, 2, 2) || !n.isFloating(0) ||
      !n.sameTypes({0, 1}) ||
      !n.requireEqual(n.input(1)->dims[1], n.size(columns),
                      "numbers of a region and those it has"))
    return failure();
  for (int64_t count : bins)
    if (count < 1 || count > (int64_t(1) << 31))
      return n.error() << "expects a positive number of bins, but got "
                       << count;
  return success();
}

/// Bins of all regions: `body` gives the element of a bin.
static Tensor *
poolRegions(Node &n, ArrayRef<int64_t> bins, int64_t columns,
            function_ref<Value(Scalar &, ValueRange, ValueRange)> body) {
  Tensor *x = n.input(0), *regions = n.input(1);
  Sizes dims = {regions->dims[0], x->dims[1], n.size(bins[0]), n.size(bins[1])};
  Tensor *result = n.make(n.empty(dims, x->type), x->type, dims);
  if (n.state.failed)
    return nullptr;
  Value source = n.value(regions);
  return n.loopOver(
      dims, result, [&](Scalar &s, ValueRange at, Value whole) -> Value {
        SmallVector<Value> region;
        for (int64_t part = 0; part < columns; ++part)
          region.push_back(s.extract(source, {at[0], s.index(part)}));
        return tensor::InsertOp::create(s.b, s.loc, body(s, at, region), whole,
                                        at);
      });
}

namespace {
struct Align {
  bool takesMax;
  /// Whether pixels are points in the middle of squares.
  bool isHalfPixel;
  /// Points of a bin along an axis; zero: as many as it has pixels.
  int64_t ratio;
  double scale;
  SmallVector<int64_t> bins;
};
} // namespace

static std::optional<Align> readAlign(Node &n) {
  std::string mode = n.string("mode", "avg");
  std::string coordinates =
      n.opset < 16 ? "output_half_pixel"
                   : n.string("coordinate_transformation_mode", "half_pixel");
  Align by = {mode == "max",
              coordinates == "half_pixel",
              n.integer("sampling_ratio", 0),
              n.number("spatial_scale", 1.0),
              {n.integer("output_height", 1), n.integer("output_width", 1)}};
  if (n.state.failed)
    return std::nullopt;
  if (mode != "avg" && mode != "max")
    n.error() << "has an unknown mode, '" << mode << "'";
  else if (!by.isHalfPixel && coordinates != "output_half_pixel")
    n.error() << "has an unknown coordinate_transformation_mode, '"
              << coordinates << "'";
  else if (by.ratio < 0 || by.ratio > kMostSamples)
    n.error() << "expects a sampling_ratio of 0 to " << kMostSamples
              << ", but got " << by.ratio;
  else
    return by;
  return std::nullopt;
}

/// A region's side along an axis, of four numbers: x and y of two corners.
static Side sideOf(Scalar &s, const Align &by, ValueRange region, int64_t axis,
                   Value size) {
  Type type = region[0].getType();
  auto corner = [&](int64_t at) {
    Value scaled = s.mul(region[at], s.constant(type, by.scale));
    return by.isHalfPixel ? s.sub(scaled, s.constant(type, 0.5)) : scaled;
  };
  Side side = {corner(1 - axis), nullptr, size};
  Value length = s.sub(corner(3 - axis), side.begin);
  if (!by.isHalfPixel)
    length = s.max(length, s.constant(type, 1));
  side.bin = s.div(length, s.constant(type, by.bins[axis]));
  return side;
}

/// How many points of a bin count along an axis.
static Value samplesOf(Scalar &s, const Align &by, const Side &side) {
  if (by.ratio)
    return s.index(by.ratio);
  Type type = side.bin.getType();
  return wholeWithin(s, s.unary("Ceil", side.bin), s.constant(type, 0),
                     s.constant(type, kMostSamples));
}

static LogicalResult importRoiAlign(Node &n) {
  std::optional<Align> by = readAlign(n);
  if (!by || failed(checkRegions(n, 4, by->bins)) || !n.hasRank(2, 1, 1))
    return failure();
  Tensor *which = n.input(2);
  if (which->type != DataType::Int64)
    return n.error() << "expects batch indices of type int64, but got "
                     << nameOf(which->type);
  if (!n.requireEqual(n.input(1)->dims[0], which->dims[0],
                      "numbers of regions"))
    return failure();
  n.computeWide();
  Tensor *x = n.input(0);
  Value image = n.value(x), batches = n.value(which);
  SmallVector<Value> sizes = llvm::map_to_vector(
      x->dims, [&](AffineExpr dim) { return n.index(dim); });
  auto poolBin = [&](Scalar &s, ValueRange at, ValueRange region) {
    SmallVector<Side> sides;
    SmallVector<Value> samples;
    for (int64_t axis = 0; axis < 2; ++axis) {
      sides.push_back(sideOf(s, *by, region, axis, sizes[axis + 2]));
      samples.push_back(samplesOf(s, *by, sides.back()));
    }
    Value batch = indexWithin(s, s.extract(batches, at[0]), sizes[0]);
    auto pixel = [&](Scalar &s, Value row, Value column) {
      return s.extract(image, {batch, at[1], row, column});
    };
    Value result =
        alignBin(s, sides, at.drop_front(2), samples, by->takesMax, pixel);
    Value count = s.mul(samples[0], samples[1]);
    Type type = result.getType();
    if (!by->takesMax)
      return s.div(result, s.fromIndex(s.max(count, s.index(1)), type));
    Value isEmpty = s.compare(Order::EQ, count, s.index(0));
    return s.select(isEmpty, s.constant(type, 0), result);
  };
  return n.output(poolRegions(n, by->bins, 4, poolBin));
}

/// From where to where a bin reaches along an axis, in pixels of the image.
static std::pair<Value, Value> reachOf(Scalar &s, ValueRange region,
                                       int64_t axis, double scale, int64_t bins,
                                       Value bin, Value size) {
  Type type = region[0].getType();
  Value far = s.constant(type, 1 << 30), zero = s.index(0);
  auto corner = [&](int64_t at) {
    // Halves go away from zero.
    Value x = s.mul(region[at], s.constant(type, scale));
    Value half = s.constant(type, 0.5);
    Value up = s.unary("Floor", s.add(x, half));
    Value down = s.unary("Ceil", s.sub(x, half));
    Value isDown = s.compare(Order::LT, x, s.constant(type, 0));
    return wholeWithin(s, s.select(isDown, down, up), s.neg(far), far);
  };
  Value begin = corner(2 - axis), end = corner(4 - axis), one = s.index(1);
  Value length = s.max(s.add(s.sub(end, begin), one), one);
  Value step = s.div(s.fromIndex(length, type), s.constant(type, bins));
  auto edge = [&](StringRef rounding, Value at) {
    Value x = s.unary(rounding, s.mul(s.fromIndex(at, type), step));
    Value whole = s.add(wholeWithin(s, x, s.neg(far), far), begin);
    return s.min(s.max(whole, zero), size);
  };
  return {edge("Floor", bin), edge("Ceil", s.add(bin, one))};
}

static LogicalResult importMaxRoiPool(Node &n) {
  SmallVector<int64_t> bins = n.integers("pooled_shape");
  double scale = n.number("spatial_scale", 1.0);
  if (bins.size() != 2)
    return n.error() << "expects a pooled_shape of 2 numbers";
  if (failed(checkRegions(n, 5, bins)))
    return failure();
  n.computeWide();
  Tensor *x = n.input(0);
  Value image = n.value(x);
  SmallVector<Value> sizes = llvm::map_to_vector(
      x->dims, [&](AffineExpr dim) { return n.index(dim); });
  auto poolBin = [&](Scalar &s, ValueRange at, ValueRange region) {
    Type type = region[0].getType();
    Value last = s.fromIndex(sizes[0], type);
    Value given = wholeWithin(s, region[0], s.constant(type, 0), last);
    Value batch = s.max(s.min(given, s.sub(sizes[0], s.index(1))), s.index(0));
    auto [top, bottom] = reachOf(s, region, 0, scale, bins[0], at[2], sizes[2]);
    auto [left, right] = reachOf(s, region, 1, scale, bins[1], at[3], sizes[3]);
    Value least = s.extreme(type, false);
    Value greatest = carry(
        s, top, bottom, least,
        [&, left = left, right = right](
            Scalar &s, Value row, ValueRange outer) -> SmallVector<Value> {
          return carry(s, left, right, outer,
                       [&](Scalar &s, Value column,
                           ValueRange inner) -> SmallVector<Value> {
                         Value pixel =
                             s.extract(image, {batch, at[1], row, column});
                         return {s.max(inner[0], pixel)};
                       });
        })[0];
    Value isEmpty = s.bitOr(s.compare(Order::LE, bottom, top),
                            s.compare(Order::LE, right, left));
    return s.select(isEmpty, s.constant(type, 0), greatest);
  };
  return n.output(poolRegions(n, bins, 5, poolBin));
}

ArrayRef<Operator> mlir::prune::onnx_import::regionOperators() {
  static const Operator operators[] = {
      {"MaxRoiPool", 1, kNewest, 2, ChannelRule::Keep, importMaxRoiPool},
      {"RoiAlign", 10, kNewest, 3, ChannelRule::Keep, importRoiAlign},
  };
  return operators;
}
