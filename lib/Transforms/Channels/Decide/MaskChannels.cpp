//===- MaskChannels.cpp - Decide which channels are removed ---------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every scope ends in a count for each group, computed here; which channels
// those are follows from the scores. Groups that rank together, because the
// scope is global or because they are built alike, share out one number.
//
//===----------------------------------------------------------------------===//

#include "ChannelDecision.h"

#include "prune/Analysis/ExportLimits.h"
#include "prune/Analysis/LeftAlone.h"
#include "prune/Analysis/WeightFilter.h"
#include "prune/Core/ChannelBudget.h"
#include "prune/IR/ConstantView.h"
#include "prune/Transforms/Channels/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Format.h"

#include <cmath>

namespace mlir::prune {
#define GEN_PASS_DEF_MASKCHANNELSPASS
#include "prune/Transforms/Channels/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;
using namespace mlir::prune;

static constexpr StringLiteral kCategory = "prune-mask-channels";

//===----------------------------------------------------------------------===//
// Pass
//===----------------------------------------------------------------------===//

/// A number as a person writes it.
static std::string show(double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%g", value);
  return text;
}

namespace {
struct MaskChannels : prune::impl::MaskChannelsPassBase<MaskChannels> {
  using Base::Base;

  void runOnOperation() override {
    if (failed(chooseCriterion()) || failed(checkOptions()) ||
        failed(requireData(getOperation())))
      return signalPassFailure();
    auto safe = ExportLimits::choose(getOperation(), exportSafe, getArgument());
    if (failed(safe))
      return signalPassFailure();
    WeightUses uses(getOperation());
    ChannelGroups coupling(getOperation(),
                           reshape == "inner" ? ChannelGroups::Prefer::Inner
                                              : ChannelGroups::Prefer::Outer,
                           /*freeArguments=*/false, safe->get());
    std::vector<PlannedGroup> groups =
        planChannelGroups(getOperation(), uses, coupling);
    LeftAlone left(getOperation(), kCategory, "masked");
    left.note(uses);
    reportNotPrunable(uses, kCategory);
    LogicalResult result = granularity == "block"
                               ? maskBlocks(uses, coupling, groups, left)
                               : maskGroups(coupling, groups, left);
    if (failed(result))
      return signalPassFailure();
    left.warnIfNothing(kNoWeights);
  }

private:
  LogicalResult maskGroups(const ChannelGroups &coupling,
                           std::vector<PlannedGroup> &groups, LeftAlone &left) {
    SmallVector<double> ratios;
    if (failed(chooseRatios(groups, ratios, left)))
      return failure();
    std::vector<Decision> decisions(groups.size());
    for (auto [group, decision, own] :
         llvm::zip_equal(groups, decisions, ratios)) {
      if (own < 0)
        continue;
      FailureOr<Decision> scored = scoreGroup(group, groupCriterion);
      if (failed(scored))
        return failure();
      decision = std::move(*scored);
    }
    if (failed(decide(groups, ratios, decisions)))
      return failure();
    std::optional<SliceConstants> constants;
    if (merge)
      constants.emplace(getOperation(), coupling);
    UseSharing sharing(coupling);
    for (auto [group, decision, own] :
         llvm::zip_equal(groups, decisions, ratios)) {
      if (decision.removed == 0) {
        if (own >= 0)
          reportKept(group, own, left);
        continue;
      }
      left.noteDone();
      remark::passed(group.getLoc(),
                     remark::RemarkOpts::name("Masked").category(kCategory))
          << remark::metric("Group", group.name)
          << remark::metric("Channels", int64_t(group.channels.size()))
          << remark::metric("Removed", decision.removed);
      if (merge)
        reportMerge(group, mergeChannels(group, decision, mergeThreshold,
                                         coupling, *constants));
      bool isOwn = scope == "local" || hasOwnTarget[&group - groups.data()];
      emitMasks(
          group, decision, groupCriterion, sharing,
          makeDecision({isOwn ? "local" : StringRef(scope), own,
                        StringRef(granularity), int64_t(group.channels.size()),
                        decision.removed, decision.getCut(), group.name}));
    }
    return success();
  }

  struct Made {
    StringRef scope;
    double ratio;
    StringRef unit;
    int64_t size, removed;
    std::optional<double> cut;
    StringRef group;
  };

  DecisionAttr makeDecision(const Made &made) {
    Builder b(&getContext());
    NamedAttrList outcome;
    outcome.set("unit", b.getStringAttr(made.unit));
    outcome.set("kept", b.getI64IntegerAttr(made.size - made.removed));
    outcome.set("removed", b.getI64IntegerAttr(made.removed));
    if (made.cut)
      outcome.set("cut", b.getF64FloatAttr(*made.cut));
    return DecisionAttr::get(
        &getContext(), b.getStringAttr(kCategory), groupCriterion.attribute,
        b.getStringAttr(made.unit), b.getStringAttr(made.scope),
        b.getDictionaryAttr(
            b.getNamedAttr("ratio", b.getF64FloatAttr(made.ratio))),
        outcome.getDictionary(&getContext()),
        made.group.empty() ? StringAttr() : b.getStringAttr(made.group));
  }

