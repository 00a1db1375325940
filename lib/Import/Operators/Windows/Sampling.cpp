//===- Sampling.cpp - Images at positions that are data -------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// GridSample reads an image between its pixels: per axis, a position becomes a
// few pixels with weights, and the result is the sum over all combinations. A
// pixel outside of the image is nothing, the nearest one or a mirrored one. All
// indices are kept within the image, whatever the grid says: what is no number
// counts as far to the left.
//
// AffineGrid makes such positions: those of all pixels, transformed.
//
//===----------------------------------------------------------------------===//

#include "Import/Model/Node.h"
#include "Interpolation.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;

namespace {
enum class Taps { Nearest, Linear, Cubic };
enum class Outside { Zeros, Border, Reflection };

struct Sampling {
  Taps taps;
  Outside outside;
  /// Whether -1 and 1 are the centers of the outer pixels, not their borders.
  bool alignCorners;
};

/// A pixel along an axis.
struct Tap {
  Value index;
  /// Null if it is one.
  Value weight;
  /// Null if it is inside in any case.
  Value isInside;
};

/// What a body knows of an axis.
struct SampledAxis {
  Value size;
  /// As a float of the positions' type: size, least and greatest position.
  Value extent, low, high;
};
} // namespace

//===----------------------------------------------------------------------===//
// Positions
//===----------------------------------------------------------------------===//

/// Beyond this no image has pixels, and below it floats become integers.
static constexpr double kFar = 1e9;

static Value within(Scalar &s, Value x, Value low, Value high) {
  // What is no number becomes the least.
  x = s.select(s.compare(Order::GT, x, low), x, low);
  return s.select(s.compare(Order::LT, x, high), x, high);
}

static SampledAxis axisOf(Scalar &s, const Sampling &by, Value size,
                          Type type) {
  SampledAxis axis;
  axis.size = size;
  axis.extent = s.fromIndex(size, type);
  double margin = by.alignCorners ? 0.0 : -0.5;
  axis.low = s.constant(type, margin);
  axis.high = s.add(axis.extent, s.constant(type, by.alignCorners ? -1 : -0.5));
  return axis;
}

/// Mirrors a position at both ends until it lies between them.
static Value reflect(Scalar &s, Value x, const SampledAxis &axis) {
  Type type = x.getType();
  Value span = s.sub(axis.high, axis.low);
  Value distance = s.abs(s.sub(x, axis.low));
  Value turns = s.unary("Floor", s.div(distance, span));
  Value rest = s.sub(distance, s.mul(turns, span));
  Value two = s.constant(type, 2);
  Value half = s.div(turns, two);
  Value isEven = s.compare(Order::EQ, s.unary("Floor", half), half);
  Value mirrored =
      s.select(isEven, s.add(axis.low, rest), s.sub(axis.high, rest));
  // An axis of one pixel has no length.
  mirrored = within(s, mirrored, axis.low, axis.high);
  Value isInside = s.bitAnd(s.compare(Order::GE, x, axis.low),
                            s.compare(Order::LE, x, axis.high));
  return s.select(isInside, x, mirrored);
}

/// From [-1, 1] to pixels.
static Value positionOf(Scalar &s, const Sampling &by, Value given,
                        const SampledAxis &axis) {
  Type type = given.getType();
  Value one = s.constant(type, 1), two = s.constant(type, 2), x;
  Value shifted = s.add(given, one);
  if (by.alignCorners)
    x = s.mul(s.div(shifted, two), s.sub(axis.extent, one));
  else
    x = s.div(s.sub(s.mul(shifted, axis.extent), one), two);
  if (by.taps == Taps::Nearest)
    x = s.unary("Round", x);
  // Of a cubic, it is the pixels around the position that are moved.
  if (by.outside == Outside::Border && by.taps != Taps::Cubic)
    x = within(s, x, s.constant(type, 0), s.sub(axis.extent, one));
  if (by.outside == Outside::Reflection)
    x = reflect(s, x, axis);
  return within(s, x, s.constant(type, -kFar), s.constant(type, kFar));
}

/// The pixel at a whole position.
static Tap tapAt(Scalar &s, const Sampling &by, Value x,
                 const SampledAxis &axis, Value weight) {
  Tap tap = {nullptr, weight, nullptr};
  if (by.outside == Outside::Reflection)
    x = reflect(s, x, axis);
  Value wide = s.cast(x, s.b.getI64Type(), false);
  Value at = Scalar(s.b, s.loc).toIndex(wide), zero = s.index(0);
  Value last = s.sub(axis.size, s.index(1));
  tap.index = s.max(s.min(at, last), zero);
  if (by.outside == Outside::Zeros)
    tap.isInside = s.compare(Order::EQ, tap.index, at);
  return tap;
}

