//===- PrintChannelGroups.cpp - Show which channels belong together -------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Says for each group of channels that weights produce what a mask would be put
// on, and why its channels could or could not leave. Diagnostics go wherever
// the tool sends them, and tests can expect them at the weight's line.
//
//===----------------------------------------------------------------------===//

#include "prune/Transforms/Channels/ChannelPlan.h"

#include "prune/Analysis/ExportLimits.h"
#include "prune/Analysis/LeftAlone.h"
#include "prune/Transforms/Channels/Passes.h"

#include "llvm/ADT/MapVector.h"

namespace mlir::prune {
#define GEN_PASS_DEF_PRINTCHANNELGROUPSPASS
#include "prune/Transforms/Channels/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;
using namespace mlir::prune;

static void print(const PlannedGroup &group) {
  InFlightDiagnostic diagnostic =
      emitRemark(group.getLoc(), "channel group '")
      << group.name << "': " << group.channels.size() << " channels, "
      << (group.reason.empty() ? "free" : "kept") << "; on";
  // Each use of a shared constant has an entry of its own.
  llvm::SmallDenseSet<std::pair<Operation *, int64_t>> seen;
  auto list = [&](const ChannelConstant &constant) {
    if (!seen.insert({constant.constant, constant.dim}).second)
      return;
    StringRef name = constant.getName();
    diagnostic << " " << (name.empty() ? "constant" : name) << "["
               << constant.dim << "]";
    int64_t length = constant.getRunLength(group.channels.size());
    if (length > 1)
      diagnostic << " by " << length;
    else if (length == 0)
      diagnostic << " in part";
  };
  llvm::for_each(group.constants, list);
  if (group.masksConsumers) {
    diagnostic << " and on inputs";
    llvm::for_each(group.consumers, list);
  }
  if (!group.reason.empty())
    diagnostic.attachNote(group.blockedBy->getLoc()) << group.reason;
}

/// What becomes of the indices of one dimension: how many are free or stay, by
/// group and by reason.
static void printDimension(OpResult result, int64_t dim, unsigned number,
                           const ChannelGroups &coupling,
                           const llvm::DenseMap<unsigned, StringRef> &names) {
  const Axis &axis = coupling.getAxes()[number];
  InFlightDiagnostic diagnostic = emitRemark(result.getLoc(), "dimension ")
                                  << dim << " of result "
                                  << result.getResultNumber() << ": ";
  if (axis.size == 0) {
    diagnostic << "its size is zero or only the run knows it";
    return;
  }
  llvm::MapVector<StringRef, int64_t> free;
  llvm::MapVector<const FrozenReason *, int64_t> kept;
  for (int64_t i = 0; i != axis.size; ++i) {
    unsigned channel = coupling.getChannel(number, i);
    if (const FrozenReason *frozen = coupling.getFrozen(channel))
      ++kept[frozen];
    else
      ++free[names.lookup(channel)];
  }
  StringRef separator = "";
  for (auto [name, count] : free) {
    diagnostic << separator << count << " free";
    if (!name.empty())
      diagnostic << " in group '" << name << "'";
    separator = ", ";
  }
  for (auto [frozen, count] : kept) {
    diagnostic << separator << count << " stay";
    diagnostic.attachNote(frozen->op->getLoc())
        << frozen->op->getName() << ": " << frozen->reason;
    separator = ", ";
  }
}

namespace {
struct PrintChannelGroups
    : prune::impl::PrintChannelGroupsPassBase<PrintChannelGroups> {
  using Base::Base;

  void runOnOperation() override {
    if (reshape != "outer" && reshape != "inner") {
      getOperation().emitError("prune-print-channel-groups: option 'reshape' "
                               "expects outer or inner but got '")
          << StringRef(reshape) << "'";
      return signalPassFailure();
    }
    auto safe = ExportLimits::choose(getOperation(), exportSafe, getArgument());
    if (failed(safe))
      return signalPassFailure();
    WeightUses uses(getOperation());
    markAllAnalysesPreserved();
    // Without weights there are no groups, coupled dimensions or not.
    if (uses.getWeights().empty() && !dimensions)
      return warnIfNoGroups(uses);
    ChannelGroups coupling(getOperation(),
                           reshape == "inner" ? ChannelGroups::Prefer::Inner
                                              : ChannelGroups::Prefer::Outer,
                           /*freeArguments=*/false, safe->get());
    std::vector<PlannedGroup> groups =
        planChannelGroups(getOperation(), uses, coupling);
    if (groups.empty())
      warnIfNoGroups(uses);
    llvm::DenseMap<unsigned, StringRef> names;
    for (const PlannedGroup &group : groups) {
      print(group);
      for (unsigned channel : group.channels)
        names[channel] = group.name;
    }
    if (dimensions)
      forEachChannelOp(getOperation(), [&](Operation *op) {
        for (OpResult result : op->getResults())
          if (std::optional<unsigned> first =
                  coupling.getFirstAxis(Value(result)))
            for (int64_t dim = 0;
                 dim != cast<RankedTensorType>(result.getType()).getRank();
                 ++dim)
              printDimension(result, dim, *first + dim, coupling, names);
      });
  }

  void warnIfNoGroups(const WeightUses &uses) {
    LeftAlone left(getOperation(), "prune-print-channel-groups", "found");
    left.note(uses);
    left.warnIfNothing(uses.getWeights().empty()
                           ? kNoWeights
                           : "no weight produces channels that are known");
  }
};
} // namespace
