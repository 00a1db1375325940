//===- Importance.cpp - Scores of weights from statistics -----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Solvers/Importance.h"

#include <cassert>
#include <cmath>
#include <vector>

using namespace mlir::prune;
using llvm::ArrayRef;
using llvm::MutableArrayRef;

void mlir::prune::scoreByWanda(ArrayRef<double> weights, int64_t rows,
                               int64_t inputs, ArrayRef<double> norms,
                               MutableArrayRef<double> scores) {
  assert(int64_t(weights.size()) == rows * inputs &&
         scores.size() == weights.size() && int64_t(norms.size()) == inputs &&
         "sizes differ");
  for (int64_t i = 0, e = rows * inputs; i < e; ++i)
    scores[i] = std::fabs(weights[i]) * norms[i % inputs];
}

void mlir::prune::scoreByRIA(ArrayRef<double> weights, int64_t rows,
                             int64_t inputs, ArrayRef<double> norms,
                             double power, MutableArrayRef<double> scores) {
  assert(int64_t(weights.size()) == rows * inputs &&
         scores.size() == weights.size() && int64_t(norms.size()) == inputs &&
         "sizes differ");
  std::vector<double> rowSums(rows), columnSums(inputs), factors(inputs);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < inputs; ++j) {
      rowSums[i] += std::fabs(weights[i * inputs + j]);
      columnSums[j] += std::fabs(weights[i * inputs + j]);
    }
  for (int64_t j = 0; j < inputs; ++j)
    factors[j] = std::pow(norms[j], power);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < inputs; ++j) {
      double weight = std::fabs(weights[i * inputs + j]);
      // A sum is 0 only if the weight is.
      scores[i * inputs + j] =
          weight == 0
              ? 0
              : (weight / rowSums[i] + weight / columnSums[j]) * factors[j];
    }
}
