//===- PackedMatrixTest.cpp - Packing for kernels -------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A packed matrix, written out again, is the matrix; a damaged one is found
// out.
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Packing/PackedMatrix.h"
#include "prune/Core/Packing/KernelChoice.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <cstring>
#include <random>

using namespace mlir::prune;

/// Small integers, `density` of them nonzero, in blocks of `block` rows.
template <typename T>
static std::vector<T> createMatrix(int64_t m, int64_t k, double density,
                                   unsigned seed, int64_t block = 1) {
  std::mt19937 random(seed);
  std::bernoulli_distribution keep(density);
  std::vector<T> matrix(m * k, T(0));
  for (int64_t row = 0; row < m; row += block)
    for (int64_t column = 0; column < k; ++column)
      if (keep(random))
        for (int64_t i = row; i < std::min(m, row + block); ++i)
          matrix[i * k + column] = T(1 + random() % 100);
  return matrix;
}

template <typename T>
static llvm::ArrayRef<char> bytesOf(const std::vector<T> &matrix) {
  return {reinterpret_cast<const char *>(matrix.data()),
          matrix.size() * sizeof(T)};
}

template <typename T>
static void expectRoundTrip(const PackedLayout &layout,
                            const std::vector<T> &matrix) {
  auto packed = packMatrix(layout, bytesOf(matrix), sizeof(T));
  ASSERT_TRUE(packed);
  EXPECT_EQ(int64_t(packed->positions.size()), layout.numPositions());
  std::vector<char> unpacked;
  auto error = unpackMatrix(layout, *packed, unpacked);
  ASSERT_FALSE(error) << *error;
  EXPECT_TRUE(bytesOf(matrix) == llvm::ArrayRef<char>(unpacked));
}

TEST(PackedMatrix, RoundTripsEveryFormAndShape) {
  unsigned seed = 0;
  for (PackedForm form : {PackedForm::Dense, PackedForm::Blocks,
                          PackedForm::Patterns, PackedForm::Elements})
    for (int64_t m : {1, 3, 4, 5, 17, 67})
      for (int64_t k : {1, 7, 16, 67})
        for (double density : {0.0, 0.1, 0.5, 1.0})
          for (int64_t rows : {1, 2, 4, 16}) {
            if (form == PackedForm::Patterns && rows > kMaxPatternRows)
              continue;
            if (form == PackedForm::Elements && rows > 1)
              continue;
            for (int64_t kBlock : {int64_t(1), int64_t(5), k}) {
              PackedLayout layout{form, m, k, rows, std::min(kBlock, k)};
              expectRoundTrip(layout,
                              createMatrix<float>(m, k, density, ++seed));
            }
          }
}

TEST(PackedMatrix, PacksOtherElementSizes) {
  PackedLayout layout{PackedForm::Patterns, 9, 20, 4, 8};
  expectRoundTrip(layout, createMatrix<double>(9, 20, 0.4, 1));
  expectRoundTrip(layout, createMatrix<uint16_t>(9, 20, 0.4, 2));
}

TEST(PackedMatrix, ListsOnlyNonzeros) {
  std::vector<float> matrix = createMatrix<float>(8, 32, 0.3, 3);
  matrix[5] = -0.0f;
  int64_t nonzeros = std::count_if(matrix.begin(), matrix.end(),
                                   [](float element) { return element != 0; });
  PackedLayout layout{PackedForm::Patterns, 8, 32, 4, 32};
  auto packed = packMatrix(layout, bytesOf(matrix), sizeof(float));
  ASSERT_TRUE(packed);
  EXPECT_EQ(packed->numValues(), nonzeros);
  PackedCounts counts = countNonzeros(8, 32, 4, bytesOf(matrix), sizeof(float));
  EXPECT_EQ(counts.nonzeros, nonzeros);
  EXPECT_EQ(counts.groupColumns, int64_t(packed->indices.size()));
}

TEST(PackedMatrix, FindsDamage) {
  std::vector<float> matrix = createMatrix<float>(8, 32, 0.3, 4);
  PackedLayout layout{PackedForm::Blocks, 8, 32, 4, 16};
  auto packed = packMatrix(layout, bytesOf(matrix), sizeof(float));
  ASSERT_TRUE(packed);
  std::vector<char> unpacked;
  auto isFound = [&](auto damage) {
    PackedMatrix copy = *packed;
    damage(copy);
    return unpackMatrix(layout, copy, unpacked).has_value();
  };
  EXPECT_FALSE(isFound([](PackedMatrix &) {}));
  EXPECT_TRUE(isFound([](PackedMatrix &p) { p.indices[0] = 1000; }));
  EXPECT_TRUE(isFound([](PackedMatrix &p) { p.positions[1] = 1 << 30; }));
  EXPECT_TRUE(isFound([](PackedMatrix &p) { p.positions.pop_back(); }));
  EXPECT_TRUE(isFound([](PackedMatrix &p) { p.indices.push_back(0); }));
  EXPECT_TRUE(isFound([](PackedMatrix &p) { p.values.resize(4); }));
}

