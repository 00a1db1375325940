//===- onnx.cpp - Fuzz the importer of ONNX models ------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whatever is imported verifies and can be written as bytecode; whatever is not
// ends in a diagnostic. External data is looked up in an empty folder.
//
//===----------------------------------------------------------------------===//

#include "prune/Import/ONNX.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <unistd.h>

using namespace mlir;

/// A context keeps every attribute it has seen, so it is renewed now and then.
static MLIRContext &getContext() {
  static std::unique_ptr<MLIRContext> context;
  static unsigned runs = 0;
  if (runs++ % 200 == 0)
    context = std::make_unique<MLIRContext>(MLIRContext::Threading::DISABLED);
  return *context;
}

/// Where the model is written: in a folder of its own.
static const std::string &getPath() {
  static const std::string path = [] {
    char folder[] = "/tmp/fuzz-onnx-XXXXXX";
    if (!mkdtemp(folder))
      std::abort();
    return std::string(folder) + "/model.onnx";
  }();
  return path;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::FILE *file = std::fopen(getPath().c_str(), "wb");
  if (!file || std::fwrite(data, 1, size, file) != size)
    std::abort();
  std::fclose(file);

  MLIRContext &context = getContext();
  bool reported = false;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    reported |= diagnostic.getSeverity() == DiagnosticSeverity::Error;
    return success();
  });
  OwningOpRef<ModuleOp> module = prune::importONNX(getPath(), &context, {});
  if (!module) {
    if (!reported)
      std::abort();
    return 0;
  }
  if (reported || failed(verify(*module)))
    std::abort();
  if (failed(writeBytecodeToFile(*module, llvm::nulls())))
    std::abort();
  return 0;
}