  /// A group of which no channel goes, although it was asked for.
  void reportKept(const PlannedGroup &group, double own, LeftAlone &left) {
    int64_t size = group.channels.size();
    std::string reason;
    llvm::raw_string_ostream os(reason);
    if (own == 0)
      os << "its ratio is 0";
    else if (scope == "local" || std::floor(double(size) * own) != 0)
      os << "a ratio of " << show(own) << " of " << size << " channels rounds "
         << "to 0, with round-to=" << limits.roundTo
         << ", min-channels=" << limits.minChannels
         << " and max-ratio=" << show(limits.maxRatio);
    else
      os << "none of its channels is among the lowest, or too few to round";
    remark::missed(group.getLoc(),
                   remark::RemarkOpts::name("LeftAlone").category(kCategory))
        << remark::metric("Group", group.name)
        << remark::metric("Channels", size) << remark::reason("{0}", reason);
    left.note(own == 0 ? "its ratio is 0, which is the default; give ratio=0.5"
                       : "its part of the ratio rounds to 0 channels; give a "
                         "greater ratio or scope=global, or smaller round-to "
                         "and min-channels",
              group.getLoc(), group.name);
  }

  void reportMerge(const PlannedGroup &group, const MergeOutcome &outcome) {
    if (!outcome.reason.empty()) {
      remark::missed(outcome.blockedBy->getLoc(),
                     remark::RemarkOpts::name("NotMerged").category(kCategory))
          << remark::metric("Group", group.name)
          << remark::reason("{0}", outcome.reason);
      return;
    }
    remark::passed(group.getLoc(),
                   remark::RemarkOpts::name("Merged").category(kCategory))
        << remark::metric("Group", group.name)
        << remark::metric("Merged", outcome.merged);
  }

  /// Whole branches of residual sums, ranked together.
  LogicalResult maskBlocks(const WeightUses &uses,
                           const ChannelGroups &coupling,
                           ArrayRef<PlannedGroup> groups, LeftAlone &left) {
    std::vector<ResidualBlock> blocks = findResidualBlocks(
        getOperation(), uses, coupling, groups,
        [&](Operation *op, StringRef reason) {
          remark::missed(
              op->getLoc(),
              remark::RemarkOpts::name("NoBlock").category(kCategory))
              << remark::reason("{0}", reason);
        });
    if (failed(filterBlocks(blocks)))
      return failure();
    scoreBlocks(blocks, groupCriterion.elements);
    std::vector<double> scores;
    for (const ResidualBlock &block : blocks) {
      if (std::isnan(block.score))
        return reportNan(block.weights.front()->getLoc(), block.name);
      scores.push_back(block.score);
    }
    std::vector<int64_t> order = removalOrder(scores);
    int64_t most = std::floor(double(blocks.size()) * maxRatio);
    int64_t count = std::floor(double(blocks.size()) * ratio);
    if (std::min(most, count) <= 0)
      for (const ResidualBlock &block : blocks)
        left.note("ratio and max-ratio leave all branches; give greater ones",
                  block.sum->getLoc(), block.name);
    int64_t gone = std::clamp<int64_t>(std::min(most, count), 0, order.size());
    std::optional<double> cut;
    if (gone != 0)
      cut = scores[order[gone - 1]];
    for (int64_t i = 0; i < gone; ++i) {
      left.noteDone();
      const ResidualBlock &block = blocks[order[i]];
      DecisionAttr made =
          makeDecision({"global", ratio, "branch", int64_t(blocks.size()), gone,
                        cut, block.name});
      for (const ChannelConstant &constant : block.constants) {
        SmallVector<bool> indices;
        for (int64_t channel : constant.channelOfIndex)
          indices.push_back(channel >= 0);
        maskIndices(constant, indices, made);
      }
      remark::passed(
          block.sum->getLoc(),
          remark::RemarkOpts::name("MaskedBlock").category(kCategory))
          << remark::metric("Block", block.name)
          << remark::metric("Weights", int64_t(block.weights.size()));
    }
    return success();
  }

