//===- Resize.cpp - Resize and Upsample -----------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Interpolation is separable, so each axis is resized by itself. This reads
// what the node says: rules, and for each axis its sizes, its scale and its
// region. Each of these may be known, or be what the run gives.
//
//===----------------------------------------------------------------------===//

#include "Interpolation.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;

static bool isUpsample(Node &n) {
  return StringRef(n.proto.op_type()) == "Upsample" || n.opset < 11;
}

//===----------------------------------------------------------------------===//
// Rules
//===----------------------------------------------------------------------===//

/// What came with set 18.
static bool readSince18(Node &n, ResizeRules &rules) {
  int64_t antialias = n.integer("antialias", 0);
  rules.antialias = antialias != 0;
  rules.policy = n.string("keep_aspect_ratio_policy", "stretch");
  if (n.state.failed)
    return false;
  if (antialias != 0 && antialias != 1) {
    n.error() << "expects antialias to be 0 or 1, but got " << antialias;
    return false;
  }
  if (rules.policy == "stretch" || rules.policy == "not_larger" ||
      rules.policy == "not_smaller")
    return true;
  n.error() << "has an unknown keep_aspect_ratio_policy, '" << rules.policy
            << "'";
  return false;
}

static std::optional<ResizeRules> readRules(Node &n) {
  ResizeRules rules;
  bool upsample = isUpsample(n);
  rules.mode = n.string("mode", "nearest");
  rules.transformation =
      upsample ? "asymmetric"
               : n.string("coordinate_transformation_mode", "half_pixel");
  // Rounding to even of the first version was never meant.
  rules.nearest =
      upsample ? "floor" : n.string("nearest_mode", "round_prefer_floor");
  rules.cubic = upsample ? -0.75 : n.number("cubic_coeff_a", -0.75);
  rules.excludeOutside = !upsample && n.integer("exclude_outside", 0);
  rules.extrapolation = upsample ? 0 : n.number("extrapolation_value", 0);
  rules.antialias = false;
  rules.policy = "stretch";
  if (n.state.failed)
    return std::nullopt;
  static const StringRef transformations[] = {
      "half_pixel",          "asymmetric",           "align_corners",
      "pytorch_half_pixel",  "half_pixel_symmetric", "tf_crop_and_resize",
      "tf_half_pixel_for_nn"};
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
  if (!upsample && n.opset >= 18 && !readSince18(n, rules))
    return std::nullopt;
  return rules;
}

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

namespace {
/// A number of an input: known, or a float of 64 bits in the program.
struct Given {
  std::optional<double> known;
  Value open;
};

/// Where the sizes of the axes come from.
struct Wanted {
  Tensor *scales = nullptr, *sizes = nullptr, *region = nullptr;
  SmallVector<double> attribute;
};
} // namespace

/// The numbers of an input of `count` floats.
static std::optional<SmallVector<Given>> numbersOf(Node &n, Tensor *x,
                                                   size_t count) {
  if (!isFloat(x->type) || x->rank() != 1 || x->dims[0] != n.size(count)) {
    n.error() << "expects scales or sizes for " << count << " axes, but got "
              << nameOf(x->type) << n.text(x->dims);
    return std::nullopt;
  }
  SmallVector<Given> result;
  if (x->contents && x->isConstant()) {
    for (double number : x->contents->floats)
      result.push_back({number, nullptr});
    return result;
  }
  Scalar s(n.b, n.loc);
  for (size_t at = 0; at < count; ++at)
    result.push_back({std::nullopt, s.cast(s.extract(n.value(x), s.index(at)),
                                           n.b.getF64Type(), false)});
  return result;
}

static bool isEmpty(Tensor *x) {
  return !x || (x->rank() == 1 && Emitter::known(x->dims[0]) == 0);
}

