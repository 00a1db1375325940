//===- PruneDialect.cpp - The prune dialect -------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Registers attributes and operations, and checks the dialect's attributes on
// foreign operations: `prune.weight` is a non-empty string, and so is
// `prune.name` on arguments and results; `prune.weights` is a dictionary of
// dictionaries on a module.
//
//===----------------------------------------------------------------------===//

#include "prune/IR/KeptRecord.h"
#include "prune/IR/Prune.h"

#include "mlir/IR/BuiltinOps.h"

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

static LogicalResult verifyWeights(Operation *op, NamedAttribute attribute) {
  if (!isa<ModuleOp>(op))
    return op->emitOpError(
        "expects attribute 'prune.weights' on a module only");
  auto records = dyn_cast<DictionaryAttr>(attribute.getValue());
  bool isValid = records && llvm::all_of(records, [](NamedAttribute record) {
                   return isa<DictionaryAttr>(record.getValue());
                 });
  if (!isValid)
    return op->emitOpError("expects attribute 'prune.weights' to be a "
                           "dictionary of dictionaries, but got ")
           << attribute.getValue();
  return success();
}

static LogicalResult verifyMultiplications(Operation *op,
                                           NamedAttribute attribute) {
  auto counts = dyn_cast<DenseI64ArrayAttr>(attribute.getValue());
  if (isa<ModuleOp>(op) && counts && counts.size() == 2 &&
      llvm::all_of(counts.asArrayRef(), [](int64_t n) { return n >= 0; }))
    return success();
  return op->emitOpError("expects attribute '")
         << attribute.getName().getValue()
         << "' on a module only, to be two counts of at least 0, but got "
         << attribute.getValue();
}

LogicalResult PruneDialect::verifyOperationAttribute(Operation *op,
                                                     NamedAttribute attribute) {
  if (attribute.getName() == getWeightsAttrHelper().getName())
    return verifyWeights(op, attribute);
  if (attribute.getName() == "prune.kept")
    return verifyKept(op, attribute.getValue());
  if (attribute.getName() == getMultiplicationsAttrHelper().getName())
    return verifyMultiplications(op, attribute);
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

static LogicalResult verifyName(Operation *op, NamedAttribute attribute) {
  auto name = dyn_cast<StringAttr>(attribute.getValue());
  if (attribute.getName() != "prune.name" || (name && !name.empty()))
    return success();
  return op->emitOpError("expects '")
         << attribute.getName().getValue()
         << "' of an argument or result to be a non-empty string, but got "
         << attribute.getValue();
}

LogicalResult PruneDialect::verifyRegionArgAttribute(Operation *op, unsigned,
                                                     unsigned,
                                                     NamedAttribute attribute) {
  return verifyName(op, attribute);
}

LogicalResult
PruneDialect::verifyRegionResultAttribute(Operation *op, unsigned, unsigned,
                                          NamedAttribute attribute) {
  return verifyName(op, attribute);
}
