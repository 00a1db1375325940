//===- WeightReport.cpp - Collect what became of the weights --------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A weight may be a constant here, packed there, and gone at a third use. All
// forms are tied together by its name: constants carry it in their resource's
// key, packed forms in `prune.weight`. Type and nonzeros of a weight that is
// packed everywhere are in its record, written when it was packed.
//
//===----------------------------------------------------------------------===//

#include "prune/Report/Report.h"

#include "prune/Analysis/WeightUses.h"
#include "prune/IR/ConstantView.h"
#include "prune/IR/Prune.h"
#include "prune/IR/Records.h"
#include "prune/IR/WeightRecord.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SparseTensor/IR/SparseTensor.h"
#include "mlir/IR/Matchers.h"

#include <map>

using namespace mlir;
using namespace mlir::prune;

void WeightEntry::addFormat(StringRef format) {
  if (!llvm::is_contained(formats, format))
    formats.push_back(format.str());
}

int64_t WeightEntry::getBytesBefore() const {
  return typeBefore.getNumElements() * typeBefore.getElementTypeBitWidth() / 8;
}

static constexpr StringLiteral kRemoved = "removed";

bool WeightEntry::isRemoved() const {
  return formats.size() == 1 && formats.front() == kRemoved;
}

double WeightEntry::getAchieved() const {
  int64_t elements = getElements();
  return elements ? double(elements - nonzeros) / elements : 0.0;
}

std::string WeightEntry::getReason() const {
  if (record && record.get("by"))
    return "";
  if (auto reason =
          record ? record.getAs<StringAttr>("left_alone") : StringAttr())
    return reason.str();
  if (isRemoved())
    return "it was removed with the channels of its neighbours";
  if (typeBefore != type)
    return "it lost indices with the channels of its neighbours";
  return "nothing was decided for it, or nothing had to go";
}

static Attribute getConstant(Value value) {
  Attribute attribute;
  if (value)
    matchPattern(value, m_Constant(&attribute));
  return attribute;
}

/// Whether elements and bytes of the type can be counted.
static bool isCountable(ShapedType type) {
  return type && type.hasStaticShape() && type.getElementType().isIntOrFloat();
}

/// A type of a weight that its record has, or null: `type` is that before it
/// was packed, `type_before` that before channels were removed.
static RankedTensorType getRecordedType(DictionaryAttr record,
                                        StringRef key = "type") {
  auto type = record ? record.getAs<TypeAttr>(key) : TypeAttr();
  auto tensor = type ? dyn_cast<RankedTensorType>(type.getValue()) : nullptr;
  return isCountable(tensor) ? tensor : nullptr;
}

/// The bytes of a constant, written out.
static int64_t getBytes(Attribute value) {
  auto elements = dyn_cast_or_null<ElementsAttr>(value);
  std::optional<ConstantBytes> bytes = getConstantBytes(value);
  return bytes ? elements.getNumElements() * bytes->elementSize : 0;
}

namespace {
/// Collects the entries of one module tree.
class Collector {
public:
  explicit Collector(ModuleOp root) : root(root) {}

  WeightReport collect();

private:
  void addConstant(const Weight &weight);
  void addPacked(Operation *op, StringRef format, ShapedType seen,
                 ArrayRef<Value> parts);
  void addMasked(ApplyOp apply);
  void addRemoved(ModuleOp module);
  void addSkipped(const NotPrunable &item);

  /// The first entry of this name in the module around `op`.
  WeightEntry *find(Operation *op, StringRef name);
  WeightEntry &add(Operation *op, StringRef name, bool isRecorded = true);

  struct Place {
    /// Of its first use, last if there is none; then the order of finding.
    std::pair<size_t, size_t> position;
    WeightEntry entry;
  };

  ModuleOp root;
  llvm::DenseMap<Operation *, size_t> positions;
  std::vector<std::unique_ptr<Place>> places;
  /// The first entry of each name in a module.
  std::map<std::pair<Operation *, std::string>, WeightEntry *> byName;
  /// Parts of packed weights that were counted, since uses share them.
  llvm::DenseSet<std::pair<WeightEntry *, Attribute>> counted;
  /// What folding the masks would record; the module does not get it.
  WeightRecords decided;
  WeightReport report;
};
} // namespace

