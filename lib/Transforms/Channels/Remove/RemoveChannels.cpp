//===- RemoveChannels.cpp - Remove what the outputs do not need -----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Analyses, proves, removes, until nothing more can be shown: a layer that lost
// its inputs may now have dead filters, and a neuron whose readers left is dead
// too. Where a reshape could carry channels in two ways (heads, or the features
// within a head) the rounds take turns.
//
//===----------------------------------------------------------------------===//

#include "Transforms/Channels/ChannelRemoval.h"

#include "prune/Analysis/ExportLimits.h"
#include "prune/Analysis/LeftAlone.h"
#include "prune/Analysis/WeightUses.h"
#include "prune/IR/ConstantView.h"
#include "prune/IR/KeptRecord.h"
#include "prune/IR/Prune.h"
#include "prune/IR/Records.h"
#include "prune/IR/WeightRecord.h"
#include "prune/Transforms/Channels/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include <map>

namespace mlir::prune {
#define GEN_PASS_DEF_REMOVECHANNELSPASS
#include "prune/Transforms/Channels/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;
using namespace mlir::prune;

static constexpr StringLiteral kCategory = "prune-remove-channels";

static SmallVector<Operation *> collectOps(ModuleOp module) {
  SmallVector<Operation *> ops;
  forEachChannelOp(module, [&](Operation *op) { ops.push_back(op); });
  return ops;
}

/// Erases what a removal left without users, in one sweep from the end.
static void eraseDead(ModuleOp module) {
  SmallVector<Operation *> ops = collectOps(module);
  for (Operation *op : llvm::reverse(ops))
    if (isOpTriviallyDead(op) &&
        (hasChannelLinks(op) || op->hasTrait<OpTrait::ConstantLike>() ||
         op->getName().getStringRef() == "tensor.empty"))
      op->erase();
}

namespace {
struct RemoveChannels : prune::impl::RemoveChannelsPassBase<RemoveChannels> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    // No file has other inputs than the original.
    if (allowSignatureChange && exportSafe == "auto")
      exportSafe = "false";
    if (failed(requireData(module)) ||
        failed(ExportLimits::choose(module, exportSafe, getArgument())))
      return signalPassFailure();
    std::map<std::string, Before> before = getWeights(module);
    multiplicationsBefore = WeightUses(module).countMultiplications();
    llvm::MapVector<StringRef, Versions> last = collectResources(module);
    using Prefer = ChannelGroups::Prefer;
    bool anyChanged = false;
    std::vector<FlatArgument> flattened;
    if (allowSignatureChange)
      flattened = flattenArguments(module);
    // Without change in both ways, one after the other, it is finished.
    Prefer prefer = Prefer::Outer;
    for (unsigned idle = 0; idle != 2;) {
      Outcome outcome = runOnce(module, prefer);
      for (auto &[name, versions] : collectResources(module))
        last[name] = versions;
      anyChanged |= outcome.changed;
      if (outcome.changed) {
        idle = 0;
        continue;
      }
      idle = outcome.hasChoices ? idle + 1 : 2;
      prefer = prefer == Prefer::Outer ? Prefer::Inner : Prefer::Outer;
    }
    anyChanged |= restoreArguments(module, flattened);
    if (!anyChanged) {
      reportNothing(module);
      return markAllAnalysesPreserved();
    }
    KeptRecord kept(module);
    kept.tidy(module, last);
    kept.commit();
    record(module, before);
    report(module, before);
  }

private:
  void reportNothing(ModuleOp module) {
    LeftAlone left(module, kCategory, "removed");
    module.walk([&](ApplyOp apply) {
      left.note("its mask is not folded; run prune-fold-masks before",
                apply.getLoc(), apply.getWeight().value_or(""));
    });
    if (WeightUses uses(module); uses.getWeights().empty())
      left.note(uses);
    left.warnIfNothing("the outputs may depend on every channel; mask some "
                       "with prune-mask-channels, and fold the masks");
  }

  struct Outcome {
    bool changed, hasChoices;
  };

