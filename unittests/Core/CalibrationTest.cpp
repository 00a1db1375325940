//===- CalibrationTest.cpp - Sums, moments, allocation, channel costs -----===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Patches.h"
#include "prune/Core/Solvers/Allocation.h"
#include "prune/Core/Solvers/ChannelRemoval.h"
#include "prune/Core/Solvers/LayerStatistics.h"

#include "gtest/gtest.h"

#include <cmath>
#include <random>

using namespace mlir::prune;

namespace {

void inTurn(size_t n, llvm::function_ref<void(size_t)> body) {
  for (size_t i = 0; i < n; ++i)
    body(i);
}

/// A 2x2 filter over 1x2x4x4 (NCHW), with stride 2 and dilation 2 in height.
PatchLayout makeWindows() {
  PatchLayout layout;
  layout.start = {0, 0, 0, 0};
  layout.positions = {
      {{1, 0, 0, 0}, -1}, {{0, 0, 2, 0}, -1}, {{0, 0, 0, 1}, 3}};
  layout.columns = {{{0, 1, 0, 0}, 2}, {{0, 0, 2, 0}, 2}, {{0, 0, 0, 1}, 2}};
  return layout;
}

TEST(Patches, WindowsOfAFilter) {
  std::vector<float> x(2 * 2 * 4 * 4);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = i;
  Patches patches(makeWindows(), {2, 2, 4, 4});
  // Only one window fits in height: rows 0 and 2.
  ASSERT_EQ(patches.numRows(), 2 * 1 * 3);
  ASSERT_EQ(patches.numColumns(), 8);
  std::vector<float> row(8);
  patches.read(x.data(), 0, 4, 1, row.data());
  auto at = [](int n, int c, int h, int w) {
    return float(((n * 2 + c) * 4 + h) * 4 + w);
  };
  EXPECT_EQ(row,
            (std::vector<float>{at(1, 0, 0, 1), at(1, 0, 0, 2), at(1, 0, 2, 1),
                                at(1, 0, 2, 2), at(1, 1, 0, 1), at(1, 1, 0, 2),
                                at(1, 1, 2, 1), at(1, 1, 2, 2)}));
}

/// Rows of three inputs: plain rows of a matrix.
PatchLayout makeRows() {
  PatchLayout layout;
  layout.start = {0, 0};
  layout.positions = {{{1, 0}, -1}};
  layout.columns = {{{0, 1}, 3}};
  return layout;
}

TEST(LayerStatistics, SumsOverRows) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  std::vector<float> pruned(700 * 3), dense(700 * 3), weights(2 * 3);
  for (std::vector<float> *numbers : {&pruned, &dense, &weights})
    for (float &number : *numbers)
      number = normal(random);
  Patches patches(makeRows(), {700, 3});
  LayerStatistics statistics(1, 2, 3, weights), half(1, 2, 3, weights);
  statistics.add(patches, pruned.data(), dense.data());
  half.add(patches, pruned.data(), dense.data());
  statistics.merge(half);
  statistics.merge(half, -1);
  ASSERT_EQ(statistics.count(), 700);
  ASSERT_TRUE(statistics.isFinite());
  LayerSystem system = statistics.system(0);
  std::vector<double> gram(9), target(6), mean(2);
  double energy = 0;
  for (int i = 0; i < 700; ++i)
    for (int r = 0; r < 2; ++r) {
      double y = 0;
      for (int c = 0; c < 3; ++c)
        y += double(dense[i * 3 + c]) * weights[r * 3 + c];
      energy += y * y;
      mean[r] += y / 700;
      for (int c = 0; c < 3; ++c) {
        target[r * 3 + c] += y * pruned[i * 3 + c];
        for (int d = 0; d < 3 && r == 0; ++d)
          gram[c * 3 + d] += double(pruned[i * 3 + c]) * pruned[i * 3 + d];
      }
    }
  for (int i = 0; i < 9; ++i)
    EXPECT_NEAR(system.gram[i], gram[i], 1e-3);
  for (int i = 0; i < 6; ++i)
    EXPECT_NEAR(system.target[i], target[i], 1e-3);
  for (int r = 0; r < 2; ++r)
    EXPECT_NEAR(statistics.outputMean(0)[r], mean[r], 1e-5);
  EXPECT_NEAR(system.energy, energy, 1e-2);
}

