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

#include "ChannelRemoval.h"

#include "prune/Analysis/WeightUses.h"
#include "prune/IR/KeptRecord.h"
#include "prune/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace mlir::prune {
#define GEN_PASS_DEF_REMOVECHANNELSPASS
#include "prune/Transforms/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;
using namespace mlir::prune;

static constexpr StringLiteral kCategory = "prune-remove-channels";

static SmallVector<Operation *> collectOps(ModuleOp module) {
  SmallVector<Operation *> ops;
  forEachChannelOp(module, [&](Operation *op) { ops.push_back(op); });
  return ops;
}

/// Multiplications with weights in one call; open sizes count as 1.
static int64_t countMultiplications(const WeightUses &uses) {
  llvm::SmallPtrSet<Operation *, 16> seen;
  int64_t total = 0;
  for (const Weight &weight : uses.getWeights())
    for (const WeightUse &use : weight.uses) {
      auto op = cast<linalg::LinalgOp>(use.operand->getOwner());
      if (!seen.insert(op).second)
        continue;
      int64_t steps = 1;
      for (int64_t range : op.getStaticLoopRanges())
        steps *= ShapedType::isDynamic(range) ? 1 : range;
      total += steps;
    }
  return total;
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
struct RemoveChannels
    : prune::impl::RemoveChannelsPassBase<RemoveChannels> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    llvm::StringMap<RankedTensorType> before = getWeights(module);
    multiplicationsBefore = countMultiplications(WeightUses(module));
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
    if (!anyChanged)
      return markAllAnalysesPreserved();
    tidyKept(module, last);
    report(module, before);
  }

private:
  struct Outcome {
    bool changed, hasChoices;
  };

  Outcome runOnce(ModuleOp module, ChannelGroups::Prefer prefer) {
    SmallVector<Operation *> ops = collectOps(module);
    ChannelGroups groups(module, prefer, allowSignatureChange);
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
    for (const Contribution &contribution : contributions)
      addContribution(contribution);
    eraseDead(module);
    return {true, groups.hasChoices()};
  }

  /// The type of each weight by name.
  llvm::StringMap<RankedTensorType> getWeights(ModuleOp module) {
    llvm::StringMap<RankedTensorType> types;
    WeightUses uses(module);
    for (const Weight &weight : uses.getWeights())
      types.try_emplace(weight.name, weight.getType());
    return types;
  }

  /// One remark for each weight that is smaller now, and one for all.
  void report(ModuleOp module,
              const llvm::StringMap<RankedTensorType> &before) {
    auto text = [](Type type) {
      std::string result;
      llvm::raw_string_ostream(result) << type;
      return result;
    };
    int64_t parametersBefore = 0, parametersAfter = 0;
    for (const auto &entry : before)
      parametersBefore += entry.second.getNumElements();
    WeightUses uses(module);
    for (const Weight &weight : uses.getWeights()) {
      parametersAfter += weight.getType().getNumElements();
      auto old = before.find(weight.name);
      if (old == before.end() || old->second == weight.getType())
        continue;
      remark::passed(weight.getLoc(),
                     remark::RemarkOpts::name("Shrunk").category(kCategory))
          << remark::metric("Weight", weight.name)
          << remark::metric("Before", text(old->second))
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
        << remark::metric("After", countMultiplications(uses));
  }

  int64_t multiplicationsBefore = 0;
};
} // namespace
