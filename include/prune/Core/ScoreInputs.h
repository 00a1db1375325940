//===- ScoreInputs.h - What criteria read -----------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CORE_SCOREINPUTS_H
#define PRUNE_CORE_SCOREINPUTS_H

#include "prune/Core/TensorView.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <vector>

namespace mlir::prune {

/// What a criterion computes once for a weight, before it scores elements.
struct PreparedScores {
  virtual ~PreparedScores() = default;
};

/// A weight, and what is known of it.
struct ScoreInputs {
  TensorView weight;
  /// Empty if it has none.
  llvm::StringRef name;
  /// Those that the criterion asked for, in its order.
  llvm::ArrayRef<TensorView> statistics;
  /// What the criterion's `prepare` returned.
  const PreparedScores *prepared = nullptr;
};

/// A statistic in the shape of a weight, but 1 along some dimensions: the same
/// for all elements along these.
class BroadcastStatistic {
public:
  BroadcastStatistic(const TensorView &statistic,
                     llvm::ArrayRef<int64_t> shape);

  static bool fits(llvm::ArrayRef<int64_t> statistic,
                   llvm::ArrayRef<int64_t> shape);

  /// Replaces each number by what the function gives for it.
  void transform(llvm::function_ref<double(double)> function);

  /// What it says of the elements [begin, begin + out.size()) of the weight.
  void load(int64_t begin, llvm::MutableArrayRef<double> out) const;

private:
  llvm::SmallVector<int64_t> shape, strides;
  std::vector<double> values;
};

/// A constant that channels of a group run through.
struct ChannelMember {
  TensorView values;
  llvm::StringRef name;
  /// The dimension that channels run along.
  int64_t dim = 0;
  /// For each of its indices the channel, or -1 for one of another group.
  llvm::ArrayRef<int64_t> channelOfIndex;
  /// Whether it is a weight whose outputs the channels are.
  bool isWeight = false;
  /// Whether channels are multiplied by it.
  bool isScale = false;
};

/// The elements of each channel, of all of its indices in order.
std::vector<std::vector<double>> readChannels(const ChannelMember &member,
                                              size_t numChannels);

} // namespace mlir::prune

#endif // PRUNE_CORE_SCOREINPUTS_H
