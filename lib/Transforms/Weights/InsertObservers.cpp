//===- InsertObservers.cpp - Observe the inputs of layers -----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Only the operand of the product changes, so that a tensor that several layers
// read is shown for each of them, under its name.
//
//===----------------------------------------------------------------------===//

#include "prune/Analysis/LayerView.h"
#include "prune/Analysis/LeftAlone.h"
#include "prune/Analysis/WeightFilter.h"
#include "prune/Core/Statistics.h"
#include "prune/IR/Prune.h"
#include "prune/Transforms/Weights/Passes.h"

#include "mlir/IR/Remarks.h"

namespace mlir::prune {
#define GEN_PASS_DEF_INSERTOBSERVERSPASS
#include "prune/Transforms/Weights/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;
using namespace mlir::prune;

static constexpr StringLiteral kCategory = "prune-insert-observers";

/// The names that the option gives, or all that cost little.
static FailureOr<ArrayAttr> getWhat(ArrayRef<std::string> names, Location loc) {
  Builder builder(loc.getContext());
  SmallVector<StringRef> chosen;
  for (StringRef name : names) {
    if (!parseStatistic(name)) {
      InFlightDiagnostic error = emitError(loc, kCategory)
                                 << ": option 'what' knows no statistic '"
                                 << name << "'; known are ";
      llvm::interleaveComma(getStatisticNames(), error);
      return error;
    }
    if (!llvm::is_contained(chosen, name))
      chosen.push_back(name);
  }
  if (chosen.empty())
    llvm::append_range(chosen, getStatisticNames().drop_back());
  return builder.getStrArrayAttr(chosen);
}

/// Observes the input of one product; the reason if it cannot be done.
static std::string observe(const Weight &weight, const WeightUse &use,
                           ArrayAttr what) {
  std::string reason;
  std::optional<LayerView> view = LayerView::get(use, weight.getType(), reason);
  if (!view)
    return reason;
  Value input = view->input->get();
  if (auto known = input.getDefiningOp<ObserveOp>();
      known && known.getLayer() == weight.name)
    return "is observed already";
  if (!getFloatKind(getElementTypeOrSelf(input)))
    return "its input is not of floats";
  Operation *product = use.operand->getOwner();
  OpBuilder builder(product);
  view->input->set(ObserveOp::create(builder, product->getLoc(),
                                     input.getType(), input,
                                     builder.getStringAttr(weight.name), what,
                                     /*number=*/nullptr));
  return "";
}

namespace {
struct InsertObservers : prune::impl::InsertObserversPassBase<InsertObservers> {
  using Base::Base;

  void runOnOperation() override {
    Location loc = getOperation().getLoc();
    WeightUses uses(getOperation());
    FailureOr<ArrayAttr> names = getWhat(what, loc);
    if (failed(names))
      return signalPassFailure();
    FailureOr<SmallVector<Choice>> choices =
        filterWeights(uses.getWeights(), include, exclude,
                      [&] { return emitError(loc, kCategory) << ": "; });
    if (failed(choices))
      return signalPassFailure();
    LeftAlone left(getOperation(), kCategory, "observed");
    left.note(uses);
    for (auto [weight, choice] : llvm::zip_equal(uses.getWeights(), *choices))
      visit(weight, choice, *names, left);
    reportNotPrunable(uses, kCategory);
    left.warnIfNothing(kNoWeights);
  }

private:
  void visit(const Weight &weight, Choice choice, ArrayAttr names,
             LeftAlone &left) {
    for (const WeightUse &use : weight.uses) {
      Location loc = use.operand->getOwner()->getLoc();
      std::string reason = choice == Choice::Excluded ? "matched by exclude"
                           : choice == Choice::NotIncluded
                               ? "not matched by include"
                               : observe(weight, use, names);
      if (reason.empty()) {
        left.noteDone();
        remark::passed(loc,
                       remark::RemarkOpts::name("Observed").category(kCategory))
            << remark::metric("Weight", weight.name);
        continue;
      }
      left.note(reason, loc, weight.name);
      remark::missed(loc,
                     remark::RemarkOpts::name("LeftAlone").category(kCategory))
          << remark::metric("Weight", weight.name)
          << remark::reason("{0}", reason);
    }
  }
};
} // namespace
