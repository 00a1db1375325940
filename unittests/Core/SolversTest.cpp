//===- SolversTest.cpp - Weights of a mask, and reconstruction ------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SolverProblems.h"

#include "prune/Core/Solvers/Importance.h"
#include "prune/Core/Solvers/LinearAlgebra.h"
#include "prune/Core/Solvers/Reconstruction.h"

#include "gtest/gtest.h"

#include <cmath>
#include <limits>

using namespace solver_problems;

namespace {

std::vector<uint8_t> randomMask(size_t size, unsigned seed) {
  std::mt19937 engine(seed);
  std::vector<uint8_t> keep(size);
  for (uint8_t &k : keep)
    k = engine() % 2;
  return keep;
}

std::vector<double> masked(const LayerSystem &system,
                           const std::vector<uint8_t> &keep) {
  std::vector<double> weights = system.weights;
  for (size_t i = 0; i != weights.size(); ++i)
    weights[i] *= keep[i];
  return weights;
}

/// The gradient of the damped error where `keep` is 1, by the largest target.
double gradientOf(const LayerSystem &system, const std::vector<uint8_t> &keep,
                  const std::vector<double> &weights, double damping) {
  int64_t n = system.inputs;
  double trace = 0, most = 0, scale = 0;
  for (int64_t j = 0; j < n; ++j)
    trace += system.gram[j * n + j];
  double ridge = damping * trace / n;
  auto reached = product(weights, system.gram, system.rows, n, n);
  for (size_t i = 0; i != keep.size(); ++i) {
    double right = system.target[i] + ridge * system.weights[i];
    scale = std::max(scale, std::abs(right));
    if (keep[i])
      most = std::max(most, std::abs(reached[i] + ridge * weights[i] - right));
  }
  return most / scale;
}

TEST(LinearAlgebra, GramOfRows) {
  // Whole numbers: float32 is exact, whatever the order of the sums.
  std::mt19937 engine(1);
  int64_t rows = 600, inputs = 5, others = 3;
  std::vector<float> x(rows * inputs), z(rows * others);
  for (float &v : x)
    v = int(engine() % 9) - 4;
  for (float &v : z)
    v = int(engine() % 9) - 4;
  std::vector<double> gram(inputs * inputs, 1), cross(inputs * others, 1);
  addGram(x, rows, inputs, gram);
  addCrossGram(x, z, rows, inputs, others, cross);
  for (int64_t i = 0; i < inputs; ++i)
    for (int64_t j = 0; j < inputs; ++j) {
      double sum = 1, crossSum = 1;
      for (int64_t r = 0; r < rows; ++r) {
        sum += x[r * inputs + i] * x[r * inputs + j];
        if (j < others)
          crossSum += x[r * inputs + i] * z[r * others + j];
      }
      EXPECT_EQ(gram[i * inputs + j], sum);
      if (j < others) {
        EXPECT_EQ(cross[i * others + j], crossSum);
      }
    }
}

TEST(LinearAlgebra, FactorsAndVectors) {
  int64_t n = 17;
  LayerSystem system = randomSystem(1, n, 5);
  std::vector<double> u = system.gram, inverse = system.gram,
                      vectors = system.gram, values(n);
  ASSERT_TRUE(factorizeInverse(n, u));
  ASSERT_TRUE(factorize(n, inverse));
  ASSERT_TRUE(invertFactorized(n, inverse));
  ASSERT_TRUE(eigendecompose(n, vectors, values));
  std::vector<double> unit = product(system.gram, inverse, n, n, n);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) {
      double square = 0, sum = 0;
      for (int64_t k = 0; k < n; ++k) {
        square += u[k * n + i] * u[k * n + j];
        sum += vectors[k * n + i] * values[k] * vectors[k * n + j];
      }
      EXPECT_NEAR(unit[i * n + j], i == j, 1e-9);
      EXPECT_NEAR(square, inverse[i * n + j], 1e-9);
      EXPECT_NEAR(sum, system.gram[i * n + j], 1e-9 * values[n - 1]);
      EXPECT_TRUE(j >= i || u[i * n + j] == 0);
    }
  std::vector<double> degenerate(4, 1.0), nan(1, std::nan(""));
  EXPECT_FALSE(factorize(2, degenerate));
  EXPECT_FALSE(factorize(1, nan));
}

