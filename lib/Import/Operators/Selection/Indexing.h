//===- Indexing.h - Elements at known positions -----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What Gather and Resize have in common.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_IMPORT_OPERATORS_SELECTION_INDEXING_H
#define PRUNE_LIB_IMPORT_OPERATORS_SELECTION_INDEXING_H

#include "Import/Model/Node.h"

namespace mlir::prune::onnx_import {

/// Element positions[i] of the axis, for each i. The positions lie within it.
Tensor *pick(Emitter &e, Tensor *x, int64_t axis, ArrayRef<int64_t> positions);

} // namespace mlir::prune::onnx_import

#endif // PRUNE_LIB_IMPORT_OPERATORS_SELECTION_INDEXING_H
