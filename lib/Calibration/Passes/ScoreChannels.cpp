//===- ScoreChannels.cpp - What layers miss without each channel ----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PassInputs.h"

#include "prune/Analysis/LeftAlone.h"
#include "prune/Calibration/Passes.h"
#include "prune/Core/Solvers/ChannelRemoval.h"
#include "prune/IR/EditedDictionary.h"
#include "prune/IR/Records.h"
#include "prune/Transforms/Channels/ChannelPlan.h"

#include "mlir/IR/Remarks.h"
#include "mlir/IR/Threading.h"

#include <cmath>

namespace mlir::prune {
#define GEN_PASS_DEF_SCORECHANNELSPASS
#include "prune/Calibration/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;
using namespace mlir::prune;
using llvm::Expected;

static constexpr StringLiteral kName = "prune-score-channels";
static constexpr StringLiteral kStatistic = "removal_cost";

namespace {
struct ScoreChannels
    : DataPass<ScoreChannels,
               prune::impl::ScoreChannelsPassBase<ScoreChannels>> {
  using DataPass::DataPass;
  LogicalResult run();

private:
  friend struct prune::DataOptions;
  /// By weight, the systems of its layer.
  using Systems = llvm::DenseMap<const Weight *, SolvableLayer>;

  FailureOr<Systems> collect(const PassNetwork &network,
                             ArrayRef<PlannedGroup> groups);
  bool makeConsumers(const PlannedGroup &group, const Systems &systems,
                     std::vector<ChannelConsumer> &consumers) const;
  void write(const ChannelConstant &consumer, ArrayRef<double> costs,
             EditedDictionary &statistics);
  LogicalResult score(const PlannedGroup &group,
                      ArrayRef<ChannelConsumer> consumers,
                      EditedDictionary &statistics);
};
} // namespace

/// Looks at the layers that read channels.
FailureOr<ScoreChannels::Systems>
ScoreChannels::collect(const PassNetwork &network,
                       ArrayRef<PlannedGroup> groups) {
  llvm::DenseSet<const Weight *> readers;
  for (const PlannedGroup &group : groups)
    for (const ChannelConstant &consumer : group.consumers)
      readers.insert(consumer.weight);
  DataOptions options = DataOptions::ofData(*this);
  FailureOr<NetworkOptions> solver =
      readNetworkOptions(getOperation(), kName, options);
  if (failed(solver))
    return failure();
  SmallVector<std::pair<size_t, std::string>> left;
  FailureOr<std::unique_ptr<Sweep>> sweep =
      makeSweep(getOperation(), kName, network, options, *solver, left);
  if (failed(sweep))
    return failure();
  Systems systems;
  ArrayRef<Weight> weights = network.weights();
  auto visit = [&](const SweptLayer &layer) -> llvm::Error {
    const Weight &weight = weights[layer.weight];
    Expected<SolvableLayer> made =
        makeSolvable(**sweep, layer, weight, /*adjusts=*/true);
    if (!made)
      return made.takeError();
    systems.try_emplace(&weight, std::move(*made));
    return llvm::Error::success();
  };
  if (llvm::Error error = (*sweep)->run(visit, [&](size_t weight) {
        return readers.contains(&weights[weight]);
      }))
    return failWith(getOperation(), kName, std::move(error));
  return std::move(systems);
}

/// The systems of all weights that read a group; false if one is not known.
bool ScoreChannels::makeConsumers(
    const PlannedGroup &group, const Systems &systems,
    std::vector<ChannelConsumer> &consumers) const {
  llvm::DenseSet<std::pair<const Weight *, int64_t>> seen;
  for (const ChannelConstant &constant : group.consumers) {
    auto found = systems.find(constant.weight);
    if (found == systems.end())
      return false;
    if (!seen.insert({constant.weight, constant.dim}).second)
      continue;
    ArrayRef<int64_t> shape = constant.weight->getType().getShape();
    int64_t inner = 1;
    for (int64_t extent : shape.drop_front(constant.dim + 1))
      inner *= extent;
    ArrayRef<int64_t> elements = found->second.elements;
    for (const LayerSystem &system : found->second.systems) {
      ChannelConsumer &consumer = consumers.emplace_back();
      consumer.system = system;
      for (int64_t i = 0; i < system.inputs; ++i)
        consumer.channelOfInput.push_back(
            constant.channelOfIndex[elements[i] / inner % shape[constant.dim]]);
      elements = elements.drop_front(system.rows * system.inputs);
    }
  }
  return !consumers.empty();
}

/// Gives a weight the costs of the channels that it reads, along with those of
/// other groups that lie along the same dimension.
void ScoreChannels::write(const ChannelConstant &consumer,
                          ArrayRef<double> costs,
                          EditedDictionary &statistics) {
  MLIRContext *context = &getContext();
  StringRef name = consumer.weight->name;
  auto known = dyn_cast_or_null<DictionaryAttr>(statistics.get(name));
  NamedAttrList entries(known ? known.getValue() : ArrayRef<NamedAttribute>());
  SmallVector<int64_t> shape(consumer.weight->getType().getRank(), 1);
  shape[consumer.dim] = consumer.channelOfIndex.size();
  auto type = RankedTensorType::get(shape, Float64Type::get(context));
  std::vector<double> values(consumer.channelOfIndex.size());
  if (auto old = dyn_cast_or_null<DenseElementsAttr>(entries.get(kStatistic));
      old && old.getType() == type)
    values.assign(old.value_begin<double>(), old.value_end<double>());
  for (auto [value, channel] : llvm::zip_equal(values, consumer.channelOfIndex))
    if (channel >= 0)
      value = costs[channel];
  entries.set(kStatistic,
              DenseElementsAttr::get(type, ArrayRef<double>(values)));
  statistics.set(name, entries.getDictionary(context));
}

LogicalResult ScoreChannels::score(const PlannedGroup &group,
                                   ArrayRef<ChannelConsumer> consumers,
                                   EditedDictionary &statistics) {
  Expected<std::vector<double>> costs =
      computeChannelCosts(consumers, group.channels.size(), damping,
                          [&](size_t n, function_ref<void(size_t)> body) {
                            mlir::parallelFor(&getContext(), 0, n, body);
                          });
  if (!costs)
    return failWith(getOperation(), kName, costs.takeError());
  // Criteria add up what all weights say that read a channel.
  for (double &cost : *costs)
    cost /= group.consumers.size();
  for (const ChannelConstant &consumer : group.consumers)
    write(consumer, *costs, statistics);
  return success();
}

LogicalResult ScoreChannels::run() {
  FailureOr<PassNetwork> network =
      PassNetwork::create(getOperation(), function, kName);
  if (failed(network))
    return failure();
  ChannelGroups coupling(*network->module);
  WeightUses all(*network->module);
  std::vector<PlannedGroup> groups =
      planChannelGroups(*network->module, *network->uses, coupling);
  FailureOr<Systems> systems = collect(*network, groups);
  if (failed(systems))
    return failure();
  LeftAlone left(getOperation(), kName, "scored");
  EditedDictionary statistics(getOperation(), kStatisticsRecord);
  for (const PlannedGroup &group : groups) {
    if (!group.reason.empty())
      continue;
    std::vector<ChannelConsumer> consumers;
    if (!makeConsumers(group, *systems, consumers)) {
      StringRef reason = "no layer reads its channels whose inputs can be "
                         "looked at";
      remark::missed(group.getLoc(),
                     remark::RemarkOpts::name("NotScored").category(kName))
          << remark::metric("Group", group.name)
          << remark::reason("{0}", reason);
      left.note(reason, group.getLoc(), group.name);
      continue;
    }
    left.noteDone();
    if (failed(score(group, consumers, statistics)))
      return failure();
  }
  statistics.commit();
  left.warnIfNothing("there are no channels that could leave");
  return success();
}
