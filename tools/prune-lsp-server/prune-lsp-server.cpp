//===- prune-lsp-server.cpp - Language server for editors -----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mlir-lsp-server that knows the prune dialect: diagnostics, definitions, hover
// and completion in .mlir files with prune operations.
//
//===----------------------------------------------------------------------===//

#include "Tools/Tool.h"

#include "prune/InitAll.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"

#include <cstdlib>

using namespace mlir;

/// Loads the plugins that `--load-plugin=file.so` names, and takes the options
/// away: upstream's server does not know them.
static llvm::Error loadPlugins(int &argc, char **argv) {
  int kept = 1;
  for (int i = 1; i < argc; ++i) {
    llvm::StringRef path = argv[i];
    if (!path.consume_front("--load-plugin="))
      argv[kept++] = argv[i];
    else if (llvm::Error error = prune::loadPlugin(path))
      return error;
  }
  argc = kept;
  argv[argc] = nullptr;
  return llvm::Error::success();
}

int main(int argc, char **argv) {
  prune::setVersion("prune-lsp-server");
  if (llvm::Error error = loadPlugins(argc, argv))
    return prune::fail(prune::withCode(prune::kInput, std::move(error)));
  DialectRegistry registry;
  registerAllDialects(registry);
  registerAllExtensions(registry);
  prune::registerAllDialects(registry);
  return failed(MlirLspServerMain(argc, argv, registry)) ? EXIT_FAILURE
                                                         : EXIT_SUCCESS;
}
