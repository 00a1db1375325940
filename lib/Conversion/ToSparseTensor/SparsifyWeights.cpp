//===- SparsifyWeights.cpp - Pack weights with many zeros -----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Decides for each use of each weight whether and how it is packed, and tells
// the user. Uses are decided one by one: a weight may reach one contraction
// that can be packed and another that cannot.
//
//===----------------------------------------------------------------------===//

#include "Conversion/Weights/WeightContraction.h"

#include "prune/Analysis/LeftAlone.h"
#include "prune/Analysis/WeightFilter.h"
#include "prune/Conversion/Passes.h"
#include "prune/IR/ConstantView.h"
#include "prune/IR/EraseDead.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SparseTensor/IR/SparseTensor.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::prune {
#define GEN_PASS_DEF_SPARSIFYWEIGHTSPASS
#include "prune/Conversion/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;
using namespace mlir::prune;

static constexpr StringLiteral kCategory = "prune-sparsify-weights";

namespace {
/// What is known of one use of a weight.
struct FormatCandidate {
  const Weight &weight;
  WeightContraction contraction;
  WeightView folded;
  int64_t nonzeros = 0, elements = 0;

  double getDensity() const { return double(nonzeros) / elements; }
  size_t getDenseBytes() const { return elements * byteSize(folded.kind); }
};

/// What to do with a weight.
struct Plan {
  /// Nothing for the choice by size.
  std::optional<SparseFormat> format;
  /// The user named the layer: the format is required, not preferred.
  bool isForced = false;
  /// Why the weight is left alone, if it is.
  StringRef skipped;
};

struct SparsifyWeights : prune::impl::SparsifyWeightsPassBase<SparsifyWeights> {
  using Base::Base;

  void runOnOperation() override;

private:
  FailureOr<SmallVector<Plan>> plan(ArrayRef<Weight> weights);
  FailureOr<std::optional<SparseFormat>> parseFormat(StringRef text,
                                                     StringRef option);
  LogicalResult sparsify(const Weight &weight, const WeightUse &use,
                         const Plan &plan, WeightRecords &records);
  LogicalResult keepDense(const Weight &weight, const WeightUse &use,
                          const Plan &plan, StringRef reason,
                          ArrayRef<remark::detail::LazyTextBuild> metrics = {});

  /// While the pass runs.
  LeftAlone *left = nullptr;
};
} // namespace

//===----------------------------------------------------------------------===//
// Options
//===----------------------------------------------------------------------===//

FailureOr<std::optional<SparseFormat>>
SparsifyWeights::parseFormat(StringRef text, StringRef option) {
  if (text == "auto")
    return std::optional<SparseFormat>();
  if (std::optional<SparseFormat> parsed = SparseFormat::parse(text))
    return parsed;
  return emitError(getOperation().getLoc())
         << "option '" << option << "': '" << text
         << "' is no format; use auto, dense, csr, csc, blocked-csr, <rows>x1 "
            "or <n>of<m>, with sizes up to 64";
}

FailureOr<SmallVector<Plan>> SparsifyWeights::plan(ArrayRef<Weight> weights) {
  auto error = [&] { return emitError(getOperation().getLoc()); };
  // Written so that NaN fails.
  if (!(maxDensity >= 0 && maxDensity <= 1))
    return error() << "option 'max-density' expects a fraction in [0, 1] but "
                      "got "
                   << std::to_string(maxDensity);
  auto general = parseFormat(format, "format");
  auto choices = filterWeights(weights, include, exclude, error);
  auto layers = matchLayerValues(
      weights, SmallVector<std::string>(formats.begin(), formats.end()),
      "formats", error);
  if (failed(general) || failed(choices) || failed(layers))
    return failure();
  SmallVector<std::optional<SparseFormat>> layerFormats;
  for (const std::string &text : layers->values) {
    auto parsed = parseFormat(text, "formats");
    if (failed(parsed))
      return failure();
    layerFormats.push_back(*parsed);
  }
  SmallVector<Plan> plans;
  for (auto [choice, entry] :
       llvm::zip_equal(*choices, layers->entryOfWeight)) {
    Plan plan{*general, false, ""};
    if (entry >= 0)
      plan = {layerFormats[entry], layerFormats[entry].has_value(), ""};
    if (choice == Choice::Excluded)
      plan.skipped = "it is excluded";
    else if (choice == Choice::NotIncluded && entry < 0)
      plan.skipped = "it is not included";
    plans.push_back(plan);
  }
  return plans;
}

//===----------------------------------------------------------------------===//
// Decision
//===----------------------------------------------------------------------===//

static void remarkPacked(const FormatCandidate &candidate,
                         const EncodedWeight &encoded) {
  remark::passed(candidate.contraction.op.getLoc(),
                 remark::RemarkOpts::name("Packed").category(kCategory))
      << remark::metric("Weight", candidate.weight.name)
      << remark::metric("Format", encoded.format.toString())
      << remark::metric("Density", candidate.getDensity())
      << remark::metric("Nonzeros", candidate.nonzeros)
      << remark::metric("BytesBefore", candidate.getDenseBytes())
      << remark::metric("BytesAfter", encoded.packed.numBytes());
}

