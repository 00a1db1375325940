//===- Quantization.h - Integers with scales --------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The steps that operators on quantised tensors are made of. All give null
// after a diagnostic.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_IMPORT_OPERATORS_QUANTIZED_QUANTIZATION_H
#define PRUNE_LIB_IMPORT_OPERATORS_QUANTIZED_QUANTIZATION_H

#include "Import/Model/Node.h"

namespace mlir::prune::onnx_import {

struct Quantized {
  Tensor *values, *scale, *zero;
};

bool isNarrow(DataType type);
bool scalesAreFloat(Node &n, ArrayRef<unsigned> which);

/// One number, or one for each position along an axis of `x`, or for each
/// `block` positions of it; aligned with `x`.
Tensor *alignWith(Node &n, Tensor *parameter, Tensor *x, int64_t axis,
                  int64_t block = 0);

/// x - zero, in 32 bits.
Tensor *centre(Node &n, Tensor *x, Tensor *zero, int64_t axis,
               int64_t block = 0);

/// round(x) + zero, within the range of the type.
Tensor *quantize(Node &n, Tensor *x, Tensor *zero, DataType type, int64_t axis,
                 int64_t block = 0);

/// Floats as bytes, by their least and greatest.
std::optional<Quantized> quantizeByRange(Node &n, Tensor *x);

/// The product of quantised matrices, before scaling. A zero point of the left
/// one may be one for each row.
Tensor *multiplyQuantized(Node &n, Tensor *x, Tensor *xZero, Tensor *y,
                          Tensor *yZero);

} // namespace mlir::prune::onnx_import

#endif // PRUNE_LIB_IMPORT_OPERATORS_QUANTIZED_QUANTIZATION_H
