//===- PassInputs.cpp - What passes on data have in common ----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PassInputs.h"

#include "prune/Analysis/LeftAlone.h"
#include "prune/IR/ConstantView.h"
#include "prune/IR/KeptRecord.h"
#include "prune/IR/WeightRecord.h"
#include "prune/Pipelines/Pipelines.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::prune;
using llvm::Expected;

LogicalResult mlir::prune::failWith(ModuleOp module, StringRef by,
                                    llvm::Error error) {
  std::string message = llvm::toString(std::move(error));
  return message.empty() ? failure()
                         : module.emitError() << by << ": " << message;
}

FailureOr<PassNetwork> PassNetwork::create(ModuleOp module, StringRef function,
                                           StringRef by) {
  if (failed(requireData(module)))
    return failure();
  PassNetwork network;
  network.module = module.clone();
  PassManager pm(module.getContext(), ModuleOp::getOperationName());
  pm.addPass(createInlinerPass());
  if (failed(pm.run(*network.module)))
    return failure();
  CompileOptions compile;
  compile.entry = function.str();
  Expected<func::FuncOp> entry = Program::findEntry(*network.module, compile);
  if (!entry)
    return failWith(module, by, entry.takeError());
  network.entry = *entry;
  network.uses = std::make_unique<WeightUses>(*entry);
  return std::move(network);
}

Expected<std::vector<Input>>
mlir::prune::readSamples(ArrayRef<std::string> files, int64_t samples) {
  std::vector<Input> inputs;
  for (const std::string &path : files) {
    Expected<NpyArray> array = readNpy(path);
    if (!array)
      return array.takeError();
    if (array->shape().empty() || array->shape()[0] <= samples) {
      inputs.push_back({std::move(*array), false});
      continue;
    }
    SmallVector<int64_t> shape(array->shape());
    size_t bytes = array->bytes().size() / shape[0] * samples;
    shape[0] = samples;
    NpyArray first(array->type(), shape);
    llvm::copy(array->bytes().take_front(bytes), first.bytes().begin());
    inputs.push_back({std::move(first), false});
  }
  return std::move(inputs);
}

FailureOr<NetworkOptions>
mlir::prune::readNetworkOptions(ModuleOp module, StringRef by,
                                const DataOptions &data) {
  NetworkOptions options;
  auto wrong = [&](StringRef option, StringRef expected, const Twine &got) {
    return module.emitError() << by << ": option '" << option << "' expects "
                              << expected << " but got " << got.str();
  };
  StringRef method = data.method;
  options.solver.magnitude = method == "best" || method == "magnitude";
  options.solver.admm = method == "best" || method == "admm";
  options.solver.sparseGPT = method == "best" || method == "sparsegpt";
  options.solver.surgeon = method == "obs";
  if (!options.solver.magnitude && !options.solver.admm &&
      !options.solver.sparseGPT && !options.solver.surgeon)
    return wrong("method", "best, admm, magnitude, sparsegpt or obs",
                 "'" + method + "'");
  if (!(data.damping >= 0))
    return wrong("damping", "a number of at least 0",
                 std::to_string(data.damping));
  if (data.batch < 1)
    return wrong("batch", "a number of at least 1", Twine(data.batch));
  if (data.samples < 1)
    return wrong("samples", "a number of at least 1", Twine(data.samples));
  if (data.files.empty())
    return wrong("data", "a .npy file for each argument", "none");
  options.solver.fit.damping = data.damping;
  options.refit = data.refit;
  options.normalize = data.normalize;
  if (data.maxMemory < 0)
    return wrong("max-memory", "a number of MiB of at least 0",
                 Twine(data.maxMemory));
  // For a person who waits.
  if (llvm::errs().is_displayed())
    options.sweep.progress = [](StringRef layer, size_t number, size_t all) {
      llvm::errs() << "\r\033[K[" << number + 1 << "/" << all << "] " << layer;
      if (number + 1 == all)
        llvm::errs() << "\r\033[K";
    };
  options.sweep.batch = data.batch;
  options.sweep.maxBytes = uint64_t(data.maxMemory) << 20;
  return options;
}

FailureOr<std::unique_ptr<Sweep>>
mlir::prune::makeSweep(ModuleOp module, StringRef by,
                       const PassNetwork &network, const DataOptions &data,
                       const NetworkOptions &options,
                       SmallVectorImpl<std::pair<size_t, std::string>> &left) {
  Expected<std::vector<Input>> inputs = readSamples(data.files, data.samples);
  if (!inputs)
    return failWith(module, by, inputs.takeError());
  auto sweep = Sweep::create(network.entry, network.weights(),
                             std::move(*inputs), options.sweep, left);
  if (!sweep)
    return failWith(module, by, sweep.takeError());
  return std::move(*sweep);
}

