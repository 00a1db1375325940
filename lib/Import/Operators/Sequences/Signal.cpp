//===- Signal.cpp - Fourier transforms and their windows ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A transform is a product with the matrices of cosines and sines, as networks
// have it: frames are short and many, and a product is what everything after
// the import knows. Tables of known sizes are computed at import in double
// precision; others by the program, as are those that would be large.
//
//===----------------------------------------------------------------------===//

#include "Import/Model/Node.h"

#include "llvm/Support/MathExtras.h"

#include <cmath>

using namespace mlir;
using namespace mlir::prune::onnx_import;

/// Larger tables are not stored.
static constexpr int64_t kMaxTable = int64_t(1) << 20;

//===----------------------------------------------------------------------===//
// Transforms
//===----------------------------------------------------------------------===//

namespace {
struct Complex {
  Tensor *real;
  /// Null for zero.
  Tensor *imaginary;
};

/// What a transform does along an axis.
struct Transform {
  /// The powers of one root of this order.
  AffineExpr order;
  /// The axis before and after.
  AffineExpr from, to;
  bool isInverse = false;
  /// Whether the axis before has one of each two conjugate numbers, and what
  /// comes is real.
  bool isHalf = false;

  double turn() const { return 2 * llvm::numbers::pi * (isInverse ? 1 : -1); }
};
} // namespace

/// The table of `waves`, where its sizes are known.
static SmallVector<double> knownWaves(const Transform &transform, int64_t order,
                                      int64_t from, int64_t to, bool isReal) {
  SmallVector<double> table;
  double part = transform.isInverse ? 1.0 / order : 1.0;
  for (int64_t at = 0; at < from; ++at) {
    bool isPair = transform.isHalf && at != 0 && 2 * at != order;
    for (int64_t bin = 0; bin < to; ++bin) {
      double angle = transform.turn() * (at * bin % order) / order;
      table.push_back((isReal ? std::cos(angle) : std::sin(angle)) * part *
                      (isPair ? 2 : 1));
    }
  }
  return table;
}

/// Real or imaginary parts of the powers of a root of one, `[from, to]`.
static Tensor *waves(Node &n, const Transform &transform, DataType type,
                     bool isReal) {
  Sizes dims = {transform.from, transform.to};
  auto sizes = Emitter::known({transform.order, transform.from, transform.to});
  if (sizes && (*sizes)[1] <= kMaxTable && (*sizes)[2] <= kMaxTable &&
      (*sizes)[1] * (*sizes)[2] <= kMaxTable)
    return n.makeFloats(
        type, dims,
        knownWaves(transform, (*sizes)[0], (*sizes)[1], (*sizes)[2], isReal));
  Type element = elementType(type, n.state.context), wide = n.b.getF64Type();
  Value order = n.index(transform.order);
  return n.generate(dims, type, [&](Scalar &s, ValueRange at) {
    Value count = s.fromIndex(order, wide);
    // The angle stays small, so that it is exact enough.
    Value turns = s.fromIndex(s.rem(s.mul(at[0], at[1]), order), wide);
    Value angle =
        s.mul(s.div(turns, count), s.constant(wide, transform.turn()));
    Value wave = s.unary(isReal ? "Cos" : "Sin", angle);
    if (transform.isInverse)
      wave = s.div(wave, count);
    if (transform.isHalf) {
      Value twice = s.add(at[0], at[0]);
      Value isAlone = s.bitOr(s.compare(Order::EQ, twice, s.index(0)),
                              s.compare(Order::EQ, twice, order));
      wave = s.select(isAlone, wave, s.add(wave, wave));
    }
    return s.cast(wave, element, false);
  });
}

/// Multiplies along an axis, which becomes that of the frequencies.
static Tensor *multiply(Node &n, Tensor *x, Tensor *table, int64_t axis) {
  unsigned rank = x->rank();
  SmallVector<unsigned> from, to;
  for (unsigned dim = 0; dim < rank; ++dim) {
    from.push_back(dim);
    to.push_back(static_cast<int64_t>(dim) == axis ? rank : dim);
  }
  return n.contract(x, from, table, {static_cast<unsigned>(axis), rank}, to,
                    rank + 1);
}

/// Transforms along an axis, which has the size that the transform wants.
static Complex transformed(Node &n, const Transform &transform, Complex x,
                           int64_t axis) {
  DataType type = x.real->type;
  Tensor *real = waves(n, transform, type, /*isReal=*/true);
  Tensor *imaginary = waves(n, transform, type, /*isReal=*/false);
  Complex y = {multiply(n, x.real, real, axis), nullptr};
  if (x.imaginary)
    y.real = n.sub(y.real, multiply(n, x.imaginary, imaginary, axis));
  if (transform.isHalf)
    return y;
  y.imaginary = multiply(n, x.real, imaginary, axis);
  if (x.imaginary)
    y.imaginary = n.add(y.imaginary, multiply(n, x.imaginary, real, axis));
  return y;
}

