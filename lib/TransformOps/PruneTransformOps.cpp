//===- PruneTransformOps.cpp - Pruning in transform scripts ---------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights are found in the whole module, whatever the target: a constant that
// the target shares with other operations must be seen as one weight, and names
// of constants that have none count through the module. Then those weights are
// kept that the target uses.
//
//===----------------------------------------------------------------------===//

#include "prune/TransformOps/PruneTransformOps.h"

#include "prune/IR/Prune.h"
#include "prune/Transforms/Weights/Transforms.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Transform/IR/TransformDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace mlir::prune;

#define GET_OP_CLASSES
#include "prune/TransformOps/PruneTransformOps.cpp.inc"

//===----------------------------------------------------------------------===//
// TransformMaskOp
//===----------------------------------------------------------------------===//

/// The text of an option that is a string or an attribute.
static std::string textOf(std::optional<Attribute> value, StringRef otherwise) {
  if (!value)
    return otherwise.str();
  if (auto text = dyn_cast<StringAttr>(*value))
    return text.str();
  std::string text;
  llvm::raw_string_ostream(text) << *value;
  return text;
}

/// The shortest text that reads back as the same number.
static std::string textOf(std::optional<APFloat> value) {
  if (!value)
    return "";
  SmallString<32> text;
  value->toString(text, /*FormatPrecision=*/17);
  return text.str().str();
}

static MaskOptions getOptions(TransformMaskOp op) {
  MaskOptions options;
  options.criterion = textOf(op.getCriterion(), "l1");
  options.pattern = textOf(op.getPattern(), "element");
  options.sparsity = textOf(op.getSparsity());
  options.threshold = textOf(op.getThreshold());
  if (std::optional<int64_t> count = op.getCount())
    options.count = std::to_string(*count);
  options.scope = op.getScope().str();
  options.seed = op.getSeed();
  return options;
}

/// The weights that are used in `target` or by it.
static SmallVector<size_t> getWeightsOf(Operation *target,
                                        ArrayRef<Weight> weights) {
  SmallVector<size_t> indices;
  for (auto [index, weight] : llvm::enumerate(weights))
    if (llvm::any_of(weight.uses, [&](const WeightUse &use) {
          return target->isAncestor(use.operand->getOwner());
        }))
      indices.push_back(index);
  return indices;
}

/// Why an operation has no weight, as far as the analysis knows.
static std::string whyNone(Operation *target, const WeightUses &uses) {
  for (const NotPrunable &item : uses.getNotPrunable())
    if (item.op == target)
      return ": " + item.reason;
  return "";
}

DiagnosedSilenceableFailure
TransformMaskOp::apply(transform::TransformRewriter &rewriter,
                       transform::TransformResults &results,
                       transform::TransformState &state) {
  // One analysis, and for global scope one ranking, for each top-level payload.
  llvm::MapVector<Operation *, SmallVector<Operation *>> targetsOf;
  for (Operation *target : state.getPayloadOps(getTarget())) {
    Operation *root = target;
    while (Operation *parent = root->getParentOp())
      root = parent;
    targetsOf[root].push_back(target);
  }
  for (auto &[root, targets] : targetsOf) {
    WeightUses uses(root);
    llvm::DenseSet<size_t> chosen;
    bool isNamed = true;
    for (Operation *target : targets) {
      SmallVector<size_t> indices = getWeightsOf(target, uses.getWeights());
      if (indices.empty()) {
        auto failure = emitSilenceableError()
                       << "'" << target->getName() << "' has no weight to mask"
                       << whyNone(target, uses);
        failure.attachNote(target->getLoc()) << "the operation is here";
        return failure;
      }
      chosen.insert_range(indices);
      isNamed &= isa<linalg::LinalgOp>(target);
    }
    // In module order, whatever the order of the handle: ties depend on it.
    SmallVector<Weight> weights;
    for (auto [index, weight] : llvm::enumerate(uses.getWeights()))
      if (chosen.contains(index))
        weights.push_back(weight);
    MaskOptions options = getOptions(*this);
    if (isNamed)
      options.include = ".*";
    LeftAlone left(root, "transform.prune.mask", "pruned");
    if (failed(maskWeights(weights, options, getLoc(), left)))
      return DiagnosedSilenceableFailure::definiteFailure();
    left.warnIfNothing(kNoWeights);
  }
  return DiagnosedSilenceableFailure::success();
}

void TransformMaskOp::getEffects(
    SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  transform::onlyReadsHandle(getTargetMutable(), effects);
  transform::modifiesPayload(effects);
}

//===----------------------------------------------------------------------===//
// TransformFoldOp
//===----------------------------------------------------------------------===//

DiagnosedSilenceableFailure
TransformFoldOp::apply(transform::TransformRewriter &rewriter,
                       transform::TransformResults &results,
                       transform::TransformState &state) {
  SmallVector<Operation *> targets =
      llvm::to_vector(state.getPayloadOps(getTarget()));
  for (Operation *target : targets) {
    if (!isa<FunctionOpInterface, ModuleOp>(target)) {
      auto failure = emitDefiniteFailure()
                     << "expects functions or modules but got '"
                     << target->getName() << "'";
      failure.attachNote(target->getLoc()) << "the operation is here";
      return failure;
    }
    if (failed(foldMasks(target)))
      return DiagnosedSilenceableFailure::definiteFailure();
  }
  results.set(cast<OpResult>(getFolded()), targets);
  return DiagnosedSilenceableFailure::success();
}

void TransformFoldOp::getEffects(
    SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  transform::consumesHandle(getTargetMutable(), effects);
  transform::producesHandle(getOperation()->getOpResults(), effects);
  transform::modifiesPayload(effects);
}

//===----------------------------------------------------------------------===//
// Registration
//===----------------------------------------------------------------------===//

namespace {
struct PruneTransformExtension
    : transform::TransformDialectExtension<PruneTransformExtension> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(PruneTransformExtension)

  void init() {
    declareGeneratedDialect<PruneDialect>();
    declareGeneratedDialect<arith::ArithDialect>();
    registerTransformOps<
#define GET_OP_LIST
#include "prune/TransformOps/PruneTransformOps.cpp.inc"
        >();
  }
};
} // namespace

void mlir::prune::registerTransformDialectExtension(DialectRegistry &registry) {
  registry.addExtensions<PruneTransformExtension>();
}
