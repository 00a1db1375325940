//===- NetworkLoss.cpp - How far a network is from the dense one ----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "prune/Calibration/NetworkLoss.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace mlir::prune;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;

/// Log-probabilities of one row of logits.
static void logSoftmax(const NpyArray &array, int64_t begin, int64_t size,
                       std::vector<double> &out) {
  out.resize(size);
  double largest = -INFINITY, sum = 0;
  for (int64_t i = 0; i < size; ++i)
    largest = std::max(largest, out[i] = array.asDouble(begin + i));
  for (double value : out)
    sum += std::exp(value - largest);
  for (double &value : out)
    value -= largest + std::log(sum);
}

static bool isReal(const NpyArray &array) {
  return array.type() == NpyType::F16 || array.type() == NpyType::F32 ||
         array.type() == NpyType::F64;
}

Error LossMeter::add(ArrayRef<const NpyArray *> results, size_t batch,
                     int64_t begin, Sums &sums) const {
  const std::vector<NpyArray> &dense = expected[batch];
  for (auto [own, other] : llvm::zip_equal(results, dense)) {
    if (!isReal(*own))
      continue;
    for (int64_t i = 0, e = own->size(); i < e; ++i) {
      double was = other.asDouble(i), difference = own->asDouble(i) - was;
      sums.difference += difference * difference;
      sums.energy += was * was;
    }
  }
  const NpyArray &first = *results.front();
  if (!isReal(first) || first.shape().empty() || first.shape().back() == 0)
    return Error::success();
  int64_t width = first.shape().back(), rows = first.size() / width;
  int64_t perSample = first.shape().size() > 1
                          ? rows / std::max<int64_t>(first.shape()[0], 1)
                          : 1;
  std::vector<double> own, was;
  for (int64_t r = 0; r < rows; ++r) {
    logSoftmax(first, r * width, width, own);
    logSoftmax(dense.front(), r * width, width, was);
    for (int64_t c = 0; c < width; ++c)
      sums.divergence += std::exp(was[c]) * (was[c] - own[c]);
    ++sums.rows;
    if (labels.size() == 0)
      continue;
    int64_t place = begin * perSample + r;
    int64_t label = place < labels.size() ? labels.asInteger(place) : -1;
    if (label < 0 || label >= width)
      return createStringError("labels: there is no class for row " +
                               Twine(place) +
                               " of the first result, which "
                               "has " +
                               Twine(width) + " classes");
    sums.crossEntropy -= own[label];
    sums.hits +=
        std::max_element(own.begin(), own.end()) - own.begin() == label;
  }
  return Error::success();
}

NetworkLoss LossMeter::total(ArrayRef<Sums> batches) {
  Sums all;
  for (const Sums &batch : batches) {
    all.divergence += batch.divergence;
    all.difference += batch.difference;
    all.energy += batch.energy;
    all.hits += batch.hits;
    all.crossEntropy += batch.crossEntropy;
    all.rows += batch.rows;
  }
  double rows = std::max<int64_t>(all.rows, 1);
  NetworkLoss loss;
  loss.divergence = all.divergence / rows;
  loss.error = all.energy > 0 ? all.difference / all.energy : 0;
  loss.accuracy = 100 * all.hits / rows;
  loss.crossEntropy = all.crossEntropy / rows;
  return loss;
}

Expected<std::unique_ptr<LossMeter>> LossMeter::create(Sweep &sweep,
                                                       NpyArray labels) {
  std::unique_ptr<LossMeter> meter(new LossMeter(sweep, std::move(labels)));
  meter->expected.resize(sweep.numBatches());
  std::vector<Sums> sums(sweep.numBatches());
  if (Error error = sweep.evaluate(
          /*isDense=*/true, Sweep::Samples::All,
          [&](size_t batch, int64_t begin,
              ArrayRef<const NpyArray *> results) -> Error {
            for (const NpyArray *result : results) {
              NpyArray &copy = meter->expected[batch].emplace_back(
                  result->type(), result->shape());
              llvm::copy(result->bytes(), copy.bytes().begin());
            }
            return meter->add(results, batch, begin, sums[batch]);
          }))
    return std::move(error);
  meter->denseLoss = total(sums);
  return meter;
}

int64_t LossMeter::numClasses() const {
  if (expected.empty() || expected.front().empty() ||
      expected.front().front().shape().empty())
    return 0;
  return expected.front().front().shape().back();
}

Expected<NetworkLoss> LossMeter::measure(Sweep::Samples which,
                                         std::optional<unsigned> stage) {
  std::vector<Sums> sums(sweep.numBatches());
  auto take = [&](size_t batch, int64_t begin,
                  ArrayRef<const NpyArray *> results) {
    return add(results, batch, begin, sums[batch]);
  };
  if (Error error = stage ? sweep.evaluateBehind(*stage, which, take)
                          : sweep.evaluate(/*isDense=*/false, which, take))
    return std::move(error);
  return total(sums);
}