  LogicalResult filterBlocks(std::vector<ResidualBlock> &blocks) {
    if (blocks.empty())
      return error() << "option 'granularity': there is no residual sum with a "
                        "branch that could be removed; use channel";
    SmallVector<Weight> weights;
    SmallVector<size_t> owner;
    for (auto [index, block] : llvm::enumerate(blocks))
      for (const Weight *weight : block.weights) {
        weights.push_back(*weight);
        owner.push_back(index);
      }
    FailureOr<SmallVector<Choice>> choices =
        filterWeights(weights, include, exclude, [&] { return error(); });
    if (failed(choices))
      return failure();
    std::vector<bool> isIn(blocks.size(), include.empty());
    for (auto [choice, block] : llvm::zip_equal(*choices, owner))
      isIn[block] = isIn[block] || choice == Choice::Named;
    for (auto [choice, block] : llvm::zip_equal(*choices, owner))
      isIn[block] = isIn[block] && choice != Choice::Excluded;
    std::vector<ResidualBlock> chosen;
    for (auto [index, block] : llvm::enumerate(blocks))
      if (isIn[index])
        chosen.push_back(std::move(block));
    blocks = std::move(chosen);
    return success();
  }

  LogicalResult chooseCriterion() {
    groupCriterion = {};
    groupCriterion.attribute = parseChannelCriterion(
        getOperation().getLoc(), StringRef(criterion), seed);
    if (!groupCriterion.attribute)
      return failure();
    groupCriterion.channels =
        dyn_cast<ChannelCriterionAttrInterface>(groupCriterion.attribute);
    groupCriterion.elements =
        groupCriterion.channels
            ? groupCriterion.channels.getElements()
            : cast<CriterionAttrInterface>(groupCriterion.attribute);
    if (groupCriterion.channels && granularity == "block")
      return error() << "option 'criterion': " << StringRef(criterion)
                     << " scores channels; with granularity=block use l1, l2 "
                        "or random";
    if (groupCriterion.elements &&
        !groupCriterion.elements.getStatistics().empty())
      return error() << "option 'criterion': " << StringRef(criterion)
                     << " reads statistics of single weights; give a "
                        "criterion of channels";
    return success();
  }

  LogicalResult reportNan(Location loc, StringRef group) {
    return emitError(loc, "prune-mask-channels: a weight of group '")
           << group
           << "' has a NaN; repair it, or leave the group out with exclude";
  }

  InFlightDiagnostic error() {
    return emitError(getOperation().getLoc(), "prune-mask-channels: ");
  }

  LogicalResult checkOptions() {
    if (!(ratio >= 0 && ratio <= 1))
      return error() << "option 'ratio' expects a number in [0, 1] but got "
                     << show(ratio);
    if (!(maxRatio >= 0 && maxRatio <= 1))
      return error() << "option 'max-ratio' expects a number in [0, 1] but got "
                     << show(maxRatio);
    if (minChannels < 1)
      return error() << "option 'min-channels' expects at least 1 but got "
                     << int64_t(minChannels);
    if (roundTo < 1)
      return error() << "option 'round-to' expects at least 1 but got "
                     << int64_t(roundTo);
    if (scope != "local" && scope != "global" && scope != "isomorphic")
      return error() << "option 'scope' expects local, global or isomorphic "
                        "but got '"
                     << StringRef(scope) << "'";
    if (failed(checkGranularity()))
      return failure();
    if (!(mergeThreshold >= -1 && mergeThreshold <= 1))
      return error()
             << "option 'merge-threshold' expects a cosine in [-1, 1] but got "
             << show(mergeThreshold);
    if (reshape != "outer" && reshape != "inner")
      return error() << "option 'reshape' expects outer or inner but got '"
                     << StringRef(reshape) << "'";
    limits = {minChannels, maxRatio, roundTo};
    return success();
  }

  LogicalResult checkGranularity() {
    if (granularity != "channel" && granularity != "head" &&
        granularity != "block")
      return error() << "option 'granularity' expects channel, head or block "
                        "but got '"
                     << StringRef(granularity) << "'";
    if (granularity == "head" && reshape == "inner")
      return error() << "option 'reshape': inner removes features within each "
                        "head; with granularity=head use outer";
    if (granularity == "block" && merge)
      return error() << "option 'merge' folds channels; it does not go with "
                        "granularity=block";
    if (granularity == "block" && !targets.empty())
      return error() << "option 'targets' gives ratios of channel groups; with "
                        "granularity=block use include and exclude";
    return success();
  }

  /// Why a group that could lose channels is not one of those asked for.
  StringRef getReasonAgainst(const PlannedGroup &group) {
    if (llvm::none_of(group.constants,
                      [&](const ChannelConstant &constant) {
                        return groupCriterion.reads(constant);
                      }) ||
        (groupCriterion.readsConsumers() && group.consumers.empty()))
      return groupCriterion.whyNot();
    int64_t size = group.channels.size();
    if (granularity == "head" &&
        llvm::none_of(group.getWeights(), [&](const ChannelConstant &constant) {
          return constant.getRunLength(size) > 1;
        }))
      return "has no heads";
    return "";
  }