/// Splits a tensor whose last axis has a real part, and perhaps an imaginary.
static std::optional<Complex> splitParts(Node &n, Tensor *x) {
  std::optional<int64_t> parts = Emitter::known(x->dims.back());
  if (!parts || *parts < 1 || *parts > 2) {
    n.error()
        << "expects a last size of 1 or 2, the parts of a number, but got "
        << n.text(x->dims);
    return std::nullopt;
  }
  int64_t last = x->rank() - 1;
  auto part = [&](int64_t at) {
    return n.squeeze(n.slice(x, last, n.size(at), n.size(1)), last);
  };
  return Complex{part(0), *parts == 2 ? part(1) : nullptr};
}

/// Puts the parts beside each other along a new last axis.
static Tensor *joinParts(Node &n, Complex x) {
  if (!x.real || n.state.failed)
    return nullptr;
  int64_t last = x.real->rank();
  if (!x.imaginary)
    return n.unsqueeze(x.real, last);
  return n.concat({n.unsqueeze(x.real, last), n.unsqueeze(x.imaginary, last)},
                  last);
}

/// The only element of an integer input, which may be open.
static AffineExpr sizeOf(Node &n, unsigned at) {
  std::optional<SmallVector<AffineExpr>> elements = n.elements(at);
  if (!elements)
    return nullptr;
  if (elements->size() != 1) {
    n.error() << "expects input " << at << " to be one integer";
    return nullptr;
  }
  AffineExpr size = elements->front();
  if (std::optional<int64_t> known = Emitter::known(size)) {
    if (*known >= 1)
      return size;
    n.error() << "expects input " << at << " to be positive, but got "
              << *known;
    return nullptr;
  }
  // No division by zero, whatever the run gives.
  Scalar s(n.b, n.loc);
  return n.symbol(s.max(n.index(size), s.index(1)));
}

/// Cuts an axis, or fills it with zeros.
static Tensor *fitted(Node &n, Tensor *x, int64_t axis, AffineExpr length) {
  if (!x || x->dims[axis] == length)
    return x;
  auto given = Emitter::known(x->dims[axis]), wanted = Emitter::known(length);
  AffineExpr kept;
  if (given && wanted) {
    kept = n.size(std::min(*given, *wanted));
  } else {
    Scalar s(n.b, n.loc);
    kept = n.symbol(s.min(n.index(x->dims[axis]), n.index(length)));
  }
  Tensor *part = n.slice(x, axis, n.size(0), kept);
  if (!part || kept == length)
    return part;
  Sizes low(x->rank(), n.size(0)), high = low;
  high[axis] = length - kept;
  Tensor *padded = n.pad(part, low, high);
  if (!padded)
    return nullptr;
  Sizes dims(x->dims);
  dims[axis] = length;
  return n.make(n.value(padded), x->type, dims);
}

static std::optional<int64_t> readAxis(Node &n) {
  int64_t given = n.opset < 20 ? n.integer("axis", 1) : -2;
  if (n.opset >= 20 && n.input(2)) {
    std::optional<SmallVector<int64_t>> axis = n.constants(2);
    if (!axis)
      return std::nullopt;
    if (axis->size() != 1) {
      n.error() << "expects input 2 to be one integer";
      return std::nullopt;
    }
    given = axis->front();
  }
  int64_t rank = n.input(0)->rank();
  std::optional<int64_t> axis = n.axis(given, rank);
  if (axis && *axis == rank - 1) {
    n.error() << "cannot transform the last axis, which has the parts of "
                 "numbers";
    return std::nullopt;
  }
  return axis;
}

/// One of each two conjugate numbers is enough where what was, or will be, is
/// real.
static bool checkOneSided(Node &n, bool isOneSided, bool isInverse, Complex x) {
  if (!isOneSided || isInverse == (x.imaginary != nullptr))
    return true;
  n.error() << (isInverse ? "expects complex numbers for a one-sided inverse"
                          : "has no one-sided result for complex numbers");
  return false;
}

