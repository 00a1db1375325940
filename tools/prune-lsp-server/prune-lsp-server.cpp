//===- prune-lsp-server.cpp - Language server for editors -----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mlir-lsp-server that knows the prune dialect: diagnostics, definitions, hover
// and completion in .mlir files with prune operations.
//
//===----------------------------------------------------------------------===//

#include "Tool.h"

#include "prune/InitAll.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"

#include <cstdlib>

using namespace mlir;

int main(int argc, char **argv) {
  prune::setVersion("prune-lsp-server");
  DialectRegistry registry;
  registerAllDialects(registry);
  registerAllExtensions(registry);
  prune::registerAllDialects(registry);
  return failed(MlirLspServerMain(argc, argv, registry)) ? EXIT_FAILURE
                                                         : EXIT_SUCCESS;
}
