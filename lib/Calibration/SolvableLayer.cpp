//===- SolvableLayer.cpp - The systems of a layer -------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SolvableLayer.h"

using namespace mlir;
using namespace mlir::prune;
using llvm::createStringError;
using llvm::Expected;

/// Sums of squares are exact to this part.
static constexpr double kExact = 2e-5;

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

bool mlir::prune::hasHeldOut(const SweptLayer &layer) {
  return llvm::all_of(layer.parts, [](const LayerPart &part) {
    return part.heldOut.count() > 0 &&
           part.heldOut.count() < part.statistics.count();
  });
}

SweptLayer mlir::prune::withoutHeldOut(SweptLayer layer) {
  for (LayerPart &part : layer.parts) {
    LayerStatistics heldOut = part.heldOut;
    part.statistics.merge(heldOut, -1);
    part.heldOut.merge(heldOut, -1);
  }
  return layer;
}

std::vector<LayerSystem> mlir::prune::makeSystems(const SweptLayer &layer,
                                                  ArrayRef<double> values,
                                                  bool isAdjusted,
                                                  Share share) {
  std::vector<LayerSystem> made;
  for (const LayerPart &part : layer.parts) {
    size_t size = part.view.rows * part.view.columns;
    LayerStatistics sums =
        share == Share::HeldOut ? part.heldOut : part.statistics;
    if (share == Share::Rest)
      sums.merge(part.heldOut, -1);
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

Expected<SolvableLayer> mlir::prune::makeSolvable(Sweep &sweep,
                                                  const SweptLayer &layer,
                                                  const Weight &weight,
                                                  bool adjusts) {
  SolvableLayer made;
  for (const LayerPart &part : layer.parts) {
    if (!part.statistics.isFinite())
      return createStringError(
          "calibration data gives NaN or infinite inputs of layer '" +
          weight.name + "'; check the data and its preprocessing");
    llvm::append_range(made.elements, part.view.elements);
  }
  if (adjusts && weight.uses.size() == 1 && layer.parts.size() == 1)
    made.output = LayerOutput::get(weight.uses.front());
  std::vector<double> dense = sweep.getDense(weight.constants.front());
  std::vector<double> values;
  for (int64_t element : made.elements)
    values.push_back(dense[element]);
  made.systems = makeSystems(layer, values, made.isAdjusted(), Share::All);
  return std::move(made);
}
