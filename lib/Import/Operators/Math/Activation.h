//===- Activation.h - Activations that attributes name ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Recurrent layers and fused operators name the function that their result goes
// through, and give its parameters apart.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_IMPORT_OPERATORS_MATH_ACTIVATION_H
#define PRUNE_LIB_IMPORT_OPERATORS_MATH_ACTIVATION_H

#include "Import/Emitter/Scalar.h"

#include <string>

namespace mlir::prune::onnx_import {

class Node;
struct Tensor;

/// The name is in lower case.
struct Activation {
  std::string name;
  double alpha = 0, beta = 0;
};

/// The activation with the defaults of its parameters; null if there is none.
const Activation *findActivation(StringRef name);
/// Whether the activation has the parameter.
bool hasAlpha(StringRef name);
bool hasBeta(StringRef name);

/// An activation function of one element.
Value applyActivation(Scalar &s, const Activation &activation, Value x);

/// What a fused operator does to its result; other operators do nothing. Null
/// after a diagnostic.
Tensor *activate(Node &n, Tensor *x);

} // namespace mlir::prune::onnx_import

#endif // PRUNE_LIB_IMPORT_OPERATORS_MATH_ACTIVATION_H
