//===- PruneDialect.cpp - The prune dialect -------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Registers attributes and operations, and has the dialect's attributes on
// foreign operations checked.
//
//===----------------------------------------------------------------------===//

#include "prune/IR/Prune.h"
#include "prune/IR/Records.h"
#include "prune/IR/SliceOps.h"

using namespace mlir;
using namespace mlir::prune;

#include "prune/IR/PruneDialect.cpp.inc"

void PruneDialect::initialize() {
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "prune/IR/PruneOps.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "prune/IR/PruneSliceOps.cpp.inc"
      >();
}

LogicalResult PruneDialect::verifyOperationAttribute(Operation *op,
                                                     NamedAttribute attribute) {
  return verifyRecord(op, attribute);
}

LogicalResult PruneDialect::verifyRegionArgAttribute(Operation *op, unsigned,
                                                     unsigned,
                                                     NamedAttribute attribute) {
  return verifyPortRecord(op, attribute);
}

LogicalResult
PruneDialect::verifyRegionResultAttribute(Operation *op, unsigned, unsigned,
                                          NamedAttribute attribute) {
  return verifyPortRecord(op, attribute);
}
