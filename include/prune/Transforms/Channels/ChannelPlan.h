//===- ChannelPlan.h - The groups that can lose channels --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a decision about channels starts from: for each group of channels that
// weights produce, the constants that a mask has to be put on, and whether
// masked channels could then be removed.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_TRANSFORMS_CHANNELS_CHANNELPLAN_H
#define PRUNE_TRANSFORMS_CHANNELS_CHANNELPLAN_H

#include "prune/Analysis/Evaluation/SliceConstants.h"
#include "prune/Analysis/WeightUses.h"

namespace mlir::prune {

/// A use of a constant along one dimension of which channels lie.
struct ChannelConstant {
  OpOperand *use;
  /// The constant; another group's mask may stand between it and the use.
  Operation *constant;
  int64_t dim;
  /// For each index the position of its channel in the group, or -1.
  std::vector<int64_t> channelOfIndex;
  /// The weight whose outputs these are, or whose inputs for a consumer; none
  /// for biases and parameters.
  const Weight *weight = nullptr;

  Attribute getValue() const;
  /// The name of the weight, else of the resource; may be empty.
  StringRef getName() const;
  /// If the group's channels are runs of equal length, in order, and fill the
  /// dimension: the length; else 0.
  int64_t getRunLength(int64_t numChannels) const;
  /// The operation, past reshapes, whose body reads the constant.
  Operation *getReader() const;
  /// For a parameter: how the body that reads it uses it.
  bool isScale() const;
  bool isDivisor() const;
};

struct PlannedGroup {
  /// Of the first weight that produces the channels.
  std::string name;
  std::vector<unsigned> channels;
  /// Producing weights first, then biases and parameters.
  std::vector<ChannelConstant> constants;
  /// Weights that sum over the channels.
  std::vector<ChannelConstant> consumers;
  /// Whether masked channels leave only if the consumers are masked as well,
  /// since the channels do not stay numbers on their way to them.
  bool masksConsumers = false;
  /// What the channels reach, in program order.
  std::vector<Operation *> ops;
  /// Why masked channels would stay, with the operation; empty if they would
  /// leave.
  std::string reason;
  Operation *blockedBy = nullptr;

  /// What the channels go through, the same for groups that are built alike
  /// whatever their sizes are.
  std::string structure;

  Location getLoc() const { return constants.front().constant->getLoc(); }
  auto getWeights() const {
    return llvm::make_filter_range(
        constants, [](const ChannelConstant &c) { return c.weight; });
  }
};

/// All groups that weights produce, in order of the weights. Constants that
/// would not stay zero under a mask (divisors) are left out.
std::vector<PlannedGroup> planChannelGroups(Operation *root,
                                            const WeightUses &uses,
                                            const ChannelGroups &groups);

} // namespace mlir::prune

#endif // PRUNE_TRANSFORMS_CHANNELS_CHANNELPLAN_H
