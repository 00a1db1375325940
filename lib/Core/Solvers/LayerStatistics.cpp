//===- LayerStatistics.cpp - Sums over the inputs of a layer --------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Solvers/LayerStatistics.h"

#include "prune/Core/Solvers/LinearAlgebra.h"

#include <algorithm>
#include <cassert>
#include <cmath>

using namespace mlir::prune;

/// Rows that are read at a time.
static constexpr int64_t kBlockRows = 256;

LayerStatistics::LayerStatistics(int64_t groups, int64_t rows, int64_t columns,
                                 llvm::ArrayRef<float> weights)
    : rows(rows), columns(columns), weights(weights.begin(), weights.end()),
      sums(groups) {
  for (Sums &group : sums) {
    group.gram.resize(columns * columns);
    group.target.resize(rows * columns);
    group.inputs.resize(columns);
    group.outputs.resize(rows);
  }
}

static void addRows(std::vector<double> &sums, llvm::ArrayRef<float> rows) {
  size_t width = sums.size();
  for (size_t i = 0; i < rows.size(); i += width)
    for (size_t c = 0; c < width; ++c)
      sums[c] += rows[i + c];
}

void LayerStatistics::add(const Patches &patches, const float *pruned,
                          const float *dense) {
  std::vector<float> inputs(kBlockRows * columns), others;
  std::vector<float> outputs(kBlockRows * rows);
  if (dense != pruned)
    others.resize(inputs.size());
  llvm::ArrayRef<float> all = weights;
  for (auto [g, group] : llvm::enumerate(sums)) {
    llvm::ArrayRef<float> own = all.slice(g * rows * columns, rows * columns);
    for (int64_t begin = 0; begin < patches.numRows(); begin += kBlockRows) {
      int64_t count = std::min(kBlockRows, patches.numRows() - begin);
      auto x = llvm::MutableArrayRef(inputs).take_front(count * columns);
      auto y = llvm::MutableArrayRef(outputs).take_front(count * rows);
      patches.read(pruned, g, begin, count, x.data());
      if (dense != pruned)
        patches.read(dense, g, begin, count, others.data());
      multiplyRows(dense != pruned ? others : inputs, own, count, rows, columns,
                   y);
      addGram(x, count, columns, group.gram);
      addCrossGram(y, x, count, rows, columns, group.target);
      addRows(group.inputs, x);
      addRows(group.outputs, y);
      for (float output : y)
        group.energy += double(output) * output;
    }
  }
  numRows += patches.numRows();
}

void LayerStatistics::merge(const LayerStatistics &other, int sign) {
  assert(sums.size() == other.sums.size() && "expects the same layer");
  auto add = [&](std::vector<double> &to, const std::vector<double> &from) {
    for (size_t i = 0; i < to.size(); ++i)
      to[i] += sign * from[i];
  };
  for (auto [to, from] : llvm::zip_equal(sums, other.sums)) {
    add(to.gram, from.gram);
    add(to.target, from.target);
    add(to.inputs, from.inputs);
    add(to.outputs, from.outputs);
    to.energy += sign * from.energy;
  }
  numRows += sign * other.numRows;
}

LayerSystem LayerStatistics::system(int64_t group) const {
  const Sums &own = sums[group];
  LayerSystem system;
  system.rows = rows;
  system.inputs = columns;
  system.gram = own.gram;
  system.target = own.target;
  system.energy = own.energy;
  return system;
}

static std::vector<double> meanOf(std::vector<double> sums, int64_t count) {
  for (double &sum : sums)
    sum /= std::max<int64_t>(count, 1);
  return sums;
}

std::vector<double> LayerStatistics::inputMean(int64_t group) const {
  return meanOf(sums[group].inputs, numRows);
}

std::vector<double> LayerStatistics::outputMean(int64_t group) const {
  return meanOf(sums[group].outputs, numRows);
}

bool LayerStatistics::isFinite() const {
  return llvm::all_of(sums, [](const Sums &group) {
    auto isFinite = [](double sum) { return std::isfinite(sum); };
    return std::isfinite(group.energy) && llvm::all_of(group.gram, isFinite) &&
           llvm::all_of(group.target, isFinite) &&
           llvm::all_of(group.inputs, isFinite);
  });
}

OutputMoments mlir::prune::outputMoments(const LayerSystem &system,
                                         llvm::ArrayRef<double> inputMean,
                                         int64_t count,
                                         llvm::ArrayRef<double> weights) {
  OutputMoments moments;
  int64_t inputs = system.inputs;
  for (int64_t r = 0; r < system.rows; ++r) {
    const double *row = weights.data() + r * inputs;
    double mean = 0, square = 0;
    for (int64_t i = 0; i < inputs; ++i) {
      mean += row[i] * inputMean[i];
      if (row[i] == 0)
        continue;
      double sum = 0;
      for (int64_t j = 0; j < inputs; ++j)
        sum += system.gram[i * inputs + j] * row[j];
      square += row[i] * sum;
    }
    moments.mean.push_back(mean);
    moments.variance.push_back(
        std::max(square / std::max<int64_t>(count, 1), 0.0));
  }
  return moments;
}
