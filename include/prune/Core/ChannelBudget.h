//===- ChannelBudget.h - How many channels each group loses -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Turns a ratio into a number of channels for each group, alone or out of one
// ranking over all, within limits that hold in either case. Which channels of a
// group go follows from the number: the ones with the lowest scores.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CORE_CHANNELBUDGET_H
#define PRUNE_CORE_CHANNELBUDGET_H

#include "llvm/ADT/ArrayRef.h"

#include <cstdint>
#include <vector>

namespace mlir::prune {

/// What no group may violate.
struct ChannelLimits {
  /// Channels that stay at least.
  int64_t minChannels = 1;
  /// The largest fraction that goes.
  double maxRatio = 1;
  /// The number that stays is a multiple of this, unless nothing goes.
  int64_t roundTo = 1;
};

/// The most channels of `size` that may go, rounding aside.
int64_t maxRemovable(int64_t size, const ChannelLimits &limits);

/// `wanted` within the limits: fewer go where a limit or rounding asks for it.
int64_t limitRemoval(int64_t size, int64_t wanted, const ChannelLimits &limits);

/// The indices in the order in which they go: the lowest score first, among
/// equals the lowest index.
std::vector<int64_t> removalOrder(llvm::ArrayRef<double> scores);

/// For each group, how many go when `floor(all * ratio)` channels with the
/// lowest scores go, groups in order among equals. A group that reaches its
/// limit leaves its share to the others.
std::vector<int64_t> shareRemoval(llvm::ArrayRef<std::vector<double>> scores,
                                  double ratio, const ChannelLimits &limits);

} // namespace mlir::prune

#endif // PRUNE_CORE_CHANNELBUDGET_H
