//===- WorkSplitTest.cpp - Parts for threads ------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parts cover all groups once, in order; none exceeds its share by more than a
// group; products that are too small stay whole.
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Packing/WorkSplit.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

using namespace mlir::prune;

static int64_t sumOf(llvm::ArrayRef<int64_t> work) {
  return std::accumulate(work.begin(), work.end(), int64_t(0));
}

static void expectCovers(const WorkSplit &split, size_t groups) {
  ASSERT_GE(split.bounds.size(), 2u);
  EXPECT_EQ(split.bounds.front(), 0);
  EXPECT_EQ(split.bounds.back(), int64_t(groups));
  for (size_t i = 1; i < split.bounds.size(); ++i)
    EXPECT_LT(split.bounds[i - 1], split.bounds[i]);
}

TEST(WorkSplit, SharesAreEqualUpToAGroup) {
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::vector<int64_t> work(1 + random() % 300);
    for (int64_t &group : work)
      group = random() % 8 ? random() % 10000 : random() % 200000;
    unsigned threads = 2 + random() % 15;
    int64_t columns = 1 + random() % 512;
    std::optional<WorkSplit> split = splitWork(work, columns, 1, threads);
    int64_t total = sumOf(work);
    int64_t parts =
        std::min<int64_t>(4 * threads, total * columns / (int64_t(1) << 17));
    if (!split) {
      int64_t largest = *std::max_element(work.begin(), work.end());
      EXPECT_TRUE(parts < 2 || work.size() == 1 || 4 * largest >= total);
      continue;
    }
    EXPECT_FALSE(split->byPanels);
    expectCovers(*split, work.size());
    EXPECT_LE(int64_t(split->bounds.size()) - 1, parts);
    for (size_t i = 1; i < split->bounds.size(); ++i) {
      llvm::ArrayRef<int64_t> part = llvm::ArrayRef(work).slice(
          split->bounds[i - 1], split->bounds[i] - split->bounds[i - 1]);
      int64_t largest = *std::max_element(work.begin(), work.end());
      EXPECT_LE(sumOf(part), double(total) / parts + largest);
    }
  }
}

TEST(WorkSplit, RowsWithManyNonzerosMakeShorterParts) {
  // The first quarter holds nine tenths of the work.
  std::vector<int64_t> work(400, 1000);
  std::fill_n(work.begin(), 100, 27000);
  std::optional<WorkSplit> split = splitWork(work, 64, 1, 2);
  ASSERT_TRUE(split);
  ASSERT_EQ(split->bounds.size(), 9u);
  EXPECT_NEAR(split->bounds[7], 97, 1);
  EXPECT_LE(split->bounds[1], 15);
  EXPECT_GE(split->bounds[8] - split->bounds[7], 250);
}

TEST(WorkSplit, SmallProductsStayWhole) {
  EXPECT_FALSE(splitWork({10, 10, 10}, 64, 1, 2));
  EXPECT_FALSE(splitWork({}, 64, 1, 2));
  EXPECT_FALSE(splitWork({1 << 20, 1 << 20}, 64, 1, 1));
  EXPECT_FALSE(splitWork({1 << 30}, 64, 1, 8));
}

TEST(WorkSplit, PanelsHelpWhereRowsAreFew) {
  std::optional<WorkSplit> split = splitWork({1 << 20, 1 << 20}, 256, 4, 2);
  ASSERT_TRUE(split);
  EXPECT_TRUE(split->byPanels);
  EXPECT_EQ(split->bounds, (std::vector<int64_t>{0, 1, 2}));
  split = splitWork({1 << 20}, 0, 0, 2);
  ASSERT_TRUE(split);
  EXPECT_TRUE(split->byPanels);
  EXPECT_EQ(split->bounds, (std::vector<int64_t>{0, 1}));
}

TEST(WorkSplit, HugeWorkDoesNotOverflow) {
  std::vector<int64_t> work(64, int64_t(1) << 56);
  std::optional<WorkSplit> split = splitWork(work, 1 << 20, 1, 4);
  ASSERT_TRUE(split);
  EXPECT_EQ(split->bounds.size(), 17u);
}

TEST(WorkSplit, GroupsAreWeighedAsTheirFormComputesThem) {
  // Rows of 4, 2, 0 and 1 nonzeros; the last group has one row.
  std::vector<float> w = {1, 1, 1, 1, /**/ 0, 2, 0,      2, /**/ 0, -0.0f,
                          0, 0, 0, 0, 3,      0, /**/ 1, 0, 1,      1};
  llvm::ArrayRef<char> bytes(reinterpret_cast<const char *>(w.data()),
                             w.size() * sizeof(float));
  PackedLayout layout{PackedForm::Dense, 5, 4, 2, 4};
  auto differences = [&](PackedForm form) {
    layout.form = form;
    std::vector<int64_t> work = getGroupWork(layout, bytes, 4);
    for (int64_t &group : work)
      group -= 8 * layout.groupRows;
    return work;
  };
  EXPECT_EQ(differences(PackedForm::Dense), (std::vector<int64_t>{8, 8, 8}));
  EXPECT_EQ(differences(PackedForm::Blocks), (std::vector<int64_t>{8, 2, 6}));
  EXPECT_EQ(differences(PackedForm::Patterns), (std::vector<int64_t>{6, 1, 3}));
}
