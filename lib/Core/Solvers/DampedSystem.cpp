//===- DampedSystem.cpp - A layer's system that can be solved -------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DampedSystem.h"

#include "prune/Core/Solvers/LinearAlgebra.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>

using namespace mlir::prune;
using llvm::ArrayRef;

/// What a ridge of 0 is taken for when it is made larger, by mean(diag H).
static constexpr double kLeastDamping = 1e-8;

DampedSystem::DampedSystem(const LayerSystem &system, double damping)
    : rows(system.rows), inputs(system.inputs), live(system.inputs),
      weights(system.weights), gram(system.gram), target(system.target) {
  double trace = 0;
  for (int64_t j = 0; j < inputs; ++j) {
    trace += gram[j * inputs + j];
    live[j] = gram[j * inputs + j] > 0;
  }
  double scale = inputs && trace > 0 ? trace / double(inputs) : 1;
  ridge = trace > 0 ? damping * scale : 0;
  leastRidge = kLeastDamping * scale;
  bool allLive = llvm::all_of(live, [](uint8_t l) { return l != 0; });
  for (int64_t i = 0; i < inputs; ++i) {
    if (!allLive)
      for (int64_t j = 0; j < inputs; ++j)
        if (!live[i] || !live[j])
          gram[i * inputs + j] = i == j;
    if (live[i])
      gram[i * inputs + i] += ridge;
  }
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < inputs; ++j) {
      double &weight = weights[i * inputs + j];
      double &right = target[i * inputs + j];
      weight = live[j] ? weight : 0;
      right = live[j] ? right + ridge * weight : 0;
    }
}

static bool areFinite(ArrayRef<double> numbers) {
  return llvm::all_of(numbers, [](double x) { return std::isfinite(x); });
}

llvm::Error mlir::prune::checkSystem(const LayerSystem &system) {
  auto fail = [](const char *message) {
    return llvm::createStringError(message);
  };
  int64_t rows = system.rows, inputs = system.inputs;
  if (rows < 0 || inputs < 0 ||
      int64_t(system.weights.size()) != rows * inputs ||
      int64_t(system.target.size()) != rows * inputs ||
      int64_t(system.gram.size()) != inputs * inputs)
    return fail("sizes of weights, Gram matrix and target do not match");
  if (!areFinite(system.weights))
    return fail("a weight is not finite");
  if (!areFinite(system.gram))
    return fail("the Gram matrix has an element that is not finite");
  if (!areFinite(system.target) || !std::isfinite(system.energy))
    return fail("the target or its energy is not finite");
  for (int64_t j = 0; j < inputs; ++j)
    if (system.gram[j * inputs + j] < 0)
      return fail("the Gram matrix has a negative diagonal element");
  return llvm::Error::success();
}

std::vector<double> mlir::prune::rowErrors(const LayerSystem &system,
                                           ArrayRef<double> weights,
                                           ParallelFor parallelFor) {
  int64_t inputs = system.inputs;
  std::vector<double> errors(system.rows);
  forRowBlocks(system.rows, parallelFor, [&](int64_t first, int64_t count) {
    const double *w = weights.data() + first * inputs;
    std::vector<double> product(count * inputs);
    multiply(count, inputs, inputs, 1, {w, inputs},
             {system.gram.data(), inputs}, 0, product.data(), inputs);
    const double *right = system.target.data() + first * inputs;
    for (int64_t i = 0; i < count; ++i) {
      double sum = 0;
      for (int64_t j = i * inputs, e = j + inputs; j < e; ++j)
        sum += w[j] * (product[j] - 2 * right[j]);
      errors[first + i] = sum;
    }
  });
  return errors;
}

double mlir::prune::layerError(const LayerSystem &system,
                               ArrayRef<double> weights,
                               ParallelFor parallelFor) {
  std::vector<double> errors = rowErrors(system, weights, parallelFor);
  double sum = system.energy;
  for (double error : errors)
    sum += error;
  return sum;
}

std::vector<double> mlir::prune::factorizeInverse(const DampedSystem &damped) {
  int64_t n = damped.inputs;
  double ridge = damped.ridge;
  for (int attempt = 0; attempt < kRidgeAttempts; ++attempt) {
    std::vector<double> u(damped.gram);
    for (int64_t j = 0; j < n; ++j)
      u[j * n + j] += ridge - damped.ridge;
    if (factorizeInverse(n, u))
      return u;
    ridge = damped.nextRidge(ridge);
  }
  return {};
}

std::vector<double> mlir::prune::solveDense(const DampedSystem &damped,
                                            ArrayRef<double> u,
                                            ParallelFor parallelFor) {
  int64_t n = damped.inputs;
  std::vector<double> weights(damped.weights);
  forRowBlocks(damped.rows, parallelFor, [&](int64_t first, int64_t count) {
    // W0 + (R - W0 H) U' U: W0 stays as it is where it solves the system.
    double *w = weights.data() + first * n;
    const double *right = damped.target.data() + first * n;
    std::vector<double> residual(right, right + count * n), half(count * n);
    multiply(count, n, n, -1, {w, n}, {damped.gram.data(), n}, 1,
             residual.data(), n);
    double most = 0, scale = 0;
    for (int64_t i = 0; i < count * n; ++i) {
      most = std::max(most, std::fabs(residual[i]));
      scale = std::max(scale, std::fabs(right[i]));
    }
    if (most <= 1e-10 * scale)
      return;
    multiply(count, n, n, 1, {residual.data(), n}, {u.data(), n, true}, 0,
             half.data(), n);
    multiply(count, n, n, 1, {half.data(), n}, {u.data(), n}, 1, w, n);
  });
  return weights;
}
