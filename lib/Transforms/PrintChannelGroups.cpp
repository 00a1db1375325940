//===- PrintChannelGroups.cpp - Show which channels belong together -------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Says for each group of channels that weights produce what a mask would be put
// on, and why its channels could or could not leave. Diagnostics go wherever
// the tool sends them, and tests can expect them at the weight's line.
//
//===----------------------------------------------------------------------===//

#include "ChannelPlan.h"

#include "prune/Transforms/Passes.h"

namespace mlir::prune {
#define GEN_PASS_DEF_PRINTCHANNELGROUPSPASS
#include "prune/Transforms/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;
using namespace mlir::prune;

static void print(const PlannedGroup &group) {
  InFlightDiagnostic diagnostic =
      emitRemark(group.getLoc(), "channel group '")
      << group.name << "': " << group.channels.size() << " channels, "
      << (group.reason.empty() ? "free" : "kept") << "; on";
  for (const ChannelConstant &constant : group.constants) {
    StringRef name = constant.getName();
    diagnostic << " " << (name.empty() ? "constant" : name) << "["
               << constant.dim << "]";
    int64_t length = constant.getRunLength(group.channels.size());
    if (length > 1)
      diagnostic << " by " << length;
    else if (length == 0)
      diagnostic << " in part";
  }
  if (!group.reason.empty())
    diagnostic.attachNote(group.blockedBy->getLoc()) << group.reason;
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
    WeightUses uses(getOperation());
    ChannelGroups coupling(getOperation(), reshape == "inner"
                                               ? ChannelGroups::Prefer::Inner
                                               : ChannelGroups::Prefer::Outer);
    for (const PlannedGroup &group :
         planChannelGroups(getOperation(), uses, coupling))
      print(group);
    markAllAnalysesPreserved();
  }
};
} // namespace
