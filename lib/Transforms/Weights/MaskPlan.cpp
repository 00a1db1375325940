//===- MaskPlan.cpp - What prune-mask-weights was asked to do -------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Options arrive as text, so that "not given" differs from every number. They
// are checked before anything in the module changes.
//
//===----------------------------------------------------------------------===//

#include "prune/Transforms/Weights/MaskPlan.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Threading.h"

#include <cmath>

using namespace mlir;
using namespace mlir::prune;

namespace {
/// The kinds of target; a layer's own value has the kind in force.
enum class TargetKind { None, Sparsity, Threshold, Count };

/// Checks options and resolves them for each weight.
class Planner {
public:
  Planner(ArrayRef<Weight> weights, const MaskOptions &options, Location loc,
          StringRef by)
      : weights(weights), options(options), loc(loc), by(by) {}

  FailureOr<MaskPlan> plan();

private:
  InFlightDiagnostic error() const { return emitError(loc) << by << ": "; }

  FailureOr<Target> parseTarget(TargetKind kind, StringRef text,
                                StringRef option) const;
  LogicalResult readTargetKind();

  PatternAttrInterface patternFor(const Weight &weight) const;
  void leaveAlone(const Weight &weight, PatternAttrInterface pattern,
                  WeightPlan &plan) const;
  void leaveWhatRoundsToNothing(MaskPlan &plan) const;
  LogicalResult planWeight(const Weight &weight, Choice choice, int entry,
                           const LayerValues &layers, WeightPlan &plan) const;

  ArrayRef<Weight> weights;
  const MaskOptions &options;
  Location loc;
  StringRef by;

  TargetKind kind = TargetKind::None;
  std::optional<Target> target;
  ParsedPattern pattern;
};
} // namespace

FailureOr<Target> Planner::parseTarget(TargetKind kind, StringRef text,
                                       StringRef option) const {
  Target target;
  if (kind == TargetKind::Count) {
    int64_t count;
    if (text.getAsInteger(10, count) || count < 0)
      return error() << "option '" << option
                     << "' expects a number of units of at least 0 but got '"
                     << text << "'";
    target.count = count;
    return target;
  }
  double value;
  bool isNumber = !text.getAsDouble(value) && !std::isnan(value);
  if (kind == TargetKind::Threshold) {
    if (!isNumber)
      return error() << "option '" << option << "' expects a number but got '"
                     << text << "'";
    target.threshold = value;
    return target;
  }
  if (!isNumber || value < 0 || value > 1)
    return error() << "option '" << option
                   << "' expects a number in [0, 1] but got '" << text << "'";
  target.sparsity = value;
  return target;
}

LogicalResult Planner::readTargetKind() {
  std::pair<TargetKind, StringRef> given[] = {
      {TargetKind::Sparsity, options.sparsity},
      {TargetKind::Threshold, options.threshold},
      {TargetKind::Count, options.count}};
  StringRef names[] = {"sparsity", "threshold", "count"};
  StringRef first;
  for (auto [candidate, name] : llvm::zip_equal(given, names)) {
    if (candidate.second.empty())
      continue;
    if (kind != TargetKind::None)
      return error() << "options '" << first << "' and '" << name
                     << "' exclude each other; give one of them";
    FailureOr<Target> parsed =
        parseTarget(candidate.first, candidate.second, name);
    if (failed(parsed))
      return failure();
    kind = candidate.first;
    target = *parsed;
    first = name;
  }
  bool isTarget = pattern.along(0).isTarget();
  if (isTarget && (target || !options.targets.empty()))
    return error() << "pattern '" << options.pattern
                   << "' is the target itself; remove option '"
                   << (target ? first : "targets") << "'";
  if (!isTarget && !target && options.targets.empty())
    return error() << "expects one of the options 'sparsity', 'threshold' and "
                      "'count', or 'targets' for single layers";
  if (kind == TargetKind::None)
    kind = TargetKind::Sparsity;
  return success();
}

PatternAttrInterface Planner::patternFor(const Weight &weight) const {
  int64_t last = std::max<int64_t>(weight.getType().getRank() - 1, 0);
  return pattern.along(weight.uses.front().getReductionDim().value_or(last));
}

/// Whether units and groups cover a tensor of this shape without remainder.
static bool divides(const UnitPattern &units, ArrayRef<int64_t> shape) {
  if (units.map)
    return true;
  for (auto [size, extent] : llvm::zip_equal(shape, units.block))
    if (size % extent != 0)
      return false;
  return !units.groupSize || shape[units.groupDim] % units.groupSize == 0;
}

void Planner::leaveAlone(const Weight &weight, PatternAttrInterface pattern,
                         WeightPlan &plan) const {
  llvm::raw_string_ostream os(plan.reason);
  RankedTensorType type = weight.getType();
  if (type.getNumElements() < options.minSize) {
    os << "has " << type.getNumElements() << " elements, min-size is "
       << options.minSize;
    plan.kind = "has fewer elements than min-size; give a smaller one, or name "
                "it with include or targets";
  } else if (weight.isDepthwise()) {
    os << "is a depthwise filter; name it with include or targets to prune it";
    plan.kind = plan.reason;
  } else if (!divides(pattern.getUnits(type.getShape()), type.getShape())) {
    os << "has type " << type << ", which pattern " << options.pattern
       << " does not divide; name it with include or targets to prune it";
    plan.kind = "pattern " + options.pattern +
                " does not divide its shape; name it with include or targets "
                "to prune it";
  }
}