TEST(LayerStatistics, NotFinite) {
  std::vector<float> x = {1, 2, NAN, 1, 1, 1}, weights(3, 1.0f);
  LayerStatistics statistics(1, 1, 3, weights);
  statistics.add(Patches(makeRows(), {2, 3}), x.data(), x.data());
  EXPECT_FALSE(statistics.isFinite());
}

//===----------------------------------------------------------------------===//
// Allocation
//===----------------------------------------------------------------------===//

LevelTable makeTable(unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform;
  LevelTable table(5);
  for (std::vector<LayerLevel> &levels : table) {
    double cost = 100 * uniform(random) + 1, loss = 0;
    for (int level = 0; level < 4; ++level) {
      levels.push_back({cost, loss});
      cost *= uniform(random);
      loss += uniform(random);
    }
  }
  return table;
}

TEST(Allocation, BestOfAllChoices) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    LevelTable table = makeTable(seed);
    double dense = sumOf(table, LevelChoice(5, 0)).cost;
    double budget = sumOf(table, cheapest(table)).cost * 0.5 + dense * 0.5;
    std::optional<LevelChoice> choice = allocate(table, budget);
    ASSERT_TRUE(choice);
    LayerLevel found = sumOf(table, *choice);
    EXPECT_LE(found.cost, budget * (1 + 1e-12));
    double best = INFINITY;
    for (size_t code = 0; code < 1024; ++code) {
      LevelChoice other;
      for (size_t layer = 0; layer < 5; ++layer)
        other.push_back(code >> (2 * layer) & 3);
      // Costs are rounded up to a ten-thousandth of what is spare.
      if (sumOf(table, other).cost <= budget - 5e-4 * (budget))
        best = std::min(best, sumOf(table, other).loss);
    }
    EXPECT_LE(found.loss, best + 1e-12);
  }
}

TEST(Allocation, Extremes) {
  LevelTable table = makeTable(1);
  double least = sumOf(table, cheapest(table)).cost;
  EXPECT_FALSE(allocate(table, least * 0.99));
  EXPECT_EQ(allocate(table, least), cheapest(table));
  EXPECT_EQ(allocate(table, INFINITY), LevelChoice(5, 0));
  EXPECT_TRUE(allocate({}, 0)->empty());
  EXPECT_FALSE(allocateUniformly(table, least * 0.99));
}

TEST(Allocation, TheSameForAll) {
  LevelTable table(2);
  for (double scale : {10.0, 100.0})
    for (double part : {1.0, 0.5, 0.2})
      table[scale == 100].push_back({scale * part, 1 - part});
  EXPECT_EQ(allocateUniformly(table, 55), (LevelChoice{1, 1}));
  EXPECT_EQ(allocateUniformly(table, 54), (LevelChoice{2, 2}));
}

TEST(Allocation, EvolutionNeverGetsWorse) {
  LevelTable table = makeTable(4);
  double budget = sumOf(table, LevelChoice(5, 0)).cost * 0.7;
  LevelChoice start = *allocate(table, budget);
  // Another loss than that of the table.
  auto judge = [&](llvm::ArrayRef<size_t> choice) -> llvm::Expected<double> {
    double loss = 0;
    for (size_t layer = 0; layer < choice.size(); ++layer)
      loss += table[layer][choice[layer]].loss * (layer + 1);
    return loss;
  };
  llvm::Expected<LevelChoice> found =
      evolve(table, start, budget, EvolutionOptions(), judge);
  ASSERT_TRUE(bool(found));
  EXPECT_LE(*judge(*found), *judge(start));
  EXPECT_LE(sumOf(table, *found).cost, budget);
}

//===----------------------------------------------------------------------===//
// Channels
//===----------------------------------------------------------------------===//