static Operation *getModuleAround(Operation *op) {
  return op->getParentOfType<ModuleOp>();
}

WeightEntry *Collector::find(Operation *op, StringRef name) {
  auto known = byName.find({getModuleAround(op), name.str()});
  return known == byName.end() ? nullptr : known->second;
}

/// A name that was only made up for the report (`isRecorded` is false) may be
/// that of a packed weight, and says nothing.
WeightEntry &Collector::add(Operation *op, StringRef name, bool isRecorded) {
  Operation *module = isa<ModuleOp>(op) ? op : getModuleAround(op);
  places.push_back(std::make_unique<Place>(Place{
      {isa<ModuleOp>(op) ? SIZE_MAX : positions.lookup(op), places.size()},
      WeightEntry(op->getLoc())}));
  WeightEntry &entry = places.back()->entry;
  entry.name = name.str();
  if (!isRecorded)
    return entry;
  entry.record = getWeightRecord(op, name);
  byName.try_emplace({module, entry.name}, &entry);
  return entry;
}

/// What a constant of the entry's type holds, written out. Of one whose data
/// was left out, any element may be something.
static void countDense(WeightEntry &entry, Attribute value) {
  entry.nonzeros = isElided(value) ? entry.getElements() : countNonzeros(value);
  entry.bytesAfter =
      entry.getElements() * entry.type.getElementTypeBitWidth() / 8;
}

void Collector::addConstant(const Weight &weight) {
  // Canonicalisation reorders constants; uses stay where they are.
  WeightEntry &entry = add(weight.uses.front().operand->getOwner(), weight.name,
                           isa<DenseResourceElementsAttr>(weight.getValue()));
  entry.loc = weight.getLoc();
  entry.type = weight.getType();
  entry.uses = weight.uses.size();
  countDense(entry, weight.getValue());
  entry.addFormat(isElided(weight.getValue()) ? "elided" : "dense");
}

void Collector::addPacked(Operation *op, StringRef format, ShapedType seen,
                          ArrayRef<Value> parts) {
  auto name = op->getAttrOfType<StringAttr>(kWeightRecord);
  if (!name || !isCountable(seen))
    return;
  WeightEntry *entry = find(op, name);
  if (!entry) {
    entry = &add(op, name);
    // Without a record, as in IR from elsewhere, the parts have to do.
    RankedTensorType recorded = getRecordedType(entry->record);
    entry->type = recorded ? recorded
                           : RankedTensorType::get(seen.getShape(),
                                                   seen.getElementType());
    auto count =
        entry->record ? entry->record.getAs<IntegerAttr>("nonzeros") : nullptr;
    entry->nonzeros =
        count ? count.getInt() : countNonzeros(getConstant(parts.front()));
  }
  ++entry->uses;
  entry->addFormat(format);
  for (Value part : parts)
    if (Attribute value = getConstant(part);
        value && counted.insert({entry, value}).second)
      entry->bytesAfter += getBytes(value);
}

/// The next mask that is put on the same weight, or null.
static ApplyOp getNextMask(ApplyOp apply) {
  for (OpOperand &use : apply.getResult().getUses()) {
    auto next = dyn_cast<ApplyOp>(use.getOwner());
    if (next && next.getTensor() == apply.getResult() &&
        next.getWeight() == apply.getWeight() && next.getDecisionAttr())
      return next;
  }
  return {};
}

/// A weight whose masks are not folded yet: what was decided stands in them,
/// and is reported as it will be recorded.
void Collector::addMasked(ApplyOp apply) {
  StringRef name = *apply.getWeight();
  if (find(apply, name))
    return;
  Attribute value = getConstant(apply.getTensor());
  WeightEntry &entry = add(apply, name);
  entry.type = apply.getTensor().getType();
  entry.uses = 1;
  countDense(entry, value);
  for (ApplyOp next = apply; next; next = getNextMask(next))
    decided.decide(apply, name, next.getDecisionAttr().toRecord());
  entry.record = decided.get(apply, name);
  entry.addFormat("masked");
}