FailureOr<std::vector<PlannedLevel>>
mlir::prune::planLevels(ModuleOp module, StringRef by,
                        const PassNetwork &network, const LevelNames &names,
                        MaskOptions masks,
                        ArrayRef<std::pair<size_t, std::string>> left) {
  static const double kLevels[] = {0.3,  0.5, 0.6,  0.7,  0.75, 0.8,
                                   0.85, 0.9, 0.93, 0.95, 0.975};
  std::vector<std::string> patterns = names.patterns;
  if (patterns.empty())
    patterns.push_back("element");
  std::vector<double> levels = names.levels;
  if (levels.empty())
    levels.assign(std::begin(kLevels), std::end(kLevels));
  std::vector<PlannedLevel> planned;
  auto add = [&](StringRef pattern, std::optional<double> sparsity) {
    masks.pattern = pattern.str();
    masks.sparsity =
        sparsity ? llvm::formatv("{0}", *sparsity).str() : std::string();
    FailureOr<MaskPlan> plan =
        planMasks(network.weights(), masks, module.getLoc(), by);
    if (failed(plan))
      return LogicalResult(failure());
    for (auto &[index, reason] : left)
      plan->weights[index].pattern = {};
    PlannedLevel &level = planned.emplace_back();
    level.pattern = pattern.str();
    level.sparsity = sparsity.value_or(0);
    level.weights.assign(plan->weights.begin(), plan->weights.end());
    return LogicalResult(success());
  };
  for (StringRef pattern : patterns) {
    FailureOr<ParsedPattern> parsed =
        parsePattern(module.getContext(), pattern, [&] {
          return module.emitError() << by << ": option 'patterns': ";
        });
    if (failed(parsed))
      return failure();
    if (parsed->along(0).isTarget()) {
      if (failed(add(pattern, std::nullopt)))
        return failure();
      continue;
    }
    for (double level : levels)
      if (failed(add(pattern, level)))
        return failure();
  }
  return std::move(planned);
}

void mlir::prune::replaceConstants(
    ModuleOp module,
    ArrayRef<std::pair<Attribute, std::vector<char>>> changes) {
  llvm::DenseMap<Attribute, TypedAttr> changed;
  KeptRecord kept(module);
  for (const auto &[old, bytes] : changes) {
    TypedAttr value = createConstantLike(
        old, cast<ShapedType>(cast<TypedAttr>(old).getType()), bytes);
    kept.setVersion(old, value);
    changed[old] = value;
  }
  kept.commit();
  module.walk([&](Operation *op) {
    Attribute value;
    if (!op->hasTrait<OpTrait::ConstantLike>() ||
        !matchPattern(op, m_Constant(&value)))
      return;
    TypedAttr replacement = changed.lookup(value);
    if (!replacement)
      return;
    OpBuilder builder(op);
    op->getResult(0).replaceAllUsesWith(
        arith::ConstantOp::create(builder, op->getLoc(), replacement));
    op->erase();
  });
}

void mlir::prune::writeChanges(ModuleOp module, Sweep &sweep) {
  SmallVector<std::pair<Attribute, std::vector<char>>> changes;
  sweep.visitChanged([&](DenseResourceElementsAttr old, ArrayRef<char> bytes) {
    changes.push_back({old, bytes.vec()});
  });
  replaceConstants(module, changes);
}

/// With fewer rows than inputs, many weights fit the data equally well.
static void warnOfFewRows(ModuleOp module, StringRef by,
                          ArrayRef<Weight> weights,
                          ArrayRef<ReconstructedLayer> layers) {
  const ReconstructedLayer *worst = nullptr;
  int64_t count = 0;
  for (const ReconstructedLayer &layer : layers)
    if (!layer.mask.empty() && layer.rows < layer.inputs) {
      ++count;
      if (!worst || layer.rows * worst->inputs < worst->rows * layer.inputs)
        worst = &layer;
    }
  if (worst)
    module.emitWarning() << by << ": " << count
                         << " layers have fewer rows of calibration data than "
                            "inputs, such as '"
                         << weights[worst->weight].name << "' (" << worst->rows
                         << " for " << worst->inputs << "); give more samples";
}

