//===- Sensitivity.cpp - What each layer loses at each sparsity -----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "prune/Calibration/Sensitivity.h"

#include "LayerTiming.h"
#include "SolvableLayer.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"

using namespace mlir;
using namespace mlir::prune;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;

//===----------------------------------------------------------------------===//
// Measuring
//===----------------------------------------------------------------------===//

namespace {
class SensitivityVisitor {
public:
  SensitivityVisitor(Sweep &sweep, LossMeter &meter, ArrayRef<Weight> weights,
                     ArrayRef<PlannedLevel> levels,
                     const SensitivityOptions &options, LevelChanges *store)
      : sweep(sweep), meter(meter), weights(weights), levels(levels),
        options(options), store(store) {}

  Error visit(const SweptLayer &layer);
  SensitivityTable table;

private:
  Error time(const Weight &weight, SensitivityLevel &level);
  Error measure(const SweptLayer &layer, const PlannedLevel &level,
                const NetworkOptions &network, SensitivityLevel &entry);
  llvm::Expected<double> chooseDamping(const SweptLayer &layer);

  Sweep &sweep;
  LossMeter &meter;
  ArrayRef<Weight> weights;
  ArrayRef<PlannedLevel> levels;
  const SensitivityOptions &options;
  LevelChanges *store;
};
} // namespace

Error SensitivityVisitor::time(const Weight &weight, SensitivityLevel &level) {
  if (!options.latency)
    return Error::success();
  double total = 0;
  for (const WeightUse &use : weight.uses) {
    Expected<double> time =
        timeProduct(use, cast<DenseResourceElementsAttr>(weight.getValue()),
                    sweep.getBytes(weight.constants.front()));
    if (!time)
      return time.takeError();
    total += *time;
  }
  level.microseconds = total;
  return Error::success();
}

/// Solves the layer for a level, and looks at the network then.
Error SensitivityVisitor::measure(const SweptLayer &layer,
                                  const PlannedLevel &level,
                                  const NetworkOptions &network,
                                  SensitivityLevel &entry) {
  const Weight &weight = weights[layer.weight];
  Expected<ReconstructedLayer> made = reconstructLayer(
      sweep, layer, weight, level.weights[layer.weight], network);
  if (!made)
    return made.takeError();
  Expected<NetworkLoss> loss =
      meter.measure(Sweep::Samples::HeldOut, layer.stage);
  if (!loss)
    return loss.takeError();
  entry.pattern = level.pattern;
  entry.sparsity = level.sparsity;
  entry.kept = made->kept;
  entry.layerError = made->errorAfter;
  entry.loss = options.usesKL ? loss->divergence : loss->error;
  return time(weight, entry);
}

/// The damping that a level in the middle takes; the others take the same.
Expected<double> SensitivityVisitor::chooseDamping(const SweptLayer &layer) {
  SmallVector<const WeightPlan *> plans;
  for (const PlannedLevel &level : levels)
    if (level.weights[layer.weight].pattern)
      plans.push_back(&level.weights[layer.weight]);
  if (plans.empty())
    return options.network.solver.fit.damping;
  Expected<ReconstructedLayer> made =
      reconstructLayer(sweep, layer, weights[layer.weight],
                       *plans[plans.size() / 2], options.network);
  sweep.reset();
  if (!made)
    return made.takeError();
  return made->damping;
}

Error SensitivityVisitor::visit(const SweptLayer &layer) {
  const Weight &weight = weights[layer.weight];
  SensitivityLayer row;
  row.name = weight.name;
  row.elements = weight.getType().getNumElements();
  row.uses = double(layer.parts.front().statistics.count()) /
             std::max<int64_t>(sweep.numSamples(), 1);
  SensitivityLevel &dense = row.levels.emplace_back();
  dense.kept = row.elements;
  std::vector<std::vector<ConstantChange>> solutions(1);
  NetworkOptions network = options.network;
  if (hasHeldOut(layer)) {
    Expected<double> damping = chooseDamping(layer);
    if (!damping)
      return damping.takeError();
    network.solver.fit.damping = *damping;
    network.chooseDamping = false;
  }
  network.holdsOut = true;
  for (const PlannedLevel &level : levels) {
    if (!level.weights[layer.weight].pattern)
      continue;
    Error error = measure(layer, level, network, row.levels.emplace_back());
    if (store)
      solutions.push_back(sweep.changes());
    sweep.reset();
    if (error)
      return error;
  }
  if (row.levels.size() == 1)
    return Error::success();
  if (Error error = time(weight, row.levels.front()))
    return error;
  table.layers.push_back(std::move(row));
  if (store)
    store->push_back(std::move(solutions));
  return Error::success();
}

Expected<SensitivityTable> mlir::prune::measureSensitivity(
    Sweep &sweep, LossMeter &meter, ArrayRef<Weight> weights,
    ArrayRef<PlannedLevel> levels, const SensitivityOptions &options,
    LevelChanges *store) {
  SensitivityVisitor visitor(sweep, meter, weights, levels, options, store);
  visitor.table.loss = options.usesKL ? "kl" : "error";
  visitor.table.samples = sweep.numSamples();
  auto isPlanned = [&](size_t weight) {
    return llvm::any_of(levels, [&](const PlannedLevel &level) {
      return bool(level.weights[weight].pattern);
    });
  };
  if (Error error = sweep.run(
          [&](const SweptLayer &layer) { return visitor.visit(layer); },
          isPlanned))
    return std::move(error);
  return std::move(visitor.table);
}

//===----------------------------------------------------------------------===//
// Costs
//===----------------------------------------------------------------------===//

