//===- Evaluation.h - Judge what a network computed -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Errors against an expected array, accuracy against labels, and the spread of
// timings. Everything is computed in double precision.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CORE_EVALUATION_H
#define PRUNE_CORE_EVALUATION_H

#include "prune/Core/Npy.h"

namespace mlir::prune {

/// How far an array is from what was expected.
struct Deviation {
  /// The largest absolute error, and where. Infinite where one side only is
  /// not finite.
  double maxAbsError = 0;
  llvm::SmallVector<int64_t> position;
  double actual = 0, expected = 0;
  /// How many elements are farther off than allowed.
  int64_t mismatches = 0;
  int64_t elements = 0;
};

/// Compares as numpy.allclose(actual, expected, rtol, atol, equal_nan=True):
/// an element matches if |actual - expected| <= atol + rtol * |expected|.
/// The shapes must be equal.
Deviation compareArrays(const NpyArray &actual, const NpyArray &expected,
                        double rtol, double atol);

struct Accuracy {
  /// The share of samples whose largest logit is the label's, in percent. A
  /// sample with a NaN counts as wrong; the first of equal logits is taken.
  double top1 = 0;
  /// The mean of log(sum(exp(logits))) - logits[label].
  double crossEntropy = 0;
  int64_t samples = 0;
};

/// Judges logits of shape N x ... x C against labels of shape N x ...
llvm::Expected<Accuracy> classify(const NpyArray &logits,
                                  const NpyArray &labels);

/// The middle and the ends of a set of timings.
struct Spread {
  double median = 0, min = 0, max = 0;
};
Spread spreadOf(std::vector<double> values);

} // namespace mlir::prune

#endif // PRUNE_CORE_EVALUATION_H