static LogicalResult importDFT(Node &n) {
  if (!n.isFloating(0) || !n.hasRank(0, 2))
    return failure();
  n.computeWide();
  std::optional<int64_t> axis = readAxis(n);
  bool isInverse = n.integer("inverse", 0) != 0;
  bool isOneSided = n.integer("onesided", 0) != 0;
  if (!axis)
    return failure();
  std::optional<Complex> parts = splitParts(n, n.input(0));
  if (!parts || !checkOneSided(n, isOneSided, isInverse, *parts))
    return failure();
  AffineExpr given = n.input(0)->dims[*axis];
  bool isHalf = isOneSided && isInverse;
  AffineExpr length = n.input(1) ? sizeOf(n, 1)
                      : isHalf   ? (given - 1) * 2
                                 : given;
  if (!length)
    return failure();
  if (Emitter::known(length) && *Emitter::known(length) < 1)
    return n.error() << "cannot transform " << n.text(n.input(0)->dims);
  AffineExpr half = length.floorDiv(2) + 1;
  Transform transform = {length, isHalf ? half : length,
                         isOneSided && !isInverse ? half : length, isInverse,
                         isHalf};
  Complex x = {fitted(n, parts->real, *axis, transform.from),
               fitted(n, parts->imaginary, *axis, transform.from)};
  if (!x.real)
    return failure();
  return n.output(joinParts(n, transformed(n, transform, x, *axis)));
}

//===----------------------------------------------------------------------===//
// Frames
//===----------------------------------------------------------------------===//

/// Frames of a signal `[batch, time]`, each times the window.
static Tensor *frames(Node &n, Tensor *signal, Tensor *window, AffineExpr count,
                      AffineExpr step, AffineExpr length) {
  if (!signal)
    return nullptr;
  Value source = n.value(signal), by = n.index(step);
  Value weights = window ? n.value(window) : nullptr;
  return n.generate({signal->dims[0], count, length}, signal->type,
                    [&](Scalar &s, ValueRange at) {
                      Value time = s.add(s.mul(at[1], by), at[2]);
                      Value element = s.extract(source, {at[0], time});
                      if (!weights)
                        return element;
                      return s.mul(element, s.extract(weights, at[2]));
                    });
}

/// The length of a frame: as it is said, and as long as the window.
static AffineExpr readFrameLength(Node &n) {
  AffineExpr length;
  if (n.input(3) && !(length = sizeOf(n, 3)))
    return nullptr;
  if (Tensor *window = n.input(2)) {
    if (!n.hasRank(2, 1, 1))
      return nullptr;
    if (length &&
        !n.requireEqual(length, window->dims[0], "lengths of frame and window"))
      return nullptr;
    return window->dims[0];
  }
  return length ? length : n.input(0)->dims[1];
}

static LogicalResult importSTFT(Node &n) {
  if (!n.isFloating(0) || !n.hasRank(0, 3, 3) || !n.sameTypes({0, 2}))
    return failure();
  n.computeWide();
  bool isOneSided = n.integer("onesided", 1) != 0;
  std::optional<Complex> parts = splitParts(n, n.input(0));
  if (!parts || !checkOneSided(n, isOneSided, false, *parts))
    return failure();
  AffineExpr step = sizeOf(n, 1);
  AffineExpr length = step ? readFrameLength(n) : nullptr;
  if (!length)
    return failure();
  AffineExpr room = n.input(0)->dims[1] - length;
  AffineExpr count = room.floorDiv(step) + 1;
  auto known = Emitter::known({room, length});
  if (known && ((*known)[0] < 0 || (*known)[1] < 1))
    return n.error() << "has no frame of " << n.text(length)
                     << " in a signal of " << n.text(n.input(0)->dims[1]);
  if (!Emitter::known(count)) {
    Scalar s(n.b, n.loc);
    count = n.symbol(s.max(n.index(count), s.index(0)));
  }
  Tensor *window = n.input(2);
  Complex x = {frames(n, parts->real, window, count, step, length),
               frames(n, parts->imaginary, window, count, step, length)};
  if (!x.real)
    return failure();
  AffineExpr bins = isOneSided ? length.floorDiv(2) + 1 : length;
  Transform transform = {length, length, bins};
  return n.output(joinParts(n, transformed(n, transform, x, 2)));
}

//===----------------------------------------------------------------------===//
// Windows
//===----------------------------------------------------------------------===//

/// The element type of the result; refuses what is no number.
static std::optional<DataType> readType(Node &n) {
  auto type = static_cast<DataType>(n.integer("output_datatype", 1));
  if (elementType(type, n.state.context) && type != DataType::Bool)
    return type;
  n.error() << "cannot give " << nameOf(type);
  return std::nullopt;
}

