//===- my-opt.cpp - An optimizer with a criterion of one's own ------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SignedCriterion.h"

#include "prune/InitAll.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/InitAllDialects.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::prune::registerAllDialects(registry);
  mlir::prune::registerAllPasses();
  my::registerDialect(registry);
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "My optimizer\n", registry));
}
