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
/// The work on one layer.
class Reconstructor {
public:
  Reconstructor(Sweep &sweep, const SweptLayer &layer, const Weight &weight,
                const WeightPlan &plan, const NetworkOptions &options)
      : sweep(sweep), layer(layer), weight(weight), plan(plan),
        options(options) {}

  Expected<ReconstructedLayer> run();

private:
  Error solve(MutableArrayRef<double> solution);
  void normalize(ArrayRef<double> solution);
  void makeSystems(ArrayRef<double> values);

  Sweep &sweep;
  const SweptLayer &layer;
  const Weight &weight;
  const WeightPlan &plan;
  const NetworkOptions &options;
  std::vector<LayerSystem> systems;
  std::vector<int64_t> elements;
  ReconstructedLayer outcome;
};
} // namespace

void Reconstructor::makeSystems(ArrayRef<double> values) {
  for (const LayerPart &part : layer.parts) {
    int64_t size = part.view.rows * part.view.columns;
    for (int64_t group = 0; group < part.view.groups; ++group) {
      LayerSystem &system =
          systems.emplace_back(part.statistics.system(group));
      for (int64_t i = 0; i < size; ++i)
        system.weights.push_back(values[part.view.elements[group * size + i]]);
    }
    llvm::append_range(elements, part.view.elements);
  }
}

Error Reconstructor::solve(MutableArrayRef<double> solution) {
  outcome.weight = layer.weight;
  outcome.size = outcome.kept = solution.size();
  double energy = 0;
  for (const LayerSystem &system : systems)
    energy += system.energy;
  auto parallel = [&](size_t n, function_ref<void(size_t)> body) {
    mlir::parallelFor(weight.constants.front()->getContext(), 0, n, body);
  };
  auto relative = [&](double error) { return energy > 0 ? error / energy : 0; };
  if (plan.pattern) {
    ArrayRef<int64_t> shape = weight.getType().getShape();
    const PatternSelection select(shape, plan.pattern.getUnits(shape),
                                  plan.target, elements);
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
    size_t begin = 0;
    for (const LayerSystem &system : systems) {
      size_t size = system.weights.size();
      std::vector<uint8_t> keep(size, 1);
      if (Error error = fitSupport(system, keep, options.solver.fit, parallel,
                                   solution.slice(begin, size)))
        return error;
      begin += size;
    }
  }
  return Error::success();
}

/// Gives what stands behind a layer the moments of its new outputs.
void Reconstructor::normalize(ArrayRef<double> solution) {
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

Expected<ReconstructedLayer> Reconstructor::run() {
  for (const LayerPart &part : layer.parts)
    if (!part.statistics.isFinite())
      return createStringError(
          "calibration data gives NaN or infinite inputs of layer '" +
          weight.name + "'; check the data and its preprocessing");
  std::vector<double> values = sweep.get(weight.constants.front());
  makeSystems(values);
  std::vector<double> solution;
  for (int64_t element : elements)
    solution.push_back(values[element]);
  if (Error error = solve(solution))
    return std::move(error);
  for (auto [element, value] : llvm::zip_equal(elements, solution))
    values[element] = value;
  if (plan.pattern || options.refit)
    sweep.set(weight.constants.front(), values);
  if (options.normalize)
    normalize(solution);
  return std::move(outcome);
}

Expected<ReconstructedLayer> mlir::prune::reconstructLayer(
    Sweep &sweep, const SweptLayer &layer, const Weight &weight,
    const WeightPlan &plan, const NetworkOptions &options) {
  return Reconstructor(sweep, layer, weight, plan, options).run();
}

Expected<std::vector<ReconstructedLayer>>
mlir::prune::reconstructWeights(Sweep &sweep, ArrayRef<Weight> weights,
                                ArrayRef<WeightPlan> plan,
                                const NetworkOptions &options) {
  std::vector<ReconstructedLayer> layers;
  if (Error error = sweep.run([&](const SweptLayer &layer) -> Error {
        Expected<ReconstructedLayer> made =
            reconstructLayer(sweep, layer, weights[layer.weight],
                             plan[layer.weight], options);
        if (!made)
          return made.takeError();
        layers.push_back(std::move(*made));
        return Error::success();
      }))
    return std::move(error);
  return std::move(layers);
}
