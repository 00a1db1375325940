//===- EvaluationTest.cpp - Judge what a network computed -----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Evaluation.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstring>
#include <limits>

using namespace mlir::prune;

static constexpr double kInf = std::numeric_limits<double>::infinity();
static const double kNaN = std::nan("");

template <typename T>
static NpyArray make(NpyType type, llvm::ArrayRef<int64_t> shape,
                     std::vector<T> values) {
  NpyArray array(type, shape);
  EXPECT_EQ(array.bytes().size(), values.size() * sizeof(T));
  if (!values.empty())
    std::memcpy(array.bytes().data(), values.data(), array.bytes().size());
  return array;
}

static NpyArray doubles(std::vector<double> values) {
  int64_t size = values.size();
  return make<double>(NpyType::F64, {size}, std::move(values));
}

TEST(CompareArrays, FindsTheLargestErrorAndItsPlace) {
  NpyArray actual = make<float>(NpyType::F32, {2, 3}, {0, 1, 2, 3, 4, 5});
  NpyArray expected = make<float>(NpyType::F32, {2, 3}, {0, 1, 2.5, 3, 6, 5});
  Deviation deviation = compareArrays(actual, expected, 0, 0);
  EXPECT_EQ(deviation.maxAbsError, 2);
  EXPECT_EQ(deviation.position, (llvm::SmallVector<int64_t>{1, 1}));
  EXPECT_EQ(deviation.actual, 4);
  EXPECT_EQ(deviation.expected, 6);
  EXPECT_EQ(deviation.mismatches, 2);
  EXPECT_EQ(deviation.elements, 6);
}

TEST(CompareArrays, TolerancesAreRelativeToTheExpectedValue) {
  auto mismatches = [](double actual, double expected, double rtol,
                       double atol) {
    return compareArrays(doubles({actual}), doubles({expected}), rtol, atol)
        .mismatches;
  };
  EXPECT_EQ(mismatches(110, 100, 0.1, 0), 0);
  EXPECT_EQ(mismatches(100, 112, 0.1, 0), 1);
  EXPECT_EQ(mismatches(100, 112, 0.1, 1), 0);
  EXPECT_EQ(mismatches(0, -0.0, 0, 0), 0);
}

TEST(CompareArrays, NaNEqualsNaNAndInfinityItself) {
  std::vector<double> special = {kNaN, kInf, -kInf, 1};
  for (size_t i = 0; i < special.size(); ++i) {
    for (size_t j = 0; j < special.size(); ++j) {
      Deviation deviation =
          compareArrays(doubles({special[i]}), doubles({special[j]}), 1, 1);
      EXPECT_EQ(deviation.mismatches, i != j) << i << " " << j;
      EXPECT_EQ(deviation.maxAbsError, i == j ? 0 : kInf) << i << " " << j;
    }
  }
}

TEST(CompareArrays, LargeIntegersAreNotRounded) {
  int64_t large = int64_t(1) << 60;
  NpyArray actual = make<int64_t>(NpyType::I64, {1}, {large});
  NpyArray expected = make<int64_t>(NpyType::I64, {1}, {large + 1});
  EXPECT_EQ(compareArrays(actual, expected, 0, 0).mismatches, 1);
}

TEST(CompareArrays, NothingIsEqualToNothing) {
  Deviation deviation = compareArrays(doubles({}), doubles({}), 0, 0);
  EXPECT_EQ(deviation.maxAbsError, 0);
  EXPECT_EQ(deviation.mismatches, 0);
}

TEST(Classify, CountsAndAverages) {
  NpyArray logits = make<double>(NpyType::F64, {3, 2}, {1, 0, 0, 2, 5, 5});
  NpyArray labels = make<int64_t>(NpyType::I64, {3}, {0, 0, 0});
  llvm::Expected<Accuracy> accuracy = classify(logits, labels);
  ASSERT_TRUE(static_cast<bool>(accuracy));
  // Of equal logits the first counts.
  EXPECT_DOUBLE_EQ(accuracy->top1, 200.0 / 3);
  double entropy =
      std::log(1 + std::exp(-1)) + std::log(1 + std::exp(2)) + std::log(2);
  EXPECT_NEAR(accuracy->crossEntropy, entropy / 3, 1e-12);
  EXPECT_EQ(accuracy->samples, 3);
}

TEST(Classify, LargeLogitsDoNotOverflow) {
  NpyArray logits = make<double>(NpyType::F64, {1, 2}, {1e300, -1e300});
  NpyArray labels = make<int8_t>(NpyType::I8, {1}, {0});
  EXPECT_EQ(llvm::cantFail(classify(logits, labels)).crossEntropy, 0);
}

TEST(Classify, WhatDoesNotFitIsRefused) {
  NpyArray logits = make<double>(NpyType::F64, {1, 2}, {1, 0});
  auto refuses = [](const NpyArray &logits, const NpyArray &labels,
                    llvm::StringRef reason) {
    llvm::Expected<Accuracy> accuracy = classify(logits, labels);
    return !accuracy && llvm::StringRef(llvm::toString(accuracy.takeError()))
                            .contains(reason);
  };
  NpyArray two = make<int8_t>(NpyType::I8, {2}, {0, 0});
  EXPECT_TRUE(refuses(logits, two, "need 1"));
  EXPECT_TRUE(refuses(logits, doubles({0}), "expected integers"));
  EXPECT_TRUE(refuses(doubles({0, 1}), two, "logits of shape"));
  NpyArray negative = make<int8_t>(NpyType::I8, {1}, {-1});
  EXPECT_TRUE(refuses(logits, negative, "label -1 of sample 0"));
  NpyArray none = make<int8_t>(NpyType::I8, {0}, {});
  EXPECT_TRUE(refuses(make<double>(NpyType::F64, {0, 2}, {}), none,
                      "there are no labels"));
}

TEST(SpreadOf, MediansOfOddAndEvenCounts) {
  Spread odd = spreadOf({5, 1, 3});
  EXPECT_EQ(odd.median, 3);
  EXPECT_EQ(odd.min, 1);
  EXPECT_EQ(odd.max, 5);
  EXPECT_EQ(spreadOf({4, 1, 2, 8}).median, 3);
  EXPECT_EQ(spreadOf({7}).median, 7);
}
