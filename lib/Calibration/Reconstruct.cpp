//===- Reconstruct.cpp - Prune so that layers keep their outputs ----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SolvableLayer.h"

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

namespace {
/// The work on one layer.
class LayerWork {
public:
  LayerWork(Sweep &sweep, const SweptLayer &layer, const Weight &weight,
            const NetworkOptions &options, SolvableLayer solvable)
      : sweep(sweep), layer(layer), weight(weight), options(options),
        solvable(std::move(solvable)) {
    std::vector<double> values = sweep.get(weight.constants.front());
    for (int64_t element : this->solvable.elements)
      solution.push_back(values[element]);
    outcome.weight = layer.weight;
    outcome.size = outcome.kept = solution.size();
    outcome.rows = layer.parts.front().statistics.count();
    outcome.inputs = layer.parts.front().view.columns;
  }

  /// Chooses the elements that stay, and their values.
  Error prune(const WeightPlan &plan);
  /// New values for the elements that `keep` has, if they do better on samples
  /// kept apart.
  Error refit(ArrayRef<uint8_t> keep);
  /// Gives what stands behind the layer the moments of its new outputs, but for
  /// outputs of which nothing is left.
  void normalize();
  void write();

  ArrayRef<double> getSolution() const { return solution; }
  ReconstructedLayer outcome;

private:
  std::vector<LayerSystem> systemsOf(Share share) const;
  Expected<Reconstruction> solve(ArrayRef<LayerSystem> systems,
                                 const WeightPlan &plan,
                                 const FitOptions &fit) const;
  Expected<FitOptions> chooseDamping(const WeightPlan &plan) const;
  Expected<std::vector<double>> fit(ArrayRef<LayerSystem> systems,
                                    ArrayRef<uint8_t> keep) const;

  Sweep &sweep;
  const SweptLayer &layer;
  const Weight &weight;
  const NetworkOptions &options;
  SolvableLayer solvable;
  /// The values of the elements, in the order of the systems.
  std::vector<double> solution;
};
} // namespace

