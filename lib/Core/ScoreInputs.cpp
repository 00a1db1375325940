//===- ScoreInputs.cpp - What criteria read -------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "prune/Core/ScoreInputs.h"

using namespace mlir::prune;

std::vector<std::vector<double>>
mlir::prune::readChannels(const ChannelMember &member, size_t numChannels) {
  std::vector<std::vector<double>> slices(numChannels);
  const TensorView &view = member.values;
  int64_t size = member.channelOfIndex.size();
  int64_t inner = countElements(view.shape.drop_front(member.dim + 1));
  int64_t outer = size * inner == 0 ? 0 : view.size() / (size * inner);
  std::vector<double> run(inner);
  for (int64_t index = 0; index != size; ++index) {
    int64_t channel = member.channelOfIndex[index];
    for (int64_t o = 0; o != outer && channel >= 0; ++o) {
      view.load((o * size + index) * inner, run);
      slices[channel].insert(slices[channel].end(), run.begin(), run.end());
    }
  }
  return slices;
}
