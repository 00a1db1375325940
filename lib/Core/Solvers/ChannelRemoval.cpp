//===- ChannelRemoval.cpp - What it costs to lose a channel ---------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Of each consumer is kept the inverse of the damped Gram matrix of the inputs
// that are left, and the weights that fit them. Without the inputs S, with B
// the part of the inverse for S, the error grows by the sum of w_S B^-1 w_S'
// over rows; weights and inverse lose what goes through B^-1.
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Solvers/ChannelRemoval.h"

#include "DampedSystem.h"

#include "prune/Core/Solvers/LinearAlgebra.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <limits>

using namespace mlir::prune;
using llvm::createStringError;
using llvm::Expected;

/// How far apart costs are at least.
static constexpr double kApart = 1e-12;

namespace {
/// One consumer, while channels leave.
class ShrinkingConsumer {
public:
  ShrinkingConsumer(const ChannelConsumer &consumer, int64_t numChannels);

  llvm::Error prepare(double damping, ParallelFor parallelFor);
  /// The relative error that a channel adds now.
  double cost(int64_t channel) const;
  void remove(int64_t channel);

private:
  /// B for a channel, factorized.
  std::vector<double> factorOf(llvm::ArrayRef<int64_t> inputs) const;

  const LayerSystem &system;
  std::vector<std::vector<int64_t>> inputsOf;
  std::vector<double> inverse, weights;
  double scale = 0;
};
} // namespace

ShrinkingConsumer::ShrinkingConsumer(const ChannelConsumer &consumer,
                                     int64_t numChannels)
    : system(consumer.system), inputsOf(numChannels) {
  for (auto [input, channel] : llvm::enumerate(consumer.channelOfInput))
    if (channel >= 0 && system.gram[input * system.inputs + input] > 0)
      inputsOf[channel].push_back(input);
  scale = system.energy > 0 ? 1 / system.energy : 0;
}

llvm::Error ShrinkingConsumer::prepare(double damping,
                                       ParallelFor parallelFor) {
  if (llvm::Error error = checkSystem(system))
    return error;
  DampedSystem damped(system, damping);
  std::vector<double> u = factorizeInverse(damped);
  int64_t n = system.inputs;
  if (u.empty() && n > 0)
    return createStringError(
        "no damping makes the Gram matrix positive definite");
  weights = solveDense(damped, u, parallelFor);
  inverse.resize(u.size());
  multiply(n, n, n, 1, {u.data(), n, true}, {u.data(), n}, 0, inverse.data(),
           n);
  return llvm::Error::success();
}

std::vector<double>
ShrinkingConsumer::factorOf(llvm::ArrayRef<int64_t> inputs) const {
  size_t n = inputs.size();
  std::vector<double> block(n * n);
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j)
      block[i * n + j] = inverse[inputs[i] * system.inputs + inputs[j]];
  if (!factorize(n, block))
    block.clear();
  return block;
}

double ShrinkingConsumer::cost(int64_t channel) const {
  llvm::ArrayRef<int64_t> inputs = inputsOf[channel];
  size_t n = inputs.size();
  std::vector<double> factor = factorOf(inputs);
  if (n == 0 || factor.empty())
    return 0;
  std::vector<double> own(system.rows * n);
  for (int64_t r = 0; r < system.rows; ++r)
    for (size_t i = 0; i < n; ++i)
      own[r * n + i] = weights[r * system.inputs + inputs[i]];
  std::vector<double> solved = own;
  solveFactorized(n, factor, system.rows, solved);
  double sum = 0;
  for (size_t i = 0; i < own.size(); ++i)
    sum += own[i] * solved[i];
  return std::max(sum * scale, 0.0);
}

void ShrinkingConsumer::remove(int64_t channel) {
  llvm::ArrayRef<int64_t> inputs = inputsOf[channel];
  int64_t n = inputs.size(), all = system.inputs, rows = system.rows;
  std::vector<double> factor = factorOf(inputs);
  if (n == 0 || factor.empty())
    return;
  // `through` is B^-1 times the rows of the inverse, as columns [all x n].
  std::vector<double> through(all * n), rowsOf(n * all), own(rows * n);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < all; ++j)
      rowsOf[i * all + j] = through[j * n + i] = inverse[inputs[i] * all + j];
  solveFactorized(n, factor, all, through);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t i = 0; i < n; ++i)
      own[r * n + i] = weights[r * all + inputs[i]];
  multiply(rows, all, n, -1, {own.data(), n}, {through.data(), n, true}, 1,
           weights.data(), all);
  multiply(all, all, n, -1, {through.data(), n}, {rowsOf.data(), all}, 1,
           inverse.data(), all);
  // Exactly gone, and nothing that divides by it later.
  for (int64_t input : inputs) {
    for (int64_t j = 0; j < all; ++j)
      inverse[input * all + j] = inverse[j * all + input] = 0;
    for (int64_t r = 0; r < rows; ++r)
      weights[r * all + input] = 0;
  }
}

Expected<std::vector<double>>
mlir::prune::computeChannelCosts(llvm::ArrayRef<ChannelConsumer> consumers,
                                 int64_t numChannels, double damping,
                                 ParallelFor parallelFor) {
  std::vector<ShrinkingConsumer> shrinking;
  for (const ChannelConsumer &consumer : consumers) {
    shrinking.emplace_back(consumer, numChannels);
    if (llvm::Error error = shrinking.back().prepare(damping, parallelFor))
      return std::move(error);
  }
  constexpr double kGone = std::numeric_limits<double>::infinity();
  std::vector<double> costs(numChannels), next(numChannels);
  std::vector<bool> isGone(numChannels);
  double total = 0;
  for (int64_t step = 0; step < numChannels; ++step) {
    parallelFor(numChannels, [&](size_t channel) {
      next[channel] = isGone[channel] ? kGone : 0;
      if (!isGone[channel])
        for (const ShrinkingConsumer &consumer : shrinking)
          next[channel] += consumer.cost(channel);
    });
    size_t least = std::min_element(next.begin(), next.end()) - next.begin();
    total += next[least];
    // Also those that cost nothing come one after the other.
    costs[least] = total;
    total += kApart;
    isGone[least] = true;
    for (ShrinkingConsumer &consumer : shrinking)
      consumer.remove(least);
  }
  return std::move(costs);
}