/// Sizes that are made from and to something; others end the program.
static void requireElements(Node &n, ResizeAxis &axis) {
  Scalar s(n.b, n.loc);
  for (AffineExpr size : {axis.in, axis.out}) {
    if (Emitter::known(size))
      continue;
    Value some = s.compare(Order::GE, n.index(size), s.index(1));
    cf::AssertOp::create(n.b, n.loc, some,
                         "expects sizes of at least one to resize");
  }
}

/// Refuses sizes that are known and cannot be.
static bool checkKnown(Node &n, const ResizeAxis &axis) {
  std::optional<int64_t> in = Emitter::known(axis.in),
                         out = Emitter::known(axis.out);
  if ((!in || *in >= 1) && (!out || (*out >= 1 && *out <= 1000000)))
    return true;
  n.error() << "cannot resize " << n.text(axis.in) << " to "
            << n.text(axis.out);
  return false;
}

/// floor(in * factor), for a known factor; null if only the run can say.
static AffineExpr scaled(AffineExpr in, double factor) {
  // Halves and quarters are exact, and their sizes stay comparable.
  for (int64_t part : {1, 2, 4, 8, 16}) {
    double whole = factor * part;
    if (factor > 0 && factor <= 1024 && std::floor(whole) == whole)
      return (in * static_cast<int64_t>(whole)).floorDiv(part);
  }
  return nullptr;
}

/// A size by its scale, and by what the region leaves of it.
static AffineExpr sizeByScale(Node &n, const ResizeAxis &axis) {
  if (axis.scale && axis.begin && axis.end) {
    double span = *axis.end - *axis.begin;
    if (std::optional<int64_t> in = Emitter::known(axis.in)) {
      double out = std::floor(*in * span * *axis.scale);
      return n.size(out > 0 ? std::min<double>(out, kMaxElements) : 0);
    }
    if (AffineExpr size = scaled(axis.in, span * *axis.scale))
      return size;
  }
  Scalar s(n.b, n.loc);
  Type wide = n.b.getF64Type();
  auto real = [&](std::optional<double> known, Value open) {
    return Real{&s, known ? s.constant(wide, *known) : open};
  };
  Real in = {&s, s.fromIndex(n.index(axis.in), wide)};
  Real span = real(axis.end, axis.openEnd) - real(axis.begin, axis.openBegin);
  Real out = floorOf(in * span * real(axis.scale, axis.openScale));
  // What is too large fails as what is empty does.
  Real size = ifLess(out, double(kMaxElements), out, out.like(0));
  return n.symbol(s.toIndex(s.cast(size.v, n.b.getI64Type(), false)));
}

/// Definition, reference and runtimes disagree about this one.
static bool alignsNoCorners(Node &n, const ResizeRules &rules,
                            const ResizeAxis &axis) {
  std::optional<int64_t> in = Emitter::known(axis.in);
  if (rules.transformation != "align_corners" || rules.isNearest() ||
      !axis.scale)
    return false;
  if (in ? *in * *axis.scale == std::floor(*in * *axis.scale)
         : *axis.scale == std::floor(*axis.scale))
    return false;
  n.error() << "cannot align corners where the scale " << *axis.scale
            << " gives no whole size of " << n.text(axis.in);
  return true;
}

static bool readScales(Node &n, const ResizeRules &rules, const Wanted &wanted,
                       MutableArrayRef<ResizeAxis> result) {
  std::optional<SmallVector<Given>> numbers;
  if (wanted.attribute.empty())
    numbers = numbersOf(n, wanted.scales, result.size());
  else if (wanted.attribute.size() != result.size())
    n.error() << "expects scales or sizes for " << result.size() << " axes";
  else
    numbers = llvm::map_to_vector(
        wanted.attribute, [](double number) { return Given{number, nullptr}; });
  if (!numbers)
    return false;
  for (auto [axis, number] : llvm::zip(result, *numbers)) {
    if (number.known && !(*number.known > 0)) {
      n.error() << "expects scales above zero, but got " << *number.known;
      return false;
    }
    axis.scale = number.known;
    axis.openScale = number.open;
    // An axis that stays may be of any size.
    bool isWhole = axis.begin == 0.0 && axis.end == 1.0;
    axis.out = axis.scale == 1.0 && isWhole ? axis.in : sizeByScale(n, axis);
    if (alignsNoCorners(n, rules, axis))
      return false;
  }
  return true;
}

