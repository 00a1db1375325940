//===- SolverMasksTest.cpp - Masks by what they cost ----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SolverProblems.h"

#include "prune/Core/Solvers/Importance.h"
#include "prune/Core/Solvers/OptimalBrainSurgeon.h"
#include "prune/Core/Solvers/Reconstruction.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <numeric>

using namespace solver_problems;

namespace {

double errorWithout(const LayerSystem &system, int64_t element) {
  std::vector<uint8_t> keep(system.weights.size(), 1);
  keep[element] = 0;
  std::vector<double> weights = system.weights;
  FitOptions options;
  options.damping = 0;
  EXPECT_FALSE(bool(fitSupport(system, keep, options, inTurn, weights)));
  return layerError(system, weights, inTurn);
}

TEST(Surgeon, WorkedExample) {
  LayerSystem system = workedExample();
  EXPECT_NEAR(errorWithout(system, 0) / 2, 0.45125, 1e-9);
  EXPECT_NEAR(errorWithout(system, 1) / 2, 0.0950, 5e-5);
  EXPECT_NEAR(errorWithout(system, 2) / 2, 0.0950, 5e-5);
  // By magnitude, with or without the inputs' norms, the first is the least.
  std::vector<double> scores(3);
  scoreByWanda(system.weights, 1, 3, {1, 1, 1}, scores);
  EXPECT_EQ(std::min_element(scores.begin(), scores.end()), scores.begin());

  auto curves = computeRemovalCurves(system, 0, inTurn);
  ASSERT_TRUE(bool(curves));
  // Rounding says which of the two that are alike.
  EXPECT_NE(curves->order[0], 0);
  EXPECT_EQ(curves->order[1], 0);
  std::vector<double> errors = errorCurve(*curves);
  ASSERT_EQ(errors.size(), 4u);
  EXPECT_NEAR(errors[0], 0, 1e-12);
  EXPECT_NEAR(errors[1] / 2, 0.0950, 5e-5);
  EXPECT_NEAR(errors[3], system.energy, 1e-12);
  EXPECT_EQ(selectByCurves(*curves, 2)[0], 0);
  EXPECT_EQ(selectByCurves(*curves, 1)[0], 1);
}

TEST(Surgeon, CurveIsTheErrorOfTheFit) {
  std::vector<LayerSystem> groups = {randomSystem(3, 10, 1, 0.3),
                                     randomSystem(2, 7, 2)};
  // An input that is always 0 goes first.
  for (int64_t i = 0; i != 10; ++i)
    groups[0].gram[i * 10 + 4] = groups[0].gram[40 + i] = 0;
  for (int64_t i = 0; i != 3; ++i)
    groups[0].target[i * 10 + 4] = 0;
  std::vector<RemovalCurves> curves;
  for (const LayerSystem &group : groups) {
    auto curve = computeRemovalCurves(group, 0, inTurn);
    ASSERT_TRUE(bool(curve));
    curves.push_back(*curve);
  }
  EXPECT_EQ(curves[0].order[10], 4);
  std::vector<double> errors = errorCurve(curves);
  ASSERT_EQ(errors.size(), 45u);
  FitOptions options;
  options.damping = 0;
  for (int64_t removed = 0; removed <= 44; ++removed) {
    std::vector<uint8_t> keep = selectByCurves(curves, removed);
    EXPECT_EQ(std::count(keep.begin(), keep.end(), 0), removed);
    double error = 0;
    llvm::ArrayRef<uint8_t> rest(keep);
    for (const LayerSystem &group : groups) {
      std::vector<double> weights(group.weights.size());
      ASSERT_FALSE(bool(fitSupport(group, rest.take_front(weights.size()),
                                   options, inTurn, weights)));
      rest = rest.drop_front(weights.size());
      error += layerError(group, weights, inTurn);
    }
    EXPECT_NEAR(errors[removed], error, 1e-9 * errors.back());
  }
  LayerSystem large;
  large.inputs = kMostRemovalInputs + 1;
  large.gram.resize(large.inputs * large.inputs);
  auto refused = computeRemovalCurves(large, 0, inTurn);
  EXPECT_FALSE(bool(refused));
  llvm::consumeError(refused.takeError());
}

TEST(SparseGPT, BeatsMagnitude) {
  int better = 0;
  for (unsigned seed = 0; seed != 50; ++seed) {
    LayerSystem system = randomSystem(8, 40, seed);
    PatternSelection select = elements(320, 0.5);
    ReconstructOptions options;
    options.refit = false;
    options.admm = false;
    for (bool byActivation : {false, true}) {
      options.sparseGPTOptions.byActivation = byActivation;
      options.sparseGPTOptions.blockColumns = 16;
      auto result = reconstruct(system, select, options, inTurn);
      ASSERT_TRUE(bool(result));
      ASSERT_EQ(result->candidates[1].mask, "sparsegpt");
      better += result->candidates[1].error < result->candidates[0].error;
    }
  }
  EXPECT_EQ(better, 100);
}

TEST(SparseGPT, BlocksOfColumnsDoNotMatterForAGivenMask) {
  LayerSystem system = randomSystem(5, 30, 7, 0.2);
  std::vector<uint8_t> keep(150);
  for (size_t i = 0; i != keep.size(); ++i)
    keep[i] = i % 3 != 0;
  SparseGPTOptions options;
  std::vector<std::vector<double>> weights;
  for (int64_t columns : {1, 7, 128}) {
    options.blockColumns = columns;
    auto result = updateBySparseGPT(system, keep, options, inTurn);
    ASSERT_TRUE(bool(result));
    EXPECT_EQ(result->keep, keep);
    weights.push_back(result->weights);
  }
  for (size_t i = 0; i != keep.size(); ++i) {
    EXPECT_NEAR(weights[0][i], weights[1][i], 1e-10);
    EXPECT_NEAR(weights[0][i], weights[2][i], 1e-10);
    EXPECT_TRUE(keep[i] || weights[0][i] == 0);
  }
}

TEST(Masks, PatternsHold) {
  // Rows of the tensor are the solver's columns: [12 x 8] of 8 rows, 12 inputs.
  std::vector<int64_t> elementOf(96);
  for (int64_t i = 0; i != 96; ++i)
    elementOf[i] = i % 12 * 8 + i / 12;
  LayerSystem system = randomSystem(8, 12, 3);
  ReconstructOptions options;
  options.sparseGPTOptions.blockColumns = 6;
  for (bool isGroups : {true, false}) {
    UnitPattern pattern;
    Target target;
    pattern.block = {4, 2};
    if (isGroups) {
      pattern.groupSize = 4;
      pattern.groupKeep = 2;
    } else {
      target.sparsity = 0.5;
    }
    PatternSelection select({12, 8}, pattern, target, elementOf);
    for (bool activation : {false, true}) {
      options.sparseGPTOptions.byActivation = activation;
      for (int mask = 0; mask != 3; ++mask) {
        options.magnitude = mask == 0;
        options.admm = mask == 1;
        options.sparseGPT = mask == 2;
        auto result = reconstruct(system, select, options, inTurn);
        ASSERT_TRUE(bool(result));
        int64_t kept = 0;
        for (int64_t unit = 0; unit != 12; ++unit) {
          int64_t inUnit = 0;
          for (int64_t i = 0; i != 96; ++i) {
            int64_t row = elementOf[i] / 8, column = elementOf[i] % 8;
            if (row / 4 * 4 + column / 2 == unit)
              inUnit += result->keep[i];
          }
          EXPECT_TRUE(isGroups ? inUnit == 4 : inUnit % 8 == 0);
          kept += inUnit;
        }
        EXPECT_EQ(kept, 48);
      }
    }
  }
}

TEST(PatternSelection, RanksCandidatesOnly) {
  std::vector<double> scores = {1, 2, 3, 4, 5, 6, 7, 8};
  std::vector<uint8_t> candidates = {1, 1, 1, 1, 1, 0, 0, 0};
  UnitPattern pattern;
  pattern.block = {1, 2};
  Target half;
  half.sparsity = 0.5;
  std::vector<uint8_t> keep(8, 2);
  PatternSelection({2, 4}, pattern, half)(scores, candidates, keep);
  EXPECT_EQ(keep, (std::vector<uint8_t>{0, 0, 1, 1, 2, 2, 2, 2}));
  Target count;
  count.count = 2;
  keep.assign(8, 2);
  PatternSelection({2, 4}, pattern, count)(scores, candidates, keep);
  EXPECT_EQ(keep, (std::vector<uint8_t>{0, 0, 1, 1, 2, 2, 2, 2}));
  pattern.groupDim = 1;
  pattern.groupSize = 4;
  pattern.groupKeep = 1;
  keep.assign(8, 2);
  PatternSelection({2, 4}, pattern, {})(scores, candidates, keep);
  EXPECT_EQ(keep, (std::vector<uint8_t>{0, 0, 0, 1, 2, 2, 2, 2}));
}

} // namespace