TEST(FitSupport, SolvesNormalEquations) {
  for (double shift : {0.0, 0.5}) {
    LayerSystem system = randomSystem(9, 20, 3, shift, 200);
    auto keep = randomMask(system.weights.size(), 4);
    std::copy_n(keep.begin(), 20, keep.begin() + 60); // a shared support
    auto weights = masked(system, keep);
    FitOptions options;
    ASSERT_FALSE(bool(fitSupport(system, keep, options, inTurn, weights)));
    EXPECT_LT(gradientOf(system, keep, weights, options.damping), 1e-12);
    // Iterated, with as many steps as it takes.
    auto iterated = masked(system, keep);
    options.directInputs = 0;
    options.iterations = 200;
    options.tolerance = 1e-13;
    ASSERT_FALSE(bool(fitSupport(system, keep, options, inTurn, iterated)));
    for (size_t i = 0; i != weights.size(); ++i) {
      EXPECT_NEAR(weights[i], iterated[i], 1e-8);
      EXPECT_TRUE(keep[i] || weights[i] == 0);
    }
  }
}

TEST(FitSupport, NeverWorseThanItsStart) {
  for (unsigned seed = 0; seed != 200; ++seed) {
    LayerSystem system =
        randomSystem(3, 1 + seed % 13, seed, seed % 2 ? 0.5 : 0, 1 + seed % 20);
    auto keep = randomMask(system.weights.size(), seed);
    auto weights = masked(system, keep);
    double before = layerError(system, weights, inTurn);
    FitOptions options;
    options.directInputs = seed % 3 ? 1500 : 0;
    options.damping = seed % 5 ? 0.01 : 0; // not always positive definite
    ASSERT_FALSE(bool(fitSupport(system, keep, options, inTurn, weights)));
    EXPECT_LE(layerError(system, weights, inTurn),
              before + 1e-12 * system.energy);
  }
}

TEST(FitSupport, DeadAndEqualInputs) {
  // The first input is always 0; the others are the same.
  LayerSystem system;
  system.rows = 1;
  system.inputs = 3;
  system.weights = {5, 1, 2};
  system.gram = {0, 0, 0, 0, 4, 4, 0, 4, 4};
  system.target = {0, 12, 12};
  system.energy = 36;
  FitOptions options;
  options.damping = 0;
  for (int64_t direct : {0, 1500}) {
    options.directInputs = direct;
    std::vector<double> weights = {5, 0, 0};
    ASSERT_FALSE(bool(fitSupport(system, {1, 1, 1}, options, inTurn, weights)));
    EXPECT_EQ(weights[0], 0);
    EXPECT_NEAR(weights[1] + weights[2], 3, 1e-6);
    EXPECT_NEAR(layerError(system, weights, inTurn), 0, 1e-6);
  }
}

ReconstructOptions only(const char *name) {
  ReconstructOptions options;
  llvm::StringRef mask(name);
  options.magnitude = mask == "magnitude";
  options.admm = mask == "admm";
  options.sparseGPT = mask == "sparsegpt";
  options.surgeon = mask == "obs";
  return options;
}

TEST(Reconstruct, NeverWorseThanACandidate) {
  int best = 0;
  for (unsigned seed = 0; seed != 100; ++seed) {
    LayerSystem system = randomSystem(4, 12, seed, seed % 2 ? 0.3 : 0);
    PatternSelection select = elements(48, 0.6);
    auto result = reconstruct(system, select, ReconstructOptions(), inTurn);
    ASSERT_TRUE(bool(result));
    EXPECT_EQ(result->candidates.size(), 3u);
    EXPECT_LE(result->error, result->startError);
    for (const MaskCandidate &candidate : result->candidates) {
      EXPECT_LE(result->error, candidate.error);
      auto alone =
          reconstruct(system, select, only(candidate.mask.c_str()), inTurn);
      ASSERT_TRUE(bool(alone));
      EXPECT_EQ(alone->error, candidate.error) << candidate.mask;
    }
    EXPECT_EQ(result->error, layerError(system, result->weights, inTurn));
    EXPECT_EQ(std::count(result->keep.begin(), result->keep.end(), 0), 28);
    best += result->mask == "admm";
  }
  EXPECT_GT(best, 50);
}

