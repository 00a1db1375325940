//===- OptimalBrainSurgeon.cpp - Removal one by one -----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Without weight p, the error grows by w_p^2 / A_pp, where A is the inverse of
// the Gram matrix of what is left; the other weights change by -w_p / A_pp
// times row p of A, and A by a product of that row with itself. What is left is
// kept dense: the last row and column move to where p was.
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Solvers/OptimalBrainSurgeon.h"

#include "DampedSystem.h"

#include "prune/Core/Solvers/LinearAlgebra.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>
#include <queue>
#include <tuple>

using namespace mlir::prune;
using llvm::ArrayRef;
using llvm::MutableArrayRef;

namespace {
/// What is left of one row.
class Remainder {
public:
  /// `inverse` has a row and a column for each of the `inputs`.
  Remainder(ArrayRef<double> inverse, ArrayRef<int64_t> inputs,
            const double *weights)
      : inverse(inverse.begin(), inverse.end()),
        inputs(inputs.begin(), inputs.end()), stride(inputs.size()) {
    for (size_t i = 0, e = inputs.size(); i != e; ++i) {
      values.push_back(weights[inputs[i]]);
      // Rounding must not make a pivot 0 or less.
      leastPivots.push_back(1e-12 * inverse[i * (stride + 1)]);
    }
  }

  /// Removes the weight that costs least; returns its input and the cost.
  std::pair<int64_t, double> removeNext() {
    int64_t n = inputs.size(), next = 0;
    double least = costOf(0);
    for (int64_t i = 1; i < n; ++i) {
      double cost = costOf(i);
      if (cost < least || (cost == least && inputs[i] < inputs[next])) {
        least = cost;
        next = i;
      }
    }
    int64_t input = inputs[next];
    eliminate(next);
    moveLastTo(next);
    return {input, least};
  }

private:
  double pivot(int64_t i) const {
    return std::max(inverse[i * stride + i], leastPivots[i]);
  }
  double costOf(int64_t i) const { return values[i] * values[i] / pivot(i); }

  void eliminate(int64_t removed) {
    int64_t n = inputs.size();
    row.assign(inverse.begin() + removed * stride,
               inverse.begin() + removed * stride + n);
    double factor = 1 / pivot(removed), change = values[removed] * factor;
    for (int64_t i = 0; i < n; ++i) {
      values[i] -= change * row[i];
      double scale = factor * row[i];
      double *target = inverse.data() + i * stride;
      for (int64_t j = 0; j < n; ++j)
        target[j] -= scale * row[j];
    }
  }

  void moveLastTo(int64_t place) {
    int64_t last = int64_t(inputs.size()) - 1;
    std::copy_n(inverse.begin() + last * stride, last + 1,
                inverse.begin() + place * stride);
    for (int64_t i = 0; i < last; ++i)
      inverse[i * stride + place] = inverse[i * stride + last];
    inputs[place] = inputs[last];
    values[place] = values[last];
    leastPivots[place] = leastPivots[last];
    inputs.pop_back();
    values.pop_back();
    leastPivots.pop_back();
  }

  std::vector<double> inverse;
  std::vector<int64_t> inputs;
  int64_t stride;
  std::vector<double> values, leastPivots, row;
};

/// The next removal of a row.
struct NextRemoval {
  double increase;
  size_t group;
  int64_t row;

  /// So that the least comes first in a queue.
  bool operator<(const NextRemoval &other) const {
    if (increase != other.increase)
      return increase > other.increase;
    return std::tie(group, row) > std::tie(other.group, other.row);
  }
};
} // namespace

