//===- ImportONNX.cpp - From an ONNX file to a module ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "prune/Import/ONNX.h"

#include "Import/Model/Graph.h"
#include "Import/Rules/ExportRules.h"

#include "prune/IR/Records.h"

using namespace mlir;
using namespace mlir::prune;
using namespace mlir::prune::onnx_import;

OwningOpRef<ModuleOp>
mlir::prune::importONNX(StringRef path, MLIRContext *context,
                        const ONNXImportOptions &options) {
  llvm::Expected<std::unique_ptr<onnx::ModelProto>> model =
      loadModel(path, options, context);
  if (!model) {
    emitError(UnknownLoc::get(context)) << llvm::toString(model.takeError());
    return nullptr;
  }
  DictionaryAttr limits;
  OwningOpRef<ModuleOp> module =
      importModel(path, **model, context, options, [&](const Graph &graph) {
        limits = onnx_export::describeLimits(graph);
      });
  if (module)
    (*module)->setAttr(kOnnxRecord, limits);
  return module;
}
