//===- FoldMasks.cpp - Compute masks of constants and apply them ----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A mask op is folded when all its scores come from constants. The ranking
// reads scores straight out of the weight buffers and yields a cut; each apply
// of the scored weight then streams weight and fate once more and writes the
// masked buffer. Everything else that may be asked of the ops on constants
// (reduced masks, masks of one weight put on another, masks and scores that are
// used directly) goes through a mask or score that is written out.
//
//===----------------------------------------------------------------------===//

#include "ConstantScores.h"

#include "prune/Analysis/LeftAlone.h"
#include "prune/Core/SelectElements.h"
#include "prune/IR/ConstantView.h"
#include "prune/IR/KeptRecord.h"
#include "prune/IR/Prune.h"
#include "prune/IR/Records.h"
#include "prune/IR/WeightRecord.h"
#include "prune/Transforms/Weights/Passes.h"
#include "prune/Transforms/Weights/Transforms.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Remarks.h"
#include "mlir/IR/Threading.h"

#include <cmath>

namespace mlir::prune {
#define GEN_PASS_DEF_FOLDMASKSPASS
#include "prune/Transforms/Weights/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;
using namespace mlir::prune;

static constexpr StringLiteral kCategory = "prune-fold-masks";

/// The name of the weight that a score or apply op works on, for messages.
static std::string nameOf(Operation *op, Value tensor) {
  StringRef name = getWeightName(getConstantOf(tensor));
  if (auto attr = op->getAttrOfType<StringAttr>("weight"); name.empty() && attr)
    name = attr.getValue();
  return name.str();
}

namespace {
/// Folds the ops of one module.
class Folder {
public:
  explicit Folder(Operation *root) : context(root->getContext()) {
    auto module = dyn_cast<ModuleOp>(root);
    if (!module)
      module = root->getParentOfType<ModuleOp>();
    if (module)
      kept.emplace(module);
  }

  LogicalResult foldMask(MaskOp mask);
  void foldScore(ScoreOp score);
  void foldApply(ApplyOp apply);
  void report(Operation *root, bool quiet);
  void commit() {
    records.commit();
    if (kept)
      kept->commit();
  }

private:
  void parallel(size_t n, function_ref<void(size_t)> body) {
    mlir::parallelFor(context, 0, n, body);
  }

  LogicalResult reportNan(MaskOp mask, size_t operand);
  void warnIfInfinite(MaskOp mask, const MaskSelection &selection,
                      ArrayRef<RankedTensorScores> ranked);
  void fuseApply(ApplyOp apply, const RankedTensorScores &ranked,
                 const MaskSelection &selection, size_t operand);
  Attribute writeMask(RankedTensorType type, const RankedTensorScores &ranked,
                      const MaskSelection &selection, size_t operand);
  void replaceApply(ApplyOp apply, AsmResourceBlob blob, bool changed,
                    int64_t zeros);

  MLIRContext *context;
  SmallVector<NamedAttribute> getDecision(ApplyOp apply, int64_t removed);

