//===- QuantizedOperators.cpp - Operators between quantised tensors -------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ONNX Runtime writes them for a function between a DequantizeLinear and a
// QuantizeLinear, and that is how they are computed; sums of many integers are
// exact. QONNX has both in one operator, Quant, whose results are floats.
//
//===----------------------------------------------------------------------===//

#include "Import/Operators/Windows/Window.h"
#include "Quantization.h"

#include "llvm/ADT/StringSwitch.h"

#include <cmath>

using namespace mlir;
using namespace mlir::prune::onnx_import;

/// Whether the input is quantised to 8 bits with a float scale and a zero point
/// for the whole tensor behind it.
static bool isQuantizedAt(Node &n, unsigned at) {
  Tensor *x = n.input(at), *scale = n.input(at + 1), *zero = n.input(at + 2);
  if (!x || !scale ||
      (x->type != DataType::Int8 && x->type != DataType::UInt8)) {
    n.error() << "expects input " << at << " to be quantised to 8 bits";
    return false;
  }
  auto isOne = [](Tensor *parameter) {
    return llvm::all_of(parameter->dims, [](AffineExpr dim) {
      return Emitter::known(dim) == 1;
    });
  };
  if (isOne(scale) && (!zero || isOne(zero)))
    return scalesAreFloat(n, {at + 1});
  n.error() << "expects input " << at
            << " to have one scale and one zero point";
  return false;
}

/// What an input of scale and zero point stands for, as floats.
static Tensor *dequantized(Node &n, unsigned at) {
  if (!isQuantizedAt(n, at))
    return nullptr;
  Tensor *centred = centre(n, n.input(at), n.input(at + 2), 0);
  return centred ? n.mul(n.convert(centred, DataType::Float),
                         n.reshape(n.input(at + 1), {}))
                 : nullptr;
}

/// When a number on a half is rounded to the even one: before the zero point is
/// added, as the standard has it, or after that, as some of the runtime's do.
enum class Rounding { Before, After };

/// Gives floats as the output of a scale and a zero point after it.
static LogicalResult outputQuantized(Node &n, Tensor *x, unsigned scaleAt,
                                     DataType type,
                                     Rounding rounding = Rounding::Before) {
  Tensor *scale = n.input(scaleAt), *zero = n.input(scaleAt + 1);
  if (x && !scale)
    return n.error() << "expects a scale as input " << scaleAt;
  if (!x || !scalesAreFloat(n, {scaleAt}))
    return failure();
  if (zero && zero->type != type)
    return n.error() << "expects a zero point of type " << nameOf(type)
                     << ", but got " << nameOf(zero->type);
  scale = n.reshape(scale, {});
  Tensor *ratio = scale ? n.div(x, scale) : nullptr;
  if (ratio && zero && rounding == Rounding::After) {
    ratio = n.add(ratio, n.convert(n.reshape(zero, {}), ratio->type));
    zero = nullptr;
  }
  return n.output(quantize(n, ratio, zero, type, 0));
}

template <Tensor *(Emitter::*Function)(Tensor *, Tensor *)>
static LogicalResult importBinary(Node &n) {
  Tensor *x = dequantized(n, 0), *y = x ? dequantized(n, 3) : nullptr;
  if (!y || !n.sameTypes({0, 3}))
    return failure();
  return outputQuantized(n, (n.*Function)(x, y), 6, n.input(0)->type,
                         Rounding::After);
}

static LogicalResult importUnary(Node &n, MapBody body) {
  Tensor *x = dequantized(n, 0);
  return x ? outputQuantized(n, n.map(x, x->type, body), 3, n.input(0)->type)
           : failure();
}

static LogicalResult importSigmoid(Node &n) {
  return importUnary(n, [](Scalar &s, ValueRange v) {
    Value one = s.constant(v[0].getType(), 1);
    return s.div(one, s.add(one, s.unary("Exp", s.neg(v[0]))));
  });
}

static LogicalResult importLeakyRelu(Node &n) {
  double alpha = n.number("alpha", 0.01);
  return importUnary(n, [&](Scalar &s, ValueRange v) {
    Type type = v[0].getType();
    Value low = s.mul(v[0], s.constant(type, alpha));
    return s.select(s.compare(Order::LT, v[0], s.constant(type, 0)), low, v[0]);
  });
}

