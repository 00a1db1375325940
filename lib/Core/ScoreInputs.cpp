//===- ScoreInputs.cpp - What criteria read -------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "prune/Core/ScoreInputs.h"

#include "llvm/ADT/STLExtras.h"

#include <cassert>

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

//===----------------------------------------------------------------------===//
// Statistics
//===----------------------------------------------------------------------===//

bool BroadcastStatistic::fits(llvm::ArrayRef<int64_t> statistic,
                              llvm::ArrayRef<int64_t> shape) {
  return statistic.size() == shape.size() &&
         llvm::all_of_zip(statistic, shape, [](int64_t own, int64_t extent) {
           return own == 1 || own == extent;
         });
}

BroadcastStatistic::BroadcastStatistic(const TensorView &statistic,
                                       llvm::ArrayRef<int64_t> shape)
    : shape(shape.begin(), shape.end()), strides(shape.size()),
      values(statistic.size()) {
  assert(fits(statistic.shape, shape) && "expects a broadcast");
  statistic.load(0, values);
  int64_t stride = 1;
  for (size_t dim = shape.size(); dim-- > 0;) {
    if (statistic.shape[dim] != 1)
      strides[dim] = stride;
    stride *= statistic.shape[dim];
  }
}

void BroadcastStatistic::transform(
    llvm::function_ref<double(double)> function) {
  for (double &value : values)
    value = function(value);
}

void BroadcastStatistic::load(int64_t begin,
                              llvm::MutableArrayRef<double> out) const {
  llvm::SmallVector<int64_t> index(shape.size());
  int64_t rest = begin, at = 0;
  for (size_t dim = shape.size(); dim-- > 0;) {
    index[dim] = rest % shape[dim];
    rest /= shape[dim];
    at += index[dim] * strides[dim];
  }
  for (double &value : out) {
    value = values[at];
    for (size_t dim = shape.size(); dim-- > 0;) {
      at += strides[dim];
      if (++index[dim] < shape[dim])
        break;
      at -= strides[dim] * shape[dim];
      index[dim] = 0;
    }
  }
}
