//===- ChannelRemoval.h - What it costs to lose a channel -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CORE_SOLVERS_CHANNELREMOVAL_H
#define PRUNE_CORE_SOLVERS_CHANNELREMOVAL_H

#include "prune/Core/MaskSelection.h"
#include "prune/Core/Solvers/LayerSystem.h"

#include "llvm/Support/Error.h"

namespace mlir::prune {

/// A layer that reads channels.
struct ChannelConsumer {
  LayerSystem system;
  /// For each input the channel that it belongs to, or -1.
  std::vector<int64_t> channelOfInput;
};

/// Removes all channels, one after the other, always the one whose inputs the
/// consumers miss least once their other weights have made up for it: the block
/// form of Optimal Brain Surgeon. Returns for each channel the error after its
/// removal, which grows from one to the next: the squared error of each
/// consumer's outputs over their square, summed over consumers. Fails if a
/// number is not finite or no damping makes a Gram matrix positive definite.
llvm::Expected<std::vector<double>>
computeChannelCosts(llvm::ArrayRef<ChannelConsumer> consumers,
                    int64_t numChannels, double damping,
                    ParallelFor parallelFor);

} // namespace mlir::prune

#endif // PRUNE_CORE_SOLVERS_CHANNELREMOVAL_H