std::optional<CostKind> mlir::prune::parseCostKind(StringRef text) {
  if (text == "params")
    return CostKind::Parameters;
  if (text == "macs")
    return CostKind::Multiplications;
  if (text == "latency")
    return CostKind::Latency;
  return std::nullopt;
}

Expected<LevelTable> SensitivityTable::costs(CostKind kind,
                                             double errorShare) const {
  LevelTable table;
  double losses = 0, errors = 0;
  for (const SensitivityLayer &layer : layers) {
    losses += layer.levels[layer.levels.size() / 2].loss;
    errors += layer.levels[layer.levels.size() / 2].layerError;
  }
  double lossScale = losses > 0 ? (1 - errorShare) / losses : 0;
  double errorScale = errors > 0 ? errorShare / errors : 0;
  for (const SensitivityLayer &layer : layers) {
    std::vector<LayerLevel> &row = table.emplace_back();
    for (const SensitivityLevel &level : layer.levels) {
      double cost = level.kept;
      if (kind == CostKind::Multiplications)
        cost *= layer.uses;
      if (kind == CostKind::Latency) {
        if (!level.microseconds)
          return createStringError(
              "the table has no latencies of layer '" + layer.name +
              "'; measure them with prune-measure-sensitivity=latency");
        cost = *level.microseconds;
      }
      row.push_back(
          {cost, errorShare == 0
                     ? level.loss
                     : lossScale * level.loss + errorScale * level.layerError});
    }
  }
  return std::move(table);
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

void SensitivityTable::writeJSON(llvm::raw_ostream &os) const {
  llvm::json::OStream json(os, 2);
  json.object([&] {
    json.attribute("version", 1);
    json.attribute("loss", loss);
    json.attribute("samples", samples);
    json.attributeArray("layers", [&] {
      for (const SensitivityLayer &layer : layers)
        json.object([&] {
          json.attribute("name", layer.name);
          json.attribute("elements", layer.elements);
          json.attribute("uses", layer.uses);
          json.attributeArray("levels", [&] {
            for (const SensitivityLevel &level : layer.levels)
              json.object([&] {
                json.attribute("pattern", level.pattern);
                json.attribute("sparsity", level.sparsity);
                json.attribute("kept", level.kept);
                json.attribute("layer_error", level.layerError);
                json.attribute("loss", level.loss);
                if (level.microseconds)
                  json.attribute("microseconds", *level.microseconds);
              });
          });
        });
    });
  });
  os << "\n";
}

/// A field of a comma-separated table.
static std::string quote(StringRef text) {
  if (text.find_first_of(",\"\n") == StringRef::npos)
    return text.str();
  std::string quoted = "\"";
  for (char c : text)
    quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

void SensitivityTable::writeCSV(llvm::raw_ostream &os) const {
  os << "layer,elements,uses,pattern,sparsity,kept,layer_error," << loss
     << ",microseconds\n";
  for (const SensitivityLayer &layer : layers)
    for (const SensitivityLevel &level : layer.levels) {
      os << quote(layer.name) << "," << layer.elements << ","
         << llvm::format("%g", layer.uses) << ","
         << (level.pattern.empty() ? "dense" : quote(level.pattern)) << ","
         << llvm::format("%g", level.sparsity) << "," << level.kept << ","
         << llvm::format("%g", level.layerError) << ","
         << llvm::format("%g", level.loss) << ",";
      if (level.microseconds)
        os << llvm::format("%g", *level.microseconds);
      os << "\n";
    }
}

static Error readLevel(const llvm::json::Value &value, llvm::json::Path path,
                       SensitivityLevel &level) {
  llvm::json::ObjectMapper map(value, path);
  bool isRead =
      map && map.map("pattern", level.pattern) &&
      map.map("sparsity", level.sparsity) && map.map("kept", level.kept) &&
      map.map("layer_error", level.layerError) && map.map("loss", level.loss) &&
      map.map("microseconds", level.microseconds);
  return isRead ? Error::success() : createStringError("wrong");
}

Expected<SensitivityTable> SensitivityTable::readJSON(StringRef text) {
  Expected<llvm::json::Value> value = llvm::json::parse(text);
  if (!value)
    return value.takeError();
  llvm::json::Path::Root root("sensitivity table");
  SensitivityTable table;
  llvm::json::Path path(root);
  llvm::json::ObjectMapper map(*value, path);
  int64_t version = 0;
  if (!map || !map.map("version", version) || !map.map("loss", table.loss) ||
      !map.map("samples", table.samples))
    return root.getError();
  const llvm::json::Array *layers = value->getAsObject()->getArray("layers");
  if (version != 1 || !layers)
    return createStringError("expected a sensitivity table of version 1");
  for (auto [i, item] : llvm::enumerate(*layers)) {
    SensitivityLayer &layer = table.layers.emplace_back();
    llvm::json::Path at = path.field("layers").index(i);
    llvm::json::ObjectMapper fields(item, at);
    if (!fields || !fields.map("name", layer.name) ||
        !fields.map("elements", layer.elements) ||
        !fields.map("uses", layer.uses))
      return root.getError();
    const llvm::json::Array *levels = item.getAsObject()->getArray("levels");
    if (!levels || levels->empty())
      return createStringError("expected levels of layer '" + layer.name + "'");
    for (auto [j, entry] : llvm::enumerate(*levels))
      if (Error error = readLevel(entry, at.field("levels").index(j),
                                  layer.levels.emplace_back())) {
        llvm::consumeError(std::move(error));
        return root.getError();
      }
  }
  return std::move(table);
}
