//===- prune-opt.cpp - The optimizer driver -------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mlir-opt with the prune dialect, its passes and pipelines. Two things differ
// from upstream: input is checked before anything reads it (nesting, alignment,
// resources), and the output file is replaced only after everything succeeded.
//
//===----------------------------------------------------------------------===//

#include "prune/Core/FileInput.h"
#include "prune/Core/FileOutput.h"
#include "prune/Core/Nesting.h"
#include "prune/InitAll.h"
#include "prune/Transforms/Passes.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/WithColor.h"

using namespace mlir;

static int fail(const llvm::Twine &message) {
  llvm::WithColor::error(llvm::errs(), "prune-opt") << message << "\n";
  return EXIT_FAILURE;
}

/// The options of the command line, with the resource check in front.
static MlirOptMainConfig createConfig() {
  MlirOptMainConfig fromOptions = MlirOptMainConfig::createFromCLOptions();
  MlirOptMainConfig config = fromOptions;
  config.setPassPipelineSetupFn([fromOptions](PassManager &pm) {
    pm.addPass(prune::createVerifyResourcesPass());
    return fromOptions.setupPassPipeline(pm);
  });
  return config;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  DialectRegistry registry;
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registerAllGPUToLLVMIRTranslations(registry);
  registerAllPasses();
  prune::registerAllDialects(registry);
  prune::registerAllPasses();

  auto [inputName, outputName] = registerAndParseCLIOptions(
      argc, argv, "Pruning optimizer driver\n", registry);
  MlirOptMainConfig config = createConfig();
  if (config.shouldShowDialects() || config.shouldListPasses())
    return asMainReturnCode(
        MlirOptMain(argc, argv, inputName, outputName, registry));

  if (inputName == "-" && llvm::sys::Process::StandardInIsUserInput())
    llvm::errs() << "(processing input from stdin now, hit ctrl-c/ctrl-d to "
                    "interrupt)\n";
  llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> input =
      prune::openInput(inputName);
  if (!input)
    return fail(llvm::toString(input.takeError()));
  if (llvm::Error error = prune::checkText((*input)->getBuffer(), inputName))
    return fail(llvm::toString(std::move(error)));

  bool diagnosed = false;
  llvm::Error error =
      prune::writeFile(outputName, [&](llvm::raw_ostream &os) -> llvm::Error {
        diagnosed = failed(MlirOptMain(os, std::move(*input), registry, config));
        // The diagnostics are out already; this error only stops the write.
        return diagnosed ? llvm::createStringError("compilation failed")
                         : llvm::Error::success();
      });
  if (!error)
    return EXIT_SUCCESS;
  if (!diagnosed)
    return fail(llvm::toString(std::move(error)));
  llvm::consumeError(std::move(error));
  return EXIT_FAILURE;
}
