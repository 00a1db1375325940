//===- MaskByADMM.cpp - A mask by alternating directions ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// With H' = Q L Q' of the scaled inputs, the weights that fit best under a
// penalty are B = (Y - V + penalty D) Q (L + penalty)^-1 Q', so that another
// penalty costs nothing. V adds up how far B and D are apart.
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Solvers/MaskByADMM.h"

#include "DampedSystem.h"

#include "prune/Core/Solvers/LinearAlgebra.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>

using namespace mlir::prune;
using llvm::ArrayRef;
using llvm::MutableArrayRef;

/// Steps between looks at how much of the mask has changed.
static constexpr int64_t kStepsPerLook = 3;
/// How often the penalty is made smaller because no mask moves.
static constexpr int kRestarts = 4;

namespace {
/// A group in scaled inputs.
struct ScaledGroup {
  int64_t rows, inputs;
  /// The first of its elements among those of all groups.
  int64_t offset;
  std::vector<double> scale;
  /// Q' [inputs x inputs] and L.
  std::vector<double> vectors, values;
};

/// Rows of a group that are worked on together.
struct RowBlock {
  size_t group;
  int64_t first, count;
};

class Iteration {
public:
  Iteration(ArrayRef<DampedSystem> systems, SelectKept select,
            const ADMMOptions &options, ParallelFor parallelFor);

  llvm::Error decompose(ArrayRef<DampedSystem> systems);
  MaskedWeights run();

private:
  void restart(std::vector<uint8_t> &keep);
  void step(std::vector<uint8_t> &keep);
  void fit(const RowBlock &block);
  void project(std::vector<uint8_t> &keep);
  bool adapt(double changed, int64_t iteration, bool &isRestarted);

  SelectKept select;
  const ADMMOptions &options;
  ParallelFor parallelFor;
  double penalty;
  bool hasMoved = false;
  int restarts = 0;
  std::vector<ScaledGroup> groups;
  std::vector<RowBlock> blocks;
  /// Y, B, D, V and the scaled W0 of all groups.
  std::vector<double> target, fitted, masked, dual, dense, scores;
};
} // namespace

Iteration::Iteration(ArrayRef<DampedSystem> systems, SelectKept select,
                     const ADMMOptions &options, ParallelFor parallelFor)
    : select(select), options(options), parallelFor(parallelFor),
      penalty(options.penalty) {
  int64_t offset = 0;
  for (const DampedSystem &system : systems) {
    int64_t n = system.inputs;
    ScaledGroup group;
    group.rows = system.rows;
    group.inputs = n;
    group.offset = offset;
    for (int64_t j = 0; j < n; ++j)
      group.scale.push_back(std::sqrt(system.gram[j * n + j]) + 1e-8);
    for (int64_t i = 0, e = system.rows * n; i != e; ++i) {
      target.push_back(system.target[i] / group.scale[i % n]);
      dense.push_back(system.weights[i] * group.scale[i % n]);
    }
    for (int64_t first = 0; first < system.rows; first += kRowBlock)
      blocks.push_back(
          {groups.size(), first, std::min(kRowBlock, system.rows - first)});
    offset += system.rows * n;
    groups.push_back(std::move(group));
  }
  fitted.resize(offset);
  masked.resize(offset);
  dual.resize(offset);
  scores.resize(offset);
}

llvm::Error Iteration::decompose(ArrayRef<DampedSystem> systems) {
  std::vector<uint8_t> isDone(groups.size());
  parallelFor(groups.size(), [&](size_t g) {
    ScaledGroup &group = groups[g];
    int64_t n = group.inputs;
    group.vectors = systems[g].gram;
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j)
        group.vectors[i * n + j] /= group.scale[i] * group.scale[j];
    group.values.resize(n);
    isDone[g] = llvm::all_of(group.vectors,
                             [](double x) { return std::isfinite(x); }) &&
                eigendecompose(n, group.vectors, group.values);
    for (double &value : group.values)
      value = std::max(value, 0.0);
  });
  if (llvm::is_contained(isDone, 0))
    return llvm::createStringError(
        "the Gram matrix has no eigendecomposition that converges");
  return llvm::Error::success();
}