TEST(Reconstruct, SameBitsOnTwoThreads) {
  std::vector<LayerSystem> groups = {randomSystem(150, 24, 1, 0.2),
                                     randomSystem(70, 24, 2, 0.2)};
  for (size_t count : {1, 2}) {
    llvm::ArrayRef<LayerSystem> part(groups.data(), count);
    PatternSelection select = elements(count == 1 ? 3600 : 5280, 0.7);
    ReconstructOptions options;
    options.surgeon = true;
    auto one = reconstruct(part, select, options, inTurn);
    auto two = reconstruct(part, select, options, onTwoThreads);
    ASSERT_TRUE(one && two);
    EXPECT_EQ(one->weights, two->weights);
    EXPECT_EQ(one->keep, two->keep);
    for (size_t i = 0; i != one->candidates.size(); ++i)
      EXPECT_EQ(one->candidates[i].error, two->candidates[i].error);
  }
}

TEST(Reconstruct, AllAndNothing) {
  LayerSystem system = randomSystem(4, 6, 1, 0.3);
  for (const char *mask : {"magnitude", "admm", "sparsegpt", "obs"})
    for (double sparsity : {0.0, 1.0}) {
      PatternSelection select = elements(24, sparsity);
      auto result = reconstruct(system, select, only(mask), inTurn);
      ASSERT_TRUE(bool(result));
      EXPECT_EQ(result->mask, mask);
      EXPECT_EQ(result->keep, std::vector<uint8_t>(24, sparsity == 0));
      if (sparsity == 1) {
        EXPECT_EQ(result->error, result->energy);
      }
    }
  // No rows, no inputs, no groups.
  PatternSelection none = elements(0, 0.5);
  LayerSystem empty;
  EXPECT_TRUE(bool(reconstruct(empty, none, {}, inTurn)));
  EXPECT_TRUE(bool(reconstruct(std::vector<LayerSystem>(), none, {}, inTurn)));
  empty.rows = 3;
  EXPECT_TRUE(bool(reconstruct(empty, none, {}, inTurn)));
}

TEST(Reconstruct, DegenerateInputs) {
  // All inputs the same; all of them 0; a matrix that is no Gram matrix.
  for (double value : {1.0, 0.0}) {
    LayerSystem system;
    system.rows = 2;
    system.inputs = 4;
    system.weights = {1, 2, 3, 4, 5, 6, 7, 8};
    system.gram.assign(16, value);
    system.target = product(system.weights, system.gram, 2, 4, 4);
    system.energy = value * (100 + 676);
    ReconstructOptions options;
    options.surgeon = true;
    PatternSelection select = elements(8, 0.5);
    auto result = reconstruct(system, select, options, inTurn);
    ASSERT_TRUE(bool(result));
    EXPECT_EQ(result->candidates.size(), 4u);
    EXPECT_NEAR(result->error, 0, 1);
    for (double weight : result->weights)
      EXPECT_TRUE(std::isfinite(weight));
    system.gram = {1, 9, 0, 0, 9, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1};
    EXPECT_TRUE(bool(reconstruct(system, select, options, inTurn)));
  }
}

TEST(Reconstruct, RejectsWhatIsNotANumber) {
  PatternSelection select = elements(24, 0.5);
  for (int broken = 0; broken != 6; ++broken) {
    LayerSystem system = randomSystem(4, 6, 1);
    const double nan = std::nan(""),
                 infinity = std::numeric_limits<double>::infinity();
    if (broken == 0)
      system.weights[3] = nan;
    else if (broken == 1)
      system.gram[7] = infinity;
    else if (broken == 2)
      system.target[2] = nan;
    else if (broken == 3)
      system.energy = infinity;
    else if (broken == 4)
      system.gram[7] = -1;
    else
      system.gram.pop_back();
    auto result = reconstruct(system, select, {}, inTurn);
    EXPECT_FALSE(bool(result));
    llvm::consumeError(result.takeError());
  }
  // Numbers whose products overflow do not hang.
  LayerSystem system = randomSystem(4, 6, 1);
  for (std::vector<double> *numbers :
       {&system.weights, &system.gram, &system.target})
    for (double &x : *numbers)
      x *= 1e306 / 1e3;
  auto result = reconstruct(system, select, {}, inTurn);
  if (!result)
    llvm::consumeError(result.takeError());
}

TEST(Importance, Formulas) {
  std::vector<double> weights = {1, -2, 0, 4}, norms = {3, 4}, scores(4);
  scoreByWanda(weights, 2, 2, norms, scores);
  EXPECT_EQ(scores, (std::vector<double>{3, 8, 0, 16}));
  scoreByRIA(weights, 2, 2, norms, 0.5, scores);
  EXPECT_DOUBLE_EQ(scores[1], (2.0 / 3 + 2.0 / 6) * 2);
  EXPECT_EQ(scores[2], 0);
}

} // namespace
