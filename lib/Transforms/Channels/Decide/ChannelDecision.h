//===- ChannelDecision.h - Which channels go --------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The steps of prune-mask-channels after the groups are known: scoring the
// channels of a group, writing the decision as masks, and folding removed
// channels into similar ones. Whole residual blocks are decided apart.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_TRANSFORMS_CHANNELS_DECIDE_CHANNELDECISION_H
#define PRUNE_LIB_TRANSFORMS_CHANNELS_DECIDE_CHANNELDECISION_H

#include "prune/Transforms/Channels/ChannelPlan.h"

#include "prune/IR/Prune.h"

namespace mlir::prune {

/// What the score of a channel is computed from.
struct GroupCriterion {
  /// As it is asked for.
  Attribute attribute;
  /// Null where the elements of the producing weights are scored.
  ChannelCriterionAttrInterface channels;
  /// Null if a score is not a sum over elements.
  CriterionAttrInterface elements;

  bool reads(const ChannelConstant &constant) const;
  /// Whether scores come from what the consumers of channels read.
  bool readsConsumers() const {
    return channels && !channels.getStatistic().empty();
  }
  StringRef whyNot() const {
    return channels ? channels.whyNot() : StringRef("has no weight");
  }
};

/// What was computed and decided for one group.
struct Decision {
  std::vector<double> scores;
  /// The constants whose elements were scored; one of each weight.
  SmallVector<const ChannelConstant *> scored;
  /// The number of scored elements behind each channel.
  double elements = 0;
  /// The length of a channel's run in each scored constant, 0 if they differ.
  int64_t runLength = 0;
  int64_t removed = 0;

  /// For each channel whether it goes.
  std::vector<bool> getRemoved() const;
  /// The highest score that goes, if one does.
  std::optional<double> getCut() const;
};

/// The constants of a group that a criterion looks at.
SmallVector<const ChannelConstant *> getScored(const PlannedGroup &group,
                                               const GroupCriterion &criterion);

/// One score for each index of the constant's dimension, as prune.score sums.
std::vector<double> scoreIndices(const ChannelConstant &constant,
                                 CriterionAttrInterface criterion);

/// The elements of `value`, a version of the constant, channel by channel.
std::vector<std::vector<double>> readChannels(const ChannelConstant &constant,
                                              Attribute value,
                                              size_t numChannels);

/// Scores every channel of a group. Fails after an error if a statistic is
/// missing.
FailureOr<Decision> scoreGroup(const PlannedGroup &group,
                               const GroupCriterion &criterion);

/// Which uses of a constant can have the mask of another one: where they see
/// the same channel, or an index that they do not read.
class UseSharing {
public:
  explicit UseSharing(const ChannelGroups &groups);

  /// The constant's own use, and others of the same value.
  SmallVector<OpOperand *> getUses(const ChannelConstant &constant) const;

private:
  const ChannelGroups &groups;
  /// How many indices of axes each channel consists of.
  std::vector<unsigned> slots;
};

/// Puts masks on all constants of the group. `made` says what was decided.
void emitMasks(const PlannedGroup &group, const Decision &decision,
               const GroupCriterion &criterion, const UseSharing &sharing,
               DecisionAttr made);

/// Masks the marked indices of a constant's dimension where it is used.
void maskIndices(const ChannelConstant &constant, ArrayRef<bool> removed,
                 DecisionAttr made);

/// What became of folding removed channels into kept ones. With a reason,
/// nothing was changed.
struct MergeOutcome {
  int64_t merged = 0;
  std::string reason;
  Operation *blockedBy = nullptr;
};

/// Adds the consumers' weights of each removed channel, scaled, to those of the
/// kept channel whose producing weights are most similar, if their cosine is at
/// least `threshold`.
MergeOutcome mergeChannels(const PlannedGroup &group, const Decision &decision,
                           double threshold, const ChannelGroups &groups,
                           const SliceConstants &constants);

/// The branch of a residual sum that can be masked as a whole.
struct ResidualBlock {
  std::string name;
  Operation *sum;
  /// Weights inside of the branch.
  SmallVector<const Weight *> weights;
  /// What a mask makes the branch zero through.
  std::vector<ChannelConstant> constants;
  double score = 0;
};

/// All branches of residual sums that their own constants can make zero, in
/// program order. `missed` is told of the others, with the reason.
std::vector<ResidualBlock>
findResidualBlocks(Operation *root, const WeightUses &uses,
                   const ChannelGroups &groups, ArrayRef<PlannedGroup> planned,
                   llvm::function_ref<void(Operation *, StringRef)> missed);

/// Scores blocks by the mean over the elements of all their weights.
void scoreBlocks(std::vector<ResidualBlock> &blocks,
                 CriterionAttrInterface criterion);

} // namespace mlir::prune

#endif // PRUNE_LIB_TRANSFORMS_CHANNELS_DECIDE_CHANNELDECISION_H
