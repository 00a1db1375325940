//===- Control.h - Graphs inside of nodes -----------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What If, Loop and Scan have in common.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_IMPORT_OPERATORS_SEQUENCES_CONTROL_H
#define PRUNE_LIB_IMPORT_OPERATORS_SEQUENCES_CONTROL_H

#include "Import/Model/Graph.h"
#include "Import/Model/Node.h"

namespace mlir::prune::onnx_import {

/// Imports a graph where the builder stands; its outputs. `bind` defines its
/// inputs.
FailureOr<SmallVector<Tensor *>>
importBody(Node &n, onnx::GraphProto &proto,
           function_ref<void(Graph &)> bind = nullptr);

} // namespace mlir::prune::onnx_import

#endif // PRUNE_LIB_IMPORT_OPERATORS_SEQUENCES_CONTROL_H
