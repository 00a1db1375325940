//===- plugin.cpp - Criteria and a pattern of one's own, as a plugin
//-------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// prune-opt --load-plugin=MyCriterion.so \
//   --prune-weights='criterion=#my.signed sparsity=0.5' net.mlir
//
//===----------------------------------------------------------------------===//

#include "OneAttribute.h"
#include "SignedCriterion.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Tools/Plugins/DialectPlugin.h"

extern "C" mlir::DialectPluginLibraryInfo mlirGetDialectPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "MyCriterion", "0.1",
          [](mlir::DialectRegistry *registry) {
            my::registerDialect(*registry);
            my::registerWanda(*registry);
            my::registerMaximum(*registry);
            my::registerDiagonals(*registry);
          }};
}
