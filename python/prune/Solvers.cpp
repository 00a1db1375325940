//===- Solvers.cpp - The solvers, for prune/solvers.py --------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arrays are float64 and dense here: prune/solvers.py makes them so, and has
// what people call, with its documentation.
//
//===----------------------------------------------------------------------===//

#include "Arrays.h"
#include "Objects.h"

#include "prune/Core/Solvers/Importance.h"
#include "prune/Core/Solvers/OptimalBrainSurgeon.h"
#include "prune/Core/Solvers/PatternSelection.h"
#include "prune/Core/Solvers/Reconstruction.h"

#include <pybind11/stl.h>

#include <algorithm>

namespace py = pybind11;
using namespace prune_python;
using namespace mlir::prune;

using Numbers = py::array_t<double, py::array::c_style | py::array::forcecast>;
using Mask = py::array_t<uint8_t, py::array::c_style | py::array::forcecast>;

static void inTurn(size_t n, llvm::function_ref<void(size_t)> body) {
  for (size_t i = 0; i != n; ++i)
    body(i);
}

[[noreturn]] static void fail(std::string message) {
  throw Failure{PRUNE_INVALID_ARGUMENT, std::move(message)};
}

static void check(llvm::Error error) {
  if (error)
    fail(llvm::toString(std::move(error)));
}

template <typename T> static T check(llvm::Expected<T> result) {
  if (!result)
    fail(llvm::toString(result.takeError()));
  return std::move(*result);
}

template <typename T>
static py::array toArray(const std::vector<T> &values,
                         std::vector<py::ssize_t> shape) {
  py::array_t<T> array(shape);
  std::copy(values.begin(), values.end(), array.mutable_data());
  return std::move(array);
}

static std::vector<double> toVector(const Numbers &array) {
  return std::vector<double>(array.data(), array.data() + array.size());
}

static LayerSystem makeSystem(const Numbers &weights, const Numbers &gram,
                              const Numbers &target, double energy) {
  LayerSystem system;
  system.rows = weights.shape(0);
  system.inputs = weights.shape(1);
  system.weights = toVector(weights);
  system.gram = toVector(gram);
  system.target = toVector(target);
  system.energy = energy;
  return system;
}

static py::dict reconstructLayer(const Numbers &weights, const Numbers &gram,
                                 const Numbers &target, double energy,
                                 std::optional<double> sparsity,
                                 const std::vector<int64_t> &block,
                                 const std::vector<int64_t> &groups,
                                 const std::vector<std::string> &masks,
                                 bool refit, double damping) {
  LayerSystem system = makeSystem(weights, gram, target, energy);
  UnitPattern pattern;
  pattern.block.assign(block.begin(), block.end());
  if (!groups.empty()) {
    pattern.groupDim = 1;
    pattern.groupKeep = groups[0];
    pattern.groupSize = groups[1];
  }
  Target part;
  part.sparsity = sparsity;
  ReconstructOptions options;
  auto has = [&](const char *mask) {
    return std::find(masks.begin(), masks.end(), mask) != masks.end();
  };
  options.magnitude = has("magnitude");
  options.admm = has("admm");
  options.sparseGPT = has("sparsegpt");
  options.surgeon = has("obs");
  options.refit = refit;
  options.fit.damping = damping;
  Reconstruction result;
  {
    py::gil_scoped_release release;
    PatternSelection select({system.rows, system.inputs}, pattern, part);
    result = check(reconstruct(system, select, options, inTurn));
  }
  py::dict errors, named;
  for (const MaskCandidate &candidate : result.candidates)
    errors[candidate.mask.c_str()] = candidate.error;
  named["weights"] = toArray(result.weights, {system.rows, system.inputs});
  named["keep"] = toArray(result.keep, {system.rows, system.inputs});
  named["mask"] = result.mask;
  named["start_error"] = result.startError;
  named["candidates"] = errors;
  named["error"] = result.error;
  named["energy"] = result.energy;
  return named;
}

static py::array fitLayer(const Numbers &weights, const Numbers &gram,
                          const Mask &keep, const Numbers &target,
                          double damping) {
  LayerSystem system = makeSystem(weights, gram, target, 0);
  std::vector<uint8_t> mask(keep.data(), keep.data() + keep.size());
  std::vector<double> fitted = system.weights;
  FitOptions options;
  options.damping = damping;
  {
    py::gil_scoped_release release;
    check(fitSupport(system, mask, options, inTurn, fitted));
  }
  return toArray(fitted, {system.rows, system.inputs});
}

static py::tuple removalCurves(const Numbers &weights, const Numbers &gram,
                               const Numbers &target, double energy,
                               double damping) {
  LayerSystem system = makeSystem(weights, gram, target, energy);
  RemovalCurves curves;
  std::vector<double> errors;
  {
    py::gil_scoped_release release;
    curves = check(computeRemovalCurves(system, damping, inTurn));
    errors = errorCurve(curves);
  }
  return py::make_tuple(
      toArray(errors, {py::ssize_t(errors.size())}),
      toArray(curves.order, {system.rows, system.inputs}),
      toArray(curves.increases, {system.rows, system.inputs}));
}

static py::array score(const Numbers &weights, const Numbers &norms,
                       std::optional<double> power) {
  int64_t rows = weights.shape(0), inputs = weights.shape(1);
  std::vector<double> scores(rows * inputs);
  llvm::ArrayRef<double> elements(weights.data(), weights.size());
  llvm::ArrayRef<double> sizes(norms.data(), norms.size());
  if (power)
    scoreByRIA(elements, rows, inputs, sizes, *power, scores);
  else
    scoreByWanda(elements, rows, inputs, sizes, scores);
  return toArray(scores, {rows, inputs});
}

void prune_python::defineSolvers(py::module_ &m) {
  py::module_ solvers = m.def_submodule("_solvers");
  solvers.def("reconstruct", &reconstructLayer);
  solvers.def("fit", &fitLayer);
  solvers.def("curves", &removalCurves);
  solvers.def("score", &score);
}
