//===- Reconstruction.cpp - Mask and weights of a layer -------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Solvers/Reconstruction.h"

#include "DampedSystem.h"

#include "prune/Core/Solvers/OptimalBrainSurgeon.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>

using namespace mlir::prune;
using llvm::ArrayRef;
using llvm::MutableArrayRef;

static void inTurn(size_t n, llvm::function_ref<void(size_t)> body) {
  for (size_t i = 0; i != n; ++i)
    body(i);
}

namespace {
class Reconstructor {
public:
  Reconstructor(ArrayRef<LayerSystem> groups, SelectKept select,
                const ReconstructOptions &options, ParallelFor parallelFor)
      : groups(groups), select(select), options(options),
        parallelFor(parallelFor) {
    for (const LayerSystem &group : groups) {
      damped.emplace_back(group, options.fit.damping);
      offsets.push_back(offsets.back() + damped.back().weights.size());
    }
  }

  llvm::Expected<Reconstruction> run();

private:
  MaskedWeights maskByMagnitude();
  llvm::Expected<MaskedWeights> maskBySparseGPT();
  llvm::Expected<MaskedWeights> maskBySurgeon(const MaskedWeights &magnitude);
  double errorOf(ArrayRef<double> weights);
  void fit(MaskedWeights &candidate);
  void offer(const char *name, MaskedWeights candidate, bool refit);
  void offer(const char *name, llvm::Expected<MaskedWeights> candidate,
             bool refit);
  bool tryADMM() const;
  void
  forEachGroup(llvm::function_ref<void(size_t group, ParallelFor rows)> body);

  ArrayRef<LayerSystem> groups;
  SelectKept select;
  const ReconstructOptions &options;
  ParallelFor parallelFor;
  std::vector<DampedSystem> damped;
  std::vector<int64_t> offsets = {0};
  Reconstruction result;
  llvm::Error failures = llvm::Error::success();
};
} // namespace

/// Groups in parallel if there are several, otherwise rows.
void Reconstructor::forEachGroup(
    llvm::function_ref<void(size_t, ParallelFor)> body) {
  if (groups.size() == 1)
    return body(0, parallelFor);
  parallelFor(groups.size(), [&](size_t group) { body(group, inTurn); });
}

double Reconstructor::errorOf(ArrayRef<double> weights) {
  std::vector<double> errors(groups.size());
  forEachGroup([&](size_t g, ParallelFor rows) {
    errors[g] = layerError(
        groups[g], weights.slice(offsets[g], offsets[g + 1] - offsets[g]),
        rows);
  });
  double sum = 0;
  for (double error : errors)
    sum += error;
  return sum;
}

void Reconstructor::fit(MaskedWeights &candidate) {
  forEachGroup([&](size_t g, ParallelFor rows) {
    size_t begin = offsets[g], size = offsets[g + 1] - begin;
    fitSupport(groups[g], damped[g],
               ArrayRef<uint8_t>(candidate.keep).slice(begin, size),
               options.fit, rows,
               MutableArrayRef<double>(candidate.weights).slice(begin, size));
  });
}

MaskedWeights Reconstructor::maskByMagnitude() {
  MaskedWeights mask;
  std::vector<double> scores;
  for (const DampedSystem &system : damped)
    for (double weight : system.weights) {
      mask.weights.push_back(weight);
      scores.push_back(weight * weight);
    }
  mask.keep.assign(scores.size(), 1);
  select(scores, {}, mask.keep);
  for (size_t i = 0, e = scores.size(); i != e; ++i)
    if (!mask.keep[i])
      mask.weights[i] = 0;
  return mask;
}

