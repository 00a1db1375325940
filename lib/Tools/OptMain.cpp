//===- OptMain.cpp - The optimizer driver ---------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mlir-opt with the prune dialect, its passes and pipelines. What differs from
// upstream: input is checked before anything reads it (nesting, alignment,
// resources) and may be an ONNX model; the output file is replaced only after
// everything succeeded, and its name says its form; a terminal is spared the
// weights.
//
//===----------------------------------------------------------------------===//

#include "Diagnostics.h"
#include "ModelOptions.h"
#include "PluginOptions.h"
#include "Tool.h"

#include "prune/Core/Support/FileInput.h"
#include "prune/Core/Support/FileOutput.h"
#include "prune/InitAll.h"
#include "prune/Input/ReadModule.h"
#include "prune/Tools/Mains.h"
#include "prune/Transforms/Passes.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Pass/PassInstrumentation.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Process.h"

using namespace mlir;
using namespace mlir::prune;
using llvm::Error;
using llvm::Expected;
namespace cl = llvm::cl;

namespace {
struct OptOptions {
  cl::OptionCategory category{"prune-opt options"};
  cl::opt<std::string> input{cl::Positional, cl::desc("<input file>"),
                             cl::init("-"), cl::cat(category)};
  cl::opt<std::string> output{
      "o", cl::init("-"), cl::value_desc("file"), cl::cat(category),
      cl::desc("Output file; bytecode if it ends in .mlirbc")};
  cl::opt<std::string> cpu{
      "cpu", cl::cat(category), cl::value_desc("name"),
      cl::desc("The processor that code is generated for: native (default), "
               "x86-64-v2, x86-64-v3 or x86-64-v4")};
  ModelOptions model{category};
  PluginOptions plugins{category};
};

/// How far upstream's driver came, which decides the exit code of a failure.
struct Progress {
  ExitCode blame = kInput;
};

/// Resources that are not there are the input's fault.
struct BlameInput : PassInstrumentation {
  explicit BlameInput(Progress &progress) : progress(progress) {}

  void runAfterPassFailed(Pass *pass, Operation *op) override {
    if (pass->getArgument() == "prune-verify-resources")
      progress.blame = kInput;
  }

  Progress &progress;
};
} // namespace

/// The options of the command line, with the resource check in front. Upstream
/// sets up passes when the input has been parsed.
static MlirOptMainConfig createConfig(Progress &progress) {
  MlirOptMainConfig fromOptions = MlirOptMainConfig::createFromCLOptions();
  MlirOptMainConfig config = fromOptions;
  config.setPassPipelineSetupFn([fromOptions, &progress](PassManager &pm) {
    progress.blame = kUsage;
    pm.addInstrumentation(std::make_unique<BlameInput>(progress));
    VerifyResourcesPassOptions resources;
    resources.allowElided = true; // passes that compute ask again
    pm.addPass(createVerifyResourcesPass(resources));
    if (failed(fromOptions.setupPassPipeline(pm)))
      return failure();
    progress.blame = kRefused;
    return success();
  });
  return config;
}

/// Imports an ONNX model as bytecode, which upstream's driver reads.
static Expected<std::unique_ptr<llvm::MemoryBuffer>>
importModel(const OptOptions &options) {
  Expected<ONNXImportOptions> model = options.model.get();
  if (!model)
    return model.takeError();
  auto sources = std::make_shared<llvm::SourceMgr>();
  MLIRContext context(MLIRContext::Threading::DISABLED);
  ToolDiagnostics diagnostics(sources, &context, options.input);
  Expected<OwningOpRef<ModuleOp>> module =
      readModule(options.input, sources, &context, *model);
  if (!module)
    return withCode(blameForReading(options.input, /*isONNX=*/true),
                    module.takeError());
  std::string bytes;
  llvm::raw_string_ostream os(bytes);
  if (failed(writeBytecodeToFile(**module, os)))
    return makeError(kRefused, "'" + options.input + "' has no bytecode form");
  return copyInput(bytes, options.input);
}

static Expected<std::unique_ptr<llvm::MemoryBuffer>>
readInput(const OptOptions &options) {
  if (isONNX(options.input))
    return importModel(options);
  if (options.input == "-" && llvm::sys::Process::StandardInIsUserInput())
    llvm::errs() << "(processing input from stdin now, hit ctrl-c/ctrl-d to "
                    "interrupt)\n";
  Expected<std::unique_ptr<llvm::MemoryBuffer>> buffer =
      openModule(options.input);
  if (!buffer)
    return withCode(kInput, buffer.takeError());
  return buffer;
}

/// Gives an option of upstream's a value, unless the command line did.
static bool setDefault(StringRef name, StringRef value) {
  cl::Option *option = cl::getRegisteredOptions().lookup(name);
  if (!option || option->getNumOccurrences())
    return false;
  option->addOccurrence(/*pos=*/0, name, value);
  return true;
}

/// Chooses bytecode or text, and leaves large constants out on a terminal.
static Error chooseForm(const OptOptions &options, MlirOptMainConfig &config) {
  if (StringRef(options.output).ends_with(".mlirbc"))
    config.emitBytecode(true);
  if (!isTerminal(options.output))
    return Error::success();
  if (config.shouldEmitBytecode())
    return makeError(kUsage, "bytecode is not for a terminal; write it to a "
                             "file with -o");
  bool elided = setDefault("mlir-elide-resource-strings-if-larger", "64");
  elided |= setDefault("mlir-elide-elementsattrs-if-larger", "64");
  if (elided)
    noteElision();
  return Error::success();
}

static int run(const OptOptions &options, DialectRegistry &registry) {
  if (Error error = useProcessor(options.cpu))
    return fail(std::move(error));
  if (Error error = options.plugins.load())
    return fail(std::move(error));
  registerPluginDialects(registry);
  // An operation behind a message would be a module with all of its weights.
  setDefault("mlir-print-op-on-diagnostic", "false");
  Progress progress;
  MlirOptMainConfig config = createConfig(progress);
  if (config.shouldShowDialects() || config.shouldListPasses()) {
    llvm::raw_null_ostream nowhere;
    return failed(MlirOptMain(nowhere, nullptr, registry, config)) ? kUsage
                                                                   : kDone;
  }
  if (Error error = chooseForm(options, config))
    return fail(std::move(error));
  Expected<std::unique_ptr<llvm::MemoryBuffer>> input = readInput(options);
  if (!input)
    return fail(input.takeError());

  bool diagnosed = false;
  Error error = writeFile(options.output, [&](llvm::raw_ostream &os) -> Error {
    diagnosed = failed(MlirOptMain(os, std::move(*input), registry, config));
    // The diagnostics are out already; this error only stops the write.
    return diagnosed ? llvm::createStringError("compilation failed")
                     : Error::success();
  });
  if (!error)
    return kDone;
  if (!diagnosed)
    return fail(std::move(error));
  llvm::consumeError(std::move(error));
  return progress.blame;
}

void mlir::prune::registerEverything(DialectRegistry &registry) {
  mlir::registerAllDialects(registry);
  registerAllExtensions(registry);
  registerAllGPUToLLVMIRTranslations(registry);
  mlir::registerAllPasses();
  prune::registerAllDialects(registry);
  prune::registerAllPasses();
}

int mlir::prune::optMain(int argc, char **argv, DialectRegistry &registry) {
  llvm::InitLLVM init(argc, argv);
  OptOptions options;
  std::string overview =
      registerCLIOptions("Pruning optimizer driver\n", registry);
  startTool("prune-opt", argc, argv, overview);
  return run(options, registry);
}