/// A sum of cosines: a + b cos(t) + c cos(2t).
static LogicalResult importWindow(Node &n, double a, double b, double c) {
  std::optional<DataType> type = readType(n);
  bool isPeriodic = n.integer("periodic", 1) != 0;
  AffineExpr size = type ? sizeOf(n, 0) : nullptr;
  if (!size)
    return failure();
  double turn = 2 * llvm::numbers::pi;
  DataType computed = isFloat(*type) ? *type : DataType::Float;
  std::optional<int64_t> known = Emitter::known(size);
  if (known && *known <= kMaxTable) {
    SmallVector<double> values;
    double period = isPeriodic ? *known : *known - 1;
    for (int64_t at = 0; at < *known; ++at) {
      double t = turn * at / period;
      values.push_back(a + b * std::cos(t) + c * std::cos(2 * t));
    }
    return n.output(n.convert(n.makeFloats(computed, size, values), *type));
  }
  Type wide = n.b.getF64Type();
  Value period = n.index(isPeriodic ? size : size - 1);
  Tensor *window =
      n.generate(size, DataType::Double, [&](Scalar &s, ValueRange at) {
        Value t = s.mul(s.fromIndex(at[0], wide), s.constant(wide, turn));
        t = s.div(t, s.fromIndex(period, wide));
        auto wave = [&](double factor, Value angle) {
          return s.mul(s.constant(wide, factor), s.unary("Cos", angle));
        };
        return s.add(s.add(s.constant(wide, a), wave(b, t)),
                     wave(c, s.mul(t, s.constant(wide, 2))));
      });
  return n.output(n.convert(n.convert(window, computed), *type));
}

static LogicalResult importHann(Node &n) {
  return importWindow(n, 0.5, -0.5, 0);
}

static LogicalResult importHamming(Node &n) {
  return importWindow(n, 25.0 / 46, -21.0 / 46, 0);
}

static LogicalResult importBlackman(Node &n) {
  return importWindow(n, 0.42, -0.5, 0.08);
}

//===----------------------------------------------------------------------===//
// The mel scale
//===----------------------------------------------------------------------===//

/// The frequencies at which triangles begin, peak and end, as bins.
static SmallVector<int64_t> melBins(int64_t count, double length, double rate,
                                    double low, double high) {
  auto toMel = [](double hertz) { return 2595 * std::log10(1 + hertz / 700); };
  double step = (toMel(high) - toMel(low)) / (count + 2);
  SmallVector<int64_t> bins;
  for (int64_t at = 0; at < count + 2; ++at) {
    double hertz = 700 * (std::pow(10, (toMel(low) + at * step) / 2595) - 1);
    double bin = std::floor((length + 1) * hertz / rate);
    bins.push_back(toInteger(std::clamp(bin, -1.0, double(kMaxTable))));
  }
  return bins;
}

static LogicalResult importMelWeightMatrix(Node &n) {
  std::optional<DataType> type = readType(n);
  if (!type)
    return failure();
  double given[5];
  for (unsigned at = 0; at < 5; ++at) {
    std::optional<double> number = n.constant(at);
    if (!number)
      return failure();
    given[at] = *number;
  }
  auto [bands, length, rate, low, high] = given;
  double rows = std::floor(length / 2) + 1;
  if (!(bands >= 1) || !(length >= 1) || !(rate >= 1) || !(low >= 0) ||
      !(high >= low) || !(bands * rows <= kMaxTable * 16))
    return n.error() << "cannot make " << bands << " bands of a transform of "
                     << length << " at a rate of " << rate << ", from " << low
                     << " to " << high;
  auto columns = toInteger(bands);
  SmallVector<int64_t> bins = melBins(columns, length, rate, low, high);
  SmallVector<double> table(toInteger(rows) * columns, 0);
  // What lies above the transform's frequencies has no row.
  auto set = [&](int64_t row, int64_t column, double weight) {
    if (row >= 0 && row < rows)
      table[row * columns + column] = weight;
  };
  for (int64_t band = 0; band < columns; ++band) {
    int64_t begin = bins[band], peak = bins[band + 1], end = bins[band + 2];
    if (begin == peak)
      set(peak, band, 1);
    for (int64_t row = begin; begin < peak && row <= peak; ++row)
      set(row, band, double(row - begin) / (peak - begin));
    for (int64_t row = peak; row < end; ++row)
      set(row, band, double(end - row) / (end - peak));
  }
  Sizes dims = {n.size(toInteger(rows)), n.size(columns)};
  DataType computed = isFloat(*type) ? *type : DataType::Float;
  return n.output(n.convert(n.makeFloats(computed, dims, table), *type));
}

ArrayRef<Operator> mlir::prune::onnx_import::signalOperators() {
  static const Operator operators[] = {
      {"BlackmanWindow", 17, kNewest, 1, ChannelRule::Keep, importBlackman},
      {"DFT", 17, kNewest, 1, ChannelRule::Keep, importDFT,
       "the axis is a constant"},
      {"HammingWindow", 17, kNewest, 1, ChannelRule::Keep, importHamming},
      {"HannWindow", 17, kNewest, 1, ChannelRule::Keep, importHann},
      {"MelWeightMatrix", 17, kNewest, 5, ChannelRule::Keep,
       importMelWeightMatrix, "inputs are constants"},
      {"STFT", 17, kNewest, 2, ChannelRule::Keep, importSTFT},
  };
  return operators;
}
