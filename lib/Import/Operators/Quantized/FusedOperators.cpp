//===- FusedOperators.cpp - What ONNX Runtime fuses -----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Files that ONNX Runtime has optimised hold operators of its own, each of
// which stands for a few of the standard. Convolutions and products with an
// activation are next to the plain ones.
//
//===----------------------------------------------------------------------===//

#include "Import/Model/Node.h"

#include <cmath>

using namespace mlir;
using namespace mlir::prune::onnx_import;

static Value of(Scalar &s, Value x, double value) {
  return s.constant(x.getType(), value);
}

/// x / 2 * (1 + gate).
static Value gated(Scalar &s, Value x, Value gate) {
  return s.mul(s.mul(x, of(s, x, 0.5)), s.add(of(s, x, 1), gate));
}

static Value exactGelu(Scalar &s, Value x) {
  return gated(s, x, s.unary("Erf", s.mul(x, of(s, x, std::sqrt(0.5)))));
}

static Value fastGelu(Scalar &s, Value x) {
  Value cube = s.mul(s.mul(x, x), s.mul(x, of(s, x, 0.044715)));
  Value inner = s.mul(of(s, x, std::sqrt(2 / M_PI)), s.add(x, cube));
  return gated(s, x, s.unary("Tanh", inner));
}

/// A function of the sum of an input and of a bias, if there is one.
template <Value (*Function)(Scalar &, Value)>
static LogicalResult importBiased(Node &n) {
  Tensor *x = n.input(0), *bias = n.input(1);
  if (!n.isFloating(0) || !n.sameTypes({0, 1}) || (bias && !n.hasRank(1, 1, 1)))
    return failure();
  SmallVector<Tensor *> operands = {x};
  if (bias)
    operands.push_back(bias);
  return n.output(n.map(operands, x->type, [](Scalar &s, ValueRange v) {
    return Function(s, v.size() > 1 ? s.add(v[0], v[1]) : v[0]);
  }));
}

static LogicalResult importQuickGelu(Node &n) {
  double alpha = n.number("alpha", 1.702);
  if (!n.isFloating(0))
    return failure();
  return n.output(
      n.map(n.input(0), n.input(0)->type, [&](Scalar &s, ValueRange v) {
        Value x = v[0];
        Value exponent = s.unary("Exp", s.mul(x, of(s, x, -alpha)));
        return s.div(x, s.add(of(s, x, 1), exponent));
      }));
}

/// The sum of input, skip and bias. Skip may have fewer batches.
static Tensor *addSkip(Node &n, unsigned biasAt) {
  Tensor *x = n.input(0);
  Sizes dims = x->dims;
  Tensor *total = n.add(x, n.input(1));
  if (total && n.input(biasAt))
    total = n.add(total, n.input(biasAt));
  if (!total || total->dims == dims)
    return total;
  n.error() << "expects skip and bias to broadcast to " << n.text(dims);
  return nullptr;
}

/// 1 / sqrt(mean of squares + epsilon), over the last axis.
static Tensor *inverseRoot(Node &n, Tensor *x, double epsilon) {
  Tensor *squares = n.mean(n.mul(x, x), x->rank() - 1, true);
  return n.map(squares, x->type, [&](Scalar &s, ValueRange v) {
    Value root = s.unary("Sqrt", s.add(v[0], of(s, v[0], epsilon)));
    return s.div(of(s, v[0], 1), root);
  });
}

template <bool IsCentred> static LogicalResult importSkipNorm(Node &n) {
  double epsilon = n.number("epsilon", IsCentred ? 1e-12 : 1e-5);
  constexpr unsigned kBias = IsCentred ? 4 : 3;
  if (!n.hasRank(0, 1) || !n.isFloating(0) || !n.hasRank(2, 1, 1) ||
      !n.sameTypes({0, 1, 2, 3, 4}))
    return failure();
  n.computeWide();
  Tensor *total = addSkip(n, kBias), *x = total, *mean = nullptr;
  if (!total ||
      !n.requireEqual(n.input(2)->dims[0], x->dims.back(), "features"))
    return failure();
  if (IsCentred) {
    mean = n.mean(x, x->rank() - 1, true);
    x = n.sub(x, mean);
  }
  Tensor *inverse = x ? inverseRoot(n, x, epsilon) : nullptr;
  Tensor *result = n.mul(n.mul(x, inverse), n.input(2));
  if (IsCentred && n.input(3))
    result = n.add(result, n.input(3));
  if (failed(n.output(0, result)))
    return failure();
  if (IsCentred && n.wants(1) && failed(n.output(1, mean)))
    return failure();
  if (IsCentred && n.wants(2) && failed(n.output(2, inverse)))
    return failure();
  return n.wants(3) ? n.output(3, total) : success();
}

ArrayRef<Operator> mlir::prune::onnx_import::fusedOperators() {
  static const Operator operators[] = {
      {"BiasGelu", 1, 1, 2, ChannelRule::Elementwise, importBiased<exactGelu>,
       "", kRuntimeDomain},
      {"FastGelu", 1, 1, 1, ChannelRule::Elementwise, importBiased<fastGelu>,
       "", kRuntimeDomain},
      {"Gelu", 1, 1, 1, ChannelRule::Elementwise, importBiased<exactGelu>, "",
       kRuntimeDomain},
      {"QuickGelu", 1, 1, 1, ChannelRule::Elementwise, importQuickGelu, "",
       kRuntimeDomain},
      {"SkipLayerNormalization", 1, 1, 3, ChannelRule::Keep,
       importSkipNorm<true>, "", kRuntimeDomain},
      {"SkipSimplifiedLayerNormalization", 1, 1, 3, ChannelRule::Keep,
       importSkipNorm<false>, "", kRuntimeDomain},
  };
  return operators;
}
