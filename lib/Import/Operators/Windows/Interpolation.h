//===- Interpolation.h - Where Resize reads, and how much -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The formulas of Resize, written once: with numbers for sizes that are known,
// and with values of the program for those that only the run knows.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_IMPORT_OPERATORS_WINDOWS_INTERPOLATION_H
#define PRUNE_LIB_IMPORT_OPERATORS_WINDOWS_INTERPOLATION_H

#include "Import/Model/Node.h"

#include <cmath>

namespace mlir::prune::onnx_import {

/// What the attributes say.
struct ResizeRules {
  std::string mode, transformation, nearest, policy;
  double cubic;
  bool excludeOutside, antialias;
  double extrapolation;

  bool isNearest() const { return mode == "nearest"; }
  /// How far the filter reaches to each side.
  int64_t reach() const { return mode == "linear" ? 1 : 2; }
};

/// A number in double precision that the program computes.
struct Real {
  Scalar *s;
  Value v;

  Real like(double value) const { return {s, s->constant(v.getType(), value)}; }
};

inline Real operator+(Real x, Real y) { return {x.s, x.s->add(x.v, y.v)}; }
inline Real operator-(Real x, Real y) { return {x.s, x.s->sub(x.v, y.v)}; }
inline Real operator*(Real x, Real y) { return {x.s, x.s->mul(x.v, y.v)}; }
inline Real operator/(Real x, Real y) { return {x.s, x.s->div(x.v, y.v)}; }
inline Real operator+(Real x, double y) { return x + x.like(y); }
inline Real operator-(Real x, double y) { return x - x.like(y); }
inline Real operator*(Real x, double y) { return x * x.like(y); }
inline Real operator/(Real x, double y) { return x / x.like(y); }
inline Real operator*(double x, Real y) { return y.like(x) * y; }
inline Real operator-(double x, Real y) { return y.like(x) - y; }

inline double floorOf(double x) { return std::floor(x); }
inline Real floorOf(Real x) { return {x.s, x.s->unary("Floor", x.v)}; }
inline double ceilOf(double x) { return std::ceil(x); }
inline Real ceilOf(Real x) { return {x.s, x.s->unary("Ceil", x.v)}; }
inline double absOf(double x) { return std::abs(x); }
inline Real absOf(Real x) { return {x.s, x.s->abs(x.v)}; }
/// `x < bound ? yes : no`; `no` where x is no number.
inline double ifLess(double x, double bound, double yes, double no) {
  return x < bound ? yes : no;
}
inline Real ifLess(Real x, Real bound, Real yes, Real no) {
  Value less = x.s->compare(Order::LT, x.v, bound.v);
  return {x.s, x.s->select(less, yes.v, no.v)};
}
inline Real ifLess(Real x, double bound, Real yes, Real no) {
  return ifLess(x, x.like(bound), yes, no);
}
inline double zeroLike(double) { return 0; }
inline Real zeroLike(Real x) { return x.like(0); }

/// One axis: its sizes, the scale, and the region of interest.
template <typename N> struct Line {
  N in, out, scale, begin, end;
};

/// The place in the input of an output element.
template <typename N>
N sourceOf(const ResizeRules &rules, const Line<N> &line, N at) {
  StringRef how = rules.transformation;
  if (how == "asymmetric")
    return at / line.scale;
  if (how == "tf_half_pixel_for_nn")
    return (at + 0.5) / line.scale;
  // One element has no place between two ends.
  N steps = ifLess(line.out, 2.0, line.out, line.out - 1.0);
  if (how == "align_corners")
    return ifLess(line.out, 2.0, zeroLike(at), at * (line.in - 1.0) / steps);
  N halfPixel = (at + 0.5) / line.scale - 0.5;
  if (how == "pytorch_half_pixel")
    return ifLess(line.out, 2.0, zeroLike(at), halfPixel);
  if (how == "half_pixel_symmetric") {
    N adjustment = line.out / (line.scale * line.in);
    return line.in / 2.0 * (1.0 - adjustment) + (at + 0.5) / line.scale - 0.5;
  }
  if (how == "tf_crop_and_resize") {
    N last = line.in - 1.0;
    return ifLess(line.out, 2.0, 0.5 * (line.begin + line.end) * last,
                  line.begin * last +
                      at * (line.end - line.begin) * last / steps);
  }
  return halfPixel;
}

template <typename N> N roundNearest(StringRef how, N x) {
  if (how == "floor")
    return floorOf(x);
  if (how == "ceil")
    return ceilOf(x);
  N floor = floorOf(x), part = x - floor;
  // What follows 0.5 is the least that is more.
  double half = how == "round_prefer_ceil" ? 0.5 : std::nextafter(0.5, 1.0);
  return ifLess(part, half, floor, floor + 1.0);
}

/// Keys' cubic: what an element counts at a distance `x` below 1, and from
/// there up to 2.
template <typename N> N cubicNear(double a, N x) {
  return ((a + 2) * x - (a + 3)) * x * x + 1.0;
}
template <typename N> N cubicFar(double a, N x) {
  return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
}

/// How much an element counts at a distance.
template <typename N> N weightOf(const ResizeRules &rules, N distance) {
  N x = absOf(distance), none = zeroLike(x);
  if (rules.mode == "linear")
    return ifLess(x, 1.0, 1.0 - x, none);
  double a = rules.cubic;
  N far = ifLess(x, 2.0, cubicFar(a, x), none);
  return ifLess(x, 1.0, cubicNear(a, x), far);
}

/// One axis to resize. What is not known at import is a value of the program:
/// sizes are expressions, the scale and the region floats of 64 bits.
struct ResizeAxis {
  AffineExpr in, out;
  std::optional<double> scale, begin = 0.0, end = 1.0;
  Value openScale, openBegin, openEnd;

  /// Nothing, unless all of it is known.
  std::optional<Line<double>> known() const;
};

/// Resizes an axis by tables that are computed here.
Tensor *resizeKnown(Node &n, Tensor *x, int64_t at, const ResizeRules &rules,
                    const Line<double> &line);
/// Resizes an axis by tables that the program computes: for sizes that are not
/// known, and for filters that are stretched.
Tensor *resizeOpen(Node &n, Tensor *x, int64_t at, const ResizeRules &rules,
                   const ResizeAxis &axis);

} // namespace mlir::prune::onnx_import

#endif // PRUNE_LIB_IMPORT_OPERATORS_WINDOWS_INTERPOLATION_H
