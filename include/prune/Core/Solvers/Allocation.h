//===- Allocation.h - How much of each layer to remove ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CORE_SOLVERS_ALLOCATION_H
#define PRUNE_CORE_SOLVERS_ALLOCATION_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace mlir::prune {

/// One way to prune a layer: what it costs then, and how much is lost.
struct LayerLevel {
  double cost = 0, loss = 0;
};

/// The levels of each layer, at least one. For each layer, the position of the
/// level that is taken.
using LevelTable = std::vector<std::vector<LayerLevel>>;
using LevelChoice = std::vector<size_t>;

/// The cost and the loss of all layers together.
LayerLevel sumOf(const LevelTable &table, llvm::ArrayRef<size_t> choice);

/// The choice of the least sum of losses whose sum of costs is at most
/// `budget`, by dynamic programming over costs in 10^4 steps, rounded up, so
/// that the budget holds. Nothing if no choice fits.
std::optional<LevelChoice> allocate(const LevelTable &table, double budget);

/// The cheapest choice.
LevelChoice cheapest(const LevelTable &table);

/// Of each layer the level that leaves the largest part of its cost that is at
/// most the same part for all: the largest such part within the budget. Nothing
/// if no choice fits.
std::optional<LevelChoice> allocateUniformly(const LevelTable &table,
                                             double budget);

struct EvolutionOptions {
  unsigned generations = 50, offspring = 8;
  uint64_t seed = 0;
};

/// Improves a choice by EvoPress (Sieberling et al., 2024): each offspring
/// moves at most three layers down by one level in loss and as many up, within
/// the budget, and the best by `judge`, less being better, goes on. Never
/// returns a choice that `judge` finds worse than the first.
llvm::Expected<LevelChoice> evolve(
    const LevelTable &table, LevelChoice start, double budget,
    const EvolutionOptions &options,
    llvm::function_ref<llvm::Expected<double>(llvm::ArrayRef<size_t>)> judge);

} // namespace mlir::prune

#endif // PRUNE_CORE_SOLVERS_ALLOCATION_H
