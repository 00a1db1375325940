//===- MaskChannels.cpp - Decide which channels are removed ---------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every scope ends in a count for each group, computed here; which channels
// those are follows from the scores. Where the weights of a group lie alike,
// the decision is written as scores, their sum and a mask, at the beginning of
// the function (constants are repeated there: they are references, not data).
// Where they do not, as behind a padding of channels, the mask is a constant.
//
//===----------------------------------------------------------------------===//

#include "ChannelPlan.h"

#include "prune/Analysis/WeightFilter.h"
#include "prune/Core/ChannelBudget.h"
#include "prune/IR/ConstantView.h"
#include "prune/IR/Prune.h"
#include "prune/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Remarks.h"
#include "mlir/IR/Threading.h"
#include "llvm/Support/Format.h"

#include <cmath>

namespace mlir::prune {
#define GEN_PASS_DEF_MASKCHANNELSPASS
#include "prune/Transforms/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;
using namespace mlir::prune;

static constexpr StringLiteral kCategory = "prune-mask-channels";

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

/// One score for each index of the constant's dimension, as prune.score sums.
static std::vector<double> scoreIndices(const ChannelConstant &constant,
                                        CriterionAttrInterface criterion) {
  Attribute value = constant.getValue();
  TensorView view = *getTensorView(value);
  ScoreSource source;
  source.shape.assign(view.shape.begin(), view.shape.end());
  source.read = [&](int64_t begin, MutableArrayRef<double> out) {
    criterion.score(view, constant.weight->name, begin, out);
  };
  SmallVector<int64_t> others;
  for (int64_t dim = 0; dim != int64_t(view.shape.size()); ++dim)
    if (dim != constant.dim)
      others.push_back(dim);
  MLIRContext *context = value.getContext();
  if (others.empty()) {
    std::vector<double> scores(view.size());
    source.read(0, scores);
    return scores;
  }
  return reduceScores(source, others,
                      [&](size_t n, function_ref<void(size_t)> body) {
                        mlir::parallelFor(context, 0, n, body);
                      });
}

namespace {
/// What was computed for one group.
struct Decision {
  std::vector<double> scores;
  /// The number of weight elements behind each channel.
  double elements = 0;
  /// The length of a channel's run in each producing weight, 0 if they differ.
  int64_t runLength = 0;
  int64_t removed = 0;
};
} // namespace

/// Sums the weights' scores index by index, then over each channel's run: the
/// order in which the operations of the regular form add.
static Decision scoreGroup(const PlannedGroup &group,
                           CriterionAttrInterface criterion) {
  Decision decision;
  int64_t size = group.channels.size();
  decision.scores.assign(size, 0);
  std::vector<double> sums;
  bool isFirst = true;
  for (const ChannelConstant &constant : group.getWeights()) {
    int64_t length = constant.getRunLength(size);
    decision.runLength =
        isFirst || length == decision.runLength ? length : 0;
    isFirst = false;
  }
  SmallVector<const Weight *> seen;
  for (const ChannelConstant &constant : group.getWeights()) {
    if (llvm::is_contained(seen, constant.weight))
      continue;
    seen.push_back(constant.weight);
    std::vector<double> scores = scoreIndices(constant, criterion);
    decision.elements += double(constant.weight->getType().getNumElements()) /
                         scores.size() *
                         llvm::count_if(constant.channelOfIndex,
                                        [](int64_t c) { return c >= 0; }) /
                         size;
    if (decision.runLength != 0) {
      sums.resize(scores.size());
      for (auto [sum, score] : llvm::zip_equal(sums, scores))
        sum += score;
      continue;
    }
    for (auto [score, channel] :
         llvm::zip_equal(scores, constant.channelOfIndex))
      if (channel >= 0)
        decision.scores[channel] += score;
  }
  for (size_t i = 0; i != sums.size(); ++i)
    decision.scores[i / decision.runLength] += sums[i];
  return decision;
}

//===----------------------------------------------------------------------===//
// Emission
//===----------------------------------------------------------------------===//

namespace {
/// Writes the decision about one group.
class Emitter {
public:
  Emitter(const PlannedGroup &group, const Decision &decision,
          CriterionAttrInterface criterion)
      : group(group), decision(decision), criterion(criterion),
        builder(group.getLoc().getContext()) {}

