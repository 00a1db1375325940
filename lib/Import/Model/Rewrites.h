//===- Rewrites.h - Plainer forms of a parsed model -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A file can say the same in several ways: a call of a function that it defines
// or the nodes of its body, a sparse tensor or a dense one. What is rare is
// rewritten in the parsed file into what is usual, so that neither the importer
// nor the exporter meets it.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_IMPORT_MODEL_REWRITES_H
#define PRUNE_LIB_IMPORT_MODEL_REWRITES_H

#include "Model.h"

#include "prune/Import/ONNX.h"

#include "llvm/ADT/StringSet.h"

namespace mlir::prune::onnx_import {

/// On a node that came from a function: the version of the node's operator set,
/// where the function imports another one than the model.
constexpr StringLiteral kOpsetAttribute = "prune.opset";

/// Replaces calls of the model's own functions by the functions' nodes.
llvm::Error inlineFunctions(onnx::ModelProto &model);

/// Drops nodes, initialisers and infos that nothing reads, in all graphs.
void dropUnread(onnx::GraphProto &graph);

/// Makes sparse initialisers and constants dense.
llvm::Error expandSparseTensors(onnx::GraphProto &graph, TensorReader &reader);

/// Turns inputs whose elements `options` gives into initialisers.
llvm::Error fixInputs(onnx::GraphProto &graph, const ONNXImportOptions &options,
                      MLIRContext *context);

/// All of these.
llvm::Error rewriteModel(onnx::ModelProto &model, TensorReader &reader,
                         const ONNXImportOptions &options,
                         MLIRContext *context);

/// Names that the nodes of a graph and its outputs read, also inside of nodes.
void collectReads(const onnx::GraphProto &graph, llvm::StringSet<> &reads);

} // namespace mlir::prune::onnx_import

#endif // PRUNE_LIB_IMPORT_MODEL_REWRITES_H
