//===- KeptRecord.cpp - Which indices a weight kept -----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The record is one dictionary attribute, and so survives text and bytecode. It
// may come from a file: sizes are compared before an index is used.
//
//===----------------------------------------------------------------------===//

#include "prune/IR/KeptRecord.h"
#include "prune/IR/ConstantView.h"
#include "prune/IR/Records.h"

#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/SmallPtrSet.h"

using namespace mlir;
using namespace mlir::prune;

KeptRecord::KeptRecord(ModuleOp module)
    : context(module.getContext()), entries(module, kKeptRecord) {
  for (const auto &entry : entries.getEntries())
    keys[entry.getKey().split('#').first].push_back(entry.getKey().str());
}

void KeptRecord::set(StringRef key, Attribute entry) {
  if (!entries.get(key))
    keys[key.split('#').first].push_back(key.str());
  entries.set(key, entry);
}

/// The lists of an entry if a weight of that shape can have come from them.
static ArrayAttr matchLists(Attribute entry, ArrayRef<int64_t> shape) {
  auto lists = dyn_cast_or_null<ArrayAttr>(entry);
  if (!lists || lists.size() != shape.size())
    return {};
  for (auto [list, size] : llvm::zip_equal(lists, shape))
    if (auto indices = dyn_cast<DenseI64ArrayAttr>(list);
        indices && indices.size() != size)
      return {};
  return lists;
}

std::optional<KeptIndices> KeptRecord::get(StringRef key,
                                           ArrayRef<int64_t> shape) const {
  KeptIndices kept(shape.size());
  StringRef name = key.split('#').first;
  ArrayAttr found = matchLists(entries.get(key), shape);
  if (auto versions = keys.find(name);
      !found && name != key && versions != keys.end())
    for (StringRef other : versions->second) {
      ArrayAttr lists = matchLists(entries.get(other), shape);
      if (!lists)
        continue;
      if (found && found != lists)
        return std::nullopt;
      found = lists;
    }
  if (!found)
    return kept;
  for (auto [list, entry] : llvm::zip_equal(kept, found))
    if (auto indices = dyn_cast<DenseI64ArrayAttr>(entry))
      list = std::vector<int64_t>(indices.asArrayRef());
  return kept;
}

/// An entry; null if everything was kept.
static Attribute toEntry(MLIRContext *context, const KeptIndices &kept) {
  if (llvm::none_of(kept, [](const auto &list) { return list.has_value(); }))
    return {};
  SmallVector<Attribute> lists;
  for (const auto &list : kept)
    lists.push_back(list ? Attribute(DenseI64ArrayAttr::get(context, *list))
                         : UnitAttr::get(context));
  return ArrayAttr::get(context, lists);
}

void KeptRecord::set(StringRef oldKey, ArrayRef<int64_t> oldShape,
                     StringRef newKey, const KeptIndices &kept) {
  std::optional<KeptIndices> before = get(oldKey, oldShape);
  KeptIndices all(kept);
  if (before)
    for (auto [list, old] : llvm::zip_equal(all, *before)) {
      if (!list)
        list = old;
      else if (old)
        for (int64_t &index : *list)
          index = (*old)[index];
    }
  if (Attribute entry = toEntry(context, all))
    set(newKey, entry);
}

void KeptRecord::setVersion(Attribute before, Attribute after) {
  auto old = dyn_cast<DenseResourceElementsAttr>(before);
  auto rewritten = dyn_cast<DenseResourceElementsAttr>(after);
  if (old && rewritten)
    set(old.getRawHandle().getKey(), old.getType().getShape(),
        rewritten.getRawHandle().getKey(),
        KeptIndices(old.getType().getRank()));
}

llvm::MapVector<StringRef, Versions>
mlir::prune::collectResources(ModuleOp module) {
  llvm::MapVector<StringRef, Versions> resources;
  module.walk([&](Operation *op) {
    Attribute value;
    if (!op->hasTrait<OpTrait::ConstantLike>() || op->getNumResults() != 1 ||
        !matchPattern(op->getResult(0), m_Constant(&value)))
      return;
    auto resource = dyn_cast<DenseResourceElementsAttr>(value);
    if (!resource)
      return;
    StringRef key = resource.getRawHandle().getKey();
    Versions &versions = resources[key.split('#').first];
    if (!llvm::is_contained(versions, resource))
      versions.push_back(resource);
  });
  return resources;
}

/// The number that a weight holds throughout, or unit.
static Attribute getOnlyNumber(DenseResourceElementsAttr value) {
  std::optional<TensorView> view = getTensorView(value);
  int64_t count = value.getNumElements();
  if (!view || count == 0)
    return UnitAttr::get(value.getContext());
  std::vector<double> numbers(count);
  view->load(0, numbers);
  for (double number : numbers)
    if (number != numbers.front())
      return UnitAttr::get(value.getContext());
  return FloatAttr::get(value.getElementType(), numbers.front());
}

void KeptRecord::tidy(ModuleOp module,
                      const llvm::MapVector<StringRef, Versions> &before) {
  llvm::MapVector<StringRef, Versions> now = collectResources(module);
  llvm::StringMap<Attribute> tidied;
  for (auto &[name, versions] : now)
    for (DenseResourceElementsAttr value : versions) {
      StringRef key = value.getRawHandle().getKey();
      std::optional<KeptIndices> kept = get(key, value.getType().getShape());
      if (Attribute entry = kept ? toEntry(context, *kept) : Attribute())
        tidied[key] = entry;
    }
  for (const auto &entry : entries.getEntries())
    if (!isa<ArrayAttr>(entry.getValue()) && !now.contains(entry.getKey()))
      tidied[entry.getKey()] = entry.getValue();
  for (auto &[name, versions] : before)
    if (!now.contains(name))
      tidied[name] = versions.size() == 1 ? getOnlyNumber(versions.front())
                                          : UnitAttr::get(context);
  entries.clear();
  keys.clear();
  for (const auto &entry : tidied)
    set(entry.getKey(), entry.getValue());
}
