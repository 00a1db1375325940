//===- Plugin.cpp - Everything of ours in a stock mlir-opt ----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The entries that make a shared object a dialect plugin and a pass plugin. A
// stock mlir-opt that shares MLIR with us loads the library itself, and with it
// plugins that link the library:
//
//   mlir-opt --load-dialect-plugin=libPrune.so --load-pass-plugin=libPrune.so \
//     --load-dialect-plugin=MyCriterion.so \
//     --pass-pipeline='builtin.module(prune-weights{sparsity=0.9})' net.mlir
//
// A host that has MLIR inside takes PrunePlugin.so, which has the same entries
// and links neither MLIR nor LLVM: their symbols are the host's, which must be
// of the version that this was built with. Passes of a plugin are reached
// through
// --pass-pipeline only. A host does not check its input as prune-opt does; put
// prune-verify-resources first.
//
//===----------------------------------------------------------------------===//

#include "prune/InitAll.h"

#include "mlir/Tools/Plugins/DialectPlugin.h"
#include "mlir/Tools/Plugins/PassPlugin.h"
#include "llvm/Support/Compiler.h"

using namespace mlir;

extern "C" LLVM_ATTRIBUTE_WEAK DialectPluginLibraryInfo
mlirGetDialectPluginInfo() {
  return {
      MLIR_PLUGIN_API_VERSION, "prune", PRUNE_VERSION,
      [](DialectRegistry *registry) { prune::registerAllDialects(*registry); }};
}

extern "C" LLVM_ATTRIBUTE_WEAK PassPluginLibraryInfo mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "prune", PRUNE_VERSION,
          [] { prune::registerAllPasses(); }};
}
