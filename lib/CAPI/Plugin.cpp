//===- Plugin.cpp - The shared library as a plugin ------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A stock mlir-opt that shares MLIR with us loads the library itself, and with it
// plugins that link the library:
//
//   mlir-opt --load-dialect-plugin=libPrune.so --load-pass-plugin=libPrune.so \
//     --load-dialect-plugin=MyCriterion.so ...
//
// A host that has MLIR inside takes PrunePlugin.so, which links nothing.
//
//===----------------------------------------------------------------------===//

#include "prune/InitAll.h"

#include "mlir/Tools/Plugins/DialectPlugin.h"
#include "mlir/Tools/Plugins/PassPlugin.h"
#include "llvm/Support/Compiler.h"

using namespace mlir;

extern "C" LLVM_ATTRIBUTE_WEAK DialectPluginLibraryInfo
mlirGetDialectPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "prune", PRUNE_VERSION,
          [](DialectRegistry *registry) {
            prune::registerAllDialects(*registry);
          }};
}

extern "C" LLVM_ATTRIBUTE_WEAK PassPluginLibraryInfo mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "prune", PRUNE_VERSION,
          [] { prune::registerAllPasses(); }};
}