/// The scale of a size by what it was.
static void scaleBySizes(Node &n, ResizeAxis &axis, AffineExpr to,
                         AffineExpr from) {
  auto over = Emitter::known(to), under = Emitter::known(from);
  if (over && under && *under != 0) {
    axis.scale = double(*over) / double(*under);
    return;
  }
  Scalar s(n.b, n.loc);
  Type wide = n.b.getF64Type();
  axis.openScale =
      s.div(s.fromIndex(n.index(to), wide), s.fromIndex(n.index(from), wide));
}

/// Keeps the ratio of all sizes: the least or greatest scale is that of all.
static void keepRatio(Node &n, const ResizeRules &rules,
                      MutableArrayRef<ResizeAxis> axes) {
  // Fractions are compared by their products: exact, as is rounding below.
  AffineExpr to = axes[0].out, from = axes[0].in;
  bool wantsLess = rules.policy == "not_larger";
  for (const ResizeAxis &axis : axes.drop_front()) {
    auto cross = Emitter::known({axis.out * from, to * axis.in});
    if (cross) {
      if (wantsLess ? (*cross)[0] < (*cross)[1] : (*cross)[0] > (*cross)[1])
        std::tie(to, from) = std::tie(axis.out, axis.in);
      continue;
    }
    Scalar s(n.b, n.loc);
    Value takes = s.compare(wantsLess ? Order::LT : Order::GT,
                            n.index(axis.out * from), n.index(to * axis.in));
    to = n.symbol(s.select(takes, n.index(axis.out), n.index(to)));
    from = n.symbol(s.select(takes, n.index(axis.in), n.index(from)));
  }
  for (ResizeAxis &axis : axes) {
    AffineExpr rounded;
    if (auto sizes = Emitter::known({to, from, axis.in}))
      rounded = n.size((2 * (*sizes)[0] * (*sizes)[2] + (*sizes)[1]) /
                       (2 * std::max<int64_t>((*sizes)[1], 1)));
    else {
      Scalar s(n.b, n.loc);
      rounded = n.symbol(s.div(n.index(to * axis.in * 2 + from),
                               s.max(n.index(from * 2), s.index(1))));
    }
    axis.out = rounded;
    scaleBySizes(n, axis, to, from);
  }
}

static bool readSizes(Node &n, const ResizeRules &rules, unsigned at,
                      MutableArrayRef<ResizeAxis> result) {
  std::optional<SmallVector<AffineExpr>> sizes = n.elements(at);
  if (!sizes)
    return false;
  if (sizes->size() != result.size()) {
    n.error() << "expects scales or sizes for " << result.size() << " axes";
    return false;
  }
  for (auto [axis, size] : llvm::zip(result, *sizes)) {
    axis.out = size;
    if (!checkKnown(n, axis))
      return false;
    if (rules.policy == "stretch")
      scaleBySizes(n, axis, axis.out, axis.in);
  }
  if (rules.policy != "stretch" && !result.empty())
    keepRatio(n, rules, result);
  return true;
}

static bool readRegion(Node &n, Tensor *region,
                       MutableArrayRef<ResizeAxis> result) {
  if (isEmpty(region))
    return true;
  auto borders = numbersOf(n, region, 2 * result.size());
  if (!borders)
    return false;
  for (auto [at, axis] : llvm::enumerate(result)) {
    const Given &end = (*borders)[at + result.size()];
    axis.begin = (*borders)[at].known;
    axis.openBegin = (*borders)[at].open;
    axis.end = end.known;
    axis.openEnd = end.open;
  }
  return true;
}

