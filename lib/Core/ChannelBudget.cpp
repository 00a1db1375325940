//===- ChannelBudget.cpp - How many channels each group loses -------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Counts are floors computed in double precision, as everywhere. Rounding keeps
// more channels, never fewer.
//
//===----------------------------------------------------------------------===//

#include "prune/Core/ChannelBudget.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>
#include <numeric>
#include <tuple>

using namespace mlir::prune;

int64_t mlir::prune::maxRemovable(int64_t size, const ChannelLimits &limits) {
  int64_t most = std::floor(double(size) * limits.maxRatio);
  return std::max<int64_t>(0, std::min(most, size - limits.minChannels));
}

int64_t mlir::prune::limitRemoval(int64_t size, int64_t wanted,
                                  const ChannelLimits &limits) {
  int64_t removed = std::min(wanted, maxRemovable(size, limits));
  int64_t kept = size - removed;
  kept = (kept + limits.roundTo - 1) / limits.roundTo * limits.roundTo;
  return std::max<int64_t>(0, size - kept);
}

std::vector<int64_t> mlir::prune::removalOrder(llvm::ArrayRef<double> scores) {
  std::vector<int64_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  llvm::sort(order, [&](int64_t a, int64_t b) {
    return std::make_pair(scores[a], a) < std::make_pair(scores[b], b);
  });
  return order;
}

std::vector<int64_t>
mlir::prune::shareRemoval(llvm::ArrayRef<std::vector<double>> scores,
                          double ratio, const ChannelLimits &limits) {
  std::vector<std::tuple<double, size_t, size_t>> all;
  for (size_t group = 0; group != scores.size(); ++group)
    for (size_t i = 0; i != scores[group].size(); ++i)
      all.emplace_back(scores[group][i], group, i);
  llvm::sort(all);
  int64_t wanted = std::floor(double(all.size()) * ratio);
  std::vector<int64_t> removed(scores.size(), 0);
  for (auto [score, group, index] : all)
    if (wanted != 0 &&
        removed[group] < maxRemovable(scores[group].size(), limits)) {
      ++removed[group];
      --wanted;
    }
  for (size_t group = 0; group != scores.size(); ++group)
    removed[group] = limitRemoval(scores[group].size(), removed[group], limits);
  return removed;
}
