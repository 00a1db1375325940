//===- KernelChoiceTest.cpp - Which kernel suits a weight -----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Packing/KernelChoice.h"

#include "gtest/gtest.h"

#include <algorithm>

using namespace mlir::prune;

/// A weight without zeros.
static MatrixStatistics getDense(int64_t m, int64_t k) {
  std::vector<float> ones(m * k, 1);
  llvm::ArrayRef<char> bytes(reinterpret_cast<const char *>(ones.data()),
                             ones.size() * sizeof(float));
  return MatrixStatistics::get(m, k, bytes, sizeof(float));
}

static int64_t getLargestBlock(const std::vector<KernelPlan> &plans) {
  int64_t largest = 0;
  for (const KernelPlan &plan : plans)
    if (plan.form == PackedForm::Blocks && plan.tileColumns == 64)
      largest = std::max(largest, plan.kBlock);
  return largest;
}

TEST(KernelChoiceTest, CheapestFirst) {
  std::vector<KernelPlan> plans =
      rankKernels(getDense(64, 576), 256, KernelTarget::get(512));
  ASSERT_FALSE(plans.empty());
  EXPECT_TRUE(std::is_sorted(plans.begin(), plans.end(),
                             [](const KernelPlan &a, const KernelPlan &b) {
                               return a.cycles < b.cycles;
                             }));
  // What has no zeros is best multiplied as it is.
  EXPECT_EQ(plans.front().form, PackedForm::Dense);
}

TEST(KernelChoiceTest, WindowsThatOverlapMakeLargerBlocks) {
  MatrixStatistics matrix = getDense(16, 65536);
  KernelTarget target = KernelTarget::get(512);
  int64_t apart = getLargestBlock(rankKernels(matrix, 256, target));
  matrix.overlap = 3;
  int64_t overlapping = getLargestBlock(rankKernels(matrix, 256, target));
  EXPECT_GE(overlapping, 2 * apart);
  EXPECT_LE(overlapping, 4 * apart);
}