/// The units that weights of these plans have together.
static int64_t countUnits(const Weight &weight, const WeightPlan &plan) {
  ArrayRef<int64_t> shape = weight.getType().getShape();
  UnitPattern pattern = plan.pattern.getUnits(shape);
  if (pattern.map)
    return pattern.map->numUnits();
  int64_t units = 1;
  for (auto [size, extent] : llvm::zip_equal(shape, pattern.block))
    units *= llvm::divideCeil(size, extent);
  return units;
}

/// A target of which not one unit is left is none. Of weights that are ranked
/// together it is one target.
void Planner::leaveWhatRoundsToNothing(MaskPlan &plan) const {
  auto removes = [](const Target &target, int64_t units) {
    if (target.sparsity)
      return std::floor(double(units) * *target.sparsity) > 0;
    return !target.count || *target.count > 0;
  };
  int64_t together = 0;
  for (auto [weight, item] : llvm::zip_equal(weights, plan.weights))
    if (item.pattern && !item.pattern.isTarget()) {
      item.units = countUnits(weight, item);
      if (plan.isTogether(item))
        together += item.units;
    }
  for (WeightPlan &item : plan.weights) {
    if (!item.pattern || item.pattern.isTarget())
      continue;
    int64_t units = plan.isTogether(item) ? together : item.units;
    if (removes(item.target, units))
      continue;
    llvm::raw_string_ostream os(item.reason);
    if (item.target.count)
      os << "a count of 0 removes nothing";
    else
      os << "a sparsity of " << llvm::format("%g", *item.target.sparsity)
         << " of " << units << " units rounds to 0";
    item.kind = item.target.count ? "a count of 0 removes nothing; give more"
                : *item.target.sparsity == 0
                    ? "a sparsity of 0 removes nothing; give more"
                    : "its sparsity rounds to 0 units; give more, or use "
                      "scope=global";
    item.isRecorded = item.target.sparsity.value_or(0) != 0;
    item.pattern = {};
  }
}

/// Whether the pattern means something for the shape. What it says if it does
/// not is kept from the user: whether that is an error is decided elsewhere.
static bool appliesTo(PatternAttrInterface pattern, ArrayRef<int64_t> shape,
                      Location loc) {
  uint64_t thread = llvm::get_threadid();
  ScopedDiagnosticHandler silence(loc.getContext(), [&](Diagnostic &) {
    return success(llvm::get_threadid() == thread);
  });
  return succeeded(pattern.verifyFor(shape, [&] { return emitError(loc); }));
}

LogicalResult Planner::planWeight(const Weight &weight, Choice choice,
                                  int entry, const LayerValues &layers,
                                  WeightPlan &plan) const {
  bool isNamed = choice == Choice::Named || entry >= 0;
  if (choice == Choice::Excluded ||
      (choice == Choice::NotIncluded && entry < 0)) {
    plan.reason = plan.kind = "is filtered out by include or exclude";
    return success();
  }
  if (entry < 0 && !target && !pattern.along(0).isTarget()) {
    plan.reason = plan.kind = "has no entry in targets";
    return success();
  }

  PatternAttrInterface pattern = patternFor(weight);
  ArrayRef<int64_t> shape = weight.getType().getShape();
  if (!appliesTo(pattern, shape, loc)) {
    if (entry >= 0)
      return pattern.verifyFor(
          shape, [&] { return error() << "weight '" << weight.name << "': "; });
    llvm::raw_string_ostream(plan.reason)
        << "has type " << weight.getType() << ", to which pattern "
        << options.pattern << " does not apply";
    plan.kind = "pattern " + options.pattern + " does not apply to its shape";
    return success();
  }
  if (!isNamed)
    leaveAlone(weight, pattern, plan);
  if (!plan.reason.empty())
    return success();

  plan.pattern = pattern;
  if (entry >= 0) {
    FailureOr<Target> own = parseTarget(kind, layers.values[entry], "targets");
    if (failed(own))
      return failure();
    plan.target = *own;
    plan.isOwnTarget = true;
  } else if (target) {
    plan.target = *target;
  }
  return success();
}

FailureOr<MaskPlan> Planner::plan() {
  MaskPlan plan;
  plan.criterion = parseCriterion(loc, options.criterion, options.seed);
  FailureOr<ParsedPattern> parsed =
      parsePattern(loc.getContext(), options.pattern,
                   [&] { return error() << "option 'pattern': "; });
  if (succeeded(parsed))
    pattern = *parsed;
  if (!plan.criterion || failed(parsed) || failed(readTargetKind()))
    return failure();
  if (options.scope != "local" && options.scope != "global")
    return error() << "option 'scope' expects local or global but got '"
                   << options.scope << "'";
  plan.isGlobal = options.scope == "global";
  if (options.minSize < 0)
    return error() << "option 'min-size' expects a number of elements of at "
                      "least 0 but got "
                   << options.minSize;

  FailureOr<SmallVector<Choice>> choices = filterWeights(
      weights, options.include, options.exclude, [&] { return error(); });
  if (failed(choices))
    return failure();
  FailureOr<LayerValues> layers = matchLayerValues(
      weights, options.targets, "targets", [&] { return error(); });
  if (failed(layers))
    return failure();
  // Values of entries that another entry hides are checked too.
  for (const std::string &value : layers->values)
    if (failed(parseTarget(kind, value, "targets")))
      return failure();
  for (auto [weight, choice, entry] :
       llvm::zip_equal(weights, *choices, layers->entryOfWeight))
    if (failed(planWeight(weight, choice, entry, *layers,
                          plan.weights.emplace_back())))
      return failure();
  leaveWhatRoundsToNothing(plan);
  return plan;
}

FailureOr<MaskPlan> mlir::prune::planMasks(ArrayRef<Weight> weights,
                                           const MaskOptions &options,
                                           Location loc, StringRef by) {
  return Planner(weights, options, loc, by).plan();
}
