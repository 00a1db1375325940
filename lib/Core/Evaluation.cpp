//===- Evaluation.cpp - Judge what a network computed ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integers are compared as integers, so that large ones do not become equal by
// conversion.
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Evaluation.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace llvm;
using namespace mlir::prune;

static bool isFloat(NpyType type) {
  return type == NpyType::F16 || type == NpyType::F32 || type == NpyType::F64;
}

static double absError(double actual, double expected) {
  if (actual == expected || (std::isnan(actual) && std::isnan(expected)))
    return 0;
  double error = std::abs(actual - expected);
  return std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
}

static SmallVector<int64_t> unravel(int64_t index, ArrayRef<int64_t> shape) {
  SmallVector<int64_t> position(shape.size());
  for (size_t dim = shape.size(); dim-- > 0; index /= shape[dim])
    position[dim] = index % shape[dim];
  return position;
}

Deviation mlir::prune::compareArrays(const NpyArray &actual,
                                     const NpyArray &expected, double rtol,
                                     double atol) {
  assert(actual.shape() == expected.shape() && "the shapes must be equal");
  bool integers = !isFloat(actual.type()) && !isFloat(expected.type());
  Deviation deviation;
  deviation.elements = actual.size();
  int64_t worst = -1;
  for (int64_t i = 0; i < deviation.elements; ++i) {
    double a = actual.asDouble(i), e = expected.asDouble(i);
    double error = absError(a, e);
    if (integers && error == 0 && actual.asInteger(i) != expected.asInteger(i))
      error = 1;
    // Also false if the error is infinite and the bound is NaN.
    bool close = error == 0 ||
                 (std::isfinite(error) && error <= atol + rtol * std::abs(e));
    deviation.mismatches += !close;
    if (worst < 0 || error > deviation.maxAbsError) {
      worst = i;
      deviation.maxAbsError = error;
      deviation.actual = a;
      deviation.expected = e;
    }
  }
  if (worst >= 0)
    deviation.position = unravel(worst, actual.shape());
  return deviation;
}

Expected<Accuracy> mlir::prune::classify(const NpyArray &logits,
                                         const NpyArray &labels) {
  if (isFloat(labels.type()))
    return createStringError("labels are " + typeName(labels.type()) +
                             "; expected integers");
  if (!isFloat(logits.type()) || logits.shape().size() < 2)
    return createStringError(
        "labels need logits of shape NxC or NxTxC, but the first result is " +
        shapeString(logits.shape()) + " of " + typeName(logits.type()));
  if (labels.shape() != logits.shape().drop_back())
    return createStringError("labels have the shape " +
                             shapeString(labels.shape()) + ", but the logits " +
                             shapeString(logits.shape()) + " need " +
                             shapeString(logits.shape().drop_back()));
  int64_t classes = logits.shape().back();
  Accuracy accuracy;
  accuracy.samples = labels.size();
  if (accuracy.samples == 0)
    return createStringError("there are no labels");
  int64_t correct = 0;
  double entropy = 0;
  std::vector<double> row(classes);
  for (int64_t sample = 0; sample < accuracy.samples; ++sample) {
    int64_t label = labels.asInteger(sample);
    if (label < 0 || label >= classes)
      return createStringError("label " + Twine(label) + " of sample " +
                               Twine(sample) + " is outside of the " +
                               Twine(classes) + " classes");
    for (int64_t c = 0; c < classes; ++c)
      row[c] = logits.asDouble(sample * classes + c);
    auto best = std::max_element(row.begin(), row.end());
    bool hasNaN = any_of(row, [](double x) { return std::isnan(x); });
    correct += !hasNaN && best - row.begin() == label;
    double sum = 0;
    for (double logit : row)
      sum += std::exp(logit - *best);
    entropy += std::log(sum) + *best - row[label];
  }
  accuracy.top1 = 100.0 * correct / accuracy.samples;
  accuracy.crossEntropy = entropy / accuracy.samples;
  return accuracy;
}

Spread mlir::prune::spreadOf(std::vector<double> values) {
  assert(!values.empty() && "nothing was measured");
  llvm::sort(values);
  size_t middle = values.size() / 2;
  double median = values.size() % 2 ? values[middle]
                                    : (values[middle - 1] + values[middle]) / 2;
  return {median, values.front(), values.back()};
}
