//===- Reconstruct.cpp - Prune so that layers keep their outputs ----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "prune/Calibration/Reconstruct.h"

#include "prune/Core/Solvers/PatternSelection.h"

#include "mlir/IR/Threading.h"

using namespace mlir;
using namespace mlir::prune;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;

namespace {
/// Visits the layers of one sweep.
class Reconstructor {
public:
  Reconstructor(Sweep &sweep, ArrayRef<Weight> weights, const MaskPlan &plan,
                const NetworkOptions &options)
      : sweep(sweep), weights(weights), plan(plan), options(options) {}

  Error visit(const SweptLayer &layer);

  std::vector<ReconstructedLayer> layers;

private:
  Error solve(const SweptLayer &layer, MutableArrayRef<double> solution);
  void normalize(const SweptLayer &layer, ArrayRef<double> solution);
  std::vector<LayerSystem> makeSystems(const SweptLayer &layer,
                                       ArrayRef<double> values) const;

  Sweep &sweep;
  ArrayRef<Weight> weights;
  const MaskPlan &plan;
  const NetworkOptions &options;
  /// Of the layer in turn.
  std::vector<LayerSystem> systems;
  std::vector<int64_t> elements;
};
} // namespace

std::vector<LayerSystem>
Reconstructor::makeSystems(const SweptLayer &layer,
                           ArrayRef<double> values) const {
  std::vector<LayerSystem> made;
  for (const LayerPart &part : layer.parts) {
    int64_t size = part.view.rows * part.view.columns;
    for (int64_t group = 0; group < part.view.groups; ++group) {
      LayerSystem &system = made.emplace_back(part.statistics.system(group));
      for (int64_t i = 0; i < size; ++i)
        system.weights.push_back(
            values[part.view.elements[group * size + i]]);
    }
  }
  return made;
}

Error Reconstructor::solve(const SweptLayer &layer,
                           MutableArrayRef<double> solution) {
  const Weight &weight = weights[layer.weight];
  const WeightPlan &item = plan.weights[layer.weight];
  ReconstructedLayer outcome;
  outcome.weight = layer.weight;
  outcome.size = outcome.kept = solution.size();
  double energy = 0;
  for (const LayerSystem &system : systems)
    energy += system.energy;
  auto parallel = [&](size_t n, function_ref<void(size_t)> body) {
    mlir::parallelFor(weight.constants.front()->getContext(), 0, n, body);
  };
  auto relative = [&](double error) { return energy > 0 ? error / energy : 0; };
  if (item.pattern) {
    ArrayRef<int64_t> shape = weight.getType().getShape();
    const PatternSelection select(shape, item.pattern.getUnits(shape), item.target,
                            elements);
    Expected<Reconstruction> made =
        reconstruct(systems, select, options.solver, parallel);
    if (!made)
      return made.takeError();
    llvm::copy(made->weights, solution.begin());
    outcome.mask = made->mask;
    outcome.kept = llvm::count(made->keep, 1);
    outcome.errorBefore = relative(made->startError);
    outcome.errorAfter = relative(made->error);
  } else if (options.refit) {
    for (auto [group, system] : llvm::enumerate(systems)) {
      size_t size = system.weights.size();
      std::vector<uint8_t> keep(size, 1);
      if (Error error = fitSupport(system, keep, options.solver.fit, parallel,
                                   solution.slice(group * size, size)))
        return error;
    }
  }
  layers.push_back(std::move(outcome));
  return Error::success();
}

/// Gives what stands behind a layer the moments of its new outputs.
void Reconstructor::normalize(const SweptLayer &layer,
                              ArrayRef<double> solution) {
  const Weight &weight = weights[layer.weight];
  if (weight.uses.size() != 1 || layer.parts.size() != 1)
    return;
  LayerOutput output = LayerOutput::get(weight.uses.front());
  const LayerPart &part = layer.parts.front();
  std::vector<double> mean, variance, denseMean;
  size_t size = part.view.rows * part.view.columns;
  for (auto [group, system] : llvm::enumerate(systems)) {
    OutputMoments moments = outputMoments(
        system, part.statistics.inputMean(group), part.statistics.count(),
        solution.slice(group * size, size));
    llvm::append_range(mean, moments.mean);
    llvm::append_range(variance, moments.variance);
    llvm::append_range(denseMean, part.statistics.outputMean(group));
  }
  if (!output.isNormalized()) {
    if (!output.bias)
      return;
    std::vector<double> bias = sweep.get(output.bias->constant);
    for (auto [i, element] : llvm::enumerate(output.bias->elements))
      bias[element] += denseMean[i] - mean[i];
    return sweep.set(output.bias->constant, bias);
  }
  std::vector<double> bias(mean.size());
  if (output.bias) {
    std::vector<double> held = sweep.get(output.bias->constant);
    for (auto [i, element] : llvm::enumerate(output.bias->elements))
      bias[i] = held[element];
  }
  std::vector<double> stored = sweep.get(output.mean->constant);
  for (auto [i, element] : llvm::enumerate(output.mean->elements))
    stored[element] = mean[i] + bias[i];
  sweep.set(output.mean->constant, stored);
  stored = sweep.get(output.variance->constant);
  for (auto [i, element] : llvm::enumerate(output.variance->elements))
    stored[element] = variance[i];
  sweep.set(output.variance->constant, stored);
}

Error Reconstructor::visit(const SweptLayer &layer) {
  const Weight &weight = weights[layer.weight];
  for (const LayerPart &part : layer.parts)
    if (!part.statistics.isFinite())
      return createStringError(
          "calibration data gives NaN or infinite inputs of layer '" +
          weight.name + "'; check the data and its preprocessing");
  std::vector<double> values = sweep.get(weight.constants.front());
  systems = makeSystems(layer, values);
  elements.clear();
  std::vector<double> solution;
  for (const LayerPart &part : layer.parts)
    for (int64_t element : part.view.elements) {
      elements.push_back(element);
      solution.push_back(values[element]);
    }
  if (Error error = solve(layer, solution))
    return error;
  for (auto [element, value] : llvm::zip_equal(elements, solution))
    values[element] = value;
  if (layers.back().kept != layers.back().size || options.refit)
    sweep.set(weight.constants.front(), values);
  if (options.normalize)
    normalize(layer, solution);
  return Error::success();
}

Expected<std::vector<ReconstructedLayer>>
mlir::prune::reconstructWeights(Sweep &sweep, ArrayRef<Weight> weights,
                                const MaskPlan &plan,
                                const NetworkOptions &options) {
  Reconstructor reconstructor(sweep, weights, plan, options);
  if (Error error = sweep.run([&](const SweptLayer &layer) {
        return reconstructor.visit(layer);
      }))
    return std::move(error);
  return std::move(reconstructor.layers);
}
