//===- FoldBatchNorms.cpp - Scales and shifts go into weights -------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What follows a contraction is collected first: whole elementwise operations
// that are affine in the result, through reshapes and transposes, and the
// affine beginning of the one behind them. Their numbers are multiplied out for
// each channel, the scale goes into the weight and the shift into one bias. The
// affine end of an operation in front of a contraction is treated the same way,
// its shift being what the weights make of it.
//
// An operation that stays although it looks like a normalisation is remarked.
//
//===----------------------------------------------------------------------===//

#include "BatchNormFolder.h"

#include "prune/Analysis/LeftAlone.h"
#include "prune/IR/ConstantView.h"
#include "prune/IR/EditedDictionary.h"
#include "prune/IR/Records.h"
#include "prune/Transforms/Preparation/Passes.h"

#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/RegionUtils.h"

namespace mlir::prune {
#define GEN_PASS_DEF_FOLDBATCHNORMSPASS
#include "prune/Transforms/Preparation/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;
using namespace mlir::prune;

static constexpr StringLiteral kCategory = "prune-fold-batch-norms";

/// The name of a constant that an operation multiplies with, if it does and
/// the numbers vary.
static std::optional<StringRef> getScaleName(linalg::LinalgOp op) {
  BodyConstants body(op);
  auto nameOf = [&](ArrayRef<Operation *> chain) -> std::optional<StringRef> {
    SmallVector<OpOperand *> varying = body.getVarying(chain);
    if (varying.empty() || !hasProduct(chain))
      return std::nullopt;
    Attribute value;
    matchPattern(varying.front()->get(), m_Constant(&value));
    return getWeightName(value);
  };
  for (OpOperand *operand : op.getDpsInputOperands()) {
    Value argument = op.getMatchingBlockArgument(operand);
    if (body.isKnown(argument))
      continue;
    if (std::optional<StringRef> name = nameOf(getChainAfter(argument, body)))
      return name;
  }
  return nameOf(
      getChainBefore(op.getBlock()->getTerminator()->getOperand(0), body));
}

namespace {
struct FoldBatchNorms : prune::impl::FoldBatchNormsPassBase<FoldBatchNorms> {
  using Base::Base;

  void runOnOperation() override {
    if (failed(requireData(getOperation())))
      return signalPassFailure();
    WeightUses uses(getOperation());
    FoldReasons reasons;
    llvm::SmallPtrSet<Operation *, 16> changed;
    KeptRecord kept(getOperation());
    EditedDictionary folded(getOperation(), kFoldedRecord);
    bool anyFolded = false;
    for (const Weight &weight : uses.getWeights())
      anyFolded |= fold(weight, kept, folded, reasons, changed);
    kept.commit();
    folded.commit();
    LeftAlone left(getOperation(), kCategory, "folded");
    reportMissed(reasons, left);
    if (!anyFolded) {
      if (uses.getWeights().empty())
        left.note(uses);
      if (!quiet)
        left.warnIfNothing("nothing next to a weight is scaled or shifted by "
                           "constants");
      return markAllAnalysesPreserved();
    }
    RewritePatternSet patterns(&getContext());
    linalg::populateEraseUnusedOperandsAndResultsPatterns(patterns);
    SmallVector<Operation *> shortened;
    getOperation().walk([&](linalg::GenericOp op) {
      if (changed.contains(op))
        shortened.push_back(op);
    });
    (void)applyOpPatternsGreedily(shortened, std::move(patterns));
    IRRewriter rewriter(&getContext());
    (void)runRegionDCE(rewriter, getOperation()->getRegions());
  }

private:
  /// Notes for the export, which finds the nodes that are gone by the names of
  /// their constants.
  void record(StringRef weight, const BatchNormFolder &folder,
              EditedDictionary &folded) {
    Builder b(&getContext());
    auto known = dyn_cast_or_null<DictionaryAttr>(folded.get(weight));
    auto extend = [&](StringRef key, ArrayRef<StringRef> names) {
      SmallVector<Attribute> all;
      if (auto list = known ? known.getAs<ArrayAttr>(key) : ArrayAttr())
        llvm::append_range(all, list);
      for (StringRef name : names)
        all.push_back(b.getStringAttr(name));
      return b.getNamedAttr(key, b.getArrayAttr(all));
    };
    folded.set(weight, b.getDictionaryAttr(
                           {extend("after", folder.getNamesAfter()),
                            extend("before", folder.getNamesBefore())}));
  }

  /// Whether an operator of ONNX has the weight that adds biases of gates in
  /// several places, none of them for each direction alone.
  static bool isRecurrent(Attribute limits) {
    auto dims = dyn_cast_if_present<ArrayAttr>(limits);
    return dims && llvm::any_of(dims, [](Attribute dim) {
             auto node = dyn_cast<StringAttr>(dim);
             return node && llvm::any_of(
                                ArrayRef<StringRef>{"(LSTM)", "(GRU)", "(RNN)"},
                                [&](StringRef op) {
                                  return node.getValue().ends_with(op);
                                });
           });
  }

  bool fold(const Weight &weight, KeptRecord &kept, EditedDictionary &folded,
            FoldReasons &reasons, llvm::SmallPtrSetImpl<Operation *> &changed) {
    std::string reason;
    std::optional<WeightRescaler> scaled =
        WeightRescaler::create(weight, reason);
    auto imported = getOperation()->getAttrOfType<DictionaryAttr>(kOnnxRecord);
    if (scaled && imported && imported.getAs<StringAttr>(weight.name)) {
      reason = "weight '" + weight.name +
               "' lies inside of a node, where no export writes it";
      scaled.reset();
    }
    if (scaled && imported && isRecurrent(imported.get(weight.name))) {
      reason = "weight '" + weight.name +
               "' is a recurrent layer's, which has no place for a shift in a "
               "file";
      scaled.reset();
    }
    if (!scaled) {
      for (const WeightUse &use : weight.uses)
        reasons.noteAround(cast<linalg::LinalgOp>(use.operand->getOwner()),
                           use.operand, reason);
      return false;
    }
    bool isImported = imported != nullptr;
    BatchNormFolder folder(std::move(*scaled), kept, reasons, changed,
                           isImported);
    unsigned after = folder.foldAfter();
    unsigned before = folder.foldBefore();
    // The shift of what stood in front joins the bias.
    if (before)
      (void)folder.foldAfter();
    if (after + before == 0)
      return false;
    if (isImported)
      record(weight.name, folder, folded);
    remark::passed(weight.uses.front().operand->getOwner()->getLoc(),
                   remark::RemarkOpts::name("Folded").category(kCategory))
        << remark::metric("Weight", weight.name)
        << remark::metric("After", after) << remark::metric("Before", before);
    return true;
  }

  void reportMissed(const FoldReasons &reasons, LeftAlone &left) {
    getOperation().walk([&](linalg::LinalgOp op) {
      if (!asElementwise(op))
        return;
      std::optional<StringRef> name = getScaleName(op);
      if (!name)
        return;
      remark::missed(op.getLoc(),
                     remark::RemarkOpts::name("Kept").category(kCategory))
          << remark::metric("Scale", *name)
          << remark::reason("{0}", reasons.get(op));
      left.note(reasons.get(op), op.getLoc(), *name);
    });
  }
};
} // namespace
