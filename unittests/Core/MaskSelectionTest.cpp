//===- MaskSelectionTest.cpp - The cut of rankings that are large ---------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rankings long enough for every way of searching, with values that mislead a
// sample, against a sort of all units.
//
//===----------------------------------------------------------------------===//

#include "prune/Core/MaskSelection.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

using namespace mlir::prune;

namespace {

constexpr int64_t kSizes[2] = {1'200'000, 1'300'007};
constexpr int64_t kUnits = kSizes[0] + kSizes[1];

void inTurn(size_t n, llvm::function_ref<void(size_t)> body) {
  for (size_t i = 0; i != n; ++i)
    body(i);
}

/// Two operands that share `values`, one after the other.
std::vector<RankedTensorScores> rank(const std::vector<double> &values) {
  std::vector<RankedTensorScores> operands;
  const double *data = values.data();
  for (int64_t size : kSizes) {
    ScoreSource source;
    source.shape = {size};
    source.read = [data](int64_t begin, llvm::MutableArrayRef<double> out) {
      std::copy_n(data + begin, out.size(), out.begin());
    };
    UnitPattern pattern;
    pattern.block = {1};
    operands.emplace_back(source, pattern);
    data += size;
  }
  return operands;
}

/// All units from the lowest; those that are equal in order.
std::vector<int64_t> sortedUnits(const std::vector<double> &values) {
  std::vector<int64_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return values[a] != values[b] ? values[a] < values[b] : a < b;
  });
  return order;
}

std::vector<uint8_t> chosenMask(const std::vector<double> &values,
                                int64_t removed) {
  std::vector<RankedTensorScores> operands = rank(values);
  Target target;
  target.count = removed;
  size_t nanOperand = 0;
  std::optional<MaskSelection> selection =
      MaskSelection::choose(operands, target, inTurn, nanOperand);
  EXPECT_TRUE(selection.has_value());
  std::vector<uint8_t> keep(values.size(), 2);
  for (size_t i = 0; i != operands.size(); ++i)
    selection->visit(operands[i], i, inTurn,
                     [&](int64_t begin, llvm::ArrayRef<uint8_t> run) {
                       std::copy(run.begin(), run.end(),
                                 keep.begin() + (i ? kSizes[0] : 0) + begin);
                     });
  return keep;
}

std::vector<double> fill(std::function<double(int64_t)> valueAt) {
  std::vector<double> values(kUnits);
  for (int64_t i = 0; i != kUnits; ++i)
    values[i] = valueAt(i);
  return values;
}

TEST(MaskSelection, LargeRankingsAreCutLikeASort) {
  std::mt19937_64 random(7);
  std::normal_distribution<double> normal;
  const std::pair<const char *, std::vector<double>> cases[] = {
      {"normal", fill([&](int64_t) { return std::fabs(normal(random)); })},
      {"few values", fill([&](int64_t) { return double(random() % 5); })},
      {"ascending", fill([](int64_t i) { return double(i); })},
      {"all equal", fill([](int64_t) { return 1.5; })},
      // One bucket of the first histogram, and no two values alike.
      {"one bucket", fill([](int64_t i) {
         return 1.0 + double(i * 7919 % kUnits) * 0x1p-30;
       })},
      // The first unit of a tile is not like the others.
      {"misleading", fill([](int64_t i) {
         return i % 2048 ? 1e-3 * double(i % 1009) : 1e6 + double(i);
       })},
      {"half zeros", fill([&](int64_t i) {
         return i < kUnits / 2 ? 0.0 : std::fabs(normal(random));
       })},
      {"some infinite", fill([&](int64_t i) {
         return i % 3 ? std::numeric_limits<double>::infinity()
                      : std::fabs(normal(random));
       })},
  };
  for (const auto &[name, values] : cases) {
    std::vector<int64_t> order = sortedUnits(values);
    for (int64_t removed : {int64_t(1), kUnits / 4, kUnits / 2, kUnits * 9 / 10,
                            kUnits - 1, kUnits}) {
      std::vector<uint8_t> expected(values.size(), 1);
      for (int64_t i = 0; i != removed; ++i)
        expected[order[i]] = 0;
      std::vector<uint8_t> found = chosenMask(values, removed);
      EXPECT_TRUE(found == expected)
          << name << ", " << removed << " removed: first difference at "
          << std::mismatch(found.begin(), found.end(), expected.begin()).first -
                 found.begin();
    }
  }
}

TEST(MaskSelection, NanIsFoundWhereverItIs) {
  for (int64_t position : {int64_t(0), kSizes[0] - 1, kSizes[0], kUnits - 1}) {
    std::vector<double> values(kUnits, 1.0);
    values[position] = std::numeric_limits<double>::quiet_NaN();
    std::vector<RankedTensorScores> operands = rank(values);
    Target target;
    target.sparsity = 0.5;
    size_t nanOperand = 7;
    EXPECT_FALSE(MaskSelection::choose(operands, target, inTurn, nanOperand));
    EXPECT_EQ(nanOperand, position < kSizes[0] ? 0u : 1u);
  }
}

} // namespace