/// Weights of zeros only, whose contractions are gone.
void Collector::addRemoved(ModuleOp module) {
  auto records = module->getAttrOfType<DictionaryAttr>(kWeightsRecord);
  if (!records)
    return;
  for (NamedAttribute record : records) {
    auto entries = cast<DictionaryAttr>(record.getValue());
    RankedTensorType type = getRecordedType(entries);
    if (!type || !entries.get("gone") ||
        byName.count({module, record.getName().str()}))
      continue;
    WeightEntry &entry = add(module, record.getName());
    entry.type = type;
    entry.addFormat(kRemoved);
  }
}

void Collector::addSkipped(const NotPrunable &item) {
  // A packed weight counts as a weight.
  auto isSparse = [](Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    return type && type.getEncoding();
  };
  if (isa<linalg::LinalgOp>(item.op) &&
      llvm::any_of(item.op->getOperands(), isSparse))
    return;
  report.skipped.push_back({item.name, item.op->getName().getStringRef().str(),
                            item.reason, item.op->getLoc()});
}

/// What prune-sparsify-weights calls the format of an encoding.
static std::string getFormatName(RankedTensorType type) {
  auto sparse = sparse_tensor::getSparseTensorEncoding(type);
  if (!sparse)
    return "dense";
  if (sparse.getLvlRank() == 2)
    return sparse.isIdentity() ? "csr" : "csc";
  sparse_tensor::LevelType last = sparse.getLvlType(sparse.getLvlRank() - 1);
  if (sparse.getLvlRank() != 3)
    return "sparse";
  if (sparse_tensor::isNOutOfMLT(last))
    return std::to_string(sparse_tensor::getN(last)) + "of" +
           std::to_string(sparse_tensor::getM(last));
  if (sparse_tensor::isDenseLT(last))
    return std::to_string(type.getDimSize(2)) + "x1";
  return "blocked-csr";
}

WeightReport Collector::collect() {
  root->walk<WalkOrder::PreOrder>(
      [&](Operation *op) { positions.try_emplace(op, positions.size()); });
  WeightUses analysis(root);
  for (const Weight &weight : analysis.getWeights())
    addConstant(weight);
  root->walk([&](Operation *op) {
    if (auto assemble = dyn_cast<sparse_tensor::AssembleOp>(op)) {
      SmallVector<Value> parts = {assemble.getValues()};
      llvm::append_range(parts, assemble.getLevels());
      addPacked(op, getFormatName(assemble.getResult().getType()),
                assemble.getResult().getType(), parts);
    } else if (auto packed = dyn_cast<PackedMatmulOp>(op)) {
      SmallVector<Value> parts = {packed.getValues()};
      for (Value part : {packed.getIndices(), packed.getPositions()})
        if (part)
          parts.push_back(part);
      addPacked(op,
                "packed-" +
                    stringifyKernelForm(packed.getKernel().getForm()).str(),
                cast<ShapedType>(packed.getValues().getType()), parts);
    }
  });
  root->walk([&](ModuleOp module) { addRemoved(module); });
  std::map<std::pair<Operation *, std::string>, ApplyOp> masked;
  root->walk([&](ApplyOp apply) {
    if (apply.getWeight() && apply.getDecisionAttr() &&
        getConstant(apply.getTensor()))
      masked.try_emplace({getModuleAround(apply), apply.getWeight()->str()},
                         apply);
  });
  for (const NotPrunable &item : analysis.getNotPrunable()) {
    auto found = masked.find({getModuleAround(item.op), item.name});
    if (found != masked.end())
      addMasked(found->second);
    else
      addSkipped(item);
  }

  llvm::sort(places, [](const auto &a, const auto &b) {
    return a->position < b->position;
  });
  for (std::unique_ptr<Place> &place : places) {
    WeightEntry &entry = place->entry;
    entry.typeBefore = getRecordedType(entry.record, "type_before");
    if (!entry.typeBefore)
      entry.typeBefore = entry.type;
    report.weights.push_back(std::move(entry));
  }
  if (auto counts =
          root->getAttrOfType<DenseI64ArrayAttr>(kMultiplicationsRecord);
      counts && counts.size() == 2)
    report.multiplications = {counts[0], counts[1]};
  return std::move(report);
}

WeightReport WeightReport::collect(ModuleOp module) {
  return Collector(module).collect();
}