void mlir::prune::recordLayers(ModuleOp module, StringRef by,
                               ArrayRef<Weight> weights,
                               ArrayRef<WeightPlan> plan,
                               ArrayRef<ReconstructedLayer> layers) {
  warnOfFewRows(module, by, weights, layers);
  WeightRecords records;
  Builder builder(module.getContext());
  for (const ReconstructedLayer &layer : layers) {
    const WeightPlan &item = plan[layer.weight];
    if (!item.pattern)
      continue;
    Decider decider{by, builder.getStringAttr(layer.mask)};
    SmallVector<NamedAttribute> entries =
        makeDecision(item, decider, /*isGlobal=*/false,
                     makeOutcome(module.getContext(), layer.kept,
                                 layer.size - layer.kept, std::nullopt))
            .toRecord();
    entries.push_back(builder.getNamedAttr(
        "error_before", builder.getF64FloatAttr(layer.errorBefore)));
    entries.push_back(builder.getNamedAttr(
        "error_after", builder.getF64FloatAttr(layer.errorAfter)));
    records.decide(module, weights[layer.weight].name, entries);
    remark::passed(weights[layer.weight].getLoc(),
                   remark::RemarkOpts::name("Reconstructed").category(by))
        << remark::metric("Weight", weights[layer.weight].name)
        << remark::metric("Kept", layer.kept)
        << remark::metric("Elements", layer.size)
        << remark::metric("ErrorBefore", layer.errorBefore)
        << remark::metric("ErrorAfter", layer.errorAfter);
  }
  records.commit();
}

void mlir::prune::reportLeftAlone(ModuleOp module, StringRef by,
                                  ArrayRef<Weight> weights,
                                  ArrayRef<WeightPlan> plan) {
  LeftAlone left(module, by, "pruned");
  WeightRecords records;
  Builder builder(module.getContext());
  for (auto [weight, item] : llvm::zip_equal(weights, plan)) {
    if (item.pattern) {
      left.noteDone();
      continue;
    }
    remark::missed(weight.getLoc(),
                   remark::RemarkOpts::name("LeftAlone").category(by))
        << remark::metric("Weight", weight.name)
        << remark::reason("{0}", item.reason);
    DictionaryAttr known = records.get(module, weight.name);
    bool isDecided = known && known.get("by");
    if (item.isRecorded && !item.reason.empty() && !isDecided)
      records.add(module, weight.name,
                  builder.getNamedAttr("left_alone",
                                       builder.getStringAttr(item.reason)));
    left.note(item.kind, weight.getLoc(), weight.name);
  }
  records.commit();
  left.warnIfNothing("the function has no weights; run prune-prepare, or name "
                     "another function");
}

LogicalResult mlir::prune::checkLoss(ModuleOp module, StringRef by,
                                     StringRef loss) {
  if (loss == "kl" || loss == "error")
    return success();
  return module.emitError()
         << by << ": option 'loss' expects kl or error but got '" << loss
         << "'";
}

FailureOr<std::unique_ptr<LossMeter>>
mlir::prune::makeMeter(ModuleOp module, StringRef by, Sweep &sweep,
                       std::vector<std::string> labels) {
  NpyArray classes;
  if (labels.size() > 1)
    return module.emitError()
           << by << ": expects one file of labels but got " << labels.size();
  if (!labels.empty()) {
    Expected<NpyArray> read = readNpy(labels.front());
    if (!read)
      return failWith(module, by, read.takeError());
    switch (read->type()) {
    case NpyType::F16:
    case NpyType::F32:
    case NpyType::F64:
      return module.emitError()
             << by << ": labels '" << labels.front()
             << "' are real numbers; expected integers, the class of each row";
    default:
      break;
    }
    classes = std::move(*read);
  }
  auto meter = LossMeter::create(sweep, std::move(classes));
  if (!meter)
    return failWith(module, by, meter.takeError());
  double chance = 100.0 / std::max<int64_t>((*meter)->numClasses(), 1);
  if ((*meter)->hasLabels() && (*meter)->dense().accuracy < 1.5 * chance)
    module.emitWarning()
        << by << ": the dense network has "
        << llvm::formatv("{0:f2}", (*meter)->dense().accuracy).str()
        << " % of the labels right, hardly more than by "
           "chance; check the labels and the preprocessing";
  return std::move(*meter);
}

void mlir::prune::insertLoweringDialects(DialectRegistry &registry) {
  OpPassManager lowering(ModuleOp::getOperationName());
  LowerToLLVMOptions options;
  (void)buildLowerToLLVMPipeline(lowering, options,
                                 [](const Twine &) { return failure(); });
  lowering.getDependentDialects(registry);
}
