//===- ExportLimits.cpp - What an ONNX file can lose ----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the module says comes from text that is not trusted: lists that do not
// fit a weight count as none.
//
//===----------------------------------------------------------------------===//

#include "prune/Analysis/ExportLimits.h"

#include "prune/IR/Records.h"

#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace mlir::prune;

FailureOr<std::unique_ptr<ExportLimits>>
ExportLimits::choose(ModuleOp module, StringRef option, StringRef pass) {
  bool isKnown = module->hasAttrOfType<DictionaryAttr>(kOnnxRecord);
  if (option != "auto" && option != "true" && option != "false")
    return emitError(module.getLoc())
           << pass << ": option 'export-safe' expects auto, true or false but "
           << "got '" << option << "'";
  if (option == "true" && !isKnown)
    return emitError(module.getLoc())
           << pass << ": option 'export-safe': the module has no 'prune.onnx', "
           << "which an import from ONNX gives it; use auto or false";
  if (option == "false" || !isKnown)
    return std::unique_ptr<ExportLimits>();
  return std::make_unique<ExportLimits>(module);
}

ExportLimits::ExportLimits(ModuleOp module)
    : limits(module->getAttrOfType<DictionaryAttr>(kOnnxRecord)),
      record(module) {}

StringRef ExportLimits::getOuterNode(StringRef name) const {
  auto node = limits.getAs<StringAttr>(name);
  return node ? node.getValue() : StringRef();
}

/// The entries of a list for the indices that a weight still has; nothing if
/// the list does not fit it.
static std::optional<SmallVector<int64_t>>
selectKept(DenseI64ArrayAttr original, const KeptIndices::value_type &indices,
           int64_t size) {
  if (!indices && original.size() != size)
    return std::nullopt;
  SmallVector<int64_t> result;
  for (int64_t i = 0; i != size; ++i) {
    int64_t index = indices ? (*indices)[i] : i;
    if (index >= original.size())
      return std::nullopt;
    result.push_back(original[index]);
  }
  return result;
}

std::optional<ExportLimits::Limit>
ExportLimits::get(DenseResourceElementsAttr weight, int64_t dim) const {
  StringRef key = weight.getRawHandle().getKey();
  if (StringRef node = getOuterNode(key.split('#').first); !node.empty())
    return Limit{StringAttr::get(weight.getContext(),
                                 "no export writes it, since it lies inside "
                                 "of " +
                                     node + "; export-safe=false ignores that"),
                 {}};
  ArrayRef<int64_t> shape = weight.getType().getShape();
  auto dims = limits.getAs<ArrayAttr>(key.split('#').first);
  if (!dims || dims.size() != shape.size() || isa<UnitAttr>(dims[dim]))
    return std::nullopt;
  MLIRContext *context = weight.getContext();
  auto reasonOf = [&](StringRef node) -> StringRef {
    return StringAttr::get(context,
                           "no ONNX file can lose it, since " + node +
                               " needs all of it; export-safe=false ignores "
                               "that");
  };
  if (auto node = dyn_cast<StringAttr>(dims[dim]))
    return Limit{reasonOf(node.getValue()), {}};
  std::optional<KeptIndices> kept = record.get(key, shape);
  if (!kept)
    return std::nullopt;
  SmallVector<Attribute> lists = {dims[dim]};
  if (auto several = dyn_cast<ArrayAttr>(dims[dim]))
    lists.assign(several.begin(), several.end());
  Limit limit{reasonOf("a node behind it"), {}};
  for (Attribute list : lists) {
    auto original = dyn_cast<DenseI64ArrayAttr>(list);
    auto classes = original ? selectKept(original, (*kept)[dim], shape[dim])
                            : std::nullopt;
    if (!classes)
      return std::nullopt;
    limit.classes.push_back(std::move(*classes));
  }
  return limit.classes.empty() ? std::nullopt : std::optional(limit);
}