static void runParallel(MLIRContext *context, size_t n,
                        function_ref<void(size_t)> body) {
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

std::vector<LayerSystem> LayerWork::systemsOf(Share share) const {
  std::vector<double> dense;
  for (const LayerSystem &system : solvable.systems)
    llvm::append_range(dense, system.weights);
  return makeSystems(layer, dense, solvable.isAdjusted(), share);
}

Expected<Reconstruction> LayerWork::solve(ArrayRef<LayerSystem> systems,
                                          const WeightPlan &plan,
                                          const FitOptions &fit) const {
  ArrayRef<int64_t> shape = weight.getType().getShape();
  const PatternSelection select(shape, plan.pattern.getUnits(shape),
                                plan.target, solvable.elements);
  ReconstructOptions solver = options.solver;
  solver.fit = fit;
  MLIRContext *context = weight.constants.front()->getContext();
  return reconstruct(systems, select, solver,
                     [&](size_t n, function_ref<void(size_t)> body) {
                       runParallel(context, n, body);
                     });
}

/// With few samples, weights that follow all of them do worse on others.
/// Chooses how much they are held back by what samples say that are kept apart.
Expected<FitOptions> LayerWork::chooseDamping(const WeightPlan &plan) const {
  FitOptions best = options.solver.fit;
  bool isAmple = llvm::all_of(layer.parts, [](const LayerPart &part) {
    return part.statistics.count() >= kAmpleRows * part.view.columns;
  });
  if (!options.chooseDamping || isAmple || !hasHeldOut(layer))
    return best;
  std::vector<LayerSystem> own = systemsOf(Share::Rest);
  std::vector<LayerSystem> others = systemsOf(Share::HeldOut);
  double least = INFINITY;
  for (double factor : {1, 10, 100}) {
    FitOptions fit = options.solver.fit;
    fit.damping *= factor;
    Expected<Reconstruction> made = solve(own, plan, fit);
    if (!made)
      return made.takeError();
    if (double error = totalError(others, made->weights); error < least) {
      least = error;
      best = fit;
    }
  }
  return best;
}

Error LayerWork::prune(const WeightPlan &plan) {
  Expected<FitOptions> fit = chooseDamping(plan);
  if (!fit)
    return fit.takeError();
  Expected<Reconstruction> made = solve(solvable.systems, plan, *fit);
  if (!made)
    return made.takeError();
  double energy = 0;
  for (const LayerSystem &system : solvable.systems)
    energy += system.energy;
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

Expected<std::vector<double>> LayerWork::fit(ArrayRef<LayerSystem> systems,
                                             ArrayRef<uint8_t> keep) const {
  std::vector<double> fitted = solution;
  MLIRContext *context = weight.constants.front()->getContext();
  MutableArrayRef<double> rest = fitted;
  for (const LayerSystem &system : systems) {
    size_t size = system.weights.size();
    if (Error error = fitSupport(
            system, keep.take_front(size), options.solver.fit,
            [&](size_t n, function_ref<void(size_t)> body) {
              runParallel(context, n, body);
            },
            rest.take_front(size)))
      return std::move(error);
    keep = keep.drop_front(size);
    rest = rest.drop_front(size);
  }
  return std::move(fitted);
}

Error LayerWork::refit(ArrayRef<uint8_t> keep) {
  if (hasHeldOut(layer)) {
    Expected<std::vector<double>> made = fit(systemsOf(Share::Rest), keep);
    if (!made)
      return made.takeError();
    std::vector<LayerSystem> others = systemsOf(Share::HeldOut);
    if (totalError(others, *made) >= totalError(others, solution))
      return Error::success();
  }
  Expected<std::vector<double>> made = fit(solvable.systems, keep);
  if (!made)
    return made.takeError();
  solution = std::move(*made);
  return Error::success();
}

void LayerWork::normalize() {
  if (!solvable.isAdjusted())
    return;
  const LayerPart &part = layer.parts.front();
  const LayerOutput &output = solvable.output;
  std::vector<double> mean, variance, denseMean;
  std::vector<bool> isGone;
  ArrayRef<double> rest = solution;
  for (auto [group, system] : llvm::enumerate(solvable.systems)) {
    std::vector<double> inputMean = part.statistics.inputMean(group);
    ArrayRef<double> own = rest.take_front(system.weights.size());
    rest = rest.drop_front(own.size());
    OutputMoments moments =
        outputMoments(system, inputMean, part.statistics.count(), own);
    llvm::append_range(mean, moments.mean);
    llvm::append_range(variance, moments.variance);
    llvm::append_range(denseMean, part.statistics.outputMean(group));
    for (; !own.empty(); own = own.drop_front(system.inputs))
      isGone.push_back(llvm::all_of(own.take_front(system.inputs),
                                    [](double value) { return value == 0; }));
  }
  auto change = [&](const OutputConstant &constant, auto value) {
    std::vector<double> stored = sweep.get(constant.constant);
    for (auto [i, element] : llvm::enumerate(constant.elements))
      if (!isGone[i])
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

void LayerWork::write() {
  Operation *constant = weight.constants.front();
  std::vector<double> values = sweep.get(constant);
  for (auto [element, value] : llvm::zip_equal(solvable.elements, solution))
    values[element] = value;
  sweep.set(constant, values);
}

Expected<ReconstructedLayer>
mlir::prune::reconstructLayer(Sweep &sweep, const SweptLayer &layer,
                              const Weight &weight, const WeightPlan &plan,
                              const NetworkOptions &options) {
  Expected<SolvableLayer> solvable =
      makeSolvable(sweep, layer, weight, options.normalize);
  if (!solvable)
    return solvable.takeError();
  LayerWork work(sweep, layer, weight, options, std::move(*solvable));
  if (plan.pattern || options.refit) {
    std::vector<uint8_t> all(work.getSolution().size(), 1);
    if (Error error = plan.pattern ? work.prune(plan) : work.refit(all))
      return std::move(error);
    work.write();
  }
  work.normalize();
  return std::move(work.outcome);
}

Error mlir::prune::refitLayer(Sweep &sweep, const SweptLayer &layer,
                              const Weight &weight,
                              const NetworkOptions &options) {
  Expected<SolvableLayer> solvable =
      makeSolvable(sweep, layer, weight, options.normalize);
  if (!solvable)
    return solvable.takeError();
  LayerWork work(sweep, layer, weight, options, std::move(*solvable));
  std::vector<uint8_t> keep;
  for (double value : work.getSolution())
    keep.push_back(value != 0);
  if (Error error = work.refit(keep))
    return error;
  work.write();
  work.normalize();
  return Error::success();
}

Expected<std::vector<ReconstructedLayer>>
mlir::prune::reconstructWeights(Sweep &sweep, ArrayRef<Weight> weights,
                                ArrayRef<WeightPlan> plan,
                                const NetworkOptions &options) {
  std::vector<ReconstructedLayer> layers;
  if (Error error = sweep.run([&](const SweptLayer &layer) -> Error {
        Expected<ReconstructedLayer> made = reconstructLayer(
            sweep, layer, weights[layer.weight], plan[layer.weight], options);
        if (!made)
          return made.takeError();
        layers.push_back(std::move(*made));
        return Error::success();
      }))
    return std::move(error);
  return std::move(layers);
}
