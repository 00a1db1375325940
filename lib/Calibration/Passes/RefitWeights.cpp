//===- RefitWeights.cpp - New values for what is left ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The sweep runs over the dense network. What the pruned one has in the places
// of its constants are changes from the start. Both modules have resources of
// the same names, so the dense one lives in a context of its own.
//
//===----------------------------------------------------------------------===//

#include "PassInputs.h"

#include "prune/Calibration/Passes.h"
#include "prune/IR/ConstantView.h"

#include "mlir/IR/Matchers.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::prune {
#define GEN_PASS_DEF_REFITWEIGHTSPASS
#include "prune/Calibration/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;
using namespace mlir::prune;

static constexpr StringLiteral kName = "prune-refit-weights";

namespace {
struct RefitWeights
    : DataPass<RefitWeights, prune::impl::RefitWeightsPassBase<RefitWeights>> {
  using DataPass::DataPass;
  LogicalResult run();

private:
  friend struct prune::DataOptions;
  /// By the name of record, the constants of a module.
  using Constants = llvm::StringMap<DenseResourceElementsAttr>;

  FailureOr<OwningOpRef<ModuleOp>> readReference(MLIRContext &context);
  FailureOr<Constants> collect(ModuleOp module, StringRef what);
  LogicalResult takePruned(const PassNetwork &network, const Constants &own,
                           Sweep &sweep);
};
} // namespace

FailureOr<OwningOpRef<ModuleOp>>
RefitWeights::readReference(MLIRContext &context) {
  if (reference.empty())
    return getOperation().emitError()
           << kName << ": expects option 'reference', the dense network";
  std::string text;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    if (text.empty())
      text = diagnostic.str();
    return success();
  });
  OwningOpRef<ModuleOp> module =
      parseSourceFile<ModuleOp>(StringRef(reference), &context);
  if (!module)
    return getOperation().emitError() << kName << ": cannot read reference '"
                                      << reference << "': " << text;
  return std::move(module);
}

FailureOr<RefitWeights::Constants> RefitWeights::collect(ModuleOp module,
                                                         StringRef what) {
  Constants constants;
  std::string ambiguous;
  module.walk([&](Operation *op) {
    Attribute value;
    if (!op->hasTrait<OpTrait::ConstantLike>() ||
        !matchPattern(op, m_Constant(&value)))
      return;
    auto resource = dyn_cast<DenseResourceElementsAttr>(value);
    if (!resource || !isa<FloatType>(resource.getElementType()))
      return;
    auto [place, isNew] =
        constants.try_emplace(getWeightName(resource), resource);
    if (!isNew && place->second != resource)
      ambiguous = place->first().str();
  });
  if (!ambiguous.empty())
    return getOperation().emitError()
           << kName << ": " << what << " has several constants of the name '"
           << ambiguous << "'";
  return std::move(constants);
}

/// Lets the network that changes be the pruned one.
LogicalResult RefitWeights::takePruned(const PassNetwork &network,
                                       const Constants &own, Sweep &sweep) {
  llvm::DenseSet<Attribute> seen;
  LogicalResult result = success();
  network.module.get()->walk([&](Operation *op) {
    Attribute value;
    if (!op->hasTrait<OpTrait::ConstantLike>() ||
        !matchPattern(op, m_Constant(&value)) || !seen.insert(value).second)
      return;
    auto dense = dyn_cast<DenseResourceElementsAttr>(value);
    if (!dense || !isa<FloatType>(dense.getElementType()) || !sweep.has(op))
      return;
    StringRef name = getWeightName(dense);
    auto found = own.find(name);
    if (found == own.end() ||
        found->second.getType().getShape() != dense.getType().getShape()) {
      result = getOperation().emitError()
               << kName << ": constant '" << name << "' of the reference is "
               << (found == own.end() ? "not in the module"
                                      : "of another shape in the module")
               << "; refit before prune-remove-channels and "
                  "prune-fold-batch-norms";
      return;
    }
    TensorView view = *getTensorView(found->second);
    std::vector<double> values(view.size());
    view.load(0, values);
    sweep.set(op, values);
  });
  return result;
}

LogicalResult RefitWeights::run() {
  ModuleOp module = getOperation();
  if (failed(requireData(module)))
    return failure();
  DataOptions options = DataOptions::ofData(*this);
  FailureOr<NetworkOptions> solver = readNetworkOptions(module, kName, options);
  if (failed(solver))
    return failure();
  MLIRContext context(getContext().getDialectRegistry());
  FailureOr<OwningOpRef<ModuleOp>> dense = readReference(context);
  if (failed(dense))
    return failure();
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    getOperation().emitError() << kName << ": reference: " << diagnostic.str();
    return success();
  });
  FailureOr<PassNetwork> network =
      PassNetwork::create(**dense, function, kName);
  FailureOr<Constants> own = collect(module, "the module");
  if (failed(network) || failed(own))
    return failure();
  SmallVector<std::pair<size_t, std::string>> left;
  FailureOr<std::unique_ptr<Sweep>> sweep =
      makeSweep(module, kName, *network, options, *solver, left);
  if (failed(sweep) || failed(takePruned(*network, *own, **sweep)))
    return failure();
  if (llvm::Error error =
          (*sweep)->run([&](const SweptLayer &layer) -> llvm::Error {
            return refitLayer(**sweep, layer, network->weights()[layer.weight],
                              *solver);
          }))
    return failWith(module, kName, std::move(error));
  SmallVector<std::pair<Attribute, std::vector<char>>> changes;
  (*sweep)->visitChanged(
      [&](DenseResourceElementsAttr old, ArrayRef<char> bytes) {
        DenseResourceElementsAttr now = own->lookup(getWeightName(old));
        if (!(getConstantBytes(now)->data == bytes))
          changes.push_back({now, bytes.vec()});
      });
  replaceConstants(module, changes);
  return success();
}
