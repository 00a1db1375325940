//===- FitSupport.cpp - The best weights of a given mask ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A row's kept inputs S give H_SS w = R_S. A factor of H_SS costs |S|^3 / 3, so
// rows that keep the same share one; where |S| is large, a few steps of
// conjugate gradients, whose products with H all rows of a block share, are
// cheaper and near enough.
//
//===----------------------------------------------------------------------===//

#include "DampedSystem.h"

#include "prune/Core/Solvers/LinearAlgebra.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>
#include <cstring>
#include <numeric>

using namespace mlir::prune;
using llvm::ArrayRef;
using llvm::MutableArrayRef;

namespace {
/// Rows that keep the same live inputs.
struct SharedSupport {
  std::vector<int64_t> rows, inputs;
};

/// The supports of a layer: those to solve directly, and the rows of others.
struct Supports {
  std::vector<SharedSupport> direct;
  std::vector<int64_t> iterated;
};
} // namespace

/// Finds the rows that keep the same, in an order that depends on masks only.
static Supports findSupports(const DampedSystem &damped, ArrayRef<uint8_t> mask,
                             int64_t directInputs) {
  int64_t n = damped.inputs;
  std::vector<int64_t> order(damped.rows);
  std::iota(order.begin(), order.end(), 0);
  auto compare = [&](int64_t a, int64_t b) {
    // Nothing may have no address.
    if (n == 0)
      return 0;
    return std::memcmp(mask.data() + a * n, mask.data() + b * n, n);
  };
  std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    int difference = compare(a, b);
    return difference ? difference < 0 : a < b;
  });
  Supports result;
  for (size_t i = 0, e = order.size(); i != e;) {
    SharedSupport support;
    size_t begin = i;
    do
      support.rows.push_back(order[i++]);
    while (i != e && compare(order[begin], order[i]) == 0);
    for (int64_t j = 0; j < n; ++j)
      if (mask[order[begin] * n + j])
        support.inputs.push_back(j);
    if (int64_t(support.inputs.size()) <= directInputs)
      result.direct.push_back(std::move(support));
    else
      llvm::append_range(result.iterated, support.rows);
  }
  llvm::sort(result.iterated);
  return result;
}

/// Solves for the rows of one support; writes nothing if no ridge helps.
static void solveDirectly(const DampedSystem &damped,
                          const SharedSupport &support,
                          MutableArrayRef<double> fitted) {
  int64_t n = damped.inputs, kept = support.inputs.size();
  int64_t count = support.rows.size();
  std::vector<double> factor(kept * kept), right(count * kept);
  double ridge = damped.ridge;
  for (int attempt = 0; attempt < kRidgeAttempts; ++attempt) {
    double extra = ridge - damped.ridge;
    for (int64_t i = 0; i < kept; ++i) {
      const double *row = damped.gram.data() + support.inputs[i] * n;
      for (int64_t j = 0; j <= i; ++j)
        factor[i * kept + j] = row[support.inputs[j]];
      factor[i * kept + i] += extra;
    }
    if (!factorize(kept, factor)) {
      ridge = damped.nextRidge(ridge);
      continue;
    }
    for (int64_t r = 0; r < count; ++r)
      for (int64_t i = 0; i < kept; ++i) {
        int64_t element = support.rows[r] * n + support.inputs[i];
        right[r * kept + i] =
            damped.target[element] + extra * damped.weights[element];
      }
    solveFactorized(kept, factor, count, right);
    for (int64_t r = 0; r < count; ++r)
      for (int64_t i = 0; i < kept; ++i)
        fitted[support.rows[r] * n + support.inputs[i]] = right[r * kept + i];
    return;
  }
}

namespace {
/// Conjugate gradients on the supports of some rows, each with its own step
/// lengths; only the product with the Gram matrix is one of all rows.
class GradientSolver {
public:
  GradientSolver(const DampedSystem &damped, ArrayRef<uint8_t> mask,
                 ArrayRef<int64_t> rows, MutableArrayRef<double> fitted)
      : damped(damped), rows(rows), n(damped.inputs), fitted(fitted),
        current(rows.size() * n), residual(current.size()),
        direction(current.size()), product(current.size()),
        kept(current.size()), energy(rows.size()), goal(rows.size()) {
    for (size_t r = 0, e = rows.size(); r != e; ++r) {
      std::copy_n(mask.data() + rows[r] * n, n, kept.data() + r * n);
      std::copy_n(fitted.data() + rows[r] * n, n, current.data() + r * n);
    }
  }