/// Computes the rows of B.
void Iteration::fit(const RowBlock &block) {
  const ScaledGroup &group = groups[block.group];
  int64_t n = group.inputs, size = block.count * n;
  int64_t offset = group.offset + block.first * n;
  std::vector<double> right(size), rotated(size);
  for (int64_t i = 0; i < size; ++i)
    right[i] =
        target[offset + i] - dual[offset + i] + penalty * masked[offset + i];
  multiply(block.count, n, n, 1, {right.data(), n},
           {group.vectors.data(), n, true}, 0, rotated.data(), n);
  for (int64_t i = 0; i < block.count; ++i)
    for (int64_t k = 0; k < n; ++k)
      rotated[i * n + k] /= group.values[k] + penalty;
  multiply(block.count, n, n, 1, {rotated.data(), n}, {group.vectors.data(), n},
           0, fitted.data() + offset, n);
}

/// Masks what stands in `masked`.
void Iteration::project(std::vector<uint8_t> &keep) {
  for (size_t i = 0, e = masked.size(); i != e; ++i) {
    scores[i] = masked[i] * masked[i];
    if (std::isnan(scores[i]))
      scores[i] = 0;
  }
  select(scores, {}, keep);
  for (size_t i = 0, e = masked.size(); i != e; ++i)
    if (!keep[i])
      masked[i] = 0;
}

void Iteration::restart(std::vector<uint8_t> &keep) {
  masked = dense;
  std::fill(dual.begin(), dual.end(), 0.0);
  project(keep);
}

void Iteration::step(std::vector<uint8_t> &keep) {
  parallelFor(blocks.size(), [&](size_t i) { fit(blocks[i]); });
  for (size_t i = 0, e = masked.size(); i != e; ++i)
    masked[i] = fitted[i] + dual[i] / penalty;
  project(keep);
  for (size_t i = 0, e = masked.size(); i != e; ++i)
    dual[i] += penalty * (fitted[i] - masked[i]);
}

/// Chooses the next penalty by the part of the mask that has changed. Returns
/// false if the mask has settled.
bool Iteration::adapt(double changed, int64_t iteration, bool &isRestarted) {
  isRestarted = false;
  if (changed > 0.005) {
    hasMoved = true;
    penalty *= changed > 0.1 ? 1.3 : 1.2;
  } else if (!hasMoved && restarts < kRestarts) {
    ++restarts;
    penalty /= 5;
    isRestarted = true;
  } else if (changed == 0 || (changed < 3e-4 && iteration > 30)) {
    return false;
  } else {
    penalty *= 1.1;
  }
  penalty = std::min(penalty, 1e6);
  return true;
}

MaskedWeights Iteration::run() {
  MaskedWeights result;
  result.keep.resize(masked.size());
  restart(result.keep);
  std::vector<uint8_t> last = result.keep;
  for (int64_t i = 1; i <= options.iterations; ++i) {
    step(result.keep);
    result.iterations = i;
    if (i % kStepsPerLook)
      continue;
    int64_t changed = 0, kept = 0;
    for (size_t e = 0; e != last.size(); ++e) {
      changed += last[e] != result.keep[e];
      kept += result.keep[e];
    }
    bool isRestarted;
    if (!adapt(double(changed) / double(std::max<int64_t>(kept, 1)), i,
               isRestarted))
      break;
    if (isRestarted && i + kStepsPerLook <= options.iterations)
      restart(result.keep);
    last = result.keep;
  }
  result.weights = std::move(masked);
  for (const ScaledGroup &group : groups)
    for (int64_t i = 0, e = group.rows * group.inputs; i != e; ++i)
      result.weights[group.offset + i] /= group.scale[i % group.inputs];
  return result;
}

llvm::Expected<MaskedWeights>
mlir::prune::maskByADMM(ArrayRef<DampedSystem> systems, SelectKept select,
                        const ADMMOptions &options, ParallelFor parallelFor) {
  Iteration iteration(systems, select, options, parallelFor);
  if (llvm::Error error = iteration.decompose(systems))
    return error;
  return iteration.run();
}

llvm::Expected<MaskedWeights>
mlir::prune::maskByADMM(ArrayRef<LayerSystem> groups, SelectKept select,
                        const ADMMOptions &options, ParallelFor parallelFor) {
  std::vector<DampedSystem> damped;
  for (const LayerSystem &group : groups) {
    if (llvm::Error error = checkSystem(group))
      return error;
    damped.emplace_back(group, options.damping);
  }
  return maskByADMM(damped, select, options, parallelFor);
}
