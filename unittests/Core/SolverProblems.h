//===- SolverProblems.h - Layers for the tests of solvers -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_UNITTESTS_CORE_SOLVERPROBLEMS_H
#define PRUNE_UNITTESTS_CORE_SOLVERPROBLEMS_H

#include "prune/Core/Solvers/FitSupport.h"
#include "prune/Core/Solvers/PatternSelection.h"

#include <random>
#include <thread>

namespace solver_problems {
using namespace mlir::prune;

inline void inTurn(size_t n, llvm::function_ref<void(size_t)> body) {
  for (size_t i = 0; i != n; ++i)
    body(i);
}

/// Every other index on a second thread.
inline void onTwoThreads(size_t n, llvm::function_ref<void(size_t)> body) {
  std::thread other([&] {
    for (size_t i = 1; i < n; i += 2)
      body(i);
  });
  for (size_t i = 0; i < n; i += 2)
    body(i);
  other.join();
}

/// C = A B, plainly.
inline std::vector<double> product(const std::vector<double> &a,
                                   const std::vector<double> &b, int64_t rows,
                                   int64_t inner, int64_t columns) {
  std::vector<double> c(rows * columns);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t k = 0; k < inner; ++k)
      for (int64_t j = 0; j < columns; ++j)
        c[i * columns + j] += a[i * inner + k] * b[k * columns + j];
  return c;
}

/// A layer with inputs that are mixed from fewer sources and some noise. With
/// `shift`, the pruned network's inputs differ from the dense one's.
inline LayerSystem randomSystem(int64_t rows, int64_t inputs, unsigned seed,
                                double shift = 0, int64_t samples = 0) {
  std::mt19937 engine(seed);
  std::normal_distribution<double> normal;
  samples = samples ? samples : 2 * inputs + 3;
  int64_t sources = inputs / 3 + 1;
  auto draw = [&](int64_t n) {
    std::vector<double> numbers(n);
    for (double &x : numbers)
      x = normal(engine);
    return numbers;
  };
  std::vector<double> dense =
      product(draw(samples * sources), draw(sources * inputs), samples, sources,
              inputs);
  for (double &x : dense)
    x += 0.3 * normal(engine);
  std::vector<double> pruned = dense;
  for (double &x : pruned)
    x += shift * normal(engine);
  LayerSystem system;
  system.rows = rows;
  system.inputs = inputs;
  system.weights = draw(rows * inputs);
  std::vector<double> transposed(inputs * samples);
  for (int64_t s = 0; s < samples; ++s)
    for (int64_t j = 0; j < inputs; ++j)
      transposed[j * samples + s] = dense[s * inputs + j];
  std::vector<double> outputs =
      product(system.weights, transposed, rows, inputs, samples);
  for (double y : outputs)
    system.energy += y * y;
  system.target = product(outputs, pruned, rows, samples, inputs);
  for (int64_t s = 0; s < samples; ++s)
    for (int64_t j = 0; j < inputs; ++j)
      transposed[j * samples + s] = pruned[s * inputs + j];
  system.gram = product(transposed, pruned, inputs, samples, inputs);
  return system;
}

inline PatternSelection elements(int64_t count, double sparsity) {
  UnitPattern pattern;
  pattern.block = {1};
  Target target;
  target.sparsity = sparsity;
  return PatternSelection({count}, pattern, target);
}

/// Weights (0.95, 1, 1) of inputs with unit variances, of which the second and
/// the third have the correlation 0.9.
inline LayerSystem workedExample() {
  LayerSystem system;
  system.rows = 1;
  system.inputs = 3;
  system.weights = {0.95, 1, 1};
  system.gram = {1, 0, 0, 0, 1, 0.9, 0, 0.9, 1};
  system.target = {0.95, 1.9, 1.9};
  system.energy = 0.95 * 0.95 + 3.8;
  return system;
}

} // namespace solver_problems

#endif // PRUNE_UNITTESTS_CORE_SOLVERPROBLEMS_H
