//===- SelectElementsTest.cpp - Apply a mask to a buffer ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "prune/Core/SelectElements.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstring>
#include <vector>

using namespace mlir::prune;

namespace {

/// Selects and compares with the obvious loop; `shift` makes addresses odd.
void check(unsigned size, bool isSplat, const std::vector<uint8_t> &keep,
           size_t shift) {
  size_t stored = isSplat ? 1 : keep.size();
  std::vector<char> source(shift + stored * size),
      target(shift + keep.size() * size, 77);
  for (size_t i = 0; i < source.size(); ++i)
    source[i] = char(i * 37 + 1);
  SelectionTotals totals;
  selectElements(source.data() + shift, isSplat, target.data() + shift, size,
                 keep, totals);
  int64_t removed = 0;
  bool isChanged = false;
  for (size_t i = 0; i < keep.size(); ++i) {
    removed += !keep[i];
    for (unsigned b = 0; b < size; ++b) {
      char from = source[shift + (isSplat ? 0 : i) * size + b];
      EXPECT_EQ(target[shift + i * size + b], keep[i] ? from : 0);
      isChanged |= !keep[i] && from != 0;
    }
  }
  EXPECT_EQ(totals.removed, removed);
  EXPECT_EQ(totals.isChanged, isChanged);
  for (size_t i = 0; i < shift; ++i)
    EXPECT_EQ(target[i], 77);
}

TEST(SelectElements, MatchesTheObviousLoop) {
  for (unsigned size : {1u, 2u, 4u, 8u})
    for (size_t count : {0, 1, 15, 16, 17, 67})
      for (bool isSplat : {false, true})
        for (size_t shift : {0, 1, 3}) {
          std::vector<uint8_t> keep(count);
          for (size_t i = 0; i < count; ++i)
            keep[i] = i % 3 != 1;
          check(size, isSplat, keep, shift);
          check(size, isSplat, std::vector<uint8_t>(count, 1), shift);
          check(size, isSplat, std::vector<uint8_t>(count, 0), shift);
        }
}

TEST(SelectElements, NegativeZeroIsChanged) {
  float source[2] = {-0.0f, 0.0f}, target[2];
  SelectionTotals totals;
  uint8_t keep[2] = {1, 0};
  selectElements(reinterpret_cast<char *>(source), false,
                 reinterpret_cast<char *>(target), 4, keep, totals);
  EXPECT_FALSE(totals.isChanged);
  EXPECT_EQ(totals.removed, 1);
  keep[0] = 0;
  selectElements(reinterpret_cast<char *>(source), false,
                 reinterpret_cast<char *>(target), 4, keep, totals);
  EXPECT_TRUE(totals.isChanged);
  EXPECT_FALSE(std::signbit(target[0]));
}

} // namespace
