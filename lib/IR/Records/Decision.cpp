//===- Decision.cpp - What was decided for a weight -----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A decision is typed while it is carried out and builtin attributes
// afterwards; both have the same entries, and Records.cpp checks their values.
//
//===----------------------------------------------------------------------===//

#include "prune/IR/Prune.h"
#include "prune/IR/Records.h"

using namespace mlir;
using namespace mlir::prune;

static LogicalResult verifyEntries(function_ref<InFlightDiagnostic()> emitError,
                                   StringRef part, DictionaryAttr entries,
                                   ArrayRef<StringRef> keys) {
  for (NamedAttribute entry : entries) {
    StringRef key = entry.getName().getValue();
    if (!llvm::is_contained(keys, key))
      return emitError() << "decision expects '" << part << "' to have "
                         << llvm::join(keys, ", ") << ", but got '" << key
                         << "'";
    if (StringRef expected = whyNoRecord(entry); !expected.empty())
      return emitError() << "decision expects '" << key << "' to be "
                         << expected << ", but got " << entry.getValue();
  }
  return success();
}

LogicalResult DecisionAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                   StringAttr by, Attribute, Attribute,
                                   StringAttr scope, DictionaryAttr target,
                                   DictionaryAttr outcome, StringAttr) {
  if (by.empty())
    return emitError() << "decision expects 'by' to name the pass";
  if (!llvm::is_contained({"local", "global", "isomorphic"}, scope.getValue()))
    return emitError() << "decision expects 'scope' to be local, global or "
                          "isomorphic, but got '"
                       << scope.getValue() << "'";
  if (target && target.size() > 1)
    return emitError() << "decision expects one 'target' at most, but got "
                       << target;
  if (target && failed(verifyEntries(emitError, "target", target, kTargetKeys)))
    return failure();
  if (outcome)
    return verifyEntries(emitError, "outcome", outcome,
                         {"unit", "kept", "removed", "cut"});
  return success();
}

SmallVector<NamedAttribute> DecisionAttr::toRecord() const {
  SmallVector<NamedAttribute> entries;
  Builder builder(getContext());
  auto add = [&](StringRef key, Attribute value) {
    if (value)
      entries.push_back(builder.getNamedAttr(key, value));
  };
  add("by", getBy());
  if (getCriterion())
    add("criterion", toRecordText(getCriterion()));
  if (getPattern())
    add("pattern", toRecordText(getPattern()));
  add("scope", getScope());
  add("group", getGroup());
  for (DictionaryAttr part : {getTarget(), getOutcome()})
    if (part)
      llvm::append_range(entries, part.getValue());
  return entries;
}
