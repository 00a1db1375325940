//===- Records.cpp - What a module records of its pruning -----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A record outlives the operations that made it, and goes where the module
// goes: to tools that refuse attributes of a dialect that they have never heard
// of. So what is of our dialect is written as text. Records may come from a
// file: readers rely on what is checked here.
//
//===----------------------------------------------------------------------===//

#include "prune/IR/Records.h"

#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/BuiltinDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

#include <utility>

using namespace mlir;
using namespace mlir::prune;

//===----------------------------------------------------------------------===//
// The schema
//===----------------------------------------------------------------------===//

static bool isText(Attribute value) {
  auto text = dyn_cast<StringAttr>(value);
  return text && !text.empty();
}

static bool isCount(Attribute value) {
  auto count = dyn_cast<IntegerAttr>(value);
  return count && count.getType().isSignlessInteger(64) && count.getInt() >= 0;
}

static bool isNumber(Attribute value) { return isa<FloatAttr>(value); }

static bool isDictionaries(Attribute value) {
  auto list = dyn_cast<ArrayAttr>(value);
  return list && llvm::all_of(list, llvm::IsaPred<DictionaryAttr>);
}

static bool isUnit(Attribute value) { return isa<UnitAttr>(value); }

static bool isTensorType(Attribute value) {
  auto type = dyn_cast<TypeAttr>(value);
  return type && isa<RankedTensorType>(type.getValue());
}

static bool isCounts(Attribute value) {
  auto counts = dyn_cast<DenseI64ArrayAttr>(value);
  return counts && counts.size() == 2 &&
         llvm::all_of(counts.asArrayRef(), [](int64_t n) { return n >= 0; });
}

/// The indices that remain, for each dimension, or unit where all do.
static bool isKeptList(Attribute value) {
  auto lists = dyn_cast<ArrayAttr>(value);
  return lists && llvm::all_of(lists, [](Attribute entry) {
           auto list = dyn_cast<DenseI64ArrayAttr>(entry);
           if (!list)
             return isa<UnitAttr>(entry);
           int64_t last = -1;
           for (int64_t index : list.asArrayRef())
             if (index <= std::exchange(last, index))
               return false;
           return true;
         });
}

namespace {
struct Entry {
  StringLiteral key;
  StringLiteral expected;
  bool (*isValid)(Attribute);
};
} // namespace

/// What the dictionary of a weight in `prune.weights` can have. Other keys are
/// left to the writer.
static constexpr Entry kWeightEntries[] = {
    {"by", "a non-empty string", isText},
    {"criterion", "a non-empty string", isText},
    {"pattern", "a non-empty string", isText},
    {"scope", "a non-empty string", isText},
    {"group", "a non-empty string", isText},
    {"left_alone", "a non-empty string", isText},
    {"sparsity", "a number", isNumber},
    {"threshold", "a number", isNumber},
    {"count", "an integer of at least 0", isCount},
    {"ratio", "a number", isNumber},
    {"unit", "a non-empty string", isText},
    {"kept", "an integer of at least 0", isCount},
    {"removed", "an integer of at least 0", isCount},
    {"cut", "a number", isNumber},
    {"earlier", "a list of dictionaries", isDictionaries},
    {"nonzeros", "an integer of at least 0", isCount},
    {"type", "a ranked tensor type", isTensorType},
    {"type_before", "a ranked tensor type", isTensorType},
    {"gone", "unit", isUnit},
};

StringRef mlir::prune::whyNoRecord(NamedAttribute entry) {
  for (const Entry &known : kWeightEntries)
    if (entry.getName() == known.key && !known.isValid(entry.getValue()))
      return known.expected;
  return "";
}

/// Whether every attribute and type in `value` is one that all tools know.
static bool isBuiltin(Attribute value) {
  AttrTypeWalker walker;
  auto check = [](auto element) {
    return isa<BuiltinDialect>(element.getDialect()) ? WalkResult::advance()
                                                     : WalkResult::interrupt();
  };
  walker.addWalk([&](Attribute attribute) { return check(attribute); });
  walker.addWalk([&](Type type) { return check(type); });
  return !walker.walk(value).wasInterrupted();
}

//===----------------------------------------------------------------------===//
// Verification
//===----------------------------------------------------------------------===//

static LogicalResult verifyWeights(Operation *op, Attribute value) {
  auto records = dyn_cast<DictionaryAttr>(value);
  bool isValid = records && llvm::all_of(records, [](NamedAttribute record) {
                   return isa<DictionaryAttr>(record.getValue());
                 });
  if (!isValid)
    return op->emitOpError("expects attribute 'prune.weights' to be a "
                           "dictionary of dictionaries, but got ")
           << value;
  for (NamedAttribute record : records) {
    for (NamedAttribute entry : cast<DictionaryAttr>(record.getValue()))
      if (StringRef expected = whyNoRecord(entry); !expected.empty())
        return op->emitOpError("expects '")
               << entry.getName().getValue() << "' of weight '"
               << record.getName().getValue() << "' in 'prune.weights' to be "
               << expected << ", but got " << entry.getValue();
  }
  if (!isBuiltin(value))
    return op->emitOpError("expects builtin attributes in 'prune.weights', so "
                           "that every tool can read them, but got ")
           << value;
  return success();
}

