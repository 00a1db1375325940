//===- Normalization.cpp - Normalisations and softmax ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Normalisation by stored statistics keeps its four parameters as they are, so
// that weights keep their names; prune-fold-batch-norms folds them.
//
//===----------------------------------------------------------------------===//

#include "Import/Model/Node.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;

/// One number for each channel of `[N, C, ...]`.
static Tensor *perChannel(Node &n, Tensor *parameter, Tensor *x) {
  Sizes dims = {parameter->dims[0]};
  dims.append(std::max<int64_t>(x->rank() - 2, 0), n.size(1));
  return n.reshape(parameter, dims);
}

static LogicalResult importBatchNorm(Node &n) {
  double epsilon = n.number("epsilon", 1e-5);
  // These describe training.
  (void)n.number("momentum", 0.9);
  if (n.opset >= 14 && n.integer("training_mode", 0) != 0)
    return n.error() << "expects a model for inference, but got training_mode";
  if (n.opset < 9 && n.integer("spatial", 1) != 1)
    return n.error() << "normalisation that is not spatial is not supported";
  if (n.opset < 7 && n.integer("is_test", 0) != 1)
    return n.error() << "expects a model for inference, but is_test is not set";
  Tensor *x = n.input(0);
  if (!n.hasRank(0, 2) || !n.isFloating(0))
    return failure();
  SmallVector<Tensor *> operands = {x};
  for (unsigned at = 1; at < 5; ++at) {
    if (!n.hasRank(at, 1, 1) || !n.sameTypes({0, at}) ||
        !n.requireEqual(n.input(at)->dims[0], x->dims[1], "channels"))
      return failure();
    operands.push_back(perChannel(n, n.input(at), x));
  }
  return n.output(n.map(operands, x->type, [&](Scalar &s, ValueRange v) {
    Value variance = s.add(v[4], s.constant(v[4].getType(), epsilon));
    Value scaled =
        s.mul(s.sub(v[0], v[3]), s.div(v[1], s.unary("Sqrt", variance)));
    return s.add(scaled, v[2]);
  }));
}

/// (x - mean) / sqrt(variance + epsilon) over the axes; also gives mean and
/// inverse deviation.
static Tensor *normalize(Node &n, Tensor *x, ArrayRef<int64_t> axes,
                         double epsilon, Tensor **meanOut = nullptr,
                         Tensor **inverseOut = nullptr) {
  Tensor *mean = n.mean(x, axes, true);
  Tensor *centred = mean ? n.sub(x, mean) : nullptr;
  Tensor *variance =
      centred ? n.mean(n.mul(centred, centred), axes, true) : nullptr;
  if (!variance)
    return nullptr;
  Tensor *inverse = n.map(variance, x->type, [&](Scalar &s, ValueRange v) {
    Type type = v[0].getType();
    return s.div(s.constant(type, 1),
                 s.unary("Sqrt", s.add(v[0], s.constant(type, epsilon))));
  });
  if (meanOut)
    *meanOut = mean;
  if (inverseOut)
    *inverseOut = inverse;
  return n.mul(centred, inverse);
}

static LogicalResult importInstanceNorm(Node &n) {
  double epsilon = n.number("epsilon", 1e-5);
  Tensor *x = n.input(0);
  if (!n.hasRank(0, 3) || !n.hasRank(1, 1, 1) || !n.hasRank(2, 1, 1) ||
      !n.isFloating(0) || !n.sameTypes({0, 1, 2}) ||
      !n.requireEqual(n.input(1)->dims[0], x->dims[1], "channels") ||
      !n.requireEqual(n.input(2)->dims[0], x->dims[1], "channels"))
    return failure();
  n.computeWide();
  x = n.input(0);
  SmallVector<int64_t> axes = range(2, x->rank());
  Tensor *normal = normalize(n, x, axes, epsilon);
  return n.output(n.add(n.mul(normal, perChannel(n, n.input(1), x)),
                        perChannel(n, n.input(2), x)));
}

static LogicalResult importLayerNorm(Node &n) {
  double epsilon = n.number("epsilon", 1e-5);
  Tensor *x = n.input(0);
  // The type of the statistics: float, which is ours unless x is narrower.
  auto stash = static_cast<DataType>(n.integer("stash_type", 1));
  std::optional<int64_t> axis = n.axis(n.integer("axis", -1), x->rank());
  if (!axis || !n.isFloating(0) || !n.sameTypes({0, 1, 2}))
    return failure();
  if (!isFloat(stash))
    return n.error() << "cannot compute statistics in " << nameOf(stash);
  // The statistics are outputs too, and not rounded.
  DataType type = x->type, wide = type;
  if (isHalf(type))
    wide = isHalf(stash) ? DataType::Float : stash;
  x = n.convert(x, wide);
  SmallVector<int64_t> axes = range(*axis, x->rank());
  Tensor *mean, *inverse;
  Tensor *result = normalize(n, x, axes, epsilon, &mean, &inverse);
  result = n.mul(result, n.convert(n.input(1), wide));
  if (n.input(2))
    result = n.add(result, n.convert(n.input(2), wide));
  if (failed(n.output(0, n.convert(result, type))))
    return failure();
  if (n.wants(1) && failed(n.output(1, mean)))
    return failure();
  return n.wants(2) ? n.output(2, inverse) : success();
}

