//===- Activations.cpp - Elementwise operators of one input ---------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Activation functions and the functions of a single number, each as ONNX's
// definition writes it.
//
//===----------------------------------------------------------------------===//

#include "Import/Model/Node.h"

#include <cmath>

using namespace mlir;
using namespace mlir::prune::onnx_import;

/// A function of a floating-point element.
static LogicalResult importFunction(Node &n, MapBody body) {
  if (!n.isFloating(0))
    return failure();
  return n.output(n.map(n.input(0), n.input(0)->type, body));
}

static Value one(Scalar &s, Value x) { return s.constant(x.getType(), 1); }
static Value zero(Scalar &s, Value x) { return s.constant(x.getType(), 0); }
static Value of(Scalar &s, Value x, double value) {
  return s.constant(x.getType(), value);
}
static Value isPositive(Scalar &s, Value x) {
  return s.compare(Order::GT, x, zero(s, x));
}
static Value sigmoid(Scalar &s, Value x) {
  return s.div(one(s, x), s.add(one(s, x), s.unary("Exp", s.neg(x))));
}

/// A function of math with ONNX's name.
static LogicalResult importUnary(Node &n) {
  StringRef name = n.proto.op_type();
  return importFunction(
      n, [&](Scalar &s, ValueRange v) { return s.unary(name, v[0]); });
}

/// A function without attributes.
template <Value (*Function)(Scalar &, Value)>
static LogicalResult importPlain(Node &n) {
  return importFunction(
      n, [](Scalar &s, ValueRange v) { return Function(s, v[0]); });
}

static Value reciprocal(Scalar &s, Value x) { return s.div(one(s, x), x); }
static Value softsign(Scalar &s, Value x) {
  return s.div(x, s.add(one(s, x), s.abs(x)));
}
/// log(1 + exp(x)), without overflow.
static Value softplus(Scalar &s, Value x) {
  Value tail = s.unary("Log1p", s.unary("Exp", s.neg(s.abs(x))));
  return s.add(s.max(x, zero(s, x)), tail);
}
static Value hardSwish(Scalar &s, Value x) {
  Value gate = s.add(s.mul(x, of(s, x, 1.0 / 6)), of(s, x, 0.5));
  return s.mul(x, s.clamp(gate, 0, 1));
}
static Value mish(Scalar &s, Value x) {
  return s.mul(x, s.unary("Tanh", softplus(s, x)));
}

/// Operators that integers have too.
template <Value (*Function)(Scalar &, Value)>
static LogicalResult importAny(Node &n) {
  return n.output(
      n.map(n.input(0), n.input(0)->type,
            [](Scalar &s, ValueRange v) { return Function(s, v[0]); }));
}

static Value relu(Scalar &s, Value x) { return s.max(x, zero(s, x)); }
static Value absolute(Scalar &s, Value x) { return s.abs(x); }
static Value negative(Scalar &s, Value x) { return s.neg(x); }
static Value sign(Scalar &s, Value x) {
  Value below = s.isUnsigned ? zero(s, x)
                             : s.select(s.compare(Order::LT, x, zero(s, x)),
                                        of(s, x, -1), zero(s, x));
  return s.select(isPositive(s, x), one(s, x), below);
}

static LogicalResult importSwish(Node &n) {
  double alpha = n.number("alpha", 1.0);
  return importFunction(n, [&](Scalar &s, ValueRange v) {
    return s.mul(v[0], sigmoid(s, s.mul(v[0], of(s, v[0], alpha))));
  });
}

static LogicalResult importElu(Node &n) {
  double alpha = n.number("alpha", 1.0);
  return importFunction(n, [&](Scalar &s, ValueRange v) {
    Value x = v[0];
    Value low = s.mul(of(s, x, alpha), s.unary("Expm1", x));
    return s.select(isPositive(s, x), x, low);
  });
}

static LogicalResult importCelu(Node &n) {
  double alpha = n.number("alpha", 1.0);
  return importFunction(n, [&](Scalar &s, ValueRange v) {
    Value x = v[0];
    Value low =
        s.mul(of(s, x, alpha), s.unary("Expm1", s.div(x, of(s, x, alpha))));
    return s.add(s.max(x, zero(s, x)), s.min(low, zero(s, x)));
  });
}

static LogicalResult importSelu(Node &n) {
  bool old = n.opset < 6;
  double alpha = n.number("alpha", old ? 1.6732 : 1.67326319217681884765625);
  double gamma = n.number("gamma", old ? 1.0507 : 1.05070102214813232421875);
  return importFunction(n, [&](Scalar &s, ValueRange v) {
    Value x = v[0];
    Value low = s.mul(of(s, x, alpha), s.unary("Expm1", x));
    return s.mul(of(s, x, gamma), s.select(isPositive(s, x), x, low));
  });
}

