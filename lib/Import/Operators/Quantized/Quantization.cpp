//===- Quantization.cpp - Integers with scales ----------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products of quantised tensors are exact 32-bit integer products of what is
// left after the zero points are taken away.
//
//===----------------------------------------------------------------------===//

#include "Quantization.h"
#include "Import/Emitter/NarrowTypes.h"
#include "Import/Operators/Windows/Window.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;

/// Repeats each element along an axis, to the sizes of `x`.
static Tensor *repeat(Node &n, Tensor *parameter, Tensor *x, int64_t axis,
                      int64_t times) {
  if (parameter->rank() != x->rank()) {
    n.error() << "expects scales and zero points of blocks of rank "
              << x->rank() << ", but got " << n.text(parameter->dims);
    return nullptr;
  }
  for (int64_t at = 0; at < x->rank(); ++at) {
    AffineExpr size = x->dims[at];
    if (!n.requireEqual(parameter->dims[at],
                        at == axis ? size.ceilDiv(times) : size,
                        "numbers of parameters and blocks"))
      return nullptr;
  }
  Sizes apart(parameter->dims), together(parameter->dims);
  apart.insert(apart.begin() + axis + 1, n.size(times));
  together[axis] = together[axis] * times;
  Tensor *spread = n.expand(n.unsqueeze(parameter, axis + 1), apart);
  Tensor *repeated = spread ? n.reshape(spread, together) : nullptr;
  // The last block may be shorter.
  if (!repeated || repeated->dims[axis] == x->dims[axis])
    return repeated;
  return n.slice(repeated, axis, n.size(0), x->dims[axis]);
}

Tensor *mlir::prune::onnx_import::alignWith(Node &n, Tensor *parameter,
                                            Tensor *x, int64_t axis,
                                            int64_t block) {
  if (parameter->rank() == 0)
    return parameter;
  if (block)
    return repeat(n, parameter, x, axis, block);
  if (parameter->rank() != 1) {
    n.error() << "expects one scale and zero point, or one for each position "
                 "of an axis, but got "
              << n.text(parameter->dims);
    return nullptr;
  }
  if (parameter->dims[0] == n.size(1))
    return n.reshape(parameter, {});
  if (axis < 0 || axis >= x->rank() ||
      !n.requireEqual(parameter->dims[0], x->dims[axis],
                      "parameters and sizes"))
    return nullptr;
  Sizes dims = {parameter->dims[0]};
  dims.append(x->rank() - axis - 1, n.size(1));
  return n.reshape(parameter, dims);
}

static bool isQuantized(Node &n, Tensor *x) {
  if (x->type == DataType::Int8 || x->type == DataType::UInt8 ||
      x->type == DataType::Int32 || x->type == DataType::Int16 ||
      x->type == DataType::UInt16 || narrowBits(x->type))
    return true;
  n.error() << "expects a quantised tensor, but got " << nameOf(x->type);
  return false;
}

Tensor *mlir::prune::onnx_import::centre(Node &n, Tensor *x, Tensor *zero,
                                         int64_t axis, int64_t block) {
  // Floats of 8 bits and less, and what is between them, are exact there.
  Tensor *wide =
      n.convert(x, isNarrowFloat(x->type) ? DataType::Float : DataType::Int32);
  if (!zero || !wide)
    return wide;
  if (zero->type != x->type) {
    n.error() << "expects a zero point of type " << nameOf(x->type)
              << ", but got " << nameOf(zero->type);
    return nullptr;
  }
  if (n.scalarOf(zero) == 0.0)
    return wide;
  zero = alignWith(n, zero, x, axis, block);
  return zero ? n.sub(wide, n.convert(zero, wide->type)) : nullptr;
}