/// Keys' weights of the four pixels around a position; `t` is how far it is
/// behind the second one.
static SmallVector<Value> cubicWeights(Scalar &s, Value t) {
  constexpr double a = -0.75;
  Real behind = {&s, t}, before = behind.like(1) - behind;
  return {cubicFar(a, behind + 1.0).v, cubicNear(a, behind).v,
          cubicNear(a, before).v, cubicFar(a, before + 1.0).v};
}

/// The pixels along an axis that a position reads.
static SmallVector<Tap> tapsAt(Scalar &s, const Sampling &by, Value x,
                               const SampledAxis &axis, Type element) {
  if (by.taps == Taps::Nearest)
    return {tapAt(s, by, x, axis, nullptr)};
  Type type = x.getType();
  Value floor = s.unary("Floor", x), t = s.sub(x, floor);
  SmallVector<Value> weights = {s.sub(s.constant(type, 1), t), t};
  int64_t first = 0;
  if (by.taps == Taps::Cubic) {
    weights = cubicWeights(s, t);
    first = -1;
  }
  SmallVector<Tap> taps;
  for (auto [at, weight] : llvm::enumerate(weights)) {
    double offset = first + static_cast<int64_t>(at);
    taps.push_back(tapAt(s, by, s.add(floor, s.constant(type, offset)), axis,
                         s.cast(weight, element, false)));
  }
  return taps;
}

//===----------------------------------------------------------------------===//
// GridSample
//===----------------------------------------------------------------------===//

/// The weighted sum over the taps of the axes from `dim` on.
static Value sample(Scalar &s, Value image, ArrayRef<SmallVector<Tap>> taps,
                    SmallVectorImpl<Value> &at, Value isInside) {
  if (taps.empty()) {
    Value pixel = s.extract(image, at);
    return isInside ? s.select(isInside, pixel, s.constant(pixel.getType(), 0))
                    : pixel;
  }
  Value sum;
  for (const Tap &tap : taps.front()) {
    at.push_back(tap.index);
    Value inside = tap.isInside && isInside ? s.bitAnd(isInside, tap.isInside)
                   : isInside               ? isInside
                                            : tap.isInside;
    Value part = sample(s, image, taps.drop_front(), at, inside);
    at.pop_back();
    if (tap.weight)
      part = s.mul(part, tap.weight);
    sum = sum ? s.add(sum, part) : part;
  }
  return sum;
}

static std::optional<Taps> parseTaps(StringRef mode, bool isOld) {
  if (mode == "nearest")
    return Taps::Nearest;
  if (mode == (isOld ? "bilinear" : "linear"))
    return Taps::Linear;
  if (mode == (isOld ? "bicubic" : "cubic"))
    return Taps::Cubic;
  return std::nullopt;
}

static std::optional<Outside> parseOutside(StringRef mode) {
  if (mode == "zeros")
    return Outside::Zeros;
  if (mode == "border")
    return Outside::Border;
  if (mode == "reflection")
    return Outside::Reflection;
  return std::nullopt;
}

static std::optional<Sampling> readSampling(Node &n) {
  bool isOld = n.opset < 20;
  std::string mode = n.string("mode", isOld ? "bilinear" : "linear");
  std::string padding = n.string("padding_mode", "zeros");
  std::optional<Taps> taps = parseTaps(mode, isOld);
  std::optional<Outside> outside = parseOutside(padding);
  if (!taps)
    n.error() << "has an unknown mode, '" << mode << "'";
  else if (!outside)
    n.error() << "has an unknown padding_mode, '" << padding << "'";
  if (!taps || !outside)
    return std::nullopt;
  return Sampling{*taps, *outside, n.integer("align_corners", 0) != 0};
}

/// f16 and bf16 are too narrow for positions and sums.
static Tensor *widened(Node &n, Tensor *x) {
  return isHalf(x->type) ? n.convert(x, DataType::Float) : x;
}

static bool hasGrid(Node &n) {
  Tensor *x = n.input(0), *grid = n.input(1);
  int64_t most = n.opset < 20 ? 4 : 5, rank = x->rank();
  return n.hasRank(0, 4, most) && n.hasRank(1, rank, rank) && n.isFloating(1) &&
         n.requireEqual(x->dims[0], grid->dims[0], "batch sizes") &&
         n.requireEqual(grid->dims.back(), n.size(rank - 2),
                        "numbers of a position and spatial dimensions");
}

