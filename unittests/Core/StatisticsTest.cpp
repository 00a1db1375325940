//===- StatisticsTest.cpp - What the inputs of a layer look like ----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Statistics.h"
#include "prune/Core/ScoreInputs.h"

#include "gtest/gtest.h"

#include <cmath>
#include <limits>

using namespace mlir::prune;

namespace {

/// Rows of a matrix, one group.
PatchLayout matrixOf(int64_t columns) {
  PatchLayout layout;
  layout.start = {0, 0};
  layout.positions.push_back({{1, 0}, -1});
  layout.columns.push_back({{0, 1}, columns});
  return layout;
}

void addMatrix(FeatureStatistics &statistics, std::vector<double> values) {
  int64_t columns = statistics.numColumns();
  int64_t shape[] = {int64_t(values.size()) / columns, columns};
  statistics.add(Patches(matrixOf(columns), shape), values.data());
}

TEST(Statistics, NamesAreThoseOfTheEnumeration) {
  EXPECT_EQ(parseStatistic("count"), Statistic::Count);
  EXPECT_EQ(parseStatistic("input_norm"), Statistic::InputNorm);
  EXPECT_EQ(parseStatistic("gram"), Statistic::Gram);
  EXPECT_EQ(parseStatistic("median"), std::nullopt);
  EXPECT_EQ(getStatisticNames().size(), 8u);
}

TEST(Statistics, CountsEachColumn) {
  FeatureStatistics statistics(1, 2);
  addMatrix(statistics, {1, -3, 2, 0, 0, -0.0, 1, 7});
  FeatureSums first = statistics.get(0), second = statistics.get(1);
  EXPECT_EQ(first.get(Statistic::Count), 4);
  EXPECT_EQ(first.get(Statistic::Mean), 1);
  EXPECT_EQ(first.get(Statistic::SecondMoment), 1.5);
  EXPECT_EQ(first.get(Statistic::InputNorm), std::sqrt(6.0));
  EXPECT_EQ(first.get(Statistic::Zeros), 0.25);
  EXPECT_EQ(second.get(Statistic::Min), -3);
  EXPECT_EQ(second.get(Statistic::Max), 7);
  EXPECT_EQ(second.get(Statistic::Zeros), 0.5);
}

TEST(Statistics, NothingIsZero) {
  FeatureStatistics statistics(1, 1, true);
  addMatrix(statistics, {});
  for (Statistic one : {Statistic::Count, Statistic::Mean, Statistic::Min,
                        Statistic::Max, Statistic::InputNorm})
    EXPECT_EQ(statistics.get(0).get(one), 0);
  EXPECT_EQ(statistics.gram(), std::vector<double>{0});
  EXPECT_TRUE(statistics.isFinite());
}

TEST(Statistics, MergesWhatOthersSaw) {
  FeatureStatistics whole(1, 2, true), front(1, 2, true), back(1, 2, true);
  addMatrix(whole, {1, 2, 3, 4});
  addMatrix(whole, {5, 6, 7, 9});
  addMatrix(front, {1, 2, 3, 4});
  addMatrix(back, {5, 6, 7, 9});
  front.merge(back);
  EXPECT_EQ(front.numRows(), 4);
  EXPECT_EQ(front.gram(), whole.gram());
  EXPECT_EQ(whole.gram(), (std::vector<double>{84, 107, 107, 137}));
  for (int64_t feature : {0, 1})
    EXPECT_EQ(front.get(feature).get(Statistic::Mean),
              whole.get(feature).get(Statistic::Mean));
}

TEST(Statistics, KeepsGroupsApart) {
  // Two channels with a window of two along one dimension: [sample, c, x].
  PatchLayout layout;
  layout.start = {0, 0, 0};
  layout.positions.push_back({{1, 0, 0}, -1});
  layout.positions.push_back({{0, 0, 1}, -1});
  layout.columns.push_back({{0, 0, 1}, 2});
  layout.groups.push_back({{0, 1, 0}, 2});
  int64_t shape[] = {1, 2, 3};
  std::vector<double> values = {1, 2, 3, 10, 20, 30};
  FeatureStatistics statistics(2, 2, true);
  statistics.add(Patches(layout, shape), values.data());
  EXPECT_EQ(statistics.numRows(), 2);
  EXPECT_EQ(statistics.get(0).get(Statistic::Mean), 1.5);
  EXPECT_EQ(statistics.get(1).get(Statistic::Mean), 2.5);
  EXPECT_EQ(statistics.get(3).get(Statistic::Mean), 25);
  EXPECT_EQ(statistics.gram(),
            (std::vector<double>{5, 8, 8, 13, 500, 800, 800, 1300}));
}

TEST(Statistics, FindsWhatIsNotFinite) {
  for (double bad : {std::numeric_limits<double>::infinity(),
                     std::numeric_limits<double>::quiet_NaN(), 1e200}) {
    FeatureStatistics statistics(1, 2);
    addMatrix(statistics, {1, 2, 3, bad});
    EXPECT_FALSE(statistics.isFinite());
  }
}

TEST(Statistics, BroadcastsToTheWeight) {
  double values[] = {1, 2};
  int64_t shape[] = {2, 3}, rows[] = {2, 1}, flat[] = {2};
  llvm::ArrayRef<char> bytes(reinterpret_cast<const char *>(values),
                             sizeof(values));
  EXPECT_TRUE(BroadcastStatistic::fits(rows, shape));
  EXPECT_FALSE(BroadcastStatistic::fits(flat, shape));
  BroadcastStatistic statistic({FloatKind::F64, bytes, rows, false}, shape);
  std::vector<double> out(4);
  statistic.load(1, out);
  EXPECT_EQ(out, (std::vector<double>{1, 1, 2, 2}));
  statistic.transform([](double value) { return 10 * value; });
  statistic.load(2, out);
  EXPECT_EQ(out, (std::vector<double>{10, 20, 20, 20}));
}

} // namespace