  void run(const FitOptions &options) {
    start(options.tolerance);
    for (int64_t i = 0; i < options.iterations; ++i) {
      multiply(rows.size(), n, n, 1, {direction.data(), n},
               {damped.gram.data(), n}, 0, product.data(), n);
      bool isDone = true;
      for (size_t r = 0, e = rows.size(); r != e; ++r)
        isDone &= !step(r);
      if (isDone)
        break;
    }
    for (size_t r = 0, e = rows.size(); r != e; ++r)
      std::copy_n(current.data() + r * n, n, fitted.data() + rows[r] * n);
  }

private:
  double preconditioned(int64_t element, int64_t input) const {
    return residual[element] / damped.gram[input * n + input];
  }

  void start(double tolerance) {
    multiply(rows.size(), n, n, 1, {current.data(), n}, {damped.gram.data(), n},
             0, product.data(), n);
    for (size_t r = 0, e = rows.size(); r != e; ++r) {
      double norm = 0;
      for (int64_t j = 0; j < n; ++j) {
        int64_t i = r * n + j;
        double right = damped.target[rows[r] * n + j];
        residual[i] = kept[i] ? right - product[i] : 0;
        norm += kept[i] ? right * right : 0;
        direction[i] = preconditioned(i, j);
        energy[r] += residual[i] * direction[i];
      }
      goal[r] = tolerance * tolerance * norm;
    }
  }

  /// Moves a row; returns false once it need not move any more.
  bool step(int64_t r) {
    double curvature = 0, norm = 0, next = 0;
    int64_t begin = r * n;
    for (int64_t i = begin; i < begin + n; ++i)
      curvature += direction[i] * product[i];
    if (!(curvature > 0) || !(energy[r] > 0))
      return stop(r);
    double length = energy[r] / curvature;
    for (int64_t j = 0; j < n; ++j) {
      int64_t i = begin + j;
      current[i] += length * direction[i];
      residual[i] -= kept[i] ? length * product[i] : 0;
      norm += residual[i] * residual[i];
      next += residual[i] * preconditioned(i, j);
    }
    if (norm <= goal[r])
      return stop(r);
    double turn = next / energy[r];
    energy[r] = next;
    for (int64_t j = 0; j < n; ++j)
      direction[begin + j] =
          preconditioned(begin + j, j) + turn * direction[begin + j];
    return true;
  }

  bool stop(int64_t r) {
    std::fill_n(direction.begin() + r * n, n, 0.0);
    energy[r] = 0;
    return false;
  }

  const DampedSystem &damped;
  ArrayRef<int64_t> rows;
  int64_t n;
  MutableArrayRef<double> fitted;
  std::vector<double> current, residual, direction, product;
  std::vector<uint8_t> kept;
  std::vector<double> energy, goal;
};
} // namespace

void mlir::prune::fitSupport(const LayerSystem &system,
                             const DampedSystem &damped, ArrayRef<uint8_t> keep,
                             const FitOptions &options, ParallelFor parallelFor,
                             MutableArrayRef<double> weights) {
  int64_t n = system.inputs;
  std::vector<uint8_t> mask(keep.size());
  for (size_t i = 0, e = mask.size(); i != e; ++i) {
    mask[i] = keep[i] && damped.live[i % n];
    if (!mask[i])
      weights[i] = 0;
  }
  std::vector<double> fitted(weights.begin(), weights.end());
  Supports supports = findSupports(damped, mask, options.directInputs);
  parallelFor(supports.direct.size(), [&](size_t i) {
    solveDirectly(damped, supports.direct[i], fitted);
  });
  ArrayRef<int64_t> iterated(supports.iterated);
  forRowBlocks(iterated.size(), parallelFor, [&](int64_t first, int64_t count) {
    GradientSolver solver(damped, mask, iterated.slice(first, count), fitted);
    solver.run(options);
  });

  std::vector<double> before = rowErrors(system, weights, parallelFor);
  std::vector<double> after = rowErrors(system, fitted, parallelFor);
  for (int64_t i = 0; i < system.rows; ++i)
    // A fit that overflows is not less than anything.
    if (after[i] < before[i])
      std::copy_n(fitted.begin() + i * n, n, weights.begin() + i * n);
}

llvm::Error mlir::prune::fitSupport(const LayerSystem &system,
                                    ArrayRef<uint8_t> keep,
                                    const FitOptions &options,
                                    ParallelFor parallelFor,
                                    MutableArrayRef<double> weights) {
  if (llvm::Error error = checkSystem(system))
    return error;
  if (keep.size() != system.weights.size() || weights.size() != keep.size())
    return llvm::createStringError("the mask does not have the layer's size");
  DampedSystem damped(system, options.damping);
  fitSupport(system, damped, keep, options, parallelFor, weights);
  return llvm::Error::success();
}
