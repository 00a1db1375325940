//===- ChannelScores.cpp - How important each channel is ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scores of elements are summed index by index over the constants of a group,
// then over each channel's run of indices: the order in which the operations
// that are written into the IR add. Criteria of whole channels see the
// constants of a group instead.
//
//===----------------------------------------------------------------------===//

#include "ChannelDecision.h"

#include "prune/Core/ChannelBudget.h"
#include "prune/IR/ConstantView.h"
#include "prune/IR/Prune.h"

#include "mlir/IR/Threading.h"

#include <cmath>

using namespace mlir;
using namespace mlir::prune;

std::vector<bool> Decision::getRemoved() const {
  std::vector<bool> result(scores.size(), false);
  std::vector<int64_t> order = removalOrder(scores);
  for (int64_t i = 0; i != removed; ++i)
    result[order[i]] = true;
  return result;
}

std::optional<double> Decision::getCut() const {
  if (removed == 0)
    return std::nullopt;
  return scores[removalOrder(scores)[removed - 1]];
}

SmallVector<const ChannelConstant *>
mlir::prune::getScored(const PlannedGroup &group,
                       const GroupCriterion &criterion) {
  SmallVector<const ChannelConstant *> scored;
  // Slices of a weight are scored each, other uses of the same indices once.
  auto isSeen = [&](const ChannelConstant &constant) {
    return llvm::any_of(scored, [&](const ChannelConstant *other) {
      if (other->weight != constant.weight)
        return false;
      return other->dim != constant.dim ||
             llvm::any_of(llvm::zip_equal(other->channelOfIndex,
                                          constant.channelOfIndex),
                          [](auto pair) {
                            return std::get<0>(pair) >= 0 &&
                                   std::get<1>(pair) >= 0;
                          });
    });
  };
  for (const ChannelConstant &constant : group.constants) {
    if (criterion.reads(constant) && (!constant.weight || !isSeen(constant)))
      scored.push_back(&constant);
  }
  return scored;
}

std::vector<double>
mlir::prune::scoreIndices(const ChannelConstant &constant,
                          CriterionAttrInterface criterion) {
  Attribute value = constant.getValue();
  TensorView view = *getTensorView(value);
  std::string name = constant.getName().str();
  std::shared_ptr<const PreparedScores> prepared =
      criterion.prepare({view, name, {}, nullptr});
  ScoreSource source;
  source.shape.assign(view.shape.begin(), view.shape.end());
  source.read = [&](int64_t begin, MutableArrayRef<double> out) {
    criterion.score({view, name, {}, prepared.get()}, begin, out);
  };
  SmallVector<int64_t> others;
  for (int64_t dim = 0; dim != int64_t(view.shape.size()); ++dim)
    if (dim != constant.dim)
      others.push_back(dim);
  if (others.empty()) {
    std::vector<double> scores(view.size());
    source.read(0, scores);
    return scores;
  }
  return reduceScores(source, others,
                      [&](size_t n, function_ref<void(size_t)> body) {
                        mlir::parallelFor(value.getContext(), 0, n, body);
                      });
}

static ChannelMember toMember(const ChannelConstant &constant,
                              Attribute value) {
  return {
      *getTensorView(value),   constant.getName(),         constant.dim,
      constant.channelOfIndex, constant.weight != nullptr, constant.isScale()};
}

bool GroupCriterion::reads(const ChannelConstant &constant) const {
  if (!channels)
    return constant.weight != nullptr;
  std::optional<TensorView> view = getTensorView(constant.getValue());
  return view && channels.reads(toMember(constant, constant.getValue()));
}

std::vector<std::vector<double>>
mlir::prune::readChannels(const ChannelConstant &constant, Attribute value,
                          size_t numChannels) {
  return readChannels(toMember(constant, value), numChannels);
}

/// Adds what was observed of the weights that read the channels.
static LogicalResult scoreConsumers(const PlannedGroup &group,
                                    ChannelCriterionAttrInterface criterion,
                                    MutableArrayRef<double> scores) {
  for (const ChannelConstant &constant : group.consumers) {
    StringRef name = constant.getName();
    Location loc = constant.constant->getLoc();
    FailureOr<TypedAttr> statistic =
        getStatistic(constant.constant, loc, name, criterion.getStatistic(),
                     cast<Attribute>(criterion));
    if (failed(statistic))
      return failure();
    std::optional<TensorView> view = getTensorView(*statistic);
    auto shape = cast<RankedTensorType>(statistic->getType()).getShape();
    int64_t indices = constant.channelOfIndex.size();
    if (!view || constant.dim >= int64_t(shape.size()) ||
        shape[constant.dim] != indices)
      return emitError(loc, "weight '")
             << name << "' expects the statistic '" << criterion.getStatistic()
             << "' to have " << indices << " numbers along dimension "
             << constant.dim << " but got " << statistic->getType();
    criterion.addScores({*view, name, constant.dim, constant.channelOfIndex},
                        scores);
  }
  return success();
}

FailureOr<Decision> mlir::prune::scoreGroup(const PlannedGroup &group,
                                            const GroupCriterion &criterion) {
  Decision decision;
  int64_t size = group.channels.size();
  decision.scores.assign(size, 0);
  decision.scored = getScored(group, criterion);
  bool isFirst = true;
  for (const ChannelConstant *constant : decision.scored) {
    int64_t length = constant->getRunLength(size);
    decision.runLength = isFirst || length == decision.runLength ? length : 0;
    isFirst = false;
  }
  std::vector<double> sums;
  for (const ChannelConstant *constant : decision.scored) {
    int64_t numElements =
        cast<ElementsAttr>(constant->getValue()).getNumElements();
    decision.elements += double(numElements) / constant->channelOfIndex.size() *
                         llvm::count_if(constant->channelOfIndex,
                                        [](int64_t c) { return c >= 0; }) /
                         size;
    if (criterion.readsConsumers())
      continue;
    if (!criterion.elements) {
      criterion.channels.addScores(toMember(*constant, constant->getValue()),
                                   decision.scores);
      continue;
    }
    std::vector<double> scores = scoreIndices(*constant, criterion.elements);
    if (decision.runLength != 0) {
      sums.resize(scores.size());
      for (auto [sum, score] : llvm::zip_equal(sums, scores))
        sum += score;
      continue;
    }
    for (auto [score, channel] :
         llvm::zip_equal(scores, constant->channelOfIndex))
      if (channel >= 0)
        decision.scores[channel] += score;
  }
  for (size_t i = 0; i != sums.size(); ++i)
    decision.scores[i / decision.runLength] += sums[i];
  if (criterion.readsConsumers() &&
      failed(scoreConsumers(group, criterion.channels, decision.scores)))
    return failure();
  return decision;
}
