//===- ChannelGroups.h - Which slices leave together ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An *axis* is one dimension of one tensor value. A *channel* is a set of
// indices of axes that can only be removed together: a filter's output, its
// bias, the slice of the activation, the consumer's input. Channels that reach
// the same axes the same number of times form a *group*: all neurons of a
// layer, all filters that a residual chain ties together.
//
// Constants, tensor.empty and linalg.fill are repeated at will, so each of
// their uses has axes of its own: two layers do not become one because they
// share a tensor of zeros. The uses of one weight lose the same channels all
// the same, so that it stays one tensor.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_ANALYSIS_CHANNELGROUPS_H
#define PRUNE_ANALYSIS_CHANNELGROUPS_H

#include "prune/IR/ChannelLinks.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallPtrSet.h"

#include <vector>

namespace mlir::prune {

class ExportLimits;

/// Whether the value is a constant, an empty tensor or a fill, of which each
/// use can have a version of its own.
bool isRematerializable(Value value);

/// One dimension of a value; of one use of it if the value is repeatable.
struct Axis {
  Value value;
  OpOperand *use;
  int64_t dim;
  /// 0 if the size is dynamic.
  int64_t size;
  /// Its indices are numbered from here, over all axes.
  unsigned first;
};

/// Why a channel has to stay: `op` does `reason` with it.
struct FrozenReason {
  Operation *op;
  StringRef reason;
};

class ChannelGroups {
public:
  /// Which dimension of a reshape carries the channels where several could: of
  /// `[heads, features]`, heads if the outer ones are preferred.
  enum class Prefer { Outer, Inner };

  /// With `freeArguments`, functions that no symbol refers to can lose indices
  /// of their arguments. With `limits`, weights lose what an ONNX file could.
  explicit ChannelGroups(Operation *root, Prefer prefer = Prefer::Outer,
                         bool freeArguments = false,
                         const ExportLimits *limits = nullptr);

  ArrayRef<Axis> getAxes() const { return axes; }
  /// The number of all axes' indices together.
  unsigned getNumSlots() const { return channelOfSlot.size(); }

  /// The first axis of an operand or result, followed by those of its other
  /// dimensions, or nothing if it is no ranked tensor.
  std::optional<unsigned> getFirstAxis(OpOperand &operand) const;
  std::optional<unsigned> getFirstAxis(Value value) const;
  std::optional<unsigned> getAxis(Operation *op, ChannelPort port) const;

  unsigned getNumChannels() const { return reasonOfChannel.size(); }
  unsigned getChannel(unsigned slot) const { return channelOfSlot[slot]; }
  unsigned getChannel(unsigned axis, int64_t index) const {
    return channelOfSlot[axes[axis].first + index];
  }
  /// Null if the channel is free.
  const FrozenReason *getFrozen(unsigned channel) const {
    int reason = reasonOfChannel[channel];
    return reason < 0 ? nullptr : &reasons[reason];
  }
  /// Whether a reshape could carry channels in more than one way.
  bool hasChoices() const { return anyChoice; }

  /// Channels that are coupled alike, in order of their first appearance.
  /// Frozen channels are grouped as well.
  std::vector<std::vector<unsigned>> getGroups() const;

private:
  friend class ChannelCoupler;
  std::vector<Axis> axes;
  llvm::DenseMap<Value, unsigned> axesOfValue;
  llvm::DenseMap<OpOperand *, unsigned> axesOfUse;
  std::vector<unsigned> channelOfSlot;
  std::vector<int> reasonOfChannel;
  std::vector<FrozenReason> reasons;
  bool anyChoice = false;
};

/// The functions below `root` that no symbol refers to: those that only a user
/// of the whole can call.
llvm::SmallPtrSet<Operation *, 4> getEntryFunctions(Operation *root);

/// Calls `visit` for the operations that take part, in order: not for those in
/// regions of operations that describe themselves.
void forEachChannelOp(Operation *root,
                      llvm::function_ref<void(Operation *)> visit);

} // namespace mlir::prune

#endif // PRUNE_ANALYSIS_CHANNELGROUPS_H