/// Scales or sizes of the axes.
static std::optional<SmallVector<ResizeAxis>> readAxes(Node &n,
                                                       const ResizeRules &rules,
                                                       ArrayRef<int64_t> axes,
                                                       const Wanted &wanted) {
  SmallVector<ResizeAxis> result;
  for (int64_t axis : axes)
    result.emplace_back().in = n.input(0)->dims[axis];
  if (!readRegion(n, wanted.region, result))
    return std::nullopt;
  if (!wanted.attribute.empty() || isEmpty(wanted.sizes)) {
    if (wanted.attribute.empty() && isEmpty(wanted.scales)) {
      n.error() << "expects scales or sizes";
      return std::nullopt;
    }
    if (!readScales(n, rules, wanted, result))
      return std::nullopt;
  } else if (!readSizes(n, rules, 3, result)) {
    return std::nullopt;
  }
  return result;
}

//===----------------------------------------------------------------------===//
// The operator
//===----------------------------------------------------------------------===//

static std::optional<Wanted> readInputs(Node &n, const ResizeRules &rules,
                                        SmallVectorImpl<int64_t> &axes) {
  Wanted wanted;
  if (isUpsample(n)) {
    wanted.scales = n.input(1);
    if (n.opset < 9)
      wanted.attribute = n.numbers("scales");
    return wanted;
  }
  if (rules.transformation == "tf_crop_and_resize")
    wanted.region = n.input(1);
  wanted.scales = n.input(2);
  wanted.sizes = n.input(3);
  if (n.opset >= 18 && n.has("axes")) {
    auto given = n.axes(n.integers("axes"), n.input(0)->rank());
    if (!given)
      return std::nullopt;
    axes.assign(given->begin(), given->end());
  }
  return wanted;
}

/// Whether nothing happens along an axis.
static bool stays(const ResizeRules &rules, const ResizeAxis &axis) {
  bool isSame = axis.in == axis.out && rules.policy == "stretch" &&
                (!axis.scale || *axis.scale == 1.0);
  return isSame && axis.begin == 0.0 && axis.end == 1.0 &&
         rules.transformation != "tf_half_pixel_for_nn";
}

static LogicalResult importResize(Node &n) {
  Tensor *x = n.input(0);
  std::optional<ResizeRules> rules = readRules(n);
  if (!rules)
    return failure();
  SmallVector<int64_t> axes = range(0, x->rank());
  std::optional<Wanted> wanted = readInputs(n, *rules, axes);
  if (!wanted)
    return failure();
  std::optional<SmallVector<ResizeAxis>> resized =
      readAxes(n, *rules, axes, *wanted);
  if (!resized)
    return failure();
  if (!isFloat(x->type) && !rules->isNearest())
    return n.error() << "interpolation of " << nameOf(x->type)
                     << " is not supported";
  if (!rules->isNearest()) {
    n.computeWide();
    x = n.input(0);
  }
  for (auto [at, axis] : llvm::zip(axes, *resized)) {
    if (!x)
      return failure();
    if (stays(*rules, axis))
      continue;
    if (!checkKnown(n, axis))
      return failure();
    requireElements(n, axis);
    std::optional<Line<double>> line = axis.known();
    bool isStretched = rules->antialias && !rules->isNearest();
    x = line && !(isStretched && line->scale < 1)
            ? resizeKnown(n, x, at, *rules, *line)
            : resizeOpen(n, x, at, *rules, axis);
  }
  return n.output(x);
}

ArrayRef<Operator> mlir::prune::onnx_import::resizeOperators() {
  static const Operator operators[] = {
      {"Resize", 10, kNewest, 1, ChannelRule::Resize, importResize,
       "integers by nearest only; corners are aligned to whole sizes"},
      {"Upsample", 7, 9, 1, ChannelRule::Resize, importResize},
  };
  return operators;
}