Tensor *mlir::prune::onnx_import::quantize(Node &n, Tensor *x, Tensor *zero,
                                           DataType type, int64_t axis,
                                           int64_t block) {
  if (!x)
    return nullptr;
  SmallVector<Tensor *> operands = {x};
  if (zero) {
    zero = alignWith(n, zero, x, axis, block);
    if (!zero)
      return nullptr;
    operands.push_back(zero);
  }
  Type element = elementType(type, n.state.context);
  bool natural = isUnsigned(type);
  return n.map(operands, type, [&](Scalar &s, ValueRange v) {
    Value rounded = s.unary("Round", v[0]);
    if (v.size() > 1)
      rounded = s.add(rounded, s.cast(v[1], rounded.getType(), natural));
    if (isNarrowInteger(type)) {
      auto [least, most] = narrowRange(type);
      rounded = s.clamp(rounded, least, most);
    }
    return s.saturate(rounded, element, natural);
  });
}

/// To floats of 8 bits and less, whose zero point is zero.
static Tensor *quantizeToFloat(Node &n, Tensor *x, Tensor *zero, DataType type,
                               bool saturates) {
  auto isZero = [](double value) { return value == 0; };
  if (zero &&
      !(zero->contents && llvm::all_of(zero->contents->floats, isZero))) {
    n.error() << "expects a zero point of zero for " << nameOf(type);
    return nullptr;
  }
  return n.toNarrow(x, type, saturates);
}

bool mlir::prune::onnx_import::isNarrow(DataType type) {
  return type == DataType::Int8 || type == DataType::UInt8 ||
         type == DataType::Int16 || type == DataType::UInt16;
}

namespace {
/// Which scale belongs to an element.
struct Granularity {
  int64_t axis;
  /// 0 if each position of the axis has its own.
  int64_t block;
};
} // namespace

static std::optional<Granularity> readGranularity(Node &n) {
  Tensor *x = n.input(0), *scale = n.input(1);
  int64_t given = n.opset >= 13 ? n.integer("axis", 1) : 1;
  int64_t block = n.opset >= 21 ? n.integer("block_size", 0) : 0;
  if (block < 0 || block > kMaxElements) {
    n.error() << "expects block_size not to be negative, but got " << block;
    return std::nullopt;
  }
  std::optional<int64_t> axis = given;
  if (block || (scale->rank() == 1 && scale->dims[0] != n.size(1)))
    axis = n.axis(given, x->rank());
  if (!axis)
    return std::nullopt;
  return Granularity{*axis, block};
}

/// What QuantizeLinear gives.
static DataType quantizedType(Node &n, Tensor *zero) {
  int64_t given = n.opset >= 21 ? n.integer("output_dtype", 0) : 0;
  if (given)
    return static_cast<DataType>(given);
  return zero ? zero->type : DataType::UInt8;
}

static LogicalResult importQuantize(Node &n) {
  n.computeWide();
  Tensor *x = n.input(0), *scale = n.input(1), *zero = n.input(2);
  bool saturates = n.opset < 19 || n.integer("saturate", 1) != 0;
  std::optional<Granularity> granularity = readGranularity(n);
  if (!granularity)
    return failure();
  auto [axis, block] = *granularity;
  DataType type = quantizedType(n, zero);
  if ((!isNarrow(type) && !narrowBits(type)) || type == DataType::Float8E8M0)
    return n.error() << "cannot quantise to " << nameOf(type);
  if (zero && zero->type != type)
    return n.error() << "expects a zero point of type " << nameOf(type)
                     << ", but got " << nameOf(zero->type);
  // Integers are quantised as the floats they are.
  auto precision = scale->type;
  if (n.opset >= 23)
    if (int64_t given = n.integer("precision", 0))
      precision = static_cast<DataType>(given);
  if (precision == DataType::Float8E8M0)
    precision = DataType::Float;
  if (!isFloat(precision))
    return n.error() << "cannot divide in " << nameOf(precision);
  x = n.convert(x, precision);
  scale = n.convert(scale, precision);
  Tensor *aligned = x && scale ? alignWith(n, scale, x, axis, block) : nullptr;
  Tensor *ratio = aligned ? n.div(x, aligned) : nullptr;
  return n.output(isNarrowFloat(type)
                      ? quantizeToFloat(n, ratio, zero, type, saturates)
                      : quantize(n, ratio, zero, type, axis, block));
}