  Outcome runOnce(ModuleOp module, ChannelGroups::Prefer prefer) {
    SmallVector<Operation *> ops = collectOps(module);
    // Made anew: what weights kept changes with each round.
    auto safe = ExportLimits::choose(module, exportSafe, getArgument());
    ChannelGroups groups(module, prefer, allowSignatureChange, safe->get());
    SliceConstants constants(module, groups);
    if (foldConstantValues(ops, groups, constants)) {
      eraseDead(module);
      return {true, groups.hasChoices()};
    }
    std::vector<bool> removed = chooseChannels(ops, groups, constants);
    if (!llvm::is_contained(removed, true))
      return {false, groups.hasChoices()};
    std::vector<Contribution> contributions =
        computeContributions(ops, groups, constants, removed);
    if (allowSignatureChange)
      recordArguments(module, groups, removed);
    shrinkChannels(module, ops, groups, removed);
    if (allowSignatureChange)
      updateSignatures(module);
    KeptRecord kept(module);
    for (const Contribution &contribution : contributions)
      addContribution(contribution, kept);
    kept.commit();
    eraseDead(module);
    return {true, groups.hasChoices()};
  }

  struct Before {
    RankedTensorType type;
    /// Whether the module can know it by its name.
    bool isNamed;
  };

  /// Each weight by name.
  std::map<std::string, Before> getWeights(ModuleOp module) {
    std::map<std::string, Before> types;
    WeightUses uses(module);
    for (const Weight &weight : uses.getWeights())
      types.try_emplace(
          weight.name,
          Before{weight.getType(), !getWeightName(weight.getValue()).empty()});
    return types;
  }

  /// Notes for reports what there was before channels were removed for the
  /// first time.
  void record(ModuleOp module, std::map<std::string, Before> before) {
    Builder b(&getContext());
    WeightUses uses(module);
    int64_t first = multiplicationsBefore;
    if (auto known =
            module->getAttrOfType<DenseI64ArrayAttr>(kMultiplicationsRecord))
      first = known[0];
    module->setAttr(
        kMultiplicationsRecord,
        b.getDenseI64ArrayAttr({first, uses.countMultiplications()}));
    WeightRecords records;
    auto note = [&](Operation *op, StringRef name, RankedTensorType type) {
      DictionaryAttr known = records.get(op, name);
      if (!known || !known.get("type_before"))
        records.add(op, name,
                    b.getNamedAttr("type_before", TypeAttr::get(type)));
    };
    for (const Weight &weight : uses.getWeights()) {
      auto old = before.find(weight.name);
      if (old == before.end())
        continue;
      if (old->second.isNamed && old->second.type != weight.getType())
        note(weight.constants.front(), weight.name, old->second.type);
      before.erase(old);
    }
    // What is left has no use any more.
    for (auto &[name, weight] : before) {
      if (!weight.isNamed)
        continue;
      note(module, name, weight.type);
      records.add(module, name,
                  {b.getNamedAttr("type", TypeAttr::get(weight.type)),
                   b.getNamedAttr("nonzeros", b.getI64IntegerAttr(0)),
                   b.getNamedAttr("gone", b.getUnitAttr())});
    }
    records.commit();
  }

  /// One remark for each weight that is smaller now, and one for all.
  void report(ModuleOp module, const std::map<std::string, Before> &before) {
    auto text = [](Type type) {
      std::string result;
      llvm::raw_string_ostream(result) << type;
      return result;
    };
    int64_t parametersBefore = 0, parametersAfter = 0;
    for (const auto &entry : before)
      parametersBefore += entry.second.type.getNumElements();
    WeightUses uses(module);
    for (const Weight &weight : uses.getWeights()) {
      parametersAfter += weight.getType().getNumElements();
      auto old = before.find(weight.name);
      if (old == before.end() || old->second.type == weight.getType())
        continue;
      remark::passed(weight.getLoc(),
                     remark::RemarkOpts::name("Shrunk").category(kCategory))
          << remark::metric("Weight", weight.name)
          << remark::metric("Before", text(old->second.type))
          << remark::metric("After", text(weight.getType()));
    }
    remark::analysis(module.getLoc(),
                     remark::RemarkOpts::name("Parameters").category(kCategory))
        << remark::metric("Before", parametersBefore)
        << remark::metric("After", parametersAfter);
    remark::analysis(
        module.getLoc(),
        remark::RemarkOpts::name("Multiplications").category(kCategory))
        << remark::metric("Before", multiplicationsBefore)
        << remark::metric("After", uses.countMultiplications());
  }

  int64_t multiplicationsBefore = 0;
};
} // namespace
