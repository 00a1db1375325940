//===- GivenMasks.cpp - Masks, scores and numbers from outside ------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A caller in another language has criteria and patterns that no attribute
// describes. It hands over what they come to: numbers for a weight, a mask, or
// a score for each element. Scores are ranked by the plan and the selection of
// prune-mask-weights and never enter the IR; what is left of them is a constant
// mask and what was decided.
//
//===----------------------------------------------------------------------===//

#include "prune/Transforms/Weights/MaskPlan.h"

#include "prune/IR/ConstantView.h"
#include "prune/IR/KeptRecord.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Threading.h"

#include <cmath>

using namespace mlir;
using namespace mlir::prune;

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

void mlir::prune::replaceWeight(const Weight &weight, ArrayRef<char> bytes) {
  TypedAttr value =
      createConstantLike(weight.getValue(), weight.getType(), bytes);
  if (auto module = weight.constants.front()->getParentOfType<ModuleOp>()) {
    KeptRecord kept(module);
    kept.setVersion(weight.getValue(), value);
    kept.commit();
  }
  for (Operation *constant : weight.constants) {
    OpBuilder builder(constant);
    constant->getResult(0).replaceAllUsesWith(
        arith::ConstantOp::create(builder, constant->getLoc(), value));
    constant->erase();
  }
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

DictionaryAttr mlir::prune::makeOutcome(MLIRContext *context, int64_t kept,
                                        int64_t removed,
                                        std::optional<double> cut) {
  Builder builder(context);
  NamedAttrList outcome;
  outcome.set("unit", builder.getStringAttr("element"));
  outcome.set("kept", builder.getI64IntegerAttr(kept));
  outcome.set("removed", builder.getI64IntegerAttr(removed));
  if (cut)
    outcome.set("cut", builder.getF64FloatAttr(*cut));
  return outcome.getDictionary(context);
}

static void writeMask(const Weight &weight, ArrayRef<bool> keep,
                      DecisionAttr decision) {
  Builder types(decision.getContext());
  auto value = DenseElementsAttr::get(
      cast<RankedTensorType>(weight.getType().clone(types.getI1Type())), keep);
  for (Operation *constant : weight.constants) {
    OpBuilder builder(constant->getContext());
    builder.setInsertionPointAfter(constant);
    auto mask = arith::ConstantOp::create(builder, weight.getLoc(), value);
    applyMask(weight, constant, mask, decision);
  }
}

void mlir::prune::maskWeight(const Weight &weight, ArrayRef<bool> keep,
                             StringRef by) {
  MLIRContext *context = weight.constants.front()->getContext();
  Builder builder(context);
  int64_t kept = llvm::count(keep, true);
  writeMask(weight, keep,
            DecisionAttr::get(
                context, builder.getStringAttr(by), Attribute(), Attribute(),
                builder.getStringAttr("local"), DictionaryAttr(),
                makeOutcome(context, kept, keep.size() - kept, std::nullopt),
                StringAttr()));
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

namespace {
/// The mask of one weight, before it is written.
struct RankedMask {
  size_t weight;
  std::vector<uint8_t> keep;
  std::optional<double> cut;
};

/// Ranks the scores of the weights of one module.
class Ranker {
public:
  Ranker(ArrayRef<Weight> weights, const MaskPlan &plan,
         const GivenScores &given)
      : weights(weights), plan(plan), given(given) {}

  LogicalResult rankAll();
  ArrayRef<RankedMask> getMasks() const { return masks; }

private:
  LogicalResult rank(ArrayRef<size_t> indices);
  LogicalResult reportNan(size_t index) const;
  void warnIfInfinite(ArrayRef<size_t> indices) const;

  ArrayRef<Weight> weights;
  const MaskPlan &plan;
  const GivenScores &given;
  std::vector<RankedMask> masks;
};
} // namespace

LogicalResult Ranker::reportNan(size_t index) const {
  const TensorView &scores = *given.scores[index];
  InFlightDiagnostic error = emitError(weights[index].getLoc(), "criterion '")
                             << given.criterion
                             << "' gives a NaN score for weight '"
                             << weights[index].name << "'";
  auto position = findNaN(scores);
  if (!position)
    return error << ": infinite scores of one unit that cancel out";
  error << " at [";
  llvm::interleaveComma(*position, error);
  return error << "]";
}

void Ranker::warnIfInfinite(ArrayRef<size_t> indices) const {
  InFlightDiagnostic warning =
      emitWarning(weights[indices.front()].getLoc(), "infinite scores in");
  for (size_t index : indices)
    warning << " '" << weights[index].name << "'";
  warning << ": they rank above all others";
}

LogicalResult Ranker::rank(ArrayRef<size_t> indices) {
  const WeightPlan &first = plan.weights[indices.front()];
  std::vector<RankedTensorScores> ranked;
  for (size_t index : indices) {
    const std::optional<TensorView> &scores = given.scores[index];
    if (!scores)
      return emitError(weights[index].getLoc(), "expects scores for weight '")
             << weights[index].name << "'";
    ScoreSource source;
    source.shape.assign(scores->shape.begin(), scores->shape.end());
    source.read = [view = *scores](int64_t begin, MutableArrayRef<double> out) {
      view.load(begin, out);
    };
    UnitPattern units = first.pattern.getUnits(source.shape);
    ranked.emplace_back(std::move(source), units);
  }
  auto parallel = [&](size_t n, function_ref<void(size_t)> body) {
    mlir::parallelFor(first.pattern.getContext(), 0, n, body);
  };
  size_t nanOperand = 0;
  std::optional<MaskSelection> selection =
      MaskSelection::choose(ranked, first.target, parallel, nanOperand);
  if (!selection)
    return reportNan(indices[nanOperand]);
  if (selection->hasInfinite)
    warnIfInfinite(indices);
  bool isCut = !first.pattern.isTarget() && std::isfinite(selection->cut.score);
  for (auto [operand, index] : llvm::enumerate(indices)) {
    RankedMask &mask = masks.emplace_back();
    mask.weight = index;
    mask.keep = selection->getKept(ranked[operand], operand,
                                   given.scores[index]->size(), parallel);
    if (isCut)
      mask.cut = selection->cut.score;
  }
  return success();
}

LogicalResult Ranker::rankAll() {
  SmallVector<size_t> together;
  for (auto [index, item] : llvm::enumerate(plan.weights)) {
    if (!item.pattern)
      continue;
    if (plan.isTogether(item))
      together.push_back(index);
    else if (failed(rank(index)))
      return failure();
  }
  return success(together.empty() || succeeded(rank(together)));
}

FailureOr<SmallVector<size_t>>
mlir::prune::chooseWeights(ArrayRef<Weight> weights, const MaskOptions &options,
                           Location loc) {
  FailureOr<MaskPlan> plan = planMasks(weights, options, loc);
  if (failed(plan) || failed(checkCounts(weights, *plan, loc)))
    return failure();
  SmallVector<size_t> chosen;
  for (auto [index, item] : llvm::enumerate(plan->weights))
    if (item.pattern)
      chosen.push_back(index);
  return chosen;
}

LogicalResult mlir::prune::maskWeightsByScores(ArrayRef<Weight> weights,
                                               const MaskOptions &options,
                                               const GivenScores &given,
                                               Location loc, LeftAlone &left) {
  FailureOr<MaskPlan> plan = planMasks(weights, options, loc);
  if (failed(plan) || failed(checkCounts(weights, *plan, loc)))
    return failure();
  Ranker ranker(weights, *plan, given);
  if (failed(ranker.rankAll()))
    return failure();
  reportPlan(weights, *plan, options.pattern, left);
  Decider decider{given.by, StringAttr::get(loc.getContext(), given.criterion)};
  for (const RankedMask &mask : ranker.getMasks()) {
    const WeightPlan &item = plan->weights[mask.weight];
    int64_t size = mask.keep.size(), kept = llvm::count(mask.keep, 1);
    ArrayRef<bool> keep(reinterpret_cast<const bool *>(mask.keep.data()), size);
    writeMask(weights[mask.weight], keep,
              makeDecision(
                  item, decider, plan->isTogether(item),
                  makeOutcome(loc.getContext(), kept, size - kept, mask.cut)));
  }
  return success();
}
