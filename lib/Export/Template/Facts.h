//===- Facts.h - What an import tells of an ONNX graph ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The exporter asks the importer twice: about the original graph, and about the
// patched one as a proof.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_EXPORT_TEMPLATE_FACTS_H
#define PRUNE_LIB_EXPORT_TEMPLATE_FACTS_H

#include "Import/Rules/GraphInfo.h"
#include "ModuleWeights.h"

#include "llvm/ADT/StringMap.h"

namespace mlir::prune::onnx_export {

/// The type of a function, as text; empty if there is none of that name.
std::string typeOf(ModuleOp module, StringRef function);

/// Facts about the values of a model's outermost graph.
class Facts : public GraphInfo {
public:
  /// Imports `model`; diagnostics go to the context of `loc`. Check `isValid`.
  Facts(onnx::ModelProto model, StringRef path, Location loc,
        const ONNXImportOptions &options);

  bool isValid() const { return valid; }
  /// The type of the function that the model became, as text.
  StringRef getType() const { return type; }
  /// Whether the function uses a weight of that name.
  bool isUsed(StringRef weight) const { return !usesOf(weight).empty(); }
  ArrayRef<ModuleUse> usesOf(StringRef weight) const {
    auto found = uses.find(weight);
    return found == uses.end() ? ArrayRef<ModuleUse>()
                               : ArrayRef<ModuleUse>(found->second);
  }

private:
  MLIRContext context;
  bool valid = false;
  std::string type;
  llvm::StringMap<std::vector<ModuleUse>> uses;
};

} // namespace mlir::prune::onnx_export

#endif // PRUNE_LIB_EXPORT_TEMPLATE_FACTS_H