static PackedForm chooseForm(const std::vector<float> &matrix, int64_t m,
                             int64_t k, int64_t columns) {
  auto statistics = MatrixStatistics::get(m, k, bytesOf(matrix), sizeof(float));
  return rankKernels(statistics, columns, KernelTarget::get(512)).front().form;
}

TEST(KernelChoice, FollowsThePattern) {
  EXPECT_EQ(chooseForm(createMatrix<float>(256, 256, 1.0, 5), 256, 256, 128),
            PackedForm::Dense);
  EXPECT_EQ(chooseForm(createMatrix<float>(256, 256, 0.2, 6), 256, 256, 128),
            PackedForm::Patterns);
  EXPECT_EQ(chooseForm(createMatrix<float>(256, 256, 0.2, 7, 4), 256, 256, 128),
            PackedForm::Blocks);
  EXPECT_EQ(chooseForm(createMatrix<float>(256, 256, 0.2, 8, 16), 256, 256, 1),
            PackedForm::Blocks);
  // Blocks of zeros would cost more memory traffic than their lanes gain.
  EXPECT_EQ(chooseForm(createMatrix<float>(4096, 1024, 0.02, 9), 4096, 1024, 1),
            PackedForm::Elements);
}

TEST(KernelChoice, CountsWhatPackingLists) {
  std::vector<float> matrix = createMatrix<float>(37, 130, 0.3, 11);
  auto statistics =
      MatrixStatistics::get(37, 130, bytesOf(matrix), sizeof(float));
  for (auto [rows, listed] : statistics.groupColumns) {
    PackedCounts counts =
        countNonzeros(37, 130, rows, bytesOf(matrix), sizeof(float));
    EXPECT_EQ(listed, counts.groupColumns) << rows;
    EXPECT_EQ(statistics.nonzeros, counts.nonzeros);
  }
}

TEST(KernelChoice, ReadsMachines) {
  auto target = KernelTarget::parse(
      R"({"vector-bits": 256, "l1-bytes": 65536, "cycles": {"runs": 7}})");
  ASSERT_TRUE(bool(target));
  EXPECT_EQ(target->vectorBits, 256);
  EXPECT_EQ(target->registers, KernelTarget::get(256).registers);
  EXPECT_EQ(target->l1Bytes, 65536);
  EXPECT_EQ(target->cycles[unsigned(Work::Runs)], 7);
  EXPECT_EQ(target->cycles[unsigned(Work::Loads)],
            KernelTarget::get(256).cycles[unsigned(Work::Loads)]);
  for (const char *text : {"", "3", "{}", R"({"vector-bits": 64})",
                           R"({"vector-bits": 256, "cycles": {"runs": "x"}})",
                           R"({"vector-bits": 256, "registers": 1.5})"}) {
    auto wrong = KernelTarget::parse(text);
    EXPECT_FALSE(bool(wrong)) << text;
    llvm::consumeError(wrong.takeError());
  }
}

TEST(KernelChoice, GivesPlansForEverySizeAndTarget) {
  std::vector<float> matrix = createMatrix<float>(5, 3, 0.5, 10);
  auto statistics = MatrixStatistics::get(5, 3, bytesOf(matrix), sizeof(float));
  for (int64_t bits : {128, 256, 512})
    for (int64_t columns : {0, 1, 2, 7, 16, 63, 64, 65, 1000}) {
      int64_t width = bits / 32, maxVectors = bits == 256 ? 2 : 4;
      int64_t vectors = columns ? (columns + width - 1) / width : maxVectors;
      int64_t panels = (vectors + maxVectors - 1) / maxVectors;
      int64_t panel = (vectors + panels - 1) / panels * width;
      for (const KernelPlan &plan :
           rankKernels(statistics, columns, KernelTarget::get(bits))) {
        EXPECT_GE(plan.kBlock, 1);
        EXPECT_LE(plan.kBlock, 3);
        int64_t lanes = plan.lanesAlongRows ? plan.tileRows : plan.tileColumns;
        EXPECT_EQ(lanes % plan.width, 0);
        if (!plan.lanesAlongRows) {
          // Layers of a chain agree on panels, whatever they choose.
          EXPECT_EQ(plan.panel, panel);
          EXPECT_TRUE(plan.panel % plan.tileColumns == 0 ||
                      plan.tileColumns % plan.panel == 0);
        }
      }
    }
}