  void emit();

private:
  Value createMask();
  Value createConstantMask(const ChannelConstant &constant);
  void apply(const ChannelConstant &constant, Value mask);

  const PlannedGroup &group;
  const Decision &decision;
  CriterionAttrInterface criterion;
  OpBuilder builder;
};
} // namespace

/// Scores of every weight, their sum, and the mask, at the function's start.
Value Emitter::createMask() {
  Operation *function =
      group.constants.front()
          .constant->getParentWithTrait<OpTrait::IsIsolatedFromAbove>();
  builder.setInsertionPointToStart(&function->getRegion(0).front());
  Location loc = group.getLoc();
  Value sum;
  SmallVector<const Weight *> seen;
  for (const ChannelConstant &constant : group.getWeights()) {
    if (llvm::is_contained(seen, constant.weight))
      continue;
    seen.push_back(constant.weight);
    Value weight = builder.clone(*constant.constant)->getResult(0);
    SmallVector<Attribute> others;
    for (int64_t dim = 0; dim != constant.weight->getType().getRank(); ++dim)
      if (dim != constant.dim)
        others.push_back(builder.getI64IntegerAttr(dim));
    auto type = RankedTensorType::get(
        {int64_t(constant.channelOfIndex.size())}, builder.getF64Type());
    Value score = ScoreOp::create(
        builder, loc, type, weight, criterion,
        others.empty() ? ArrayAttr() : builder.getArrayAttr(others),
        builder.getStringAttr(constant.weight->name));
    sum = sum ? Value(arith::AddFOp::create(builder, loc, sum, score)) : score;
  }
  auto type = cast<RankedTensorType>(sum.getType());
  PatternAttrInterface pattern = ElementAttr::get(builder.getContext());
  if (decision.runLength != 1)
    pattern = BlockAttr::get(builder.getContext(),
                             ArrayRef<int64_t>(decision.runLength));
  return MaskOp::create(builder, loc, TypeRange{type.clone(builder.getI1Type())},
                        ValueRange{sum}, pattern, FloatAttr(), FloatAttr(),
                        builder.getI64IntegerAttr(decision.removed))
      .getMasks()[0];
}

Value Emitter::createConstantMask(const ChannelConstant &constant) {
  std::vector<int64_t> order = removalOrder(decision.scores);
  llvm::SmallDenseSet<int64_t> removed(order.begin(),
                                       order.begin() + decision.removed);
  SmallVector<bool> mask;
  for (int64_t channel : constant.channelOfIndex)
    mask.push_back(!removed.contains(channel));
  builder.setInsertionPointAfter(constant.constant);
  auto type =
      RankedTensorType::get({int64_t(mask.size())}, builder.getI1Type());
  return arith::ConstantOp::create(builder, group.getLoc(),
                                   DenseElementsAttr::get(type, mask));
}

void Emitter::apply(const ChannelConstant &constant, Value mask) {
  Operation *source = constant.use->get().getDefiningOp();
  // A mask of the constant's own stands right behind it, a shared one at the
  // function's start.
  Operation *after = source;
  if (source == constant.constant && isa<arith::ConstantOp>(mask.getDefiningOp()))
    after = mask.getDefiningOp();
  builder.setInsertionPointAfter(after);
  auto type = cast<RankedTensorType>(constant.use->get().getType());
  auto apply = ApplyOp::create(
      builder, source->getLoc(), type, constant.use->get(), mask,
      type.getRank() == 1 ? DenseI64ArrayAttr()
                          : builder.getDenseI64ArrayAttr(constant.dim));
  if (StringRef name = constant.getName(); !name.empty())
    apply->setDiscardableAttr("prune.weight", builder.getStringAttr(name));
  constant.use->set(apply);
}

void Emitter::emit() {
  Value shared = decision.runLength != 0 ? createMask() : Value();
  for (const ChannelConstant &constant : group.constants) {
    bool isShared =
        shared && constant.getRunLength(group.channels.size()) ==
                      decision.runLength;
    apply(constant, isShared ? shared : createConstantMask(constant));
  }
}

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
    auto criterionAttr = parseCriterion(getOperation().getLoc(), criterion, seed);
    if (!criterionAttr || failed(checkOptions()))
      return signalPassFailure();
    WeightUses uses(getOperation());
    ChannelGroups coupling(getOperation(), reshape == "inner"
                                               ? ChannelGroups::Prefer::Inner
                                               : ChannelGroups::Prefer::Outer);
    std::vector<PlannedGroup> groups =
        planChannelGroups(getOperation(), uses, coupling);
    SmallVector<double> ratios;
    if (failed(chooseRatios(groups, ratios)))
      return signalPassFailure();

