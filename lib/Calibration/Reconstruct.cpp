//===- Reconstruct.cpp - Prune so that layers keep their outputs ----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "prune/Calibration/Reconstruct.h"

#include "prune/Core/Solvers/PatternSelection.h"

#include "mlir/IR/Threading.h"

#include <cmath>

using namespace mlir;
using namespace mlir::prune;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;

/// With so many rows for each input, damping hardly matters.
static constexpr int64_t kAmpleRows = 10;
/// Sums of squares are exact to this part.
static constexpr double kExact = 2e-5;

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
  std::vector<LayerSystem> makeSystems(
      function_ref<LayerStatistics(const LayerPart &)> statistics) const;
  Expected<Reconstruction> solve(ArrayRef<LayerSystem> systems,
                                 const FitOptions &fit) const;
  Expected<std::vector<double>> refit(ArrayRef<LayerSystem> systems) const;
  Expected<FitOptions> chooseDamping() const;
  Error prune();
  Error refitDense();
  void normalize();

  Sweep &sweep;
  const SweptLayer &layer;
  const Weight &weight;
  const WeightPlan &plan;
  const NetworkOptions &options;
  /// What stands behind the layer and can change with it.
  LayerOutput output;
  bool isAdjusted = false;
  std::vector<LayerSystem> systems;
  /// In the order of the systems, the elements of the constant, and their
  /// values: at first those of the dense network.
  std::vector<int64_t> elements;
  std::vector<double> solution;
  ReconstructedLayer outcome;
};
} // namespace

/// Where the means of the outputs can be set afterwards, only what is around
/// them counts: takes the means of inputs and outputs out of the sums. An input
/// that varies by less than the sums are exact is constant.
static void center(LayerSystem &system, const LayerStatistics &statistics,
                   int64_t group) {
  double count = statistics.count();
  std::vector<double> in = statistics.inputMean(group);
  std::vector<double> out = statistics.outputMean(group);
  std::vector<bool> isConstant;
  for (int64_t i = 0; i < system.inputs; ++i) {
    double square = system.gram[i * system.inputs + i];
    isConstant.push_back(square - count * in[i] * in[i] <= kExact * square);
  }
  for (int64_t i = 0; i < system.inputs; ++i)
    for (int64_t j = 0; j < system.inputs; ++j) {
      double &sum = system.gram[i * system.inputs + j];
      sum = isConstant[i] || isConstant[j] ? 0 : sum - count * in[i] * in[j];
    }
  for (int64_t r = 0; r < system.rows; ++r) {
    for (int64_t j = 0; j < system.inputs; ++j) {
      double &sum = system.target[r * system.inputs + j];
      sum = isConstant[j] ? 0 : sum - count * out[r] * in[j];
    }
    system.energy -= count * out[r] * out[r];
  }
  system.energy = std::max(system.energy, 0.0);
}

static void runParallel(size_t n, function_ref<void(size_t)> body,
                        MLIRContext *context) {
  mlir::parallelFor(context, 0, n, body);
}

static double totalError(ArrayRef<LayerSystem> systems,
                         ArrayRef<double> weights) {
  auto inTurn = [](size_t n, function_ref<void(size_t)> body) {
    for (size_t i = 0; i < n; ++i)
      body(i);
  };
  double error = 0;
  for (const LayerSystem &system : systems) {
    size_t size = system.weights.size();
    error += layerError(system, weights.take_front(size), inTurn);
    weights = weights.drop_front(size);
  }
  return error;
}

static double totalEnergy(ArrayRef<LayerSystem> systems) {
  double energy = 0;
  for (const LayerSystem &system : systems)
    energy += system.energy;
  return energy;
}

std::vector<LayerSystem> Reconstructor::makeSystems(
    function_ref<LayerStatistics(const LayerPart &)> statistics) const {
  std::vector<LayerSystem> made;
  ArrayRef<double> values = solution;
  for (const LayerPart &part : layer.parts) {
    size_t size = part.view.rows * part.view.columns;
    LayerStatistics sums = statistics(part);
    for (int64_t group = 0; group < part.view.groups; ++group) {
      LayerSystem &system = made.emplace_back(sums.system(group));
      system.weights = values.take_front(size).vec();
      values = values.drop_front(size);
      if (isAdjusted)
        center(system, sums, group);
    }
  }
  return made;
}

static LayerStatistics heldOut(const LayerPart &part) { return part.heldOut; }

static LayerStatistics trained(const LayerPart &part) {
  LayerStatistics rest = part.statistics;
  rest.merge(part.heldOut, -1);
  return rest;
}

Expected<Reconstruction> Reconstructor::solve(ArrayRef<LayerSystem> systems,
                                              const FitOptions &fit) const {
  ArrayRef<int64_t> shape = weight.getType().getShape();
  const PatternSelection select(shape, plan.pattern.getUnits(shape),
                                plan.target, elements);
  ReconstructOptions solver = options.solver;
  solver.fit = fit;
  MLIRContext *context = weight.constants.front()->getContext();
  return reconstruct(systems, select, solver,
                     [&](size_t n, function_ref<void(size_t)> body) {
                       runParallel(n, body, context);
                     });
}

