//===- MaskWeights.cpp - Decide which elements are removed ----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes the decision into the IR as score, mask and apply operations; nothing
// is computed here. A weight that is ranked alone gets its operations behind
// each constant that holds it. A global ranking needs all scores in one place:
// in each function, constants are repeated at its beginning (they are
// references to resources, not data) and ranked there.
//
//===----------------------------------------------------------------------===//

#include "prune/Transforms/Weights/MaskPlan.h"

#include "prune/IR/WeightRecord.h"
#include "prune/Transforms/Weights/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::prune {
#define GEN_PASS_DEF_MASKWEIGHTSPASS
#include "prune/Transforms/Weights/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;
using namespace mlir::prune;

static constexpr StringLiteral kCategory = "prune-mask-weights";

/// Scores the weight that `constant` holds, in double precision so that nothing
/// is lost before the ranking.
static Value createScore(OpBuilder &builder, const Weight &weight,
                         Value constant, CriterionAttrInterface criterion) {
  Type type = weight.getType().clone(builder.getF64Type());
  SmallVector<Value> statistics;
  // They are there: checkStatistics has looked.
  for (TypedAttr value : *getStatistics(
           constant.getDefiningOp(), weight.getLoc(), weight.name, criterion))
    statistics.push_back(
        arith::ConstantOp::create(builder, weight.getLoc(), value));
  return ScoreOp::create(builder, weight.getLoc(), type, constant, statistics,
                         criterion, ArrayAttr(),
                         builder.getStringAttr(weight.name));
}

static LogicalResult checkStatistics(ArrayRef<Weight> weights,
                                     const MaskPlan &plan) {
  for (auto [weight, item] : llvm::zip_equal(weights, plan.weights))
    for (Operation *constant : weight.constants)
      if (item.pattern && failed(getStatistics(constant, weight.getLoc(),
                                               weight.name, plan.criterion)))
        return failure();
  return success();
}

static MaskOp createMask(OpBuilder &builder, Location loc, ValueRange scores,
                         PatternAttrInterface pattern, const Target &target) {
  SmallVector<Type> types;
  for (Value score : scores)
    types.push_back(
        cast<RankedTensorType>(score.getType()).clone(builder.getI1Type()));
  auto number = [&](const std::optional<double> &value) {
    return value ? builder.getF64FloatAttr(*value) : FloatAttr();
  };
  IntegerAttr count =
      target.count ? builder.getI64IntegerAttr(*target.count) : IntegerAttr();
  return MaskOp::create(builder, loc, types, scores, pattern,
                        number(target.sparsity), number(target.threshold),
                        count);
}

DecisionAttr mlir::prune::makeDecision(const WeightPlan &plan,
                                       const Decider &decider, bool isGlobal,
                                       DictionaryAttr outcome) {
  MLIRContext *context = plan.pattern.getContext();
  Builder builder(context);
  NamedAttrList target;
  if (plan.target.sparsity)
    target.set("sparsity", builder.getF64FloatAttr(*plan.target.sparsity));
  if (plan.target.threshold)
    target.set("threshold", builder.getF64FloatAttr(*plan.target.threshold));
  if (plan.target.count)
    target.set("count", builder.getI64IntegerAttr(*plan.target.count));
  return DecisionAttr::get(
      context, builder.getStringAttr(decider.by), decider.criterion,
      plan.pattern, builder.getStringAttr(isGlobal ? "global" : "local"),
      target.empty() ? DictionaryAttr() : target.getDictionary(context),
      outcome, StringAttr());
}

void mlir::prune::applyMask(const Weight &weight, Operation *constant,
                            Value mask, DecisionAttr decision,
                            Operation *score) {
  OpBuilder builder(constant->getContext());
  builder.setInsertionPointAfter(
      mask.getParentBlock() == constant->getBlock() &&
              constant->isBeforeInBlock(mask.getDefiningOp())
          ? mask.getDefiningOp()
          : constant);
  auto apply = ApplyOp::create(builder, constant->getLoc(), weight.getType(),
                               constant->getResult(0), mask, nullptr,
                               builder.getStringAttr(weight.name), decision);
  constant->getResult(0).replaceUsesWithIf(apply, [&](OpOperand &use) {
    return use.getOwner() != apply && use.getOwner() != score;
  });
}

