//===- SparseGPT.cpp - Removal column by column ---------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The error w_j / U_jj of a removed weight is taken from the columns to its
// right in proportion to row j of U: at once within a block of columns, and as
// one product for all columns behind the block.
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Solvers/SparseGPT.h"

#include "DampedSystem.h"

#include "prune/Core/Solvers/LinearAlgebra.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>
#include <numeric>

using namespace mlir::prune;
using llvm::ArrayRef;

/// In `keep`, what is neither kept (1) nor removed (0) yet.
static constexpr uint8_t kUndecided = 2;

namespace {
/// A group with its columns in the order in which they are visited.
struct OrderedGroup {
  int64_t rows = 0, inputs = 0, offset = 0;
  std::vector<int64_t> order;
  std::vector<double> u, weights;

  int64_t elementAt(int64_t row, int64_t position) const {
    return offset + row * inputs + order[position];
  }
};

/// Rows of a group that are worked on together.
struct RowsInWork {
  const OrderedGroup *group;
  double *weights;
  int64_t first, count;
};

class ColumnSweep {
public:
  ColumnSweep(ArrayRef<DampedSystem> systems, const SparseGPTOptions &options,
              ParallelFor parallelFor)
      : options(options), parallelFor(parallelFor), groups(systems.size()) {
    for (size_t g = 0, e = systems.size(); g != e; ++g) {
      groups[g].rows = systems[g].rows;
      groups[g].inputs = systems[g].inputs;
      groups[g].offset = size;
      size += groups[g].rows * groups[g].inputs;
    }
  }

  llvm::Error prepare(ArrayRef<DampedSystem> systems);
  /// With an empty mask, `select` chooses one.
  MaskedWeights run(SelectKept select, ArrayRef<uint8_t> given);

private:
  void choose(SelectKept select, int64_t begin, int64_t end);
  bool isDecided(int64_t begin, int64_t end) const;
  void update(const RowsInWork &block, int64_t begin, int64_t end) const;

  const SparseGPTOptions &options;
  ParallelFor parallelFor;
  std::vector<OrderedGroup> groups;
  int64_t size = 0;
  std::vector<uint8_t> keep, candidates;
  std::vector<double> scores;
};
} // namespace

/// Rows and columns of the system in the given order.
static DampedSystem reorder(const DampedSystem &system,
                            ArrayRef<int64_t> order) {
  DampedSystem result(system);
  int64_t n = system.inputs;
  for (int64_t j = 0; j < n; ++j) {
    result.live[j] = system.live[order[j]];
    for (int64_t i = 0; i < n; ++i)
      result.gram[i * n + j] = system.gram[order[i] * n + order[j]];
    for (int64_t i = 0; i < system.rows; ++i) {
      result.weights[i * n + j] = system.weights[i * n + order[j]];
      result.target[i * n + j] = system.target[i * n + order[j]];
    }
  }
  return result;
}

llvm::Error ColumnSweep::prepare(ArrayRef<DampedSystem> systems) {
  for (size_t g = 0, e = systems.size(); g != e; ++g) {
    OrderedGroup &group = groups[g];
    int64_t n = group.inputs;
    group.order.resize(n);
    std::iota(group.order.begin(), group.order.end(), 0);
  }
  parallelFor(groups.size(), [&](size_t g) {
    OrderedGroup &group = groups[g];
    const DampedSystem &system = systems[g];
    int64_t n = group.inputs;
    if (options.byActivation)
      llvm::sort(group.order, [&](int64_t a, int64_t b) {
        double x = system.gram[a * n + a], y = system.gram[b * n + b];
        return x != y ? x > y : a < b;
      });
    if (!options.byActivation) {
      group.u = factorizeInverse(system);
      return;
    }
    group.u = factorizeInverse(reorder(system, group.order));
  });
  for (size_t g = 0, e = systems.size(); g != e; ++g) {
    OrderedGroup &group = groups[g];
    if (group.u.empty() && group.inputs)
      return llvm::createStringError(
          "the Gram matrix is not positive definite with any damping");
    group.weights =
        options.byActivation
            ? solveDense(reorder(systems[g], group.order), group.u, parallelFor)
            : solveDense(systems[g], group.u, parallelFor);
  }
  return llvm::Error::success();
}

/// Chooses the mask of the columns [begin, end) of all groups.
void ColumnSweep::choose(SelectKept select, int64_t begin, int64_t end) {
  candidates.assign(size, 0);
  scores.assign(size, 0);
  bool isAll = begin == 0;
  for (const OrderedGroup &group : groups) {
    int64_t n = group.inputs;
    isAll &= end >= n;
    for (int64_t i = 0; i < group.rows; ++i)
      for (int64_t j = begin, e = std::min(end, n); j < e; ++j) {
        double score = group.weights[i * n + j] / group.u[j * n + j];
        score *= score;
        int64_t element = group.elementAt(i, j);
        scores[element] = std::isnan(score) ? 0 : score;
        candidates[element] = 1;
      }
  }
  select(scores, isAll ? ArrayRef<uint8_t>() : ArrayRef<uint8_t>(candidates),
         keep);
}

