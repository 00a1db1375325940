//===- Statistics.cpp - What the inputs of a layer look like --------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loops run along the columns of a row, so that they become vectors and each
// sum keeps the order of its rows.
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Statistics.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ErrorHandling.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

using namespace mlir::prune;

/// Rows that are read at once.
static constexpr int64_t kReadRows = 64;
static constexpr double kInfinity = std::numeric_limits<double>::infinity();

static constexpr llvm::StringLiteral kNames[] = {
    "count", "mean",  "second_moment", "min",
    "max",   "zeros", "input_norm",    "gram"};

llvm::ArrayRef<llvm::StringLiteral> mlir::prune::getStatisticNames() {
  return kNames;
}

std::optional<Statistic> mlir::prune::parseStatistic(llvm::StringRef name) {
  const auto *found = llvm::find(kNames, name);
  if (found == std::end(kNames))
    return std::nullopt;
  return Statistic(found - std::begin(kNames));
}

//===----------------------------------------------------------------------===//
// One feature
//===----------------------------------------------------------------------===//

FeatureSums::FeatureSums() : least(kInfinity), greatest(-kInfinity) {}

void FeatureSums::merge(const FeatureSums &other) {
  count += other.count;
  zeros += other.zeros;
  sum += other.sum;
  square += other.square;
  least = std::min(least, other.least);
  greatest = std::max(greatest, other.greatest);
}

double FeatureSums::get(Statistic statistic) const {
  if (count == 0)
    return 0;
  switch (statistic) {
  case Statistic::Count:
    return double(count);
  case Statistic::Mean:
    return sum / double(count);
  case Statistic::SecondMoment:
    return square / double(count);
  case Statistic::Min:
    return least;
  case Statistic::Max:
    return greatest;
  case Statistic::Zeros:
    return double(zeros) / double(count);
  case Statistic::InputNorm:
    return std::sqrt(square);
  case Statistic::Gram:
    break;
  }
  llvm_unreachable("the Gram matrix is of no single feature");
}

//===----------------------------------------------------------------------===//
// All features
//===----------------------------------------------------------------------===//

FeatureStatistics::Sums::Sums(size_t features)
    : sum(features), square(features), zeros(features),
      least(features, kInfinity), greatest(features, -kInfinity) {}

void FeatureStatistics::Sums::addRow(const double *row, size_t begin,
                                     size_t columns) {
  double *sums = sum.data() + begin, *squares = square.data() + begin;
  double *zero = zeros.data() + begin;
  double *low = least.data() + begin, *high = greatest.data() + begin;
  for (size_t c = 0; c < columns; ++c) {
    double x = row[c];
    sums[c] += x;
    squares[c] += x * x;
    zero[c] += x == 0 ? 1.0 : 0.0;
    low[c] = x < low[c] ? x : low[c];
    high[c] = x > high[c] ? x : high[c];
  }
}

void FeatureStatistics::Sums::merge(const Sums &other) {
  for (size_t i = 0, e = sum.size(); i != e; ++i) {
    sum[i] += other.sum[i];
    square[i] += other.square[i];
    zeros[i] += other.zeros[i];
    least[i] = std::min(least[i], other.least[i]);
    greatest[i] = std::max(greatest[i], other.greatest[i]);
  }
}

FeatureStatistics::FeatureStatistics(int64_t groups, int64_t columns,
                                     bool hasGram)
    : groups(groups), columns(columns), total(groups * columns),
      products(hasGram ? groups * columns * columns : 0) {}

/// Adds the products of `numRows` rows with themselves to an upper triangle,
/// row by row: a sum is loaded once for all of them.
template <size_t numRows>
static void addProducts(double *products, const double *rows, size_t columns) {
  for (size_t i = 0; i < columns; ++i) {
    double *out = products + i * columns;
    for (size_t j = i; j < columns; ++j) {
      double sum = out[j];
      for (size_t r = 0; r < numRows; ++r)
        sum += rows[r * columns + i] * rows[r * columns + j];
      out[j] = sum;
    }
  }
}

/// The same for any number of rows.
static void addProducts(double *products, const double *rows, size_t numRows,
                        size_t columns) {
  constexpr size_t kAtOnce = 8;
  for (; numRows >= kAtOnce; numRows -= kAtOnce, rows += kAtOnce * columns)
    addProducts<kAtOnce>(products, rows, columns);
  for (; numRows > 0; --numRows, rows += columns)
    addProducts<1>(products, rows, columns);
}

void FeatureStatistics::add(const Patches &patches, const double *tensor) {
  assert(patches.numGroups() == groups && patches.numColumns() == columns &&
         "expects the inputs of the layer");
  std::vector<double> rows(kReadRows * columns);
  Sums own(numFeatures());
  std::vector<double> ownProducts(products.size());
  for (int64_t group = 0; group < groups; ++group)
    for (int64_t begin = 0; begin < patches.numRows(); begin += kReadRows) {
      int64_t read = std::min(kReadRows, patches.numRows() - begin);
      patches.read(tensor, group, begin, read, rows.data());
      for (int64_t r = 0; r < read; ++r)
        own.addRow(rows.data() + r * columns, group * columns, columns);
      if (!products.empty())
        addProducts(ownProducts.data() + group * columns * columns, rows.data(),
                    read, columns);
    }
  total.merge(own);
  for (auto [to, from] : llvm::zip_equal(products, ownProducts))
    to += from;
  count += patches.numRows();
}

void FeatureStatistics::merge(const FeatureStatistics &other) {
  assert(other.groups == groups && other.columns == columns &&
         other.products.size() == products.size() && "expects the same layer");
  total.merge(other.total);
  for (auto [to, from] : llvm::zip_equal(products, other.products))
    to += from;
  count += other.count;
}

FeatureSums FeatureStatistics::get(int64_t feature) const {
  FeatureSums sums;
  sums.count = count;
  sums.zeros = int64_t(total.zeros[feature]);
  sums.sum = total.sum[feature];
  sums.square = total.square[feature];
  sums.least = total.least[feature];
  sums.greatest = total.greatest[feature];
  return sums;
}

std::vector<double> FeatureStatistics::gram() const {
  std::vector<double> whole = products;
  size_t size = columns;
  for (size_t at = 0; at != whole.size(); at += size * size)
    for (size_t i = 0; i < size; ++i)
      for (size_t j = 0; j < i; ++j)
        whole[at + i * size + j] = whole[at + j * size + i];
  return whole;
}

bool FeatureStatistics::isFinite() const {
  // A NaN or an infinity makes the sum of squares one.
  return llvm::all_of(total.square,
                      [](double sum) { return std::isfinite(sum); });
}
