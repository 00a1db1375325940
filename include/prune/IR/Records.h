//===- Records.h - What a module records of its pruning ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The names of all records and the one place that checks them. Records are
// builtin attributes only, under names that start with `prune.`, so that tools
// that do not know the dialect read a pruned module. The schema in prose is in
// the description of the dialect.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_IR_RECORDS_H
#define PRUNE_IR_RECORDS_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Operation.h"

namespace mlir::prune {

// On modules.
constexpr StringLiteral kWeightsRecord = "prune.weights";
constexpr StringLiteral kMultiplicationsRecord = "prune.multiplications";
constexpr StringLiteral kOnnxRecord = "prune.onnx";
constexpr StringLiteral kFoldedRecord = "prune.folded";
constexpr StringLiteral kStatisticsRecord = "prune.statistics";
// On modules, by weight, and on arguments.
constexpr StringLiteral kKeptRecord = "prune.kept";
// On arguments.
constexpr StringLiteral kTypeBeforeRecord = "prune.type_before";
// On arguments and results: no record of pruning, but an author's name.
constexpr StringLiteral kNameRecord = "prune.name";
// On operations.
constexpr StringLiteral kWeightRecord = "prune.weight";

/// The keys of a target in a weight's record, of which it has one at most.
constexpr StringRef kTargetKeys[] = {"sparsity", "threshold", "count", "ratio"};

/// What a value of the weight's record has to be, if it is something else;
/// empty if it is right, and for keys that others add.
StringRef whyNoRecord(NamedAttribute entry);

/// Fails after an error if a discardable attribute of an operation is one of
/// the records and not as the schema says.
LogicalResult verifyRecord(Operation *op, NamedAttribute attribute);

/// The same for an attribute of an argument or result of a function.
LogicalResult verifyPortRecord(Operation *op, NamedAttribute attribute);

/// An attribute of any dialect as a record has it: a string is taken as it is,
/// everything else as options take it, such as "#prune.magnitude<l1>".
StringAttr toRecordText(Attribute value);

/// Removes all records of pruning below `root`. Names of arguments and results
/// stay.
void stripRecords(Operation *root);

} // namespace mlir::prune

#endif // PRUNE_IR_RECORDS_H
