//===- prune-translate.cpp - Models to MLIR, and back ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "prune/Tools/Mains.h"

int main(int argc, char **argv) {
  return mlir::prune::translateMain(argc, argv);
}
