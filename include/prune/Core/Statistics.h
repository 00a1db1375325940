//===- Statistics.h - What the inputs of a layer look like ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A layer is Y = X W' (Patches.h). A feature is a column of X, in each group
// apart: one input that an output sums. Rows of X are what is counted: samples
// of a matrix product, windows of a convolution, with the zeros of a padding.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CORE_STATISTICS_H
#define PRUNE_CORE_STATISTICS_H

#include "prune/Core/Patches.h"

#include "llvm/ADT/StringRef.h"

#include <optional>
#include <vector>

namespace mlir::prune {

enum class Statistic {
  Count,        ///< rows
  Mean,         ///< of x
  SecondMoment, ///< the mean of x * x
  Min,          ///< the least x
  Max,          ///< the greatest x
  Zeros,        ///< the share of rows with x = 0, in [0, 1]
  InputNorm,    ///< the square root of the sum of x * x
  Gram          ///< X' X, in each group apart
};

/// All names of statistics, in the order of the enumeration: "count", "mean",
/// "second_moment", "min", "max", "zeros", "input_norm", "gram".
llvm::ArrayRef<llvm::StringLiteral> getStatisticNames();

/// The statistic of that name, or nothing.
std::optional<Statistic> parseStatistic(llvm::StringRef name);

/// What is known of one feature. Sums of nothing are 0.
struct FeatureSums {
  int64_t count = 0;
  int64_t zeros = 0;
  double sum = 0, square = 0;
  /// Of nothing: +infinity and -infinity.
  double least, greatest;

  FeatureSums();
  void merge(const FeatureSums &other);
  /// Any statistic but the Gram matrix; 0 if nothing was counted.
  double get(Statistic statistic) const;
};

/// Sums over all rows that were added, in float64 and in their order: equal
/// tensors in equal order give equal bits. The rows of each tensor are summed
/// apart. A sum of squares of m tensors with n rows each has a relative error
/// of at most (n + m) * 2^-53; the error of a mean is at most that times the
/// mean of |x|. Counts, least and greatest numbers are exact.
class FeatureStatistics {
public:
  /// The Gram matrix takes memory for the square of `columns`, for each group.
  FeatureStatistics(int64_t groups, int64_t columns, bool hasGram = false);

  /// Adds the rows of one tensor.
  void add(const Patches &patches, const double *tensor);
  /// Adds what another one, of the same layer, has.
  void merge(const FeatureStatistics &other);

  int64_t numRows() const { return count; }
  int64_t numGroups() const { return groups; }
  int64_t numColumns() const { return columns; }
  int64_t numFeatures() const { return groups * columns; }
  /// A feature by group * columns + column.
  FeatureSums get(int64_t feature) const;
  /// [groups x columns x columns], whole; empty if it was not asked for.
  std::vector<double> gram() const;
  /// Whether all numbers are finite, and their squares, too.
  bool isFinite() const;

private:
  struct Sums {
    std::vector<double> sum, square, zeros, least, greatest;
    explicit Sums(size_t features);
    /// Adds one row from a feature on.
    void addRow(const double *row, size_t begin, size_t columns);
    void merge(const Sums &other);
  };

  int64_t groups, columns, count = 0;
  Sums total;
  /// The upper triangles.
  std::vector<double> products;
};

} // namespace mlir::prune

#endif // PRUNE_CORE_STATISTICS_H