  /// The ratio of each group, below 0 if it is left alone. Groups with a
  /// target of their own are noted.
  LogicalResult chooseRatios(std::vector<PlannedGroup> &groups,
                             SmallVectorImpl<double> &ratios, LeftAlone &left) {
    SmallVector<Weight> weights;
    SmallVector<size_t> owner;
    for (auto [index, group] : llvm::enumerate(groups))
      for (const ChannelConstant &constant : group.getWeights()) {
        weights.push_back(*constant.weight);
        owner.push_back(index);
      }
    auto emit = [&] { return error(); };
    FailureOr<SmallVector<Choice>> choices =
        filterWeights(weights, include, exclude, emit);
    if (failed(choices))
      return failure();
    SmallVector<std::string> entries(targets.begin(), targets.end());
    FailureOr<LayerValues> layers =
        matchLayerValues(weights, entries, "targets", emit);
    if (failed(layers))
      return failure();
    SmallVector<double> values;
    for (const std::string &text : layers->values) {
      double &value = values.emplace_back();
      if (StringRef(text).getAsDouble(value) || !(value >= 0 && value <= 1))
        return error()
               << "option 'targets' expects a number in [0, 1] but got '"
               << text << "'";
    }
    ratios.assign(groups.size(), ratio);
    hasOwnTarget.assign(groups.size(), false);
    std::vector<bool> isIn(groups.size(), include.empty());
    for (size_t i = 0; i != weights.size(); ++i) {
      size_t group = owner[i];
      if ((*choices)[i] == Choice::Named)
        isIn[group] = true;
      if (layers->entryOfWeight[i] >= 0 && !hasOwnTarget[group]) {
        hasOwnTarget[group] = isIn[group] = true;
        ratios[group] = values[layers->entryOfWeight[i]];
      }
    }
    for (size_t i = 0; i != weights.size(); ++i)
      if ((*choices)[i] == Choice::Excluded)
        isIn[owner[i]] = false;
    for (auto [index, group] : llvm::enumerate(groups)) {
      if (!isIn[index])
        group.reason = "is filtered out by include or exclude";
      if (group.reason.empty())
        group.reason = getReasonAgainst(group);
      if (group.reason.empty())
        continue;
      ratios[index] = -1;
      left.note(group.reason, group.getLoc(), group.name);
      remark::missed(group.getLoc(),
                     remark::RemarkOpts::name("LeftAlone").category(kCategory))
          << remark::metric("Group", group.name)
          << remark::metric("Channels", int64_t(group.channels.size()))
          << remark::reason("{0}", group.reason);
    }
    return success();
  }

  /// How many channels each group loses.
  LogicalResult decide(ArrayRef<PlannedGroup> groups, ArrayRef<double> ratios,
                       std::vector<Decision> &decisions) {
    // Groups that rank together, by what makes them alike.
    llvm::MapVector<StringRef, SmallVector<size_t>> classes;
    llvm::StringSet<> names;
    for (size_t i = 0; i != groups.size(); ++i) {
      if (ratios[i] < 0)
        continue;
      if (llvm::any_of(decisions[i].scores,
                       [](double score) { return std::isnan(score); }))
        return reportNan(groups[i].getLoc(), groups[i].name);
      if (scope != "local" && !hasOwnTarget[i]) {
        std::string name = scope == "global" ? "" : groups[i].structure;
        classes[names.insert(name).first->getKey()].push_back(i);
        continue;
      }
      int64_t size = groups[i].channels.size();
      int64_t wanted = std::floor(double(size) * ratios[i]);
      if (wanted == size)
        return emitError(groups[i].getLoc(), "prune-mask-channels: a ratio of ")
               << show(ratios[i]) << " would remove all " << size
               << " channels of group '" << groups[i].name << "'; at most "
               << maxRemovable(size, limits) << " can go, give a ratio below "
               << "1";
      decisions[i].removed = limitRemoval(size, wanted, limits);
    }
    if (!classes.empty() && ratio == 1)
      return error() << "option 'ratio': 1 would remove all channels; each "
                        "group keeps at least "
                     << int64_t(minChannels) << ", give a ratio below 1";
    for (const auto &entry : classes)
      share(entry.second, decisions);
    return success();
  }

  /// Shares out the channels that groups lose together.
  void share(ArrayRef<size_t> together, std::vector<Decision> &decisions) {
    std::vector<std::vector<double>> ranked;
    for (size_t index : together) {
      ranked.push_back(decisions[index].scores);
      // Groups of different fan-in compare by the mean.
      for (double &score : ranked.back())
        score /= decisions[index].elements;
    }
    std::vector<int64_t> shares = shareRemoval(ranked, ratio, limits);
    for (auto [index, share] : llvm::zip_equal(together, shares))
      decisions[index].removed = share;
  }

  ChannelLimits limits;
  GroupCriterion groupCriterion;
  std::vector<bool> hasOwnTarget;
};
} // namespace