static LogicalResult importGlobalAverage(Node &n) {
  if (!n.hasRank(0, 3) || !isQuantizedAt(n, 0))
    return failure();
  Tensor *x = n.input(0);
  SmallVector<int64_t> axes = n.integer("channels_last", 0)
                                  ? range(1, x->rank() - 1)
                                  : range(2, x->rank());
  Tensor *sums = n.sum(centre(n, x, n.input(2), 0), axes, /*keepDims=*/true);
  Sizes sizes =
      llvm::map_to_vector(axes, [&](int64_t axis) { return x->dims[axis]; });
  if (!sums)
    return failure();
  Value count = n.index(n.product(sizes));
  Tensor *means = n.map(
      {sums, n.reshape(n.input(1), {})}, DataType::Float,
      [&](Scalar &s, ValueRange v) {
        Type type = v[1].getType();
        return s.div(s.mul(s.cast(v[0], type, /*fromUnsigned=*/false), v[1]),
                     s.fromIndex(count, type));
      });
  return outputQuantized(n, means, 3, x->type);
}

static LogicalResult importAveragePool(Node &n) {
  if (n.integer("channels_last", 0))
    return n.error() << "channels that come last are not supported";
  Tensor *x = dequantized(n, 0);
  return x ? outputQuantized(n, averagePool(n, x), 3, n.input(0)->type,
                             Rounding::After)
           : failure();
}

static LogicalResult importConcat(Node &n) {
  if ((n.numInputs() - 2) % 3 != 0 || n.numInputs() < 5 || !n.has("axis"))
    return n.error() << "expects an axis, and a scale and a zero point for "
                        "each input";
  std::optional<int64_t> axis =
      n.axis(n.integer("axis", 0), n.input(2) ? n.input(2)->rank() : 0);
  SmallVector<Tensor *> parts;
  for (unsigned at = 2; axis && at < n.numInputs(); at += 3) {
    Tensor *part = dequantized(n, at);
    if (!part || !n.sameTypes({2, at}))
      return failure();
    parts.push_back(part);
  }
  if (!axis)
    return failure();
  return outputQuantized(n, n.concat(parts, *axis), 0, n.input(2)->type);
}

//===----------------------------------------------------------------------===//
// Products that become floats
//===----------------------------------------------------------------------===//

/// sums * (one scale * other scale, by column) + bias.
static LogicalResult outputScaled(Node &n, Tensor *sums, Tensor *scale,
                                  unsigned columnScaleAt, unsigned biasAt) {
  if (!sums || !scale || !scalesAreFloat(n, {columnScaleAt}))
    return failure();
  Tensor *columns =
      alignWith(n, n.input(columnScaleAt), sums, sums->rank() - 1);
  if (!columns)
    return failure();
  Tensor *result = n.mul(n.convert(sums, DataType::Float),
                         n.mul(n.reshape(scale, {}), columns));
  Tensor *bias = n.input(biasAt);
  if (!bias || !result)
    return n.output(result);
  if (bias->type != DataType::Float || !n.hasRank(biasAt, 1, 1))
    return n.state.failed ? failure()
                          : LogicalResult(n.error() << "expects a float bias");
  return n.output(n.add(result, bias));
}

static LogicalResult importMatMulToFloat(Node &n) {
  Tensor *sums =
      multiplyQuantized(n, n.input(0), n.input(4), n.input(1), n.input(5));
  return scalesAreFloat(n, {2}) ? outputScaled(n, sums, n.input(2), 3, 6)
                                : failure();
}

static LogicalResult importDynamicMatMul(Node &n) {
  std::optional<Quantized> x = quantizeByRange(n, n.input(0));
  if (!x)
    return failure();
  Tensor *sums =
      multiplyQuantized(n, x->values, x->zero, n.input(1), n.input(3));
  return outputScaled(n, sums, x->scale, 2, 4);
}

//===----------------------------------------------------------------------===//
// QONNX
//===----------------------------------------------------------------------===//

/// The name of math's rounding; empty after a diagnostic.
static StringRef readRounding(Node &n) {
  std::string mode = n.string("rounding_mode", "ROUND");
  StringRef name = llvm::StringSwitch<StringRef>(mode)
                       .Cases({"ROUND", "HALF_EVEN"}, "Round")
                       .Case("FLOOR", "Floor")
                       .Case("CEIL", "Ceil")
                       .Default("");
  if (name.empty())
    n.error() << "has an unknown rounding_mode, '" << mode << "'";
  return name;
}