/// SparseGPT's mask, ranked once more as a whole: with selections by block, it
/// may have kept a few elements more or less than it should.
llvm::Expected<MaskedWeights> Reconstructor::maskBySparseGPT() {
  auto mask = pruneBySparseGPT(damped, select, {}, options.sparseGPTOptions,
                               parallelFor);
  if (!mask)
    return mask;
  std::vector<double> scores(mask->weights.size());
  for (size_t g = 0, e = damped.size(); g != e; ++g) {
    int64_t n = damped[g].inputs;
    for (int64_t i = offsets[g]; i < offsets[g + 1]; ++i) {
      int64_t input = (i - offsets[g]) % n;
      double weight = mask->keep[i] ? mask->weights[i] : 0;
      double score = weight * weight * damped[g].gram[input * n + input];
      scores[i] = std::isnan(score) ? 0 : score;
    }
  }
  select(scores, {}, mask->keep);
  for (size_t i = 0, e = scores.size(); i != e; ++i)
    if (!mask->keep[i])
      mask->weights[i] = 0;
  return mask;
}

llvm::Expected<MaskedWeights>
Reconstructor::maskBySurgeon(const MaskedWeights &magnitude) {
  std::vector<RemovalCurves> curves;
  MaskedWeights mask;
  for (const LayerSystem &group : groups) {
    auto curve = computeRemovalCurves(group, options.fit.damping, parallelFor);
    if (!curve)
      return curve.takeError();
    curves.push_back(std::move(*curve));
  }
  mask.keep = selectByCurves(curves, llvm::count(magnitude.keep, 0));
  for (const DampedSystem &system : damped)
    llvm::append_range(mask.weights, system.weights);
  for (size_t i = 0, e = mask.keep.size(); i != e; ++i)
    if (!mask.keep[i])
      mask.weights[i] = 0;
  return mask;
}

void Reconstructor::offer(const char *name, MaskedWeights candidate,
                          bool refit) {
  if (refit)
    fit(candidate);
  double error = errorOf(candidate.weights);
  bool isFirst = result.candidates.empty();
  result.candidates.push_back({name, error});
  // An error that overflows is not less than anything.
  if (!isFirst && !(error < result.error) && !std::isnan(result.error))
    return;
  result.mask = name;
  result.error = error;
  result.weights = std::move(candidate.weights);
  result.keep = std::move(candidate.keep);
}

void Reconstructor::offer(const char *name,
                          llvm::Expected<MaskedWeights> candidate, bool refit) {
  if (candidate)
    return offer(name, std::move(*candidate), refit);
  failures = llvm::joinErrors(std::move(failures), candidate.takeError());
}

bool Reconstructor::tryADMM() const {
  bool isLarge = llvm::any_of(groups, [&](const LayerSystem &group) {
    return group.inputs > options.mostADMMInputs;
  });
  bool hasOther = options.magnitude || options.sparseGPT || options.surgeon;
  return options.admm && !(isLarge && hasOther);
}

llvm::Expected<Reconstruction> Reconstructor::run() {
  MaskedWeights magnitude = maskByMagnitude();
  result.startError = errorOf(magnitude.weights);
  for (const LayerSystem &group : groups)
    result.energy += group.energy;

  // With nothing to choose, all masks are the same.
  bool isTrivial = llvm::all_equal(magnitude.keep);
  const char *trivial = options.magnitude   ? "magnitude"
                        : options.admm      ? "admm"
                        : options.sparseGPT ? "sparsegpt"
                                            : "obs";
  if (isTrivial) {
    offer(trivial, std::move(magnitude), options.refit);
  } else {
    if (options.magnitude)
      offer("magnitude", magnitude, options.refit);
    if (tryADMM())
      offer("admm",
            maskByADMM(damped, select, options.admmOptions, parallelFor),
            options.refit);
    if (options.sparseGPT)
      offer("sparsegpt", maskBySparseGPT(), options.refit);
    if (options.surgeon)
      offer("obs", maskBySurgeon(magnitude), true);
  }
  if (result.candidates.empty())
    return std::move(failures);
  llvm::consumeError(std::move(failures));
  return std::move(result);
}

llvm::Expected<Reconstruction>
mlir::prune::reconstruct(ArrayRef<LayerSystem> groups, SelectKept select,
                         const ReconstructOptions &options,
                         ParallelFor parallelFor) {
  if (!options.magnitude && !options.admm && !options.sparseGPT &&
      !options.surgeon)
    return llvm::createStringError("expects a mask to try");
  for (const LayerSystem &group : groups)
    if (llvm::Error error = checkSystem(group))
      return error;
  return Reconstructor(groups, select, options, parallelFor).run();
}