    std::vector<Decision> decisions(groups.size());
    for (auto [group, decision, own] :
         llvm::zip_equal(groups, decisions, ratios))
      if (own >= 0)
        decision = scoreGroup(group, criterionAttr);
    if (failed(decide(groups, ratios, decisions)))
      return signalPassFailure();
    for (auto [group, decision] : llvm::zip_equal(groups, decisions))
      if (decision.removed != 0)
        emit(group, decision, criterionAttr);
  }

private:
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
    if (scope != "local" && scope != "global")
      return error() << "option 'scope' expects local or global but got '"
                     << StringRef(scope) << "'";
    if (reshape != "outer" && reshape != "inner")
      return error() << "option 'reshape' expects outer or inner but got '"
                     << StringRef(reshape) << "'";
    limits = {minChannels, maxRatio, roundTo};
    return success();
  }

  /// The ratio of each group, below 0 if it is left alone. Groups with a
  /// target of their own are noted.
  LogicalResult chooseRatios(std::vector<PlannedGroup> &groups,
                             SmallVectorImpl<double> &ratios) {
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
        return error() << "option 'targets' expects a number in [0, 1] but got '"
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
        continue;
      ratios[index] = -1;
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
    std::vector<std::vector<double>> ranked;
    SmallVector<size_t> together;
    for (size_t i = 0; i != groups.size(); ++i) {
      if (ratios[i] < 0)
        continue;
      for (double score : decisions[i].scores)
        if (std::isnan(score))
          return emitError(groups[i].getLoc(), "prune-mask-channels: a weight "
                                               "of group '")
                 << groups[i].name
                 << "' has a NaN; repair it, or leave the group out with "
                    "exclude";
      if (scope == "global" && !hasOwnTarget[i]) {
        together.push_back(i);
        ranked.push_back(decisions[i].scores);
        // Groups of different fan-in compare by the mean.
        for (double &score : ranked.back())
          score /= decisions[i].elements;
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
    if (!together.empty() && ratio == 1)
      return error() << "option 'ratio': 1 would remove all channels; each "
                        "group keeps at least "
                     << int64_t(minChannels) << ", give a ratio below 1";
    std::vector<int64_t> shares = shareRemoval(ranked, ratio, limits);
    for (auto [index, share] : llvm::zip_equal(together, shares))
      decisions[index].removed = share;
    return success();
  }

  void emit(const PlannedGroup &group, const Decision &decision,
            CriterionAttrInterface criterionAttr) {
    remark::passed(group.getLoc(),
                   remark::RemarkOpts::name("Masked").category(kCategory))
        << remark::metric("Group", group.name)
        << remark::metric("Channels", int64_t(group.channels.size()))
        << remark::metric("Removed", decision.removed);
    Emitter(group, decision, criterionAttr).emit();
  }

  ChannelLimits limits;
  std::vector<bool> hasOwnTarget;
};
} // namespace
