//===- WeightRecord.cpp - What is known of rewritten weights --------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operations that said what was decided are gone when it is carried out, so it
// is kept with the module.
//
//===----------------------------------------------------------------------===//

#include "prune/IR/WeightRecord.h"

#include "prune/Core/Packing/LevelStorage.h"
#include "prune/IR/ConstantView.h"
#include "prune/IR/Prune.h"
#include "prune/IR/Records.h"

#include "mlir/IR/BuiltinOps.h"

#include <memory>

using namespace mlir;
using namespace mlir::prune;

static ModuleOp getModule(Operation *op) {
  auto module = dyn_cast<ModuleOp>(op);
  return module ? module : op->getParentOfType<ModuleOp>();
}

DictionaryAttr mlir::prune::getWeightRecord(Operation *op, StringRef name) {
  ModuleOp module = getModule(op);
  auto records =
      module ? module->getAttrOfType<DictionaryAttr>(kWeightsRecord) : nullptr;
  return records ? records.getAs<DictionaryAttr>(name) : DictionaryAttr();
}

FailureOr<TypedAttr> mlir::prune::getStatistic(Operation *op, Location loc,
                                               StringRef weight, StringRef name,
                                               Attribute criterion) {
  ModuleOp module = getModule(op);
  auto all = module ? module->getAttrOfType<DictionaryAttr>(kStatisticsRecord)
                    : DictionaryAttr();
  auto known = all ? all.getAs<DictionaryAttr>(weight) : DictionaryAttr();
  auto statistic = known ? known.getAs<TypedAttr>(name) : TypedAttr();
  if (!statistic)
    return emitError(loc, "criterion ")
           << criterion << " reads the statistic '" << name << "' of weight '"
           << weight
           << "', which the module's 'prune.statistics' does not have; "
              "prune-insert-observers and then prune-run --statistics put it "
              "there";
  if (!isa<RankedTensorType>(statistic.getType()))
    return emitError(loc, "expects the statistic '")
           << name << "' of weight '" << weight
           << "' to be a ranked tensor but got " << statistic.getType();
  return statistic;
}

FailureOr<SmallVector<TypedAttr>>
mlir::prune::getStatistics(Operation *op, Location loc, StringRef weight,
                           CriterionAttrInterface criterion) {
  SmallVector<TypedAttr> found;
  auto shape = cast<ShapedType>(op->getResult(0).getType()).getShape();
  for (StringRef name : criterion.getStatistics()) {
    FailureOr<TypedAttr> statistic =
        getStatistic(op, loc, weight, name, criterion);
    if (failed(statistic) ||
        failed(criterion.verifyStatistic(
            name, cast<RankedTensorType>(statistic->getType()), shape,
            [&] { return emitError(loc, "weight '") << weight << "' "; })))
      return failure();
    found.push_back(*statistic);
  }
  return found;
}

EditedDictionary *WeightRecords::find(Operation *op) {
  ModuleOp module = getModule(op);
  if (!module)
    return nullptr;
  std::unique_ptr<EditedDictionary> &records = modules[module];
  if (!records)
    records = std::make_unique<EditedDictionary>(module, kWeightsRecord);
  return records.get();
}

void WeightRecords::commit() {
  for (auto &[module, records] : modules)
    records->commit();
}

DictionaryAttr WeightRecords::get(Operation *op, StringRef name) {
  EditedDictionary *records = find(op);
  return records ? dyn_cast_or_null<DictionaryAttr>(records->get(name))
                 : DictionaryAttr();
}

void WeightRecords::add(Operation *op, StringRef name,
                        ArrayRef<NamedAttribute> entries) {
  EditedDictionary *records = find(op);
  if (!records || name.empty())
    return;
  NamedAttrList record;
  if (DictionaryAttr known = get(op, name))
    record = NamedAttrList(known);
  for (NamedAttribute entry : entries)
    record.set(entry.getName(), entry.getValue());
  records->set(name, record.getDictionary(op->getContext()));
}

/// The entries of a record that a decision has.
static bool isOfDecision(NamedAttribute entry) {
  static constexpr StringLiteral kOthers[] = {"type", "type_before", "nonzeros",
                                              "gone", "earlier"};
  return !llvm::is_contained(kOthers, entry.getName().getValue());
}

void WeightRecords::decide(Operation *op, StringRef name,
                           ArrayRef<NamedAttribute> entries) {
  if (DictionaryAttr known = get(op, name)) {
    NamedAttrList record, old;
    for (NamedAttribute entry : known)
      (isOfDecision(entry) ? old : record).push_back(entry);
    // Another pass decided something else, which still holds.
    StringAttr by = known.getAs<StringAttr>("by");
    for (NamedAttribute entry : entries)
      if (by && entry.getName() == "by" && entry.getValue() != by) {
        SmallVector<Attribute> earlier;
        if (auto list = known.getAs<ArrayAttr>("earlier"))
          llvm::append_range(earlier, list);
        earlier.push_back(old.getDictionary(op->getContext()));
        record.set("earlier", ArrayAttr::get(op->getContext(), earlier));
      }
    find(op)->set(name, record.getDictionary(op->getContext()));
  }
  add(op, name, entries);
}

int64_t mlir::prune::countNonzeros(Attribute constant) {
  std::optional<TensorView> view = getTensorView(constant);
  if (!view)
    return 0;
  int64_t stored = countNonzeros(view->kind, view->data);
  return view->splat ? stored * view->size() : stored;
}

AsmResourceBlob mlir::prune::allocateBlob(size_t size) {
  return adoptBlob(ByteBuffer(size));
}

AsmResourceBlob mlir::prune::adoptBlob(ByteBuffer buffer) {
  auto owner = std::make_unique<ByteBuffer>(std::move(buffer));
  ArrayRef<char> data(*owner);
  return AsmResourceBlob(
      data, kBufferAlignment,
      [owner = std::move(owner)](void *, size_t, size_t) mutable {
        owner.reset();
      },
      /*dataIsMutable=*/true);
}
