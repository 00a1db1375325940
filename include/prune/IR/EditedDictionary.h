//===- EditedDictionary.h - Many changes of one dictionary ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_IR_EDITEDDICTIONARY_H
#define PRUNE_IR_EDITEDDICTIONARY_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringMap.h"

#include <string>

namespace mlir::prune {

/// A dictionary attribute of a module while a pass changes it. Every version of
/// an attribute is kept as long as its context, so that one with an entry for
/// each weight is stored once, by `commit`, and not with each change.
class EditedDictionary {
public:
  EditedDictionary(ModuleOp module, StringRef attribute);
  EditedDictionary(const EditedDictionary &) = delete;
  EditedDictionary &operator=(const EditedDictionary &) = delete;

  /// The value of `key`, or null.
  Attribute get(StringRef key) const { return entries.lookup(key); }
  void set(StringRef key, Attribute value);
  void clear();

  const llvm::StringMap<Attribute> &getEntries() const { return entries; }

  /// Gives the module what was changed so far. An empty dictionary leaves it.
  void commit();

private:
  ModuleOp module;
  std::string attribute;
  llvm::StringMap<Attribute> entries;
  bool isChanged = false;
};

} // namespace mlir::prune

#endif // PRUNE_IR_EDITEDDICTIONARY_H
