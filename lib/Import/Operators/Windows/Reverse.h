//===- Reverse.h - Reversal of convolution filters --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_IMPORT_OPERATORS_WINDOWS_REVERSE_H
#define PRUNE_LIB_IMPORT_OPERATORS_WINDOWS_REVERSE_H

#include "Import/Model/Node.h"

namespace mlir::prune::onnx_import {

/// `[C, F, kernel...]` with every kernel dim reversed. A constant is rewritten,
/// and its name says so: `name#1`.
Tensor *reverseKernel(Node &n, Tensor *filter);

} // namespace mlir::prune::onnx_import

#endif // PRUNE_LIB_IMPORT_OPERATORS_WINDOWS_REVERSE_H