static LogicalResult importLeakyRelu(Node &n) {
  double alpha = n.number("alpha", 0.01);
  return importFunction(n, [&](Scalar &s, ValueRange v) {
    Value x = v[0];
    return s.select(s.compare(Order::GE, x, zero(s, x)), x,
                    s.mul(of(s, x, alpha), x));
  });
}

static LogicalResult importThresholdedRelu(Node &n) {
  double alpha = n.number("alpha", 1.0);
  return importFunction(n, [&](Scalar &s, ValueRange v) {
    Value x = v[0];
    return s.select(s.compare(Order::GT, x, of(s, x, alpha)), x, zero(s, x));
  });
}

static LogicalResult importHardSigmoid(Node &n) {
  double alpha = n.number("alpha", 0.2), beta = n.number("beta", 0.5);
  return importFunction(n, [&](Scalar &s, ValueRange v) {
    Value x = v[0];
    return s.clamp(s.add(s.mul(of(s, x, alpha), x), of(s, x, beta)), 0, 1);
  });
}

static LogicalResult importShrink(Node &n) {
  double lambda = n.number("lambd", 0.5), bias = n.number("bias", 0.0);
  return n.output(
      n.map(n.input(0), n.input(0)->type, [&](Scalar &s, ValueRange v) {
        Value x = v[0];
        Value below = s.compare(Order::LT, x, of(s, x, -lambda));
        Value above = s.compare(Order::GT, x, of(s, x, lambda));
        Value high = s.select(above, s.sub(x, of(s, x, bias)), zero(s, x));
        return s.select(below, s.add(x, of(s, x, bias)), high);
      }));
}

static LogicalResult importGelu(Node &n) {
  std::string approximate = n.string("approximate", "none");
  if (approximate != "none" && approximate != "tanh")
    return n.error() << "expects approximate to be 'none' or 'tanh', but got '"
                     << approximate << "'";
  return importFunction(n, [&](Scalar &s, ValueRange v) {
    Value x = v[0], inner;
    if (approximate == "tanh") {
      Value cube = s.mul(s.mul(x, x), s.mul(x, of(s, x, 0.044715)));
      inner =
          s.unary("Tanh", s.mul(of(s, x, std::sqrt(2 / M_PI)), s.add(x, cube)));
    } else {
      inner = s.unary("Erf", s.mul(x, of(s, x, std::sqrt(0.5))));
    }
    return s.mul(s.mul(x, of(s, x, 0.5)), s.add(one(s, x), inner));
  });
}

static LogicalResult importPRelu(Node &n) {
  if (!n.sameTypes({0, 1}))
    return failure();
  Tensor *x = n.input(0), *slope = n.input(1);
  // Before opset 7, and in models that go on like this, one slope for each
  // channel.
  if (slope->rank() == 1 && x->rank() > 2 && n.opset < 7 &&
      slope->dims[0] == x->dims[1]) {
    Sizes dims = slope->dims;
    dims.append(x->rank() - 2, n.size(1));
    slope = n.reshape(slope, dims);
  }
  return n.output(n.map({x, slope}, x->type, [](Scalar &s, ValueRange v) {
    Value low = s.mul(v[0], v[1]);
    return s.select(s.compare(Order::LT, v[0], zero(s, v[0])), low, v[0]);
  }));
}

static LogicalResult importClip(Node &n) {
  Tensor *x = n.input(0);
  Tensor *low = n.input(1), *high = n.input(2);
  if (n.opset < 11) {
    if (n.has("min"))
      low = n.Emitter::number(x->type, n.number("min", 0));
    if (n.has("max"))
      high = n.Emitter::number(x->type, n.number("max", 0));
  }
  for (Tensor **bound : {&low, &high}) {
    if (!*bound)
      continue;
    if ((*bound)->type != x->type ||
        !llvm::all_of((*bound)->dims,
                      [](AffineExpr dim) { return Emitter::known(dim) == 1; }))
      return n.error() << "expects bounds that are numbers of the input's type";
    *bound = n.reshape(*bound, {});
  }
  if (low)
    x = n.map({x, low}, x->type,
              [](Scalar &s, ValueRange v) { return s.max(v[0], v[1]); });
  if (high && x)
    x = n.map({x, high}, x->type,
              [](Scalar &s, ValueRange v) { return s.min(v[0], v[1]); });
  return n.output(x);
}

static LogicalResult importIsNaN(Node &n) {
  if (!n.isFloating(0))
    return failure();
  return n.output(
      n.map(n.input(0), DataType::Bool, [](Scalar &s, ValueRange v) {
        return s.compare(Order::NE, v[0], v[0]);
      }));
}

