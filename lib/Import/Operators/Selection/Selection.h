//===- Selection.h - Positions that the data choose -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What operators whose results have as many elements as the data say have in
// common.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_IMPORT_OPERATORS_SELECTION_SELECTION_H
#define PRUNE_LIB_IMPORT_OPERATORS_SELECTION_SELECTION_H

#include "Import/Model/Node.h"

namespace mlir::prune::onnx_import {

/// Runs `body(s, position, carried)` for each position in [from, to); returns
/// what is carried out of the last one.
using CarryBody = function_ref<SmallVector<Value>(Scalar &, Value, ValueRange)>;
SmallVector<Value> carry(Scalar &s, Value from, Value to, ValueRange start,
                         CarryBody body);

/// The positions below `total` for which `holds`, in order: int64 of a size
/// that the run knows.
Tensor *positionsWhere(Node &n, AffineExpr total,
                       function_ref<Value(Scalar &, Value)> holds);

/// The positions below `total` sorted by `less`; equal ones stay in order.
using Less = function_ref<Value(Scalar &, Value, Value)>;
Value sortedPositions(Scalar &s, Value total, Less less);

/// The element of a tensor of positions, as an index.
Value positionAt(Scalar &s, Value positions, Value at);

LogicalResult importNonMaxSuppression(Node &n);

} // namespace mlir::prune::onnx_import

#endif // PRUNE_LIB_IMPORT_OPERATORS_SELECTION_SELECTION_H
