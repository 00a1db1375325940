//===- EditedDictionary.cpp - Many changes of one dictionary --------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "prune/IR/EditedDictionary.h"

using namespace mlir;
using namespace mlir::prune;

EditedDictionary::EditedDictionary(ModuleOp module, StringRef attribute)
    : module(module), attribute(attribute) {
  auto known = module->getAttrOfType<DictionaryAttr>(attribute);
  for (NamedAttribute entry :
       known ? known.getValue() : ArrayRef<NamedAttribute>())
    entries[entry.getName().getValue()] = entry.getValue();
}

void EditedDictionary::set(StringRef key, Attribute value) {
  isChanged = true;
  entries[key] = value;
}

void EditedDictionary::clear() {
  isChanged = true;
  entries.clear();
}

void EditedDictionary::commit() {
  if (!isChanged)
    return;
  isChanged = false;
  MLIRContext *context = module.getContext();
  SmallVector<NamedAttribute> list;
  for (const auto &entry : entries)
    list.emplace_back(StringAttr::get(context, entry.getKey()),
                      entry.getValue());
  if (list.empty())
    module->removeAttr(attribute);
  else
    module->setAttr(attribute, DictionaryAttr::get(context, list));
}