static LogicalResult importGridSample(Node &n) {
  if (!hasGrid(n))
    return failure();
  std::optional<Sampling> by = readSampling(n);
  if (!by || (by->taps != Taps::Nearest && !n.isFloating(0)))
    return failure();
  DataType type = n.input(0)->type;
  Tensor *x = widened(n, n.input(0)), *grid = widened(n, n.input(1));
  if (!x || !grid)
    return failure();
  int64_t spatial = x->rank() - 2;
  Value image = n.value(x), positions = n.value(grid);
  SmallVector<Value> sizes;
  for (AffineExpr dim : ArrayRef(x->dims).drop_front(2))
    sizes.push_back(n.index(dim));
  Sizes dims = {x->dims[0], x->dims[1]};
  llvm::append_range(dims, ArrayRef(grid->dims).slice(1, spatial));
  Type element = elementType(x->type, n.state.context);
  Tensor *result = n.generate(dims, x->type, [&](Scalar &s, ValueRange at) {
    Scalar plain(s.b, s.loc);
    SmallVector<Value> where = {at[0]};
    llvm::append_range(where, at.drop_front(2));
    SmallVector<SmallVector<Tap>> taps;
    for (int64_t dim = 0; dim < spatial; ++dim) {
      // The last axis comes first.
      where.push_back(plain.index(spatial - 1 - dim));
      Value given = plain.extract(positions, where);
      where.pop_back();
      SampledAxis axis = axisOf(plain, *by, sizes[dim], given.getType());
      Value position = positionOf(plain, *by, given, axis);
      taps.push_back(tapsAt(plain, *by, position, axis, element));
    }
    SmallVector<Value> pixel = {at[0], at[1]};
    return sample(plain, image, taps, pixel, nullptr);
  });
  return n.output(result && type != x->type ? n.convert(result, type) : result);
}

//===----------------------------------------------------------------------===//
// AffineGrid
//===----------------------------------------------------------------------===//

/// Where the pixels of an axis are: between -1 and 1.
static Value centerOf(Scalar &s, Value at, Value size, bool alignCorners,
                      Type type) {
  Value x = s.fromIndex(at, type), extent = s.fromIndex(size, type);
  Value one = s.constant(type, 1), two = s.constant(type, 2);
  if (!alignCorners)
    return s.sub(s.div(s.add(s.mul(x, two), one), extent), one);
  // A single pixel is in the middle.
  Value steps = s.sub(extent, one);
  Value isSingle = s.compare(Order::LE, steps, s.constant(type, 0));
  Value center = s.sub(s.div(s.mul(x, two), steps), one);
  return s.select(isSingle, s.constant(type, 0), center);
}

static LogicalResult importAffineGrid(Node &n) {
  bool alignCorners = n.integer("align_corners", 0);
  if (!n.hasRank(0, 3, 3) || !n.isFloating(0) || !n.hasRank(1, 1, 1))
    return failure();
  auto size = n.elements(1);
  if (!size)
    return failure();
  int64_t spatial = static_cast<int64_t>(size->size()) - 2;
  if (spatial != 2 && spatial != 3)
    return n.error() << "expects a size of 4 or 5 numbers, but got "
                     << size->size();
  Tensor *given = n.input(0);
  if (!n.requireEqual(given->dims[0], size->front(), "batch sizes") ||
      !n.requireEqual(given->dims[1], n.size(spatial), "rows of theta") ||
      !n.requireEqual(given->dims[2], n.size(spatial + 1), "columns of theta"))
    return failure();
  n.computeWide();
  Tensor *theta = n.input(0);
  Sizes dims = {given->dims[0]};
  llvm::append_range(dims, ArrayRef(*size).drop_front(2));
  SmallVector<Value> sizes;
  for (AffineExpr dim : ArrayRef(*size).drop_front(2))
    sizes.push_back(n.index(dim));
  dims.push_back(n.size(spatial));
  Value factors = n.value(theta);
  Type type = elementType(theta->type, n.state.context);
  return n.output(n.generate(dims, theta->type, [&](Scalar &s, ValueRange at) {
    // The last axis comes first.
    Value row = at.back(), sum;
    for (int64_t dim = 0; dim < spatial; ++dim) {
      int64_t axis = spatial - 1 - dim;
      Value x = centerOf(s, at[axis + 1], sizes[axis], alignCorners, type);
      Value part = s.mul(s.extract(factors, {at[0], row, s.index(dim)}), x);
      sum = sum ? s.add(sum, part) : part;
    }
    return s.add(sum, s.extract(factors, {at[0], row, s.index(spatial)}));
  }));
}

ArrayRef<Operator> mlir::prune::onnx_import::samplingOperators() {
  static const Operator operators[] = {
      {"AffineGrid", 20, kNewest, 2, ChannelRule::Keep, importAffineGrid},
      {"GridSample", 16, kNewest, 2, ChannelRule::Keep, importGridSample},
  };
  return operators;
}
