//===- Allocation.cpp - How much of each layer to remove ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Solvers/Allocation.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <tuple>

using namespace mlir::prune;

/// Steps that costs are counted in.
static constexpr int64_t kSteps = 10000;

LayerLevel mlir::prune::sumOf(const LevelTable &table,
                              llvm::ArrayRef<size_t> choice) {
  LayerLevel sum;
  for (auto [levels, level] : llvm::zip_equal(table, choice)) {
    sum.cost += levels[level].cost;
    sum.loss += levels[level].loss;
  }
  return sum;
}

LevelChoice mlir::prune::cheapest(const LevelTable &table) {
  LevelChoice choice;
  for (const std::vector<LayerLevel> &levels : table) {
    size_t best = 0;
    for (size_t i = 1; i < levels.size(); ++i)
      if (std::tie(levels[i].cost, levels[i].loss) <
          std::tie(levels[best].cost, levels[best].loss))
        best = i;
    choice.push_back(best);
  }
  return choice;
}

/// The cost in steps above the cheapest level of the layer.
static int64_t stepsOf(const std::vector<LayerLevel> &levels, size_t level,
                       double least, double step) {
  double above = levels[level].cost - least;
  return step > 0 ? int64_t(std::ceil(above / step - 1e-9)) : 0;
}

std::optional<LevelChoice> mlir::prune::allocate(const LevelTable &table,
                                                 double budget) {
  LevelChoice least = cheapest(table);
  double spare = budget - sumOf(table, least).cost;
  if (spare < 0)
    return std::nullopt;
  double step = spare / kSteps;
  constexpr double kNone = std::numeric_limits<double>::infinity();
  std::vector<double> best(kSteps + 1, 0.0);
  // By layer and steps that are left, the level that is taken.
  std::vector<std::vector<uint16_t>> taken;
  for (auto [layer, levels] : llvm::enumerate(table)) {
    std::vector<double> next(kSteps + 1, kNone);
    std::vector<uint16_t> &level = taken.emplace_back(kSteps + 1);
    for (size_t l = 0; l < levels.size(); ++l) {
      double above = levels[l].cost - levels[least[layer]].cost;
      if (above > spare)
        continue;
      int64_t steps = stepsOf(levels, l, levels[least[layer]].cost, step);
      for (int64_t s = steps; s <= kSteps; ++s)
        if (double loss = best[s - steps] + levels[l].loss; loss < next[s]) {
          next[s] = loss;
          level[s] = l;
        }
    }
    best = std::move(next);
  }
  LevelChoice choice(table.size());
  int64_t left = kSteps;
  for (size_t layer = table.size(); layer-- > 0;) {
    choice[layer] = taken[layer][left];
    left -= stepsOf(table[layer], choice[layer],
                    table[layer][least[layer]].cost, step);
  }
  return choice;
}

static double largestCost(const std::vector<LayerLevel> &levels) {
  double largest = 0;
  for (const LayerLevel &level : levels)
    largest = std::max(largest, level.cost);
  return largest;
}

std::optional<LevelChoice>
mlir::prune::allocateUniformly(const LevelTable &table, double budget) {
  auto choose = [&](double part) {
    LevelChoice choice = cheapest(table);
    for (auto [levels, chosen] : llvm::zip_equal(table, choice)) {
      double dense = largestCost(levels);
      for (size_t i = 0; i < levels.size(); ++i) {
        // Levels round down to whole units.
        bool fits = levels[i].cost <= part * dense + 1;
        if (fits && std::tie(levels[i].cost, levels[chosen].loss) >
                        std::tie(levels[chosen].cost, levels[i].loss))
          chosen = i;
      }
    }
    return choice;
  };
  std::vector<double> parts;
  for (const std::vector<LayerLevel> &levels : table) {
    double dense = largestCost(levels);
    for (const LayerLevel &level : levels)
      if (dense > 0)
        parts.push_back(level.cost / dense);
  }
  llvm::sort(parts, std::greater<double>());
  for (double part : parts)
    if (LevelChoice choice = choose(part); sumOf(table, choice).cost <= budget)
      return choice;
  LevelChoice least = cheapest(table);
  return sumOf(table, least).cost <= budget ? std::make_optional(least)
                                            : std::nullopt;
}

namespace {
/// The levels of a layer in the order of their costs, without those that cost
/// and lose more than another.
struct Ladder {
  std::vector<size_t> levels;

  explicit Ladder(const std::vector<LayerLevel> &all) {
    std::vector<size_t> order(all.size());
    for (size_t i = 0; i < order.size(); ++i)
      order[i] = i;
    llvm::sort(order, [&](size_t a, size_t b) {
      return std::tie(all[a].cost, all[a].loss, a) <
             std::tie(all[b].cost, all[b].loss, b);
    });
    for (size_t i : order)
      if (levels.empty() || all[i].loss < all[levels.back()].loss)
        levels.push_back(i);
  }

  /// Where a level stands, or where it would.
  size_t find(const std::vector<LayerLevel> &all, size_t level) const {
    size_t place = 0;
    while (place + 1 < levels.size() &&
           all[levels[place + 1]].cost <= all[level].cost)
      ++place;
    return place;
  }
};
} // namespace

llvm::Expected<LevelChoice> mlir::prune::evolve(
    const LevelTable &table, LevelChoice start, double budget,
    const EvolutionOptions &options,
    llvm::function_ref<llvm::Expected<double>(llvm::ArrayRef<size_t>)> judge) {
  std::mt19937_64 random(options.seed);
  auto below = [&](size_t n) { return size_t(random() % n); };
  std::vector<Ladder> ladders(table.begin(), table.end());
  llvm::Expected<double> first = judge(start);
  if (!first || table.empty())
    return first ? llvm::Expected<LevelChoice>(start) : first.takeError();
  double best = *first;
  for (unsigned g = 0; g < options.generations; ++g) {
    LevelChoice parent = start;
    for (unsigned o = 0; o < options.offspring; ++o) {
      LevelChoice child = parent;
      auto move = [&](bool isCheaper) {
        size_t layer = below(table.size());
        const Ladder &ladder = ladders[layer];
        size_t place = ladder.find(table[layer], child[layer]);
        if (isCheaper && place > 0)
          child[layer] = ladder.levels[place - 1];
        else if (!isCheaper && place + 1 < ladder.levels.size())
          child[layer] = ladder.levels[place + 1];
      };
      size_t switches = 1 + std::min(below(3), below(3));
      for (size_t i = 0; i < switches; ++i)
        move(/*isCheaper=*/true);
      for (size_t i = 0; i < switches; ++i)
        move(/*isCheaper=*/false);
      if (child == parent || sumOf(table, child).cost > budget)
        continue;
      llvm::Expected<double> loss = judge(child);
      if (!loss)
        return loss.takeError();
      if (*loss < best) {
        best = *loss;
        start = std::move(child);
      }
    }
  }
  return start;
}