static LogicalResult importDequantize(Node &n) {
  n.computeWide();
  Tensor *x = n.input(0), *scale = n.input(1), *zero = n.input(2);
  std::optional<Granularity> granularity = readGranularity(n);
  if (!granularity || !isQuantized(n, x))
    return failure();
  auto [axis, block] = *granularity;
  auto type = scale->type;
  if (n.opset >= 23)
    if (int64_t given = n.integer("output_dtype", 0))
      type = static_cast<DataType>(given);
  if (!isFloat(type))
    return n.error() << "cannot dequantise to " << nameOf(type);
  Tensor *centred = centre(n, x, zero, axis, block);
  scale = n.convert(scale, type);
  Tensor *aligned = scale ? alignWith(n, scale, x, axis, block) : nullptr;
  if (!centred || !aligned)
    return failure();
  return n.output(n.mul(n.convert(centred, type), aligned));
}

std::optional<Quantized> mlir::prune::onnx_import::quantizeByRange(Node &n,
                                                                   Tensor *x) {
  if (x->type != DataType::Float) {
    n.error() << "expects a float input, but got " << nameOf(x->type);
    return std::nullopt;
  }
  SmallVector<int64_t> all = range(0, x->rank());
  Tensor *high = n.greatest(x, all, false);
  Tensor *low =
      n.reduce(x, all, false, n.extreme(x->type, true),
               [](Scalar &s, ValueRange v) { return s.min(v[0], v[1]); });
  if (!high || !low)
    return std::nullopt;
  // The range has zero in it.
  Tensor *scale = n.map({high, low}, x->type, [](Scalar &s, ValueRange v) {
    Value zero = s.constant(v[0].getType(), 0);
    return s.div(s.sub(s.max(v[0], zero), s.min(v[1], zero)),
                 s.constant(v[0].getType(), 255));
  });
  Type byte = n.b.getIntegerType(8);
  Tensor *zero =
      n.map({low, scale}, DataType::UInt8, [&](Scalar &s, ValueRange v) {
        Type type = v[0].getType();
        Value least = s.min(v[0], s.constant(type, 0));
        Value start = s.div(s.neg(least), v[1]);
        return s.saturate(s.unary("Round", s.clamp(start, 0, 255)), byte, true);
      });
  return Quantized{quantize(n, n.div(x, scale), zero, DataType::UInt8, 0),
                   scale, zero};
}