  /// What masks say that no pass of ours made, by the apply ops that use them.
  llvm::DenseMap<Operation *, SmallVector<NamedAttribute>> stated;
  /// The score at which each apply op's ranking was cut.
  llvm::DenseMap<Operation *, double> cuts;
  WeightRecords records;
  /// Masks and scores that were computed, masks that were applied, and those of
  /// them that removed something.
  int64_t numComputed = 0, numApplied = 0, numRemoving = 0;
  /// Weights of which a decision leaves nothing.
  SmallVector<std::string> emptied;
  /// Which indices of the original each version of a weight has.
  std::optional<KeptRecord> kept;
  /// What each constant was folded to, so that equal results are one resource.
  llvm::DenseMap<Attribute, SmallVector<DenseResourceElementsAttr>> folded;
};
} // namespace

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

/// Writes the scores out, for users other than masks.
void Folder::foldScore(ScoreOp score) {
  std::optional<ScoreSource> source = readScores(score.getScores());
  if (!source)
    return;
  ++numComputed;
  auto type = cast<RankedTensorType>(score.getScores().getType());
  std::vector<double> values(type.getNumElements());
  source->read(0, values);
  SmallVector<APFloat> rounded;
  const llvm::fltSemantics &semantics =
      cast<FloatType>(type.getElementType()).getFloatSemantics();
  for (double value : values) {
    bool losesInfo;
    rounded.emplace_back(value).convert(semantics, APFloat::rmNearestTiesToEven,
                                        &losesInfo);
  }
  OpBuilder builder(score);
  score.getScores().replaceAllUsesWith(arith::ConstantOp::create(
      builder, score.getLoc(), DenseElementsAttr::get(type, rounded)));
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

LogicalResult Folder::reportNan(MaskOp mask, size_t operand) {
  auto score = mask.getScores()[operand].getDefiningOp<ScoreOp>();
  if (!score)
    return mask.emitError("operand ")
           << operand << " has a NaN score; scores must be numbers";
  std::string name = nameOf(score, score.getTensor());
  std::optional<TensorView> view =
      getTensorView(getConstantOf(score.getTensor()));
  auto position = findNaN(*view);
  if (!position)
    return score.emitError("criterion ")
           << score.getCriterion() << " gives a NaN score for weight '" << name
           << "'";
  InFlightDiagnostic diagnostic = score.emitError("weight '")
                                  << name << "' has a NaN at [";
  llvm::interleaveComma(*position, diagnostic);
  return diagnostic << "]; repair the weight, or leave it out with exclude";
}

void Folder::warnIfInfinite(MaskOp mask, const MaskSelection &selection,
                            ArrayRef<RankedTensorScores> ranked) {
  if (!selection.hasInfinite)
    return;
  InFlightDiagnostic warning = mask.emitWarning("infinite scores in");
  for (Value operand : mask.getScores())
    if (auto score = operand.getDefiningOp<ScoreOp>())
      warning << " '" << nameOf(score, score.getTensor()) << "'";
  warning << ": they rank above all others";
}

/// What a mask itself says of an operand, as the module records it.
static SmallVector<NamedAttribute> describe(MaskOp mask, size_t operand) {
  SmallVector<NamedAttribute> entries;
  Builder builder(mask.getContext());
  auto add = [&](StringRef key, Attribute value) {
    if (value)
      entries.push_back(builder.getNamedAttr(key, value));
  };
  // Whoever wrote the mask did.
  add("by", builder.getStringAttr("prune.mask"));
  add("pattern", toRecordText(mask.getPattern()));
  add("sparsity", mask.getSparsityAttr());
  add("threshold", mask.getThresholdAttr());
  add("count", mask.getCountAttr());
  if (auto score = mask.getScores()[operand].getDefiningOp<ScoreOp>()) {
    add("criterion", toRecordText(score.getCriterion()));
    add("reduce_dims", score.getReduceDimsAttr());
  }
  bool isGlobal = mask.getScores().size() > 1;
  add("scope", builder.getStringAttr(isGlobal ? "global" : "local"));
  return entries;
}

LogicalResult Folder::foldMask(MaskOp mask) {
  std::vector<RankedTensorScores> ranked;
  for (Value operand : mask.getScores()) {
    std::optional<ScoreSource> source = readScores(operand);
    if (!source)
      return success();
    UnitPattern units = mask.getPattern().getUnits(source->shape);
    ranked.emplace_back(std::move(*source), units);
  }
  Target target;
  if (std::optional<APFloat> sparsity = mask.getSparsity())
    target.sparsity = sparsity->convertToDouble();
  if (std::optional<APFloat> threshold = mask.getThreshold())
    target.threshold = threshold->convertToDouble();
  if (std::optional<uint64_t> count = mask.getCount())
    target.count = *count;

  size_t nanOperand = 0;
  std::optional<MaskSelection> selection = MaskSelection::choose(
      ranked, target,
      [&](size_t n, function_ref<void(size_t)> f) { parallel(n, f); },
      nanOperand);
  if (!selection)
    return reportNan(mask, nanOperand);
  warnIfInfinite(mask, *selection, ranked);
  ++numComputed;

  for (auto [operand, result] : llvm::enumerate(mask.getMasks())) {
    bool isCut =
        !mask.getPattern().isTarget() && std::isfinite(selection->cut.score);
    for (Operation *user : result.getUsers()) {
      stated[user] = describe(mask, operand);
      if (isCut)
        cuts[user] = selection->cut.score;
    }
    auto score = mask.getScores()[operand].getDefiningOp<ScoreOp>();
    for (Operation *user : llvm::make_early_inc_range(result.getUsers())) {
      auto apply = dyn_cast<ApplyOp>(user);
      bool isScored =
          apply && score && score.getReducedDims().empty() &&
          getConstantOf(apply.getTensor()) == getConstantOf(score.getTensor());
      if (isScored &&
          apply.getTensor().getType() == score.getTensor().getType())
        fuseApply(apply, ranked[operand], *selection, operand);
    }
    if (result.use_empty())
      continue;
    OpBuilder builder(mask);
    Attribute value = writeMask(cast<RankedTensorType>(result.getType()),
                                ranked[operand], *selection, operand);
    result.replaceAllUsesWith(arith::ConstantOp::create(
        builder, mask.getLoc(), cast<TypedAttr>(value)));
  }
  return success();
}

Attribute Folder::writeMask(RankedTensorType type,
                            const RankedTensorScores &ranked,
                            const MaskSelection &selection, size_t operand) {
  std::vector<uint8_t> bytes = selection.getKept(
      ranked, operand, type.getNumElements(),
      [&](size_t n, function_ref<void(size_t)> f) { parallel(n, f); });
  return DenseElementsAttr::get(
      type, ArrayRef<bool>(reinterpret_cast<const bool *>(bytes.data()),
                           bytes.size()));
}

//===----------------------------------------------------------------------===//
// Applications
//===----------------------------------------------------------------------===//

static void selectRun(const ConstantBytes &source, char *target, int64_t begin,
                      ArrayRef<uint8_t> keep, SelectionTotals &totals) {
  int64_t offset = begin * source.elementSize;
  selectElements(source.data.data() + (source.isSplat ? 0 : offset),
                 source.isSplat, target + offset, source.elementSize, keep,
                 totals);
}

/// What the module records for the weight of the op.
SmallVector<NamedAttribute> Folder::getDecision(ApplyOp apply,
                                                int64_t removed) {
  DecisionAttr decision = apply.getDecisionAttr();
  SmallVector<NamedAttribute> entries =
      decision ? decision.toRecord() : stated.lookup(apply);
  if (entries.empty() || (decision && decision.getOutcome()))
    return entries;
  Builder builder(context);
  auto add = [&](StringRef key, Attribute value) {
    entries.push_back(builder.getNamedAttr(key, value));
  };
  int64_t size = apply.getTensor().getType().getNumElements();
  add("unit", builder.getStringAttr("element"));
  add("kept", builder.getI64IntegerAttr(size - removed));
  add("removed", builder.getI64IntegerAttr(removed));
  if (auto cut = cuts.find(apply); cut != cuts.end())
    add("cut", builder.getF64FloatAttr(cut->second));
  return entries;
}

/// Whether the same was decided before; the cut lies at the zeros since then.
static bool isRecorded(DictionaryAttr record,
                       ArrayRef<NamedAttribute> decision) {
  return record && llvm::all_of(decision, [&](NamedAttribute entry) {
           return entry.getName() == "cut" ||
                  record.get(entry.getName()) == entry.getValue();
         });
}

/// Puts the masked constant in the place of the op. An unchanged weight keeps
/// its constant; one that was folded to the same before shares the result.
void Folder::replaceApply(ApplyOp apply, AsmResourceBlob blob, bool changed,
                          int64_t zeros) {
  Attribute original = getConstantOf(apply.getTensor());
  std::string name = nameOf(apply, apply.getTensor());
  remark::passed(apply.getLoc(),
                 remark::RemarkOpts::name("Folded").category(kCategory))
      << remark::metric("Weight", name)
      << remark::metric("Elements",
                        apply.getTensor().getType().getNumElements())
      << remark::metric("Removed", zeros);
  ++numApplied;
  numRemoving += zeros != 0;
  SmallVector<NamedAttribute> decision = getDecision(apply, zeros);
  if (zeros == apply.getTensor().getType().getNumElements() && zeros != 0 &&
      !decision.empty())
    emptied.push_back(name.empty() ? "a constant without a name" : name);
  // A decision stands even if what it removes was zero before; one that removes
  // nothing leaves the module as it was. It replaces all of an earlier one.
  if (zeros != 0 &&
      (changed || !isRecorded(records.get(apply, name), decision)))
    records.decide(apply, name, decision);
  if (!changed) {
    apply.getResult().replaceAllUsesWith(apply.getTensor());
    return apply.erase();
  }

  DenseResourceElementsAttr result;
  for (DenseResourceElementsAttr known : folded[original])
    if (known.getRawHandle().getBlob()->getData() == blob.getData())
      result = known;
  if (!result) {
    std::string key = name.empty() ? "weight" : name;
    if (auto resource = dyn_cast<DenseResourceElementsAttr>(original))
      key = resource.getRawHandle().getKey().str();
    result = createRewrittenConstant(apply.getTensor().getType(), key,
                                     std::move(blob));
    if (kept)
      kept->setVersion(original, result);
    folded[original].push_back(result);
  }
  OpBuilder builder(apply);
  apply.getResult().replaceAllUsesWith(
      arith::ConstantOp::create(builder, apply.getLoc(), result));
  apply.erase();
}

void Folder::fuseApply(ApplyOp apply, const RankedTensorScores &ranked,
                       const MaskSelection &selection, size_t operand) {
  ConstantBytes source = *getConstantBytes(getConstantOf(apply.getTensor()));
  size_t size =
      apply.getTensor().getType().getNumElements() * source.elementSize;
  AsmResourceBlob blob = allocateBlob(size);
  char *target = blob.getMutableData().data();
  SelectionTotals totals;
  selection.visit(
      ranked, operand,
      [&](size_t n, function_ref<void(size_t)> f) { parallel(n, f); },
      [&](int64_t begin, ArrayRef<uint8_t> keep) {
        selectRun(source, target, begin, keep, totals);
      });
  replaceApply(apply, std::move(blob), totals.isChanged, totals.removed);
}

/// Folds an apply whose operands are both constant.
void Folder::foldApply(ApplyOp apply) {
  std::optional<ConstantBytes> source =
      getConstantBytes(getConstantOf(apply.getTensor()));
  auto mask =
      dyn_cast_or_null<DenseElementsAttr>(getConstantOf(apply.getMask()));
  if (!source || !mask || source->elementSize > 8 ||
      !llvm::isPowerOf2_64(source->elementSize))
    return;
  ArrayRef<int64_t> shape = apply.getTensor().getType().getShape();
  auto maskType = cast<RankedTensorType>(apply.getMask().getType());
  std::vector<uint8_t> maskBytes;
  llvm::append_range(maskBytes, mask.getValues<bool>());

  // Mask strides by tensor dimension; 0 where the mask is broadcast.
  SmallVector<int64_t> strides(shape.size(), 0);
  int64_t stride = 1;
  SmallVector<int64_t> dims = apply.getMaskDims();
  for (int64_t i = int64_t(dims.size()) - 1; i >= 0; --i) {
    strides[dims[i]] = stride;
    stride *= maskType.getDimSize(i);
  }
  int64_t width = shape.empty() ? 1 : shape.back();
  int64_t rows = width ? countElements(shape) / width : 0;
  AsmResourceBlob blob = allocateBlob(rows * width * source->elementSize);
  char *target = blob.getMutableData().data();
  SelectionTotals totals;
  parallel(rows, [&](size_t row) {
    int64_t offset = 0, rest = row;
    for (int64_t d = int64_t(shape.size()) - 2; d >= 0; --d) {
      offset += rest % shape[d] * strides[d];
      rest /= shape[d];
    }
    std::vector<uint8_t> keep(width);
    for (int64_t i = 0; i < width; ++i)
      keep[i] = maskBytes[offset + (shape.empty() ? 0 : i * strides.back())];
    selectRun(*source, target, row * width, keep, totals);
  });
  replaceApply(apply, std::move(blob), totals.isChanged, totals.removed);
}

/// Warns of results that cannot be intended.
void Folder::report(Operation *root, bool quiet) {
  constexpr size_t kShown = 20;
  if (!emptied.empty()) {
    InFlightDiagnostic warning =
        emitWarning(root->getLoc())
        << kCategory << ": all elements of " << emptied.size()
        << (emptied.size() == 1 ? " weight go" : " weights go")
        << ", so that what reads them does not depend on its input:";
    for (StringRef name : ArrayRef(emptied).take_front(kShown))
      warning << " '" << name << "'";
    if (emptied.size() > kShown)
      warning << " and " << emptied.size() - kShown << " more";
  }
  // Masks and scores may be wanted themselves.
  if (numRemoving != 0 || (numApplied == 0 && numComputed != 0))
    return;
  LeftAlone left(root, kCategory, "removed");
  root->walk([&](ApplyOp apply) {
    left.note("its mask or what it is put on is no constant; such masks are "
              "computed at run time",
              apply.getLoc(), nameOf(apply, apply.getTensor()));
  });
  if (numApplied != 0)
    left.note("no element scores low enough for the target; give another",
              root->getLoc());
  else if (quiet)
    return;
  left.warnIfNothing("there is no mask; decide first, with prune-mask-weights "
                     "or prune-mask-channels");
}

template <typename OpTy> static SmallVector<OpTy> collect(Operation *root) {
  SmallVector<OpTy> ops;
  root->walk([&](OpTy op) { ops.push_back(op); });
  return ops;
}

/// Removes what nothing uses any more: constants that only masks used would
/// keep their data in the output.
template <typename OpTy> static void eraseUnused(Operation *root) {
  for (OpTy op : collect<OpTy>(root))
    if (op->use_empty())
      op->erase();
}

/// Masks of constants without data could only be left, silently.
static LogicalResult checkData(Operation *root) {
  WalkResult result = root->walk([](Operation *op) {
    if (isa<ScoreOp, ApplyOp>(op) &&
        isElided(getConstantOf(op->getOperand(0)))) {
      (void)reportElided(op->getOperand(0).getDefiningOp());
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

LogicalResult mlir::prune::foldMasks(Operation *root, bool quiet) {
  if (failed(checkData(root)))
    return failure();
  Folder folder(root);
  bool isFailed = false;
  for (MaskOp mask : collect<MaskOp>(root))
    isFailed |= failed(folder.foldMask(mask));
  if (isFailed)
    return failure();
  eraseUnused<MaskOp>(root);
  for (ScoreOp score : collect<ScoreOp>(root))
    if (!llvm::all_of(score->getUsers(), llvm::IsaPred<MaskOp>))
      folder.foldScore(score);
  eraseUnused<ScoreOp>(root);
  for (ApplyOp apply : collect<ApplyOp>(root))
    folder.foldApply(apply);
  eraseUnused<arith::ConstantOp>(root);
  folder.commit();
  folder.report(root, quiet);
  return success();
}

namespace {
struct FoldMasks : prune::impl::FoldMasksPassBase<FoldMasks> {
  using Base::Base;

  void runOnOperation() override {
    if (failed(foldMasks(getOperation(), quiet)))
      signalPassFailure();
  }
};
} // namespace
