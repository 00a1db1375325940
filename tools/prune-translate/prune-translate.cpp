//===- prune-translate.cpp - Models to MLIR -------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Command line of the importers. The output is bytecode when its name ends in
// .mlirbc and text otherwise; it is replaced only when everything succeeded.
//
//===----------------------------------------------------------------------===//

#include "prune/Core/FileOutput.h"
#include "prune/Import/ONNX.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
namespace cl = llvm::cl;

static cl::OptionCategory category("prune-translate options");
static cl::opt<bool> importModel("import-onnx", cl::cat(category),
                                 cl::desc("import an ONNX model"));
static cl::opt<bool> listOperators(
    "list-onnx-ops", cl::cat(category),
    cl::desc("print a table of the ONNX operators that can be imported"));
static cl::opt<std::string> inputName(cl::Positional, cl::cat(category),
                                      cl::desc("<input file>"));
static cl::opt<std::string> outputName("o", cl::init("-"), cl::cat(category),
                                       cl::value_desc("file"),
                                       cl::desc("output file"));
static cl::list<std::string> dims(
    "dim", cl::cat(category), cl::value_desc("name=size"),
    cl::desc("fix an open dimension, by its name in the model (N=1) or by "
             "input and position (image:0=1); may be repeated"));
static cl::opt<bool> emitBytecode("emit-bytecode", cl::cat(category),
                                  cl::desc("write bytecode, whatever the "
                                           "output's name"));

static int fail(const llvm::Twine &message) {
  llvm::WithColor::error(llvm::errs(), "prune-translate") << message << "\n";
  return EXIT_FAILURE;
}

#ifdef PRUNE_ENABLE_ONNX
/// Splits `name=size` at its last `=`: names may contain anything.
static llvm::Error readDims(prune::ONNXImportOptions &options) {
  for (llvm::StringRef dim : dims) {
    auto [name, size] = dim.rsplit('=');
    int64_t value;
    if (name.empty() || size.getAsInteger(10, value) || value < 1 ||
        value > (int64_t(1) << 40))
      return llvm::createStringError("expects --dim=name=size with a positive "
                                     "size, but got '" +
                                     dim + "'");
    options.dims.push_back({name.str(), value});
  }
  return llvm::Error::success();
}

static int importFile() {
  prune::ONNXImportOptions options;
  if (llvm::Error error = readDims(options))
    return fail(llvm::toString(std::move(error)));
  MLIRContext context(MLIRContext::Threading::DISABLED);
  context.getDiagEngine().registerHandler([](Diagnostic &diagnostic) {
    llvm::WithColor::error(llvm::errs(), inputName)
        << diagnostic.str() << "\n";
    return success();
  });
  OwningOpRef<ModuleOp> module =
      prune::importONNX(inputName, &context, options);
  if (!module)
    return EXIT_FAILURE;
  bool bytecode =
      emitBytecode || llvm::StringRef(outputName).ends_with(".mlirbc");
  llvm::Error error =
      prune::writeFile(outputName, [&](llvm::raw_ostream &os) -> llvm::Error {
        if (!bytecode)
          module->print(os);
        else if (failed(writeBytecodeToFile(*module, os)))
          return llvm::createStringError("cannot write bytecode");
        return llvm::Error::success();
      });
  return error ? fail(llvm::toString(std::move(error))) : EXIT_SUCCESS;
}
#endif

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(argc, argv, "Import of models\n");
#ifdef PRUNE_ENABLE_ONNX
  if (listOperators) {
    prune::printONNXOperators(llvm::outs());
    return EXIT_SUCCESS;
  }
  if (!importModel)
    return fail("expects --import-onnx and a model");
  if (inputName.empty())
    return fail("expects the model's file name");
  return importFile();
#else
  return fail("this build has no ONNX importer; configure with "
              "-DPRUNE_ENABLE_ONNX=ON");
#endif
}