/// x / sqrt(mean(x^2) + epsilon), scaled.
static LogicalResult importRMSNorm(Node &n) {
  double epsilon = n.number("epsilon", 1e-5);
  Tensor *x = n.input(0), *scale = n.input(1);
  auto stash = static_cast<DataType>(n.integer("stash_type", 1));
  std::optional<int64_t> axis = n.axis(n.integer("axis", -1), x->rank());
  if (!axis || !n.isFloating(0) || !n.isFloating(1))
    return failure();
  if (!isFloat(stash))
    return n.error() << "cannot compute statistics in " << nameOf(stash);
  auto widen = [](DataType type) {
    return isHalf(type) ? DataType::Float : type;
  };
  x = n.convert(x, isHalf(x->type) ? widen(stash) : x->type);
  Tensor *squares = n.mean(n.mul(x, x), range(*axis, x->rank()), true);
  Tensor *normal = n.map({x, squares}, x->type, [&](Scalar &s, ValueRange v) {
    Value square = s.add(v[1], s.constant(v[1].getType(), epsilon));
    return s.div(v[0], s.unary("Sqrt", square));
  });
  DataType wide = widen(scale->type);
  Tensor *result = n.mul(n.convert(normal, wide), n.convert(scale, wide));
  if (result && result->dims != x->dims)
    return n.error() << "expects a scale that broadcasts to " << n.text(x->dims)
                     << ", but got " << n.text(scale->dims);
  return n.output(n.convert(result, scale->type));
}

static LogicalResult importGroupNorm(Node &n) {
  double epsilon = n.number("epsilon", 1e-5);
  int64_t groups = n.integer("num_groups", 0);
  (void)n.integer("stash_type", 1);
  Tensor *x = n.input(0), *scale = n.input(1), *bias = n.input(2);
  if (!n.hasRank(0, 3) || !n.hasRank(1, 1, 1) || !n.hasRank(2, 1, 1) ||
      !n.isFloating(0) || !n.sameTypes({0, 1, 2}))
    return failure();
  std::optional<int64_t> channels = Emitter::known(x->dims[1]);
  n.computeWide();
  x = n.input(0), scale = n.input(1), bias = n.input(2);
  if (!channels || groups < 1 || *channels % groups != 0)
    return n.error() << "cannot divide " << n.text(x->dims[1])
                     << " channels into " << groups << " groups";
  Sizes split = {x->dims[0], n.size(groups), n.size(*channels / groups)};
  llvm::append_range(split, ArrayRef(x->dims).drop_front(2));
  SmallVector<int64_t> axes = range(2, x->rank() + 1);
  Tensor *normal = normalize(n, n.reshape(x, split), axes, epsilon);
  // One number for each group until opset 20, for each channel since.
  AffineExpr count = n.opset < 21 ? n.size(groups) : x->dims[1];
  if (scale->dims[0] != count || bias->dims[0] != count)
    return n.error() << "expects " << n.text(count) << " scales and biases";
  auto apply = [&](Tensor *parameter) {
    Sizes dims = {n.size(groups), n.opset < 21 ? n.size(1) : split[2]};
    dims.append(x->rank() - 2, n.size(1));
    return n.reshape(parameter, dims);
  };
  normal = n.add(n.mul(normal, apply(scale)), apply(bias));
  return n.output(normal ? n.reshape(normal, x->dims) : nullptr);
}

static LogicalResult importMeanVariance(Node &n) {
  Tensor *x = n.input(0);
  std::optional<SmallVector<int64_t>> axes =
      n.axes(n.integers("axes", {0, 2, 3}), x->rank());
  if (!axes || !n.isFloating(0))
    return failure();
  n.computeWide();
  return n.output(normalize(n, n.input(0), *axes, 1e-9));
}