/// With few samples, weights that follow all of them do worse on others.
/// Chooses how much they are held back by what samples say that are kept apart.
Expected<FitOptions> Reconstructor::chooseDamping() const {
  FitOptions best = options.solver.fit;
  if (!options.chooseDamping)
    return best;
  for (const LayerPart &part : layer.parts)
    if (part.statistics.count() >= kAmpleRows * part.view.columns ||
        part.heldOut.count() == 0 ||
        part.heldOut.count() == part.statistics.count())
      return best;
  std::vector<LayerSystem> own = makeSystems(trained);
  std::vector<LayerSystem> others = makeSystems(heldOut);
  double least = INFINITY;
  for (double factor : {1, 10, 100}) {
    FitOptions fit = options.solver.fit;
    fit.damping *= factor;
    Expected<Reconstruction> made = solve(own, fit);
    if (!made)
      return made.takeError();
    if (double error = totalError(others, made->weights); error < least) {
      least = error;
      best = fit;
    }
  }
  return best;
}

Error Reconstructor::prune() {
  Expected<FitOptions> fit = chooseDamping();
  if (!fit)
    return fit.takeError();
  Expected<Reconstruction> made = solve(systems, *fit);
  if (!made)
    return made.takeError();
  double energy = totalEnergy(systems);
  auto relative = [&](double error) {
    return energy > 0 ? std::max(error, 0.0) / energy : 0;
  };
  solution = made->weights;
  outcome.damping = fit->damping;
  outcome.mask = made->mask;
  outcome.kept = llvm::count(made->keep, 1);
  outcome.errorBefore = relative(made->startError);
  outcome.errorAfter = relative(made->error);
  return Error::success();
}

Expected<std::vector<double>>
Reconstructor::refit(ArrayRef<LayerSystem> systems) const {
  std::vector<double> fitted;
  MLIRContext *context = weight.constants.front()->getContext();
  for (const LayerSystem &system : systems) {
    std::vector<double> own = system.weights;
    std::vector<uint8_t> keep(own.size(), 1);
    if (Error error = fitSupport(
            system, keep, options.solver.fit,
            [&](size_t n, function_ref<void(size_t)> body) {
              runParallel(n, body, context);
            },
            own))
      return std::move(error);
    llvm::append_range(fitted, own);
  }
  return std::move(fitted);
}

/// New values for a dense layer, if they do better on samples kept apart.
Error Reconstructor::refitDense() {
  if (layer.parts.front().heldOut.count() > 0 &&
      layer.parts.front().heldOut.count() !=
          layer.parts.front().statistics.count()) {
    Expected<std::vector<double>> made = refit(makeSystems(trained));
    if (!made)
      return made.takeError();
    std::vector<LayerSystem> others = makeSystems(heldOut);
    if (totalError(others, *made) >= totalError(others, solution))
      return Error::success();
  }
  Expected<std::vector<double>> made = refit(systems);
  if (!made)
    return made.takeError();
  solution = std::move(*made);
  return Error::success();
}

/// Gives what stands behind a layer the moments of its new outputs.
void Reconstructor::normalize() {
  const LayerPart &part = layer.parts.front();
  std::vector<double> mean, variance, denseMean;
  size_t size = part.view.rows * part.view.columns;
  for (auto [group, system] : llvm::enumerate(systems)) {
    std::vector<double> inputMean = part.statistics.inputMean(group);
    OutputMoments moments =
        outputMoments(system, inputMean, part.statistics.count(),
                      ArrayRef(solution).slice(group * size, size));
    llvm::append_range(mean, moments.mean);
    llvm::append_range(variance, moments.variance);
    llvm::append_range(denseMean, part.statistics.outputMean(group));
  }
  auto change = [&](const OutputConstant &constant, auto value) {
    std::vector<double> stored = sweep.get(constant.constant);
    for (auto [i, element] : llvm::enumerate(constant.elements))
      stored[element] = value(i, stored[element]);
    sweep.set(constant.constant, stored);
  };
  if (!output.isNormalized())
    return change(*output.bias, [&](size_t i, double bias) {
      return bias + denseMean[i] - mean[i];
    });
  std::vector<double> bias(mean.size());
  if (output.bias) {
    std::vector<double> held = sweep.get(output.bias->constant);
    for (auto [i, element] : llvm::enumerate(output.bias->elements))
      bias[i] = held[element];
  }
  change(*output.mean, [&](size_t i, double) { return mean[i] + bias[i]; });
  change(*output.variance, [&](size_t i, double) { return variance[i]; });
}

Expected<ReconstructedLayer> Reconstructor::run() {
  for (const LayerPart &part : layer.parts) {
    if (!part.statistics.isFinite())
      return createStringError(
          "calibration data gives NaN or infinite inputs of layer '" +
          weight.name + "'; check the data and its preprocessing");
    llvm::append_range(elements, part.view.elements);
  }
  Operation *constant = weight.constants.front();
  std::vector<double> values = sweep.get(constant);
  for (int64_t element : elements)
    solution.push_back(values[element]);
  if (options.normalize && weight.uses.size() == 1 && layer.parts.size() == 1)
    output = LayerOutput::get(weight.uses.front());
  isAdjusted = output.bias || output.isNormalized();
  systems = makeSystems([](const LayerPart &part) { return part.statistics; });
  outcome.weight = layer.weight;
  outcome.size = outcome.kept = solution.size();
  if (plan.pattern || options.refit) {
    if (Error error = plan.pattern ? prune() : refitDense())
      return std::move(error);
    for (auto [element, value] : llvm::zip_equal(elements, solution))
      values[element] = value;
    sweep.set(constant, values);
  }
  if (isAdjusted)
    normalize();
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