llvm::Expected<RemovalCurves>
mlir::prune::computeRemovalCurves(const LayerSystem &system, double damping,
                                  ParallelFor parallelFor) {
  if (llvm::Error error = checkSystem(system))
    return error;
  int64_t n = system.inputs;
  if (n > kMostRemovalInputs)
    return llvm::createStringError(llvm::formatv(
        "expects at most {0} inputs but got {1}", kMostRemovalInputs, n));
  DampedSystem damped(system, damping);
  std::vector<double> u = factorizeInverse(damped);
  if (u.empty() && n)
    return llvm::createStringError(
        "the Gram matrix is not positive definite with any damping");
  std::vector<double> weights = solveDense(damped, u, parallelFor);

  std::vector<int64_t> live, dead;
  for (int64_t j = 0; j < n; ++j)
    (damped.live[j] ? live : dead).push_back(j);
  std::vector<double> full(n * n), inverse;
  multiply(n, n, n, 1, {u.data(), n, true}, {u.data(), n}, 0, full.data(), n);
  for (int64_t i : live)
    for (int64_t j : live)
      inverse.push_back(full[i * n + j]);

  RemovalCurves curves;
  curves.rows = system.rows;
  curves.inputs = n;
  curves.denseError = layerError(system, weights, parallelFor);
  for (size_t i = 0, e = weights.size(); i != e; ++i)
    curves.denseError += damped.ridge * (weights[i] - damped.weights[i]) *
                         (weights[i] - damped.weights[i]);
  curves.order.resize(weights.size());
  curves.increases.resize(weights.size());
  parallelFor(system.rows, [&](size_t row) {
    int64_t *order = curves.order.data() + row * n;
    std::copy(dead.begin(), dead.end(), order);
    Remainder remainder(inverse, live, weights.data() + row * n);
    for (int64_t i = dead.size(); i < n; ++i)
      std::tie(order[i], curves.increases[row * n + i]) =
          remainder.removeNext();
  });
  return curves;
}

/// Calls `visit(removal, position)` for the first removals of all rows.
static void
forEachRemoval(ArrayRef<RemovalCurves> groups, int64_t removed,
               llvm::function_ref<void(const NextRemoval &, int64_t)> visit) {
  std::priority_queue<NextRemoval> queue;
  std::vector<std::vector<int64_t>> positions;
  for (size_t g = 0, e = groups.size(); g != e; ++g) {
    positions.emplace_back(groups[g].rows);
    for (int64_t i = 0; groups[g].inputs && i < groups[g].rows; ++i)
      queue.push({groups[g].increases[i * groups[g].inputs], g, i});
  }
  for (int64_t i = 0; i < removed && !queue.empty(); ++i) {
    NextRemoval next = queue.top();
    queue.pop();
    const RemovalCurves &group = groups[next.group];
    int64_t &position = positions[next.group][next.row];
    visit(next, position);
    if (++position == group.inputs)
      continue;
    next.increase = group.increases[next.row * group.inputs + position];
    queue.push(next);
  }
}

static int64_t countElements(ArrayRef<RemovalCurves> groups) {
  int64_t count = 0;
  for (const RemovalCurves &group : groups)
    count += group.rows * group.inputs;
  return count;
}

std::vector<uint8_t> mlir::prune::selectByCurves(ArrayRef<RemovalCurves> groups,
                                                 int64_t removed) {
  std::vector<int64_t> offsets = {0};
  for (const RemovalCurves &group : groups)
    offsets.push_back(offsets.back() + group.rows * group.inputs);
  std::vector<uint8_t> keep(offsets.back(), 1);
  forEachRemoval(
      groups, removed, [&](const NextRemoval &removal, int64_t position) {
        const RemovalCurves &group = groups[removal.group];
        int64_t row = removal.row * group.inputs;
        keep[offsets[removal.group] + row + group.order[row + position]] = 0;
      });
  return keep;
}

std::vector<double> mlir::prune::errorCurve(ArrayRef<RemovalCurves> groups) {
  std::vector<double> errors = {0};
  for (const RemovalCurves &group : groups)
    errors.front() += group.denseError;
  forEachRemoval(groups, countElements(groups),
                 [&](const NextRemoval &removal, int64_t) {
                   errors.push_back(errors.back() + removal.increase);
                 });
  return errors;
}
