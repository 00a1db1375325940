//===- Resize.cpp - Resize and Upsample -----------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Interpolation is separable: along each axis an output element is a weighted
// sum of a few input elements. Positions and weights depend on sizes only, so
// they are computed at import, in double precision, and become small constant
// tables; sizes of the axes that change have to be known.
//
//===----------------------------------------------------------------------===//

#include "Indexing.h"

#include <cmath>

using namespace mlir;
using namespace mlir::prune::onnx_import;

namespace {
/// What the attributes say.
struct Rules {
  std::string mode, transformation, nearest;
  double cubic;
  bool excludeOutside;
  double extrapolation;
};

/// One axis that changes.
struct Axis {
  int64_t in, out;
  double scale;
  /// The region of interest, for tf_crop_and_resize.
  double begin = 0, end = 1;
};

/// Taps of an axis: for each output position, where and how much.
struct Taps {
  unsigned count;
  SmallVector<SmallVector<int64_t>> positions;
  SmallVector<SmallVector<double>> weights;
  /// Positions that lie outside of the input.
  SmallVector<bool> outside;
};
} // namespace

/// The place in the input of an output element.
static double sourceOf(const Rules &rules, const Axis &axis, int64_t at) {
  StringRef how = rules.transformation;
  double length = axis.out;
  if (how == "asymmetric")
    return at / axis.scale;
  if (how == "align_corners")
    return axis.out == 1 ? 0.0 : at * double(axis.in - 1) / (axis.out - 1);
  if (how == "pytorch_half_pixel")
    return axis.out > 1 ? (at + 0.5) / axis.scale - 0.5 : 0.0;
  if (how == "half_pixel_symmetric") {
    double adjustment = length / (axis.scale * axis.in);
    double centre = axis.in / 2.0;
    return centre * (1 - adjustment) + (at + 0.5) / axis.scale - 0.5;
  }
  if (how == "tf_crop_and_resize") {
    double span = axis.end - axis.begin;
    if (axis.out == 1)
      return 0.5 * (axis.begin + axis.end) * (axis.in - 1);
    return axis.begin * (axis.in - 1) +
           at * span * (axis.in - 1) / (axis.out - 1);
  }
  return (at + 0.5) / axis.scale - 0.5;
}

static int64_t roundNearest(StringRef how, double x) {
  double floor = std::floor(x);
  if (how == "floor")
    return floor;
  if (how == "ceil")
    return std::ceil(x);
  bool half = x - floor == 0.5;
  if (half)
    return how == "round_prefer_ceil" ? floor + 1 : floor;
  return std::round(x);
}