bool ColumnSweep::isDecided(int64_t begin, int64_t end) const {
  for (const OrderedGroup &group : groups)
    for (int64_t i = 0; i < group.rows; ++i)
      for (int64_t j = begin, e = std::min(end, group.inputs); j < e; ++j)
        if (keep[group.elementAt(i, j)] == kUndecided)
          return false;
  return true;
}

/// Removes what is not kept of the columns [begin, end) and makes up for it.
void ColumnSweep::update(const RowsInWork &block, int64_t begin,
                         int64_t end) const {
  const OrderedGroup &group = *block.group;
  int64_t n = group.inputs;
  end = std::min(end, n);
  if (begin >= end)
    return;
  int64_t width = end - begin;
  std::vector<double> errors(block.count * width);
  for (int64_t i = 0; i < block.count; ++i) {
    double *row = block.weights + i * n;
    for (int64_t j = begin; j < end; ++j) {
      if (keep[group.elementAt(block.first + i, j)])
        continue;
      const double *u = group.u.data() + j * n;
      double error = row[j] / u[j];
      errors[i * width + j - begin] = error;
      for (int64_t k = j + 1; k < end; ++k)
        row[k] -= error * u[k];
      row[j] = 0;
    }
  }
  multiply(block.count, n - end, width, -1, {errors.data(), width},
           {group.u.data() + begin * n + end, n}, 1, block.weights + end, n);
}

MaskedWeights ColumnSweep::run(SelectKept select, ArrayRef<uint8_t> given) {
  bool isChosen = !given.empty();
  keep.assign(size, kUndecided);
  llvm::copy(given, keep.begin());
  std::vector<RowsInWork> blocks;
  int64_t columns = 0;
  for (OrderedGroup &group : groups) {
    columns = std::max(columns, group.inputs);
    for (int64_t first = 0; first < group.rows; first += kRowBlock)
      blocks.push_back({&group, group.weights.data() + first * group.inputs,
                        first, std::min(kRowBlock, group.rows - first)});
  }
  int64_t step = std::max<int64_t>(options.blockColumns, 1);
  for (int64_t begin = 0; begin < columns; begin += step) {
    int64_t end = std::min(columns, begin + step);
    if (!isChosen) {
      choose(select, begin, end);
      // A unit that reaches beyond the block: choose for all that is left.
      isChosen = !isDecided(begin, end);
      if (isChosen)
        choose(select, begin, columns);
    }
    parallelFor(blocks.size(),
                [&](size_t i) { update(blocks[i], begin, end); });
  }

  MaskedWeights result;
  result.keep = std::move(keep);
  result.weights.resize(size);
  for (const OrderedGroup &group : groups)
    for (int64_t i = 0; i < group.rows; ++i)
      for (int64_t j = 0; j < group.inputs; ++j)
        result.weights[group.elementAt(i, j)] =
            group.weights[i * group.inputs + j];
  return result;
}

llvm::Expected<MaskedWeights> mlir::prune::pruneBySparseGPT(
    ArrayRef<DampedSystem> systems, SelectKept select, ArrayRef<uint8_t> given,
    const SparseGPTOptions &options, ParallelFor parallelFor) {
  ColumnSweep sweep(systems, options, parallelFor);
  if (llvm::Error error = sweep.prepare(systems))
    return error;
  return sweep.run(select, given);
}

static llvm::Expected<std::vector<DampedSystem>>
dampAll(ArrayRef<LayerSystem> groups, double damping) {
  std::vector<DampedSystem> damped;
  for (const LayerSystem &group : groups) {
    if (llvm::Error error = checkSystem(group))
      return error;
    damped.emplace_back(group, damping);
  }
  return damped;
}

llvm::Expected<MaskedWeights>
mlir::prune::pruneBySparseGPT(ArrayRef<LayerSystem> groups, SelectKept select,
                              const SparseGPTOptions &options,
                              ParallelFor parallelFor) {
  auto damped = dampAll(groups, options.damping);
  if (!damped)
    return damped.takeError();
  return pruneBySparseGPT(*damped, select, {}, options, parallelFor);
}

llvm::Expected<MaskedWeights> mlir::prune::updateBySparseGPT(
    ArrayRef<LayerSystem> groups, ArrayRef<uint8_t> keep,
    const SparseGPTOptions &options, ParallelFor parallelFor) {
  auto damped = dampAll(groups, options.damping);
  if (!damped)
    return damped.takeError();
  size_t size = 0;
  for (const LayerSystem &group : groups)
    size += group.weights.size();
  if (keep.size() != size)
    return llvm::createStringError("the mask does not have the layer's size");
  auto none = [](ArrayRef<double>, ArrayRef<uint8_t>,
                 llvm::MutableArrayRef<uint8_t>) {};
  return pruneBySparseGPT(*damped, none, keep, options, parallelFor);
}
