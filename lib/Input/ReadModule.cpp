//===- ReadModule.cpp - A model, in whatever form it comes ----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Text is checked before it is parsed, since deep nesting and odd alignments
// end MLIR's parser; resources are checked right after, since everything later
// reads their buffers.
//
//===----------------------------------------------------------------------===//

#include "prune/Input/ReadModule.h"

#include "prune/Core/Support/FileInput.h"
#include "prune/Core/Support/Nesting.h"
#include "prune/Transforms/Passes.h"

#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;
using llvm::createStringError;

bool prune::isONNX(StringRef path) {
  return path.ends_with_insensitive(".onnx");
}

llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>
prune::openModule(StringRef path) {
  llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> buffer = openInput(path);
  if (!buffer)
    return buffer.takeError();
  if (llvm::Error error = checkText((*buffer)->getBuffer(), path))
    return std::move(error);
  return buffer;
}

OwningOpRef<ModuleOp>
prune::parseModule(std::unique_ptr<llvm::MemoryBuffer> buffer,
                   const std::shared_ptr<llvm::SourceMgr> &sources,
                   MLIRContext *context) {
  sources->AddNewSourceBuffer(std::move(buffer), llvm::SMLoc());
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(sources, context);
  if (!module)
    return nullptr;
  PassManager pm(context, ModuleOp::getOperationName());
  VerifyResourcesPassOptions resources;
  resources.allowElided = true; // what computes asks again
  pm.addPass(createVerifyResourcesPass(resources));
  if (failed(pm.run(*module)))
    return nullptr;
  return module;
}

static OwningOpRef<ModuleOp>
importModel(StringRef path, MLIRContext *context,
            const prune::ONNXImportOptions &options) {
#ifdef PRUNE_ENABLE_ONNX
  return prune::importONNX(path, context, options);
#else
  emitError(UnknownLoc::get(context),
            "this build has no importer of ONNX models; configure with "
            "-DPRUNE_ENABLE_ONNX=ON");
  return nullptr;
#endif
}

llvm::Expected<OwningOpRef<ModuleOp>>
prune::readModule(StringRef path,
                  const std::shared_ptr<llvm::SourceMgr> &sources,
                  MLIRContext *context, const ONNXImportOptions &options) {
  OwningOpRef<ModuleOp> module;
  if (isONNX(path)) {
    module = importModel(path, context, options);
  } else {
    llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> buffer =
        openModule(path);
    if (!buffer)
      return buffer.takeError();
    module = parseModule(std::move(*buffer), sources, context);
  }
  if (!module)
    return createStringError("");
  return std::move(module);
}