static LogicalResult importDynamicQuantize(Node &n) {
  std::optional<Quantized> result = quantizeByRange(n, n.input(0));
  if (!result || failed(n.output(0, result->values)) ||
      failed(n.output(1, result->scale)))
    return failure();
  return n.output(2, result->zero);
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

Tensor *mlir::prune::onnx_import::multiplyQuantized(Node &n, Tensor *x,
                                                    Tensor *xZero, Tensor *y,
                                                    Tensor *yZero) {
  if (!x || !y)
    return nullptr;
  if (x->rank() < 1 || y->rank() < 1 || !isNarrow(x->type) ||
      !isNarrow(y->type)) {
    n.error() << "expects 8-bit matrices";
    return nullptr;
  }
  return n.matmul(centre(n, x, xZero, x->rank() - 2),
                  centre(n, y, yZero, y->rank() - 1));
}

static LogicalResult importMatMulInteger(Node &n) {
  return n.output(
      multiplyQuantized(n, n.input(0), n.input(2), n.input(1), n.input(3)));
}

/// acc * (scales in / scale out), quantised.
static Tensor *rescale(Node &n, Tensor *sums, Tensor *scaleA, Tensor *scaleB,
                       Tensor *scaleOut, Tensor *zero, int64_t axis) {
  if (!sums)
    return nullptr;
  Tensor *a = alignWith(n, scaleA, sums, axis);
  Tensor *b = alignWith(n, scaleB, sums, axis);
  Tensor *out = alignWith(n, scaleOut, sums, axis);
  if (!a || !b || !out)
    return nullptr;
  Tensor *factor = n.div(n.mul(a, b), out);
  Tensor *scaled = n.mul(n.convert(sums, DataType::Float), factor);
  return quantize(n, scaled, zero, zero->type, axis);
}

bool mlir::prune::onnx_import::scalesAreFloat(Node &n,
                                              ArrayRef<unsigned> which) {
  for (unsigned at : which)
    if (n.input(at)->type != DataType::Float) {
      n.error() << "expects float scales, but got "
                << nameOf(n.input(at)->type);
      return false;
    }
  return true;
}

static LogicalResult importQLinearMatMul(Node &n) {
  if (!scalesAreFloat(n, {1, 4, 6}) || !isNarrow(n.input(7)->type))
    return n.state.failed
               ? failure()
               : LogicalResult(n.error() << "expects an 8-bit zero point");
  Tensor *sums =
      multiplyQuantized(n, n.input(0), n.input(2), n.input(3), n.input(5));
  return n.output(rescale(n, sums, n.input(1), n.input(4), n.input(6),
                          n.input(7), sums ? sums->rank() - 1 : 0));
}

/// The convolution of quantised tensors, before scaling.
static Tensor *convolveQuantized(Node &n, unsigned a, Tensor *aZero, unsigned b,
                                 Tensor *bZero) {
  Tensor *x = n.input(a), *filter = n.input(b);
  int64_t groups = n.integer("group", 1);
  if (!n.hasRank(a, 3, 5) || !n.hasRank(b, x->rank(), x->rank()))
    return nullptr;
  std::optional<int64_t> features = Emitter::known(filter->dims[0]);
  auto kernel = Emitter::known(ArrayRef(filter->dims).drop_front(2));
  SmallVector<int64_t> stated = n.integers("kernel_shape");
  if (!isNarrow(x->type) || !isNarrow(filter->type) || !features || !kernel ||
      groups < 1 || *features % groups != 0 ||
      (!stated.empty() && stated != *kernel)) {
    n.error() << "expects 8-bit tensors and a filter of known sizes";
    return nullptr;
  }
  if (!n.requireEqual(x->dims[1], filter->dims[1] * groups,
                      "channels of input and filter"))
    return nullptr;
  std::optional<Window> window =
      readWindow(n, ArrayRef(x->dims).drop_front(2), *kernel, false);
  if (!window)
    return nullptr;
  Tensor *centred = centre(n, x, aZero, 1);
  Tensor *padded =
      padSpatial(n, centred, *window, n.attribute(DataType::Int32, 0));
  return convolve(n, padded, centre(n, filter, bZero, 0), *window, groups);
}

static LogicalResult importConvInteger(Node &n) {
  return n.output(convolveQuantized(n, 0, n.input(2), 1, n.input(3)));
}

static LogicalResult importQLinearConv(Node &n) {
  if (!scalesAreFloat(n, {1, 4, 6}) || !isNarrow(n.input(7)->type))
    return n.state.failed
               ? failure()
               : LogicalResult(n.error() << "expects an 8-bit zero point");
  Tensor *sums = convolveQuantized(n, 0, n.input(2), 3, n.input(5));
  if (!sums)
    return failure();
  if (Tensor *bias = n.input(8)) {
    if (!n.hasRank(8, 1, 1) || bias->type != DataType::Int32)
      return n.error() << "expects a bias of int32";
    bias = alignWith(n, bias, sums, 1);
    sums = bias ? n.add(sums, bias) : nullptr;
  }
  return n.output(
      rescale(n, sums, n.input(1), n.input(4), n.input(6), n.input(7), 1));
}

ArrayRef<Operator> mlir::prune::onnx_import::quantizationOperators() {
  static const Operator operators[] = {
      {"ConvInteger", 10, kNewest, 2, ChannelRule::Keep, importConvInteger},
      {"DequantizeLinear", 10, kNewest, 2, ChannelRule::PerAxis,
       importDequantize, "from 32 bits and less"},
      {"DynamicQuantizeLinear", 11, kNewest, 1, ChannelRule::Keep,
       importDynamicQuantize},
      {"MatMulInteger", 10, kNewest, 2, ChannelRule::Keep, importMatMulInteger},
      {"QLinearConv", 10, kNewest, 8, ChannelRule::Keep, importQLinearConv},
      {"QLinearMatMul", 10, kNewest, 8, ChannelRule::Keep, importQLinearMatMul},
      {"QuantizeLinear", 10, kNewest, 2, ChannelRule::PerAxis, importQuantize,
       "to 16 bits and less"},
  };
  return operators;
}
