//===- ReconstructWeights.cpp - The pass on files of data -----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The network is calibrated as a copy with everything inlined. Its constants
// are those of the module, which get their new numbers at the end.
//
//===----------------------------------------------------------------------===//

#include "prune/Calibration/Passes.h"

#include "prune/Analysis/LeftAlone.h"
#include "prune/Calibration/Reconstruct.h"
#include "prune/IR/ConstantView.h"
#include "prune/IR/KeptRecord.h"
#include "prune/IR/WeightRecord.h"
#include "prune/Pipelines/Pipelines.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

namespace mlir::prune {
#define GEN_PASS_DEF_RECONSTRUCTWEIGHTSPASS
#include "prune/Calibration/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;
using namespace mlir::prune;
using llvm::Expected;

static constexpr StringLiteral kName = "prune-reconstruct-weights";

namespace {
struct ReconstructWeights
    : prune::impl::ReconstructWeightsPassBase<ReconstructWeights> {
  using Base::Base;

  /// Those of the compilation, which runs inside of the pass.
  void getDependentDialects(DialectRegistry &registry) const override {
    Base::getDependentDialects(registry);
    OpPassManager lowering(ModuleOp::getOperationName());
    LowerToLLVMOptions options;
    (void)buildLowerToLLVMPipeline(lowering, options,
                                   [](const Twine &) { return failure(); });
    lowering.getDependentDialects(registry);
  }

  void runOnOperation() override {
    if (failed(run()))
      signalPassFailure();
  }

private:
  LogicalResult fail(llvm::Error error) {
    std::string message = llvm::toString(std::move(error));
    // Diagnostics have said it if it is empty.
    return message.empty()
               ? failure()
               : getOperation().emitError() << kName << ": " << message;
  }

  LogicalResult run();
  FailureOr<NetworkOptions> readOptions();
  Expected<std::vector<Input>> readData();
  void write(Sweep &sweep);
  void record(ArrayRef<Weight> weights, const MaskPlan &plan,
              ArrayRef<ReconstructedLayer> layers);
};
} // namespace

FailureOr<NetworkOptions> ReconstructWeights::readOptions() {
  NetworkOptions options;
  auto wrong = [&](const Twine &text) {
    return getOperation().emitError() << kName << ": " << text;
  };
  options.solver.magnitude = method == "best" || method == "magnitude";
  options.solver.admm = method == "best" || method == "admm";
  options.solver.sparseGPT = method == "best" || method == "sparsegpt";
  options.solver.surgeon = method == "obs";
  if (!options.solver.magnitude && !options.solver.admm &&
      !options.solver.sparseGPT && !options.solver.surgeon)
    return wrong("option 'method' expects best, admm, magnitude, sparsegpt or "
                 "obs but got '" +
                 method + "'");
  if (!(damping >= 0))
    return wrong("option 'damping' expects a number of at least 0 but got " +
                 std::to_string(damping));
  if (batch < 1)
    return wrong("option 'batch' expects a number of at least 1 but got " +
                 Twine(batch.getValue()));
  if (samples < 1)
    return wrong("option 'samples' expects a number of at least 1 but got " +
                 Twine(samples.getValue()));
  if (data.empty())
    return wrong("option 'data' expects a .npy file for each argument");
  options.solver.fit.damping = damping;
  options.refit = refit;
  options.normalize = normalize;
  options.sweep.batch = batch;
  return options;
}

Expected<std::vector<Input>> ReconstructWeights::readData() {
  std::vector<Input> inputs;
  for (const std::string &path : data) {
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

/// Replaces the constants that changed, wherever the module has them.
void ReconstructWeights::write(Sweep &sweep) {
  llvm::DenseMap<Attribute, TypedAttr> changed;
  KeptRecord kept(getOperation());
  sweep.visitChanged([&](DenseResourceElementsAttr old, ArrayRef<char> bytes) {
    TypedAttr value = createConstantLike(old, old.getType(), bytes);
    kept.setVersion(old, value);
    changed[old] = value;
  });
  kept.commit();
  getOperation().walk([&](Operation *op) {
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

void ReconstructWeights::record(ArrayRef<Weight> weights, const MaskPlan &plan,
                                ArrayRef<ReconstructedLayer> layers) {
  WeightRecords records;
  Builder builder(&getContext());
  for (const ReconstructedLayer &layer : layers) {
    const WeightPlan &item = plan.weights[layer.weight];
    if (!item.pattern)
      continue;
    NamedAttrList outcome;
    outcome.set("unit", builder.getStringAttr("element"));
    outcome.set("kept", builder.getI64IntegerAttr(layer.kept));
    outcome.set("removed", builder.getI64IntegerAttr(layer.size - layer.kept));
    Decider decider{kName, builder.getStringAttr(layer.mask)};
    SmallVector<NamedAttribute> entries =
        makeDecision(item, decider, /*isGlobal=*/false,
                     outcome.getDictionary(&getContext()))
            .toRecord();
    entries.push_back(builder.getNamedAttr(
        "error_before", builder.getF64FloatAttr(layer.errorBefore)));
    entries.push_back(builder.getNamedAttr(
        "error_after", builder.getF64FloatAttr(layer.errorAfter)));
    records.decide(getOperation(), weights[layer.weight].name, entries);
  }
  records.commit();
}

LogicalResult ReconstructWeights::run() {
  if (failed(requireData(getOperation())))
    return failure();
  FailureOr<NetworkOptions> network = readOptions();
  if (failed(network))
    return failure();
  OwningOpRef<ModuleOp> copy = getOperation().clone();
  PassManager pm(&getContext(), ModuleOp::getOperationName());
  pm.addPass(createInlinerPass());
  if (failed(pm.run(*copy)))
    return failure();
  CompileOptions compile;
  compile.entry = function;
  Expected<func::FuncOp> entry = Program::findEntry(*copy, compile);
  if (!entry)
    return fail(entry.takeError());
  WeightUses uses(*entry);
  MaskOptions masks;
  masks.pattern = pattern;
  masks.sparsity = sparsity;
  masks.targets.assign(targets.begin(), targets.end());
  masks.include = include;
  masks.exclude = exclude;
  masks.minSize = minSize;
  FailureOr<MaskPlan> plan =
      planMasks(uses.getWeights(), masks, getOperation().getLoc(), kName);
  if (failed(plan))
    return failure();
  Expected<std::vector<Input>> inputs = readData();
  if (!inputs)
    return fail(inputs.takeError());
  SmallVector<std::pair<size_t, std::string>> left;
  auto sweep = Sweep::create(*entry, uses.getWeights(), std::move(*inputs),
                             network->sweep, left);
  if (!sweep)
    return fail(sweep.takeError());
  for (auto &[index, reason] : left) {
    plan->weights[index].pattern = {};
    plan->weights[index].reason = plan->weights[index].kind = reason;
  }
  Expected<std::vector<ReconstructedLayer>> layers =
      reconstructWeights(**sweep, uses.getWeights(), plan->weights, *network);
  if (!layers)
    return fail(layers.takeError());
  LeftAlone alone(getOperation(), kName, "pruned");
  reportPlan(uses.getWeights(), *plan, pattern, alone);
  write(**sweep);
  record(uses.getWeights(), *plan, *layers);
  return success();
}
