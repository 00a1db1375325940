//===- Facts.cpp - What an import tells of an ONNX graph ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every import has a context of its own, so that two do not share resources.
//
//===----------------------------------------------------------------------===//

#include "Facts.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace mlir::prune;
using namespace mlir::prune::onnx_export;

std::string mlir::prune::onnx_export::typeOf(ModuleOp module,
                                             StringRef function) {
  std::string text;
  if (auto found = module.lookupSymbol<func::FuncOp>(function))
    llvm::raw_string_ostream(text) << found.getFunctionType();
  return text;
}

Facts::Facts(onnx::ModelProto model, StringRef path, Location loc,
             const ONNXImportOptions &options)
    : context(MLIRContext::Threading::DISABLED) {
  ScopedDiagnosticHandler forward(&context, [&](Diagnostic &diagnostic) {
    emitError(loc) << diagnostic.str();
    return success();
  });
  OwningOpRef<ModuleOp> module = onnx_import::importModel(
      path, model, &context, options,
      [&](const onnx_import::Graph &graph) { collect(graph); });
  if (!module)
    return;
  valid = true;
  type = typeOf(*module, "main");
  uses = collectUses(*module);
}