static void maskAlone(const Weight &weight, const WeightPlan &plan,
                      CriterionAttrInterface criterion) {
  for (Operation *constant : weight.constants) {
    OpBuilder builder(constant->getContext());
    builder.setInsertionPointAfter(constant);
    Value score =
        createScore(builder, weight, constant->getResult(0), criterion);
    MaskOp mask =
        createMask(builder, weight.getLoc(), score, plan.pattern, plan.target);
    applyMask(weight, constant, mask.getMasks().front(),
              makeDecision(plan, {kCategory, criterion}, false, {}),
              score.getDefiningOp());
  }
}

/// Ranks all of `indices` together, in every isolated region that holds one of
/// the weights.
static void maskTogether(ArrayRef<Weight> weights, ArrayRef<size_t> indices,
                         const MaskPlan &plan) {
  llvm::MapVector<Region *, SmallVector<std::pair<size_t, Operation *>>>
      holders;
  for (auto [position, index] : llvm::enumerate(indices))
    for (Operation *constant : weights[index].constants) {
      Region *region = constant->getParentRegion();
      while (!region->getParentOp()->hasTrait<OpTrait::IsIsolatedFromAbove>())
        region = region->getParentRegion();
      holders[region].push_back({position, constant});
    }

  const WeightPlan &first = plan.weights[indices.front()];
  for (auto &[region, constants] : holders) {
    OpBuilder builder = OpBuilder::atBlockBegin(&region->front());
    SmallVector<Value> scores;
    for (size_t index : indices) {
      Operation *copy = builder.clone(*weights[index].constants.front());
      scores.push_back(createScore(builder, weights[index], copy->getResult(0),
                                   plan.criterion));
    }
    MaskOp mask = createMask(builder, scores.front().getLoc(), scores,
                             first.pattern, first.target);
    for (auto [position, constant] : constants)
      applyMask(weights[indices[position]], constant, mask.getMasks()[position],
                makeDecision(first, {kCategory, plan.criterion}, true, {}),
                nullptr);
  }
}

/// Keeps the reason for reports, unless an earlier run decided for the weight.
/// Only names of resources are there to stay.
static void recordLeftAlone(WeightRecords &records, const Weight &weight,
                            StringRef reason) {
  Operation *op = weight.constants.front();
  DictionaryAttr known = records.get(op, weight.name);
  if ((known && known.get("by")) || getWeightName(weight.getValue()).empty())
    return;
  Builder builder(op->getContext());
  records.add(
      op, weight.name,
      builder.getNamedAttr("left_alone", builder.getStringAttr(reason)));
}

/// N:M runs along one dimension of a weight. If its uses sum over several, only
/// some of them can become faster.
static void warnIfServesSome(const Weight &weight, const WeightPlan &plan,
                             StringRef pattern) {
  UnitPattern units = plan.pattern.getUnits(weight.getType().getShape());
  if (!units.groupSize)
    return;
  const WeightUse *served = nullptr, *other = nullptr;
  for (const WeightUse &use : weight.uses) {
    const WeightUse *&found =
        use.getReductionDim() == units.groupDim ? served : other;
    found = found ? found : &use;
  }
  if (!served || !other)
    return;
  std::optional<int64_t> otherDim = other->getReductionDim();
  InFlightDiagnostic warning =
      emitWarning(weight.getLoc(), "prune-mask-weights: weight '")
      << weight.name << "' is summed over along several dimensions; " << pattern
      << " along dimension " << units.groupDim << " serves some uses only";
  warning.attachNote(served->operand->getOwner()->getLoc())
      << "this use is served";
  Diagnostic &note = warning.attachNote(other->operand->getOwner()->getLoc());
  note << "this use is not";
  if (otherDim)
    note << "; pattern=" << pattern.split('@').first << "@" << *otherDim
         << " would serve it instead";
}