static LogicalResult importIsInf(Node &n) {
  bool negative = n.integer("detect_negative", 1);
  bool positive = n.integer("detect_positive", 1);
  if (!n.isFloating(0))
    return failure();
  return n.output(
      n.map(n.input(0), DataType::Bool, [&](Scalar &s, ValueRange v) {
        Type type = v[0].getType();
        Value result = s.integer(s.b.getI1Type(), 0);
        if (positive)
          result = s.bitOr(result,
                           s.compare(Order::EQ, v[0], s.extreme(type, true)));
        if (negative)
          result = s.bitOr(result,
                           s.compare(Order::EQ, v[0], s.extreme(type, false)));
        return result;
      }));
}

ArrayRef<Operator> mlir::prune::onnx_import::activationOperators() {
  static const Operator operators[] = {
      {"Abs", 1, kNewest, 1, ChannelRule::Elementwise, importAny<absolute>},
      {"Acos", 7, kNewest, 1, ChannelRule::Elementwise, importUnary},
      {"Acosh", 9, kNewest, 1, ChannelRule::Elementwise, importUnary},
      {"Asin", 7, kNewest, 1, ChannelRule::Elementwise, importUnary},
      {"Asinh", 9, kNewest, 1, ChannelRule::Elementwise, importUnary},
      {"Atan", 7, kNewest, 1, ChannelRule::Elementwise, importUnary},
      {"Atanh", 9, kNewest, 1, ChannelRule::Elementwise, importUnary},
      {"Ceil", 1, kNewest, 1, ChannelRule::Elementwise, importUnary},
      {"Celu", 12, kNewest, 1, ChannelRule::Elementwise, importCelu},
      {"Clip", 1, kNewest, 1, ChannelRule::Elementwise, importClip},
      {"Cos", 7, kNewest, 1, ChannelRule::Elementwise, importUnary},
      {"Cosh", 9, kNewest, 1, ChannelRule::Elementwise, importUnary},
      {"Elu", 1, kNewest, 1, ChannelRule::Elementwise, importElu},
      {"Erf", 9, kNewest, 1, ChannelRule::Elementwise, importUnary},
      {"Exp", 1, kNewest, 1, ChannelRule::Elementwise, importUnary},
      {"Floor", 1, kNewest, 1, ChannelRule::Elementwise, importUnary},
      {"Gelu", 20, kNewest, 1, ChannelRule::Elementwise, importGelu},
      {"HardSigmoid", 1, kNewest, 1, ChannelRule::Elementwise,
       importHardSigmoid},
      {"HardSwish", 14, kNewest, 1, ChannelRule::Elementwise,
       importPlain<hardSwish>},
      {"IsInf", 10, kNewest, 1, ChannelRule::Elementwise, importIsInf},
      {"IsNaN", 9, kNewest, 1, ChannelRule::Elementwise, importIsNaN},
      {"LeakyRelu", 1, kNewest, 1, ChannelRule::Elementwise, importLeakyRelu},
      {"Log", 1, kNewest, 1, ChannelRule::Elementwise, importUnary},
      {"Mish", 18, kNewest, 1, ChannelRule::Elementwise, importPlain<mish>},
      {"Neg", 1, kNewest, 1, ChannelRule::Elementwise, importAny<negative>},
      {"PRelu", 1, kNewest, 2, ChannelRule::Elementwise, importPRelu},
      {"Reciprocal", 1, kNewest, 1, ChannelRule::Elementwise,
       importPlain<reciprocal>},
      {"Relu", 1, kNewest, 1, ChannelRule::Elementwise, importAny<relu>},
      {"Round", 11, kNewest, 1, ChannelRule::Elementwise, importUnary},
      {"Selu", 1, kNewest, 1, ChannelRule::Elementwise, importSelu},
      {"Shrink", 9, kNewest, 1, ChannelRule::Elementwise, importShrink},
      {"Sigmoid", 1, kNewest, 1, ChannelRule::Elementwise,
       importPlain<sigmoid>},
      {"Sign", 9, kNewest, 1, ChannelRule::Elementwise, importAny<sign>},
      {"Sin", 7, kNewest, 1, ChannelRule::Elementwise, importUnary},
      {"Sinh", 9, kNewest, 1, ChannelRule::Elementwise, importUnary},
      {"Softplus", 1, kNewest, 1, ChannelRule::Elementwise,
       importPlain<softplus>},
      {"Softsign", 1, kNewest, 1, ChannelRule::Elementwise,
       importPlain<softsign>},
      {"Sqrt", 1, kNewest, 1, ChannelRule::Elementwise, importUnary},
      {"Swish", 24, kNewest, 1, ChannelRule::Elementwise, importSwish},
      {"Tan", 7, kNewest, 1, ChannelRule::Elementwise, importUnary},
      {"Tanh", 1, kNewest, 1, ChannelRule::Elementwise, importUnary},
      {"ThresholdedRelu", 10, kNewest, 1, ChannelRule::Elementwise,
       importThresholdedRelu},
  };
  return operators;
}
