//===- TranslateMain.cpp - Models to MLIR, and back -----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Command line of the importer and the exporter. What is given says which: a
// module and --template are exported, an ONNX model is imported. An imported
// module is written as bytecode when the output's name ends in .mlirbc and as
// text otherwise. The output is replaced only when everything succeeded.
//
//===----------------------------------------------------------------------===//

#include "Diagnostics.h"
#include "ModelOptions.h"
#include "PluginOptions.h"
#include "Tool.h"
#include "WriteModule.h"

#include "prune/Core/Support/FileOutput.h"
#include "prune/Export/ONNX.h"
#include "prune/InitAll.h"
#include "prune/Input/ReadModule.h"
#include "prune/Tools/Mains.h"

#include "mlir/InitAllDialects.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::prune;
using llvm::Error;
using llvm::Expected;
namespace cl = llvm::cl;

namespace {
struct TranslateOptions {
  cl::OptionCategory category{"prune-translate options"};
  cl::opt<bool> importModel{
      "import-onnx", cl::cat(category),
      cl::desc("Import an ONNX model, whatever its name; the default for "
               "names that end in .onnx")};
  cl::opt<bool> exportModel{
      "export-onnx", cl::cat(category),
      cl::desc("Write a pruned module back into the ONNX model that it was "
               "imported from; the default with --template")};
  cl::opt<std::string> original{
      "template", cl::cat(category), cl::value_desc("model.onnx"),
      cl::desc("To export: the original ONNX model, which is not changed")};
  cl::opt<bool> listOperators{
      "list-onnx-ops", cl::cat(category),
      cl::desc("Print a table of the ONNX operators that can be imported")};
  cl::opt<std::string> input{cl::Positional, cl::cat(category),
                             cl::desc("<model.onnx or module>")};
  cl::opt<std::string> output{
      "o", cl::init("-"), cl::cat(category), cl::value_desc("file"),
      cl::desc("Output file; bytecode if it ends in .mlirbc")};
  cl::opt<bool> emitBytecode{
      "emit-bytecode", cl::cat(category),
      cl::desc("Write bytecode, whatever the output's name")};
  ModelOptions model{category};
  PluginOptions plugins{category};
};
} // namespace

#ifdef PRUNE_ENABLE_ONNX
/// True for export; fails if the options do not say, or contradict each other.
static Expected<bool> isExport(const TranslateOptions &options) {
  auto wrong = [](const llvm::Twine &text) { return makeError(kUsage, text); };
  if (options.importModel && options.exportModel)
    return wrong("expects either --import-onnx or --export-onnx");
  bool hasTemplate = !options.original.empty();
  if (options.input.empty())
    return wrong(options.exportModel || hasTemplate
                     ? "expects the module's file name"
                     : "expects the file name of an ONNX model to import, or "
                       "--template=model.onnx and a module to export");
  if (options.importModel && hasTemplate)
    return wrong("--template goes with --export-onnx");
  if (options.exportModel && !hasTemplate)
    return wrong("expects --template with the original ONNX model");
  if (hasTemplate && isONNX(options.input))
    return wrong("'" + options.input +
                 "' is an ONNX model; with --template, expects the pruned "
                 "module to export");
  if (!options.importModel && !hasTemplate && !isONNX(options.input))
    return wrong("cannot tell what to do with '" + options.input +
                 "': give --template=model.onnx to export it, or --import-onnx "
                 "if it is an ONNX model");
  return hasTemplate;
}

static Error importFile(const TranslateOptions &options,
                        const ONNXImportOptions &model) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  ToolDiagnostics diagnostics(std::make_shared<llvm::SourceMgr>(), &context,
                              options.input);
  OwningOpRef<ModuleOp> module = importONNX(options.input, &context, model);
  if (!module)
    return makeError(blameForReading(options.input, /*isONNX=*/true), "");
  return writeModule(*module, options.output, options.emitBytecode, "-o");
}

static Error exportFile(const TranslateOptions &options,
                        const ONNXImportOptions &model) {
  DialectRegistry registry;
  mlir::registerAllDialects(registry);
  prune::registerAllDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  auto sources = std::make_shared<llvm::SourceMgr>();
  ToolDiagnostics diagnostics(sources, &context, options.input);
  Expected<OwningOpRef<ModuleOp>> module =
      readModule(options.input, sources, &context, model);
  if (!module)
    return withCode(kInput, module.takeError());
  FailureOr<std::string> bytes = exportONNX(**module, options.original, model);
  if (failed(bytes))
    return makeError(kRefused, "");
  return writeFile(options.output, [&](llvm::raw_ostream &os) -> Error {
    os << *bytes;
    return Error::success();
  });
}
#endif

static Error run(const TranslateOptions &options) {
#ifdef PRUNE_ENABLE_ONNX
  if (options.listOperators) {
    printONNXOperators(llvm::outs());
    return Error::success();
  }
  Expected<bool> exports = isExport(options);
  if (!exports)
    return exports.takeError();
  Expected<ONNXImportOptions> model = options.model.get();
  if (!model)
    return model.takeError();
  if (Error error = options.plugins.load())
    return error;
  return *exports ? exportFile(options, *model) : importFile(options, *model);
#else
  return makeError(kUsage, "this build has no ONNX importer or exporter; "
                           "configure with -DPRUNE_ENABLE_ONNX=ON");
#endif
}

int mlir::prune::translateMain(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  TranslateOptions options;
  cl::HideUnrelatedOptions(options.category);
  startTool("prune-translate", argc, argv, "Import and export of models\n");
  if (Error error = run(options))
    return fail(std::move(error));
  return kDone;
}