/// The weight of a cubic kernel at a distance.
static double cubicAt(double a, double x) {
  x = std::abs(x);
  if (x < 1)
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

/// Weights of the elements around a place.
static void interpolate(const Rules &rules, const Axis &axis, double x,
                        SmallVectorImpl<int64_t> &positions,
                        SmallVectorImpl<double> &weights) {
  if (rules.mode == "nearest") {
    positions.push_back(roundNearest(rules.nearest, x));
    weights.push_back(1);
  } else if (rules.mode == "linear") {
    double floor = std::floor(x), part = x - floor;
    positions.append({int64_t(floor), int64_t(floor) + 1});
    weights.append({1 - part, part});
  } else {
    double floor = std::floor(x), part = x - floor;
    for (int64_t tap = -1; tap <= 2; ++tap) {
      positions.push_back(int64_t(floor) + tap);
      weights.push_back(cubicAt(rules.cubic, part - tap));
    }
  }
  double total = 0;
  for (auto [position, weight] : llvm::zip(positions, weights)) {
    if (rules.excludeOutside && (position < 0 || position >= axis.in))
      weight = 0;
    total += weight;
    position = std::clamp<int64_t>(position, 0, axis.in - 1);
  }
  if (rules.excludeOutside && total != 0)
    for (double &weight : weights)
      weight /= total;
}

static Taps tapsOf(const Rules &rules, const Axis &axis) {
  Taps taps;
  for (int64_t at = 0; at < axis.out; ++at) {
    double x = sourceOf(rules, axis, at);
    taps.outside.push_back(rules.transformation == "tf_crop_and_resize" &&
                           (x < 0 || x > axis.in - 1));
    interpolate(rules, axis, x, taps.positions.emplace_back(),
                taps.weights.emplace_back());
  }
  taps.count = taps.positions.empty() ? 0 : taps.positions[0].size();
  return taps;
}

/// Aligns a vector with an axis.
static Tensor *along(Node &n, Tensor *vector, int64_t axis, int64_t rank) {
  Sizes dims = {vector->dims[0]};
  dims.append(rank - axis - 1, n.size(1));
  return n.reshape(vector, dims);
}

static Tensor *resizeAxis(Node &n, Tensor *x, int64_t at, const Rules &rules,
                          const Axis &axis) {
  Taps taps = tapsOf(rules, axis);
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
  return n.map({along(n, mask, at, x->rank()), result,
                n.Emitter::number(x->type, rules.extrapolation)},
               x->type, [](Scalar &s, ValueRange v) {
                 return s.select(v[0], v[2], v[1]);
               });
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

static std::optional<Rules> readRules(Node &n) {
  Rules rules;
  rules.mode = n.string("mode", "nearest");
  bool upsample = StringRef(n.proto.op_type()) == "Upsample" || n.opset < 11;
  rules.transformation =
      upsample ? "asymmetric"
               : n.string("coordinate_transformation_mode", "half_pixel");
  rules.nearest = upsample ? "floor"
                           : n.string("nearest_mode", "round_prefer_floor");
  rules.cubic = upsample ? -0.75 : n.number("cubic_coeff_a", -0.75);
  rules.excludeOutside = !upsample && n.integer("exclude_outside", 0);
  rules.extrapolation = upsample ? 0 : n.number("extrapolation_value", 0);
  // Rounding to even of the first version was never meant.
  static const StringRef transformations[] = {
      "half_pixel",    "asymmetric",           "align_corners",
      "pytorch_half_pixel", "half_pixel_symmetric", "tf_crop_and_resize"};
  static const StringRef roundings[] = {"round_prefer_floor",
                                        "round_prefer_ceil", "floor", "ceil"};
  if ((rules.mode != "nearest" && rules.mode != "linear" &&
       rules.mode != "cubic" && rules.mode != "bilinear") ||
      !llvm::is_contained(transformations, rules.transformation) ||
      !llvm::is_contained(roundings, rules.nearest)) {
    n.error() << "does not know how to resize by '" << rules.mode << "', '"
              << rules.transformation << "', '" << rules.nearest << "'";
    return std::nullopt;
  }
  if (rules.mode == "bilinear")
    rules.mode = "linear";
  if (!upsample && n.opset >= 18) {
    if (n.integer("antialias", 0) != 0) {
      n.error() << "antialias is not supported";
      return std::nullopt;
    }
    if (n.string("keep_aspect_ratio_policy", "stretch") != "stretch") {
      n.error() << "expects keep_aspect_ratio_policy to be 'stretch'";
      return std::nullopt;
    }
  }
  return rules;
}

/// The numbers of an input that has to be known.
static std::optional<SmallVector<double>> knownNumbers(Node &n, Tensor *x) {
  if (x->contents && x->isConstant()) {
    if (isFloat(x->type))
      return x->contents->floats;
    SmallVector<double> values;
    for (AffineExpr element : x->contents->ints)
      values.push_back(static_cast<double>(*Emitter::known(element)));
    return values;
  }
  n.error() << "expects scales, sizes and regions that are constants; fix open "
               "sizes with --dim";
  return std::nullopt;
}

static bool isEmpty(Tensor *x) {
  return !x || (x->rank() == 1 && Emitter::known(x->dims[0]) == 0);
}

/// Scales or sizes of the axes.
static std::optional<SmallVector<Axis>>
readAxes(Node &n, const Rules &rules, ArrayRef<int64_t> axes, Tensor *scales,
         Tensor *sizes, Tensor *region, SmallVector<double> attribute) {
  std::optional<SmallVector<double>> numbers;
  bool bySize = !isEmpty(sizes);
  if (!attribute.empty())
    numbers = attribute;
  else if (bySize)
    numbers = knownNumbers(n, sizes);
  else if (!isEmpty(scales))
    numbers = knownNumbers(n, scales);
  else
    n.error() << "expects scales or sizes";
  if (!numbers)
    return std::nullopt;
  std::optional<SmallVector<double>> borders = SmallVector<double>();
  if (!isEmpty(region)) {
    borders = knownNumbers(n, region);
    if (!borders)
      return std::nullopt;
  }
  if (numbers->size() != axes.size() ||
      (!borders->empty() && borders->size() != 2 * axes.size())) {
    n.error() << "expects scales or sizes for " << axes.size() << " axes";
    return std::nullopt;
  }
  SmallVector<Axis> result;
  for (auto [at, axis] : llvm::enumerate(axes)) {
    AffineExpr dim = n.input(0)->dims[axis];
    double number = (*numbers)[at];
    std::optional<int64_t> in = Emitter::known(dim);
    // An axis that stays may be of any size.
    if (!in && (number == 1.0 && !bySize)) {
      result.push_back({-1, -1, 1.0});
      continue;
    }
    if (!in) {
      n.error() << "cannot resize an open size; fix it with --dim";
      return std::nullopt;
    }
    double out = bySize ? number : std::floor(*in * number);
    if (!borders->empty() && !bySize)
      out = std::floor(*in * ((*borders)[at + axes.size()] - (*borders)[at]) *
                       number);
    if (!(out >= 1) || out > 1e6 || *in < 1) {
      n.error() << "cannot resize " << *in << " to " << out;
      return std::nullopt;
    }
    // Definition, reference and runtimes disagree about this one.
    if (rules.transformation == "align_corners" && rules.mode != "nearest" &&
        !bySize && out != *in * number) {
      n.error() << "cannot align corners where the scale " << number
                << " gives no whole size of " << *in;
      return std::nullopt;
    }
    Axis entry = {*in, static_cast<int64_t>(out),
                  bySize ? number / *in : number};
    if (!borders->empty()) {
      entry.begin = (*borders)[at];
      entry.end = (*borders)[at + axes.size()];
    }
    result.push_back(entry);
  }
  return result;
}

static LogicalResult importResize(Node &n) {
  Tensor *x = n.input(0);
  std::optional<Rules> rules = readRules(n);
  if (!rules)
    return failure();
  SmallVector<int64_t> axes = range(0, x->rank());
  Tensor *scales, *sizes = nullptr, *region = nullptr;
  SmallVector<double> attribute;
  if (StringRef(n.proto.op_type()) == "Upsample" || n.opset < 11) {
    scales = n.input(1);
    if (n.opset < 9)
      attribute = n.numbers("scales");
  } else {
    region = n.input(1);
    scales = n.input(2);
    sizes = n.input(3);
    if (n.opset >= 18 && n.has("axes")) {
      auto given = n.axes(n.integers("axes"), x->rank());
      if (!given)
        return failure();
      axes = *given;
    }
  }
  if (rules->transformation != "tf_crop_and_resize")
    region = nullptr;
  std::optional<SmallVector<Axis>> resized =
      readAxes(n, *rules, axes, scales, sizes, region, attribute);
  if (!resized)
    return failure();
  bool narrow = !isFloat(x->type) && rules->mode != "nearest";
  if (narrow)
    return n.error() << "interpolation of " << nameOf(x->type)
                     << " is not supported";
  if (rules->mode != "nearest") {
    n.computeWide();
    x = n.input(0);
  }
  for (auto [at, axis] : llvm::zip(axes, *resized)) {
    bool whole = axis.begin == 0 && axis.end == 1;
    if (!x || (axis.in == axis.out && axis.scale == 1.0 && whole))
      continue;
    x = resizeAxis(n, x, at, *rules, axis);
  }
  return n.output(x);
}

ArrayRef<Operator> mlir::prune::onnx_import::resizeOperators() {
  static const Operator operators[] = {
      {"Resize", 10, kNewest, 1, importResize,
       "sizes and scales are constants; no antialias, no keep_aspect_ratio_policy; integers by nearest only"},
      {"Upsample", 7, 9, 1, importResize,
       "scales are constants"},
  };
  return operators;
}
