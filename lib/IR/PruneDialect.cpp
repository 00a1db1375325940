//===- PruneDialect.cpp - The prune dialect -------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Registers attributes and operations, and checks the dialect's attributes on
// foreign operations: `prune.weight` is a non-empty string.
//
//===----------------------------------------------------------------------===//

#include "prune/IR/Prune.h"

using namespace mlir;
using namespace mlir::prune;

#include "prune/IR/PruneDialect.cpp.inc"

void PruneDialect::initialize() {
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "prune/IR/PruneOps.cpp.inc"
      >();
}

LogicalResult PruneDialect::verifyOperationAttribute(Operation *op,
                                                     NamedAttribute attribute) {
  if (attribute.getName() != getWeightAttrHelper().getName())
    return success();
  auto name = dyn_cast<StringAttr>(attribute.getValue());
  if (!name || name.empty())
    return op->emitOpError("expects attribute '")
           << attribute.getName().getValue()
           << "' to be the weight's name, a non-empty string, but got "
           << attribute.getValue();
  return success();
}