/// Rounds to a grid and within the range of some bits, in floats.
static LogicalResult importQuant(Node &n) {
  bool isSigned = n.integer("signed", 1), isNarrow = n.integer("narrow", 0);
  StringRef rounding = readRounding(n);
  std::optional<double> bits = n.constant(3);
  if (rounding.empty() || !bits || !n.isFloating(0) || !n.sameTypes({0, 1, 2}))
    return failure();
  if (*bits != std::floor(*bits) || *bits < 1 + isSigned || *bits > 32)
    return n.error() << "cannot quantise to " << *bits << " bits";
  double high = std::exp2(*bits - isSigned) - 1;
  double low = isSigned ? -high - 1 : 0;
  (isSigned ? low : high) += isNarrow ? (isSigned ? 1 : -1) : 0;
  n.computeWide();
  Sizes dims = n.input(0)->dims;
  Tensor *result = n.map({n.input(0), n.input(1), n.input(2)}, n.input(0)->type,
                         [&](Scalar &s, ValueRange v) {
                           Value level = s.add(s.div(v[0], v[1]), v[2]);
                           level = s.unary(rounding, s.clamp(level, low, high));
                           return s.mul(s.sub(level, v[2]), v[1]);
                         });
  if (result && result->dims != dims)
    return n.error() << "expects scales and zero points that broadcast to "
                     << n.text(dims);
  return n.output(result);
}

static LogicalResult importBipolarQuant(Node &n) {
  if (!n.isFloating(0) || !n.sameTypes({0, 1}))
    return failure();
  return n.output(n.map(
      {n.input(0), n.input(1)}, n.input(0)->type, [](Scalar &s, ValueRange v) {
        Value zero = s.constant(v[0].getType(), 0);
        return s.select(s.compare(Order::GE, v[0], zero), v[1], s.neg(v[1]));
      }));
}

ArrayRef<Operator> mlir::prune::onnx_import::quantizedOperators() {
  static constexpr StringLiteral kQonnx = "qonnx.custom_op.general";
  static constexpr StringLiteral kBrevitas = "onnx.brevitas";
  static const Operator operators[] = {
      {"BipolarQuant", 1, kNewest, 2, ChannelRule::Elementwise,
       importBipolarQuant, "", kBrevitas},
      {"BipolarQuant", 1, kNewest, 2, ChannelRule::Elementwise,
       importBipolarQuant, "", kQonnx},
      {"DynamicQuantizeMatMul", 1, 1, 3, ChannelRule::Keep, importDynamicMatMul,
       "", kRuntimeDomain},
      {"MatMulIntegerToFloat", 1, 1, 4, ChannelRule::Keep, importMatMulToFloat,
       "", kRuntimeDomain},
      {"QLinearAdd", 1, 1, 2, ChannelRule::Keep, importBinary<&Emitter::add>,
       "", kRuntimeDomain},
      {"QLinearAveragePool", 1, 1, 2, ChannelRule::Keep, importAveragePool,
       "no channels_last", kRuntimeDomain},
      {"QLinearConcat", 1, 1, 5, ChannelRule::Keep, importConcat, "",
       kRuntimeDomain},
      {"QLinearGlobalAveragePool", 1, 1, 2, ChannelRule::Keep,
       importGlobalAverage, "", kRuntimeDomain},
      {"QLinearLeakyRelu", 1, 1, 2, ChannelRule::Keep, importLeakyRelu, "",
       kRuntimeDomain},
      {"QLinearMul", 1, 1, 2, ChannelRule::Keep, importBinary<&Emitter::mul>,
       "", kRuntimeDomain},
      {"QLinearSigmoid", 1, 1, 2, ChannelRule::Keep, importSigmoid, "",
       kRuntimeDomain},
      {"Quant", 1, kNewest, 4, ChannelRule::Elementwise, importQuant,
       "the number of bits is a constant; no 1 signed bit", kBrevitas},
      {"Quant", 1, kNewest, 4, ChannelRule::Elementwise, importQuant,
       "the number of bits is a constant; no 1 signed bit", kQonnx},
  };
  return operators;
}