static LogicalResult verifyKept(Operation *op, Attribute value) {
  auto record = dyn_cast<DictionaryAttr>(value);
  if (!record)
    return op->emitOpError(
               "expects attribute 'prune.kept' to be a dictionary, but got ")
           << value;
  for (NamedAttribute entry : record)
    if (!isKeptList(entry.getValue()) &&
        !isa<UnitAttr, FloatAttr, IntegerAttr>(entry.getValue()))
      return op->emitOpError("expects 'prune.kept' to have, for weight '")
             << entry.getName().getValue()
             << "', increasing indices or unit for each dimension, or a number "
                "or unit if it is gone, but got "
             << entry.getValue();
  return success();
}

/// By weight and name, tensors of numbers.
static LogicalResult verifyStatistics(Operation *op, Attribute value) {
  auto weights = dyn_cast<DictionaryAttr>(value);
  bool isValid =
      weights && llvm::all_of(weights, [](NamedAttribute weight) {
        auto statistics = dyn_cast<DictionaryAttr>(weight.getValue());
        return statistics && llvm::all_of(statistics, [](NamedAttribute entry) {
                 auto elements = dyn_cast<ElementsAttr>(entry.getValue());
                 return elements && isa<FloatType>(elements.getElementType());
               });
      });
  if (isValid)
    return success();
  return op->emitOpError("expects attribute 'prune.statistics' to be a "
                         "dictionary of dictionaries of floating-point "
                         "tensors, but got ")
         << value;
}

LogicalResult mlir::prune::verifyRecord(Operation *op,
                                        NamedAttribute attribute) {
  StringRef name = attribute.getName();
  Attribute value = attribute.getValue();
  if (name == kWeightRecord) {
    if (isText(value))
      return success();
    return op->emitOpError("expects attribute 'prune.weight' to be the "
                           "weight's name, a non-empty string, but got ")
           << value;
  }
  if (name != kWeightsRecord && name != kKeptRecord &&
      name != kMultiplicationsRecord && name != kOnnxRecord &&
      name != kFoldedRecord && name != kStatisticsRecord)
    return success();
  if (!isa<ModuleOp>(op))
    return op->emitOpError("expects attribute '")
           << name << "' on a module only";
  if (name == kWeightsRecord)
    return verifyWeights(op, value);
  if (name == kKeptRecord)
    return verifyKept(op, value);
  if (name == kStatisticsRecord)
    return verifyStatistics(op, value);
  if (name == kOnnxRecord || name == kFoldedRecord) {
    if (isa<DictionaryAttr>(value) && isBuiltin(value))
      return success();
    return op->emitOpError("expects attribute '")
           << name << "' to be a dictionary of builtin attributes, but got "
           << value;
  }
  if (isCounts(value))
    return success();
  return op->emitOpError("expects attribute '")
         << name << "' to be two counts of at least 0, but got " << value;
}

LogicalResult mlir::prune::verifyPortRecord(Operation *op,
                                            NamedAttribute attribute) {
  static constexpr Entry kEntries[] = {
      {kNameRecord, "a non-empty string", isText},
      {kKeptRecord, "increasing indices or unit for each dimension",
       isKeptList},
      {kTypeBeforeRecord, "a ranked tensor type", isTensorType},
  };
  for (const Entry &entry : kEntries)
    if (attribute.getName() == entry.key &&
        !entry.isValid(attribute.getValue()))
      return op->emitOpError("expects '")
             << entry.key << "' of an argument or result to be "
             << entry.expected << ", but got " << attribute.getValue();
  return success();
}

//===----------------------------------------------------------------------===//
// Writing and removing
//===----------------------------------------------------------------------===//

StringAttr mlir::prune::toRecordText(Attribute value) {
  if (auto text = dyn_cast<StringAttr>(value))
    return StringAttr::get(value.getContext(), text.getValue());
  std::string text;
  llvm::raw_string_ostream os(text);
  value.print(os);
  return StringAttr::get(value.getContext(), text);
}

void mlir::prune::stripRecords(Operation *root) {
  static constexpr StringLiteral kOnOperations[] = {
      kWeightsRecord, kMultiplicationsRecord, kKeptRecord,      kWeightRecord,
      kOnnxRecord,    kFoldedRecord,          kStatisticsRecord};
  root->walk([](Operation *op) {
    for (StringRef name : kOnOperations)
      op->removeDiscardableAttr(name);
    auto function = dyn_cast<FunctionOpInterface>(op);
    if (!function)
      return;
    for (unsigned at = 0; at != function.getNumArguments(); ++at)
      for (StringRef name :
           {StringRef(kKeptRecord), StringRef(kTypeBeforeRecord)})
        function.removeArgAttr(at, name);
  });
}