/// A weight without nonzeros adds nothing to the output.
static void removeContraction(const FormatCandidate &candidate,
                              WeightRecords &records) {
  linalg::LinalgOp op = candidate.contraction.op;
  remark::passed(op.getLoc(),
                 remark::RemarkOpts::name("Removed").category(kCategory))
      << remark::metric("Weight", candidate.weight.name)
      << remark::metric("Nonzeros", candidate.nonzeros)
      << remark::metric("BytesBefore", candidate.getDenseBytes())
      << remark::metric("BytesAfter", 0);
  NamedAttribute removed(StringAttr::get(op->getContext(), "gone"),
                         UnitAttr::get(op->getContext()));
  recordPackedWeight(records, candidate.weight, removed);
  op->replaceAllUsesWith(ValueRange{candidate.contraction.output->get()});
}

/// Reports a use that stays dense, or fails if the user ordered otherwise. The
/// result takes further metrics.
LogicalResult
SparsifyWeights::keepDense(const Weight &weight, const WeightUse &use,
                           const Plan &plan, StringRef reason,
                           ArrayRef<remark::detail::LazyTextBuild> metrics) {
  Operation *op = use.operand->getOwner();
  if (plan.isForced && plan.format->kind != SparseFormat::Dense)
    return op->emitError() << "weight '" << weight.name
                           << "' cannot be packed as "
                           << plan.format->toString() << ": " << reason;
  auto remark = remark::missed(
      op->getLoc(), remark::RemarkOpts::name("KeptDense").category(kCategory));
  remark << remark::metric("Weight", weight.name)
         << remark::reason("{0}", reason.str());
  for (const remark::detail::LazyTextBuild &metric : metrics)
    remark << metric;
  left->note(reason, op->getLoc(), weight.name);
  return success();
}

LogicalResult SparsifyWeights::sparsify(const Weight &weight,
                                        const WeightUse &use, const Plan &plan,
                                        WeightRecords &records) {
  std::string reason;
  if (!plan.skipped.empty())
    return keepDense(weight, use, plan, plan.skipped);
  if (plan.format && plan.format->kind == SparseFormat::Dense)
    return keepDense(weight, use, plan, "the options say so");
  auto contraction = matchContraction(use, reason);
  if (!contraction)
    return keepDense(weight, use, plan, reason);
  auto folded = foldWeight(weight, use, reason);
  if (!folded)
    return keepDense(weight, use, plan, reason);
  FormatCandidate candidate{weight, std::move(*contraction),
                            std::move(*folded)};
  candidate.elements = countElements(candidate.folded.shape);
  candidate.nonzeros = candidate.folded.countNonzeros();

  auto nonzeros = remark::metric("Nonzeros", candidate.nonzeros);
  auto density = remark::metric("Density", candidate.getDensity());
  if (candidate.nonzeros == 0) {
    removeContraction(candidate, records);
    left->noteDone();
    return success();
  }
  if (!plan.isForced && candidate.getDensity() > maxDensity)
    return keepDense(
        weight, use, plan, "its density is above max-density",
        {density, nonzeros, remark::metric("MaxDensity", double(maxDensity))});
  auto encoded =
      plan.format
          ? encodeWeight(candidate.contraction, candidate.folded, *plan.format,
                         reason)
          : encodeSmallest(candidate.contraction, candidate.folded, reason);
  if (!encoded)
    return keepDense(weight, use, plan, reason, {density, nonzeros});
  if (!plan.format && encoded->packed.numBytes() >= candidate.getDenseBytes())
    return keepDense(
        weight, use, plan, "its packed form is not smaller",
        {density, nonzeros,
         remark::metric("Format", encoded->format.toString()),
         remark::metric("BytesBefore", candidate.getDenseBytes()),
         remark::metric("BytesAfter", encoded->packed.numBytes())});
  left->noteDone();
  remarkPacked(candidate, *encoded);
  recordPackedWeight(records, weight);
  replaceContraction(candidate.contraction, *encoded, weight.name);
  return success();
}

static bool hasPackedWeights(ModuleOp module) {
  return module
      .walk([](sparse_tensor::AssembleOp) { return WalkResult::interrupt(); })
      .wasInterrupted();
}

void SparsifyWeights::runOnOperation() {
  if (unlessPacked && hasPackedWeights(getOperation()))
    return;
  if (failed(requireData(getOperation())))
    return signalPassFailure();
  WeightUses analysis(getOperation());
  auto plans = plan(analysis.getWeights());
  if (failed(plans))
    return signalPassFailure();
  LeftAlone kept(getOperation(), kCategory, "packed");
  left = &kept;
  kept.note(analysis);
  llvm::SetVector<Operation *> replaced;
  WeightRecords records;
  for (auto [weight, plan] : llvm::zip_equal(analysis.getWeights(), *plans))
    for (const WeightUse &use : weight.uses) {
      if (failed(sparsify(weight, use, plan, records)))
        return signalPassFailure();
      replaced.insert(use.operand->getOwner());
    }
  records.commit();
  if (!quiet)
    kept.warnIfNothing(kNoWeights);
  eraseDead(std::move(replaced));
}