/// ||Xp W' - Y||^2 at its minimum over W, with inputs `left` of a system of one
/// row, by Gaussian elimination.
double leastError(const LayerSystem &system, std::vector<int64_t> left) {
  size_t n = left.size();
  std::vector<double> a(n * (n + 1));
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < n; ++j)
      a[i * (n + 1) + j] = system.gram[left[i] * system.inputs + left[j]];
    a[i * (n + 1) + n] = system.target[left[i]];
  }
  double error = system.energy;
  for (size_t k = 0; k < n; ++k) {
    error -= a[k * (n + 1) + n] * a[k * (n + 1) + n] / a[k * (n + 1) + k];
    for (size_t i = k + 1; i < n; ++i) {
      double f = a[i * (n + 1) + k] / a[k * (n + 1) + k];
      for (size_t j = k; j <= n; ++j)
        a[i * (n + 1) + j] -= f * a[k * (n + 1) + j];
    }
  }
  return error;
}

TEST(ChannelRemoval, CostsAreErrorsOfRefits) {
  std::mt19937 random(5);
  std::normal_distribution<double> normal;
  constexpr int kInputs = 6, kRows = 40;
  ChannelConsumer consumer;
  consumer.channelOfInput = {0, 0, 1, 1, 2, 2};
  LayerSystem &system = consumer.system;
  system.rows = 1;
  system.inputs = kInputs;
  system.weights.resize(kInputs);
  system.gram.resize(kInputs * kInputs);
  system.target.resize(kInputs);
  for (double &weight : system.weights)
    weight = normal(random);
  for (int i = 0; i < kRows; ++i) {
    std::vector<double> x(kInputs);
    double common = normal(random), y = 0;
    for (int c = 0; c < kInputs; ++c)
      x[c] = normal(random) + common;
    for (int c = 0; c < kInputs; ++c)
      y += x[c] * system.weights[c];
    system.energy += y * y;
    for (int c = 0; c < kInputs; ++c) {
      system.target[c] += y * x[c];
      for (int d = 0; d < kInputs; ++d)
        system.gram[c * kInputs + d] += x[c] * x[d];
    }
  }
  auto costs = computeChannelCosts({consumer}, 3, /*damping=*/1e-12, inTurn);
  ASSERT_TRUE(bool(costs));
  // The first to go is the one whose refit is the best, and so on.
  std::vector<std::pair<double, int>> single;
  for (int channel = 0; channel < 3; ++channel) {
    std::vector<int64_t> left;
    for (int64_t c = 0; c < kInputs; ++c)
      if (c / 2 != channel)
        left.push_back(c);
    single.push_back({leastError(system, left) / system.energy, channel});
  }
  auto first = std::min_element(single.begin(), single.end());
  EXPECT_NEAR((*costs)[first->second], first->first, 1e-6);
  std::vector<double> sorted = *costs;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(sorted.front(), (*costs)[first->second]);
  EXPECT_NEAR(sorted.back(), 1, 1e-6);
}

TEST(ChannelRemoval, TwinsCostNothing) {
  ChannelConsumer consumer;
  consumer.channelOfInput = {0, 1, 2};
  consumer.system.rows = 1;
  consumer.system.inputs = 3;
  // The first two inputs are the same.
  consumer.system.gram = {1, 1, 0, 1, 1, 0, 0, 0, 1};
  consumer.system.weights = {1, 1, 0.5};
  consumer.system.target = {2, 2, 0.5};
  consumer.system.energy = 4.25;
  auto costs = computeChannelCosts({consumer}, 3, /*damping=*/1e-6, inTurn);
  ASSERT_TRUE(bool(costs));
  EXPECT_LT(std::min((*costs)[0], (*costs)[1]), 1e-4);
  EXPECT_NEAR((*costs)[2], 0.25 / 4.25, 1e-3);
}

TEST(ChannelRemoval, NotFinite) {
  ChannelConsumer consumer;
  consumer.channelOfInput = {0};
  consumer.system.rows = consumer.system.inputs = 1;
  consumer.system.gram = {NAN};
  consumer.system.weights = consumer.system.target = {1};
  auto costs = computeChannelCosts({consumer}, 1, 0.01, inTurn);
  EXPECT_FALSE(bool(costs));
  llvm::consumeError(costs.takeError());
}

} // namespace
