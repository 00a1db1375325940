//===- ComputedWeights.h - Weights that nodes compute -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The importer computes what nodes make of constants. A pass can change the
// result, but not the nodes.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_EXPORT_COMPUTEDWEIGHTS_H
#define PRUNE_LIB_EXPORT_COMPUTEDWEIGHTS_H

#include "Export/Template/Facts.h"

namespace mlir::prune::onnx_export {

/// Stores the results of nodes as initialisers where the importer computed them
/// and `isChanged` holds for their names; drops the nodes that made them, and
/// what only these needed.
void storeComputedWeights(onnx::ModelProto &model, const Facts &facts,
                          function_ref<bool(StringRef)> isChanged);

} // namespace mlir::prune::onnx_export

#endif // PRUNE_LIB_EXPORT_COMPUTEDWEIGHTS_H
