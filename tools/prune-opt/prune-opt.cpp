//===- prune-opt.cpp - The optimizer driver -------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "prune/Tools/Mains.h"

#include "mlir/IR/DialectRegistry.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::prune::registerEverything(registry);
  return mlir::prune::optMain(argc, argv, registry);
}