static LogicalResult importLRN(Node &n) {
  double alpha = n.number("alpha", 1e-4), beta = n.number("beta", 0.75),
         bias = n.number("bias", 1.0);
  int64_t size = n.integer("size", 0);
  Tensor *x = n.input(0);
  if (!n.hasRank(0, 2) || !n.isFloating(0))
    return failure();
  if (size < 1 || size > 1024)
    return n.error() << "expects a size from 1 to 1024, but got " << size;
  n.computeWide();
  x = n.input(0);
  Tensor *squares = n.mul(x, x);
  Sizes low(x->rank(), n.size(0)), high(low);
  low[1] = n.size((size - 1) / 2);
  high[1] = n.size(size - 1 - (size - 1) / 2);
  Tensor *padded = n.pad(squares, low, high);
  Tensor *sums = nullptr;
  for (int64_t at = 0; at < size && padded; ++at) {
    Tensor *part = n.slice(padded, 1, n.size(at), x->dims[1]);
    sums = sums ? n.add(sums, part) : part;
  }
  return n.output(n.map({x, sums}, x->type, [&](Scalar &s, ValueRange v) {
    Type type = v[0].getType();
    Value base = s.add(s.constant(type, bias),
                       s.mul(s.constant(type, alpha / size), v[1]));
    return s.div(v[0], s.pow(base, s.constant(type, beta)));
  }));
}

static LogicalResult importLpNorm(Node &n) {
  int64_t p = n.integer("p", 2);
  Tensor *x = n.input(0);
  std::optional<int64_t> axis = n.axis(n.integer("axis", -1), x->rank());
  if (!axis || !n.isFloating(0))
    return failure();
  if (p != 1 && p != 2)
    return n.error() << "expects p to be 1 or 2, but got " << p;
  n.computeWide();
  x = n.input(0);
  Tensor *sums;
  if (p == 2)
    sums = n.unary("Sqrt", n.sum(n.mul(x, x), *axis, true));
  else
    sums = n.sum(
        n.map(x, x->type, [](Scalar &s, ValueRange v) { return s.abs(v[0]); }),
        *axis, true);
  if (!sums)
    return failure();
  // A vector of zeros has no direction and stays as it is.
  return n.output(n.map({x, sums}, x->type, [](Scalar &s, ValueRange v) {
    Value zero = s.constant(v[1].getType(), 0);
    return s.select(s.compare(Order::EQ, v[1], zero), zero, s.div(v[0], v[1]));
  }));
}

/// Runs `body` along one axis; before opset 13 the dims from the axis on are
/// one.
static LogicalResult alongAxis(Node &n,
                               function_ref<Tensor *(Tensor *, int64_t)> body) {
  Tensor *x = n.input(0);
  bool flattens = n.opset < 13;
  std::optional<int64_t> axis =
      n.axis(n.integer("axis", flattens ? 1 : -1), x->rank());
  if (!axis || !n.isFloating(0))
    return failure();
  n.computeWide();
  x = n.input(0);
  if (!flattens || *axis == x->rank() - 1)
    return n.output(body(x, *axis));
  ArrayRef<AffineExpr> dims(x->dims);
  Tensor *flat = n.reshape(x, {n.product(dims.take_front(*axis)),
                               n.product(dims.drop_front(*axis))});
  Tensor *result = flat ? body(flat, 1) : nullptr;
  return n.output(result ? n.reshape(result, x->dims) : nullptr);
}

static LogicalResult importSoftmax(Node &n) {
  return alongAxis(n, [&](Tensor *x, int64_t axis) {
    return n.softmax(x, axis, /*logarithm=*/false);
  });
}

static LogicalResult importLogSoftmax(Node &n) {
  return alongAxis(n, [&](Tensor *x, int64_t axis) {
    return n.softmax(x, axis, /*logarithm=*/true);
  });
}

ArrayRef<Operator> mlir::prune::onnx_import::normalizationOperators() {
  static const Operator operators[] = {
      {"BatchNormalization", 1, kNewest, 5, ChannelRule::BatchNorm,
       importBatchNorm, "inference: no training_mode; no spatial = 0"},
      {"GroupNormalization", 18, kNewest, 3, ChannelRule::GroupNorm,
       importGroupNorm, "the number of channels is known"},
      {"InstanceNormalization", 6, kNewest, 3, ChannelRule::InstanceNorm,
       importInstanceNorm},
      {"LRN", 1, kNewest, 1, ChannelRule::Keep, importLRN},
      {"LayerNormalization", 17, kNewest, 2, ChannelRule::LayerNorm,
       importLayerNorm},
      {"LogSoftmax", 1, kNewest, 1, ChannelRule::Softmax, importLogSoftmax},
      {"LpNormalization", 1, kNewest, 1, ChannelRule::Elementwise,
       importLpNorm},
      {"MeanVarianceNormalization", 9, kNewest, 1, ChannelRule::Keep,
       importMeanVariance},
      {"RMSNormalization", 23, kNewest, 2, ChannelRule::LayerNorm,
       importRMSNorm},
      {"Softmax", 1, kNewest, 1, ChannelRule::Softmax, importSoftmax},
  };
  return operators;
}
