//===- prune-translate.cpp - Models to MLIR -------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Command line of the importer and the exporter. An imported module is written
// as bytecode when the output's name ends in .mlirbc and as text otherwise. The
// output is replaced only when everything succeeded.
//
//===----------------------------------------------------------------------===//

#include "prune/Core/FileInput.h"
#include "prune/Core/FileOutput.h"
#include "prune/Core/Nesting.h"
#include "prune/Export/ONNX.h"
#include "prune/InitAll.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/InitAllDialects.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
namespace cl = llvm::cl;

static cl::OptionCategory category("prune-translate options");
static cl::opt<bool> importModel("import-onnx", cl::cat(category),
                                 cl::desc("import an ONNX model"));
static cl::opt<bool>
    exportModel("export-onnx", cl::cat(category),
                cl::desc("write a pruned module back into the ONNX model that "
                         "it was imported from"));
static cl::opt<std::string>
    templateName("template", cl::cat(category), cl::value_desc("model.onnx"),
                 cl::desc("with --export-onnx: the original ONNX model, which "
                          "is not changed"));
static cl::opt<bool> listOperators(
    "list-onnx-ops", cl::cat(category),
    cl::desc("print a table of the ONNX operators that can be imported"));
static cl::opt<std::string> inputName(cl::Positional, cl::cat(category),
                                      cl::desc("<input file>"));
static cl::opt<std::string> outputName("o", cl::init("-"), cl::cat(category),
                                       cl::value_desc("file"),
                                       cl::desc("output file"));
static cl::list<std::string>
    dims("dim", cl::cat(category), cl::value_desc("name=size"),
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
    for (const auto &other : options.dims)
      if (name == other.first)
        return llvm::createStringError("--dim=" + name + " is given twice");
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
    llvm::WithColor::error(llvm::errs(), inputName) << diagnostic.str() << "\n";
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

/// Reads a module: text, which is checked before it is parsed, or bytecode.
static OwningOpRef<ModuleOp> readModule(MLIRContext &context,
                                        std::string &message) {
  llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> input =
      prune::openInput(inputName);
  if (!input) {
    message = llvm::toString(input.takeError());
    return nullptr;
  }
  if (llvm::Error error = prune::checkText((*input)->getBuffer(), inputName)) {
    message = llvm::toString(std::move(error));
    return nullptr;
  }
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(std::move(*input), llvm::SMLoc());
  message = "cannot read '" + inputName + "'";
  return parseSourceFile<ModuleOp>(sources, &context);
}

static int exportFile() {
  prune::ONNXImportOptions options;
  if (llvm::Error error = readDims(options))
    return fail(llvm::toString(std::move(error)));
  DialectRegistry registry;
  registerAllDialects(registry);
  prune::registerAllDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.getDiagEngine().registerHandler([](Diagnostic &diagnostic) {
    llvm::WithColor::error(llvm::errs(), inputName) << diagnostic.str() << "\n";
    return success();
  });
  std::string message;
  OwningOpRef<ModuleOp> module = readModule(context, message);
  if (!module)
    return fail(message);
  FailureOr<std::string> bytes =
      prune::exportONNX(*module, templateName, options);
  if (failed(bytes))
    return EXIT_FAILURE;
  llvm::Error error =
      prune::writeFile(outputName, [&](llvm::raw_ostream &os) -> llvm::Error {
        os << *bytes;
        return llvm::Error::success();
      });
  return error ? fail(llvm::toString(std::move(error))) : EXIT_SUCCESS;
}
#endif

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(argc, argv, "Import and export of models\n");
#ifdef PRUNE_ENABLE_ONNX
  if (listOperators) {
    prune::printONNXOperators(llvm::outs());
    return EXIT_SUCCESS;
  }
  if (importModel == exportModel)
    return fail("expects either --import-onnx and a model, or --export-onnx, "
                "--template and a module");
  if (inputName.empty())
    return fail(exportModel ? "expects the module's file name"
                            : "expects the model's file name");
  if (exportModel == templateName.empty())
    return fail(exportModel ? "expects --template with the original ONNX model"
                            : "--template goes with --export-onnx");
  return exportModel ? exportFile() : importFile();
#else
  return fail("this build has no ONNX importer or exporter; configure with "
              "-DPRUNE_ENABLE_ONNX=ON");
#endif
}
