//===- Activation.cpp - Activations that attributes name ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The functions that ONNX defines for recurrent layers, by name. Fused
// operators have a Clip too.
//
//===----------------------------------------------------------------------===//

#include "Activation.h"
#include "Import/Model/Node.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;

const Activation *mlir::prune::onnx_import::findActivation(StringRef name) {
  static const Activation known[] = {{"affine", 1, 0},
                                     {"elu", 1, 0},
                                     {"hardsigmoid", 0.2, 0.5},
                                     {"leakyrelu", 0.01, 0},
                                     {"relu", 0, 0},
                                     {"scaledtanh", 1, 1},
                                     {"sigmoid", 0, 0},
                                     {"softplus", 0, 0},
                                     {"softsign", 0, 0},
                                     {"tanh", 0, 0},
                                     {"thresholdedrelu", 1, 0}};
  const auto *found = llvm::find_if(
      known, [&](const Activation &one) { return name == one.name; });
  return found == std::end(known) ? nullptr : found;
}

bool mlir::prune::onnx_import::hasBeta(StringRef name) {
  return name == "affine" || name == "hardsigmoid" || name == "scaledtanh";
}

bool mlir::prune::onnx_import::hasAlpha(StringRef name) {
  return hasBeta(name) || name == "elu" || name == "leakyrelu" ||
         name == "thresholdedrelu";
}

Value mlir::prune::onnx_import::applyActivation(Scalar &s,
                                                const Activation &activation,
                                                Value x) {
  StringRef name = activation.name;
  auto of = [&](double value) { return s.constant(x.getType(), value); };
  Value alpha = of(activation.alpha), beta = of(activation.beta);
  if (name == "sigmoid")
    return s.div(of(1), s.add(of(1), s.unary("Exp", s.neg(x))));
  if (name == "tanh")
    return s.unary("Tanh", x);
  if (name == "relu")
    return s.max(x, of(0));
  if (name == "softsign")
    return s.div(x, s.add(of(1), s.abs(x)));
  if (name == "softplus") {
    Value tail = s.unary("Log1p", s.unary("Exp", s.neg(s.abs(x))));
    return s.add(s.max(x, of(0)), tail);
  }
  if (name == "hardsigmoid")
    return s.clamp(s.add(s.mul(x, alpha), beta), 0, 1);
  if (name == "affine")
    return s.add(s.mul(x, alpha), beta);
  if (name == "scaledtanh")
    return s.mul(alpha, s.unary("Tanh", s.mul(beta, x)));
  if (name == "thresholdedrelu")
    return s.select(s.compare(Order::GT, x, alpha), x, of(0));
  Value isNegative = s.compare(Order::LT, x, of(0));
  if (name == "leakyrelu")
    return s.select(isNegative, s.mul(x, alpha), x);
  assert(name == "elu" && "unknown activations are refused");
  return s.select(isNegative, s.mul(alpha, s.unary("Expm1", x)), x);
}

/// The parameters are in a list or have attributes of their own.
static SmallVector<double> readParameters(Node &n) {
  if (n.has("activation_params"))
    return n.numbers("activation_params");
  SmallVector<double> parameters;
  for (StringRef name : {"activation_alpha", "activation_beta"})
    if (n.has(name))
      parameters.push_back(n.number(name, 0));
  // None of the functions has a third one.
  (void)n.number("activation_gamma", 0);
  return parameters;
}

Tensor *mlir::prune::onnx_import::activate(Node &n, Tensor *x) {
  if (n.proto.domain() != kRuntimeDomain || !x)
    return x;
  if (Tensor *summand = n.proto.op_type() == "FusedConv" ? n.input(3) : nullptr)
    x = n.add(x, summand);
  std::string name = n.string("activation", "");
  SmallVector<double> parameters = readParameters(n);
  if (name.empty() || !x)
    return x;
  if (name == "Clip" && parameters.size() == 2)
    return n.map(x, x->type, [&](Scalar &s, ValueRange v) {
      return s.clamp(v[0], parameters[0], parameters[1]);
    });
  std::string lower = StringRef(name).lower();
  const Activation *found = findActivation(lower);
  size_t expected = hasAlpha(lower) + hasBeta(lower);
  if (!found || parameters.size() < expected) {
    n.error() << "the activation '" << name << "' with " << parameters.size()
              << " parameters is not supported";
    return nullptr;
  }
  Activation activation = *found;
  if (expected > 0)
    activation.alpha = parameters[0];
  if (expected > 1)
    activation.beta = parameters[1];
  return n.map(x, x->type, [&](Scalar &s, ValueRange v) {
    return applyActivation(s, activation, v[0]);
  });
}