SmallVector<size_t> mlir::prune::reportPlan(ArrayRef<Weight> weights,
                                            const MaskPlan &plan,
                                            StringRef pattern,
                                            LeftAlone &left) {
  SmallVector<size_t> together;
  WeightRecords records;
  for (auto [index, weight, item] : llvm::enumerate(weights, plan.weights)) {
    if (!item.pattern) {
      remark::missed(weight.getLoc(),
                     remark::RemarkOpts::name("LeftAlone").category(kCategory))
          << remark::metric("Weight", weight.name)
          << remark::reason("{0}", item.reason);
      if (item.isRecorded)
        recordLeftAlone(records, weight, item.reason);
      left.note(item.kind, weight.getLoc(), weight.name);
      continue;
    }
    left.noteDone();
    warnIfServesSome(weight, item, pattern);
    bool isTogether = plan.isTogether(item);
    if (isTogether)
      together.push_back(index);
    remark::passed(weight.getLoc(),
                   remark::RemarkOpts::name("Masked").category(kCategory))
        << remark::metric("Weight", weight.name)
        << remark::metric("Scope", isTogether ? "global" : "local");
  }
  records.commit();
  return together;
}

LogicalResult mlir::prune::checkCounts(ArrayRef<Weight> weights,
                                       const MaskPlan &plan, Location loc) {
  int64_t together = 0, wanted = 0;
  for (auto [weight, item] : llvm::zip_equal(weights, plan.weights)) {
    if (!item.pattern || !item.target.count)
      continue;
    if (plan.isTogether(item)) {
      together += item.units;
      wanted = *item.target.count;
      continue;
    }
    if (*item.target.count > item.units)
      return emitError(weight.getLoc(), "prune-mask-weights: weight '")
             << weight.name << "' has " << item.units
             << " units, fewer than the count of " << *item.target.count;
  }
  if (wanted > together)
    return emitError(loc, "prune-mask-weights: the weights have ")
           << together << " units in all, fewer than the count of " << wanted;
  return success();
}

LogicalResult mlir::prune::maskWeights(ArrayRef<Weight> weights,
                                       const MaskOptions &options, Location loc,
                                       LeftAlone &left) {
  FailureOr<MaskPlan> plan = planMasks(weights, options, loc);
  if (failed(plan) || failed(checkCounts(weights, *plan, loc)) ||
      failed(checkStatistics(weights, *plan)))
    return failure();
  SmallVector<size_t> together =
      reportPlan(weights, *plan, options.pattern, left);
  for (auto [index, weight, item] : llvm::enumerate(weights, plan->weights))
    if (item.pattern && !llvm::is_contained(together, index))
      maskAlone(weight, item, plan->criterion);
  if (!together.empty())
    maskTogether(weights, together, *plan);
  return success();
}

namespace {
struct MaskWeights : prune::impl::MaskWeightsPassBase<MaskWeights> {
  using Base::Base;

  void runOnOperation() override {
    WeightUses uses(getOperation());
    MaskOptions options;
    options.criterion = criterion;
    options.seed = seed;
    options.pattern = pattern;
    options.sparsity = sparsity;
    options.threshold = threshold;
    options.count = count;
    options.scope = scope;
    options.targets.assign(targets.begin(), targets.end());
    options.minSize = minSize;
    options.include = include;
    options.exclude = exclude;
    LeftAlone left(getOperation(), kCategory, "pruned");
    left.note(uses);
    if (failed(maskWeights(uses.getWeights(), options, getOperation().getLoc(),
                           left)))
      return signalPassFailure();
    reportNotPrunable(uses, kCategory);
    left.warnIfNothing(kNoWeights);
  }
};
} // namespace
