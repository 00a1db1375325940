//===- Einsum.h - Einstein sums ---------------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_IMPORT_OPERATORS_MATH_EINSUM_H
#define PRUNE_LIB_IMPORT_OPERATORS_MATH_EINSUM_H

#include "Import/Model/Node.h"

namespace mlir::prune::onnx_import {

LogicalResult importEinsum(Node &n);

} // namespace mlir::prune::onnx_import

#endif // PRUNE_LIB_IMPORT_OPERATORS_MATH_EINSUM_H
