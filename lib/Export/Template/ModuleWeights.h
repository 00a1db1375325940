//===- ModuleWeights.h - The weights of a module and their users -*- C++
//-*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One initialiser may have become several weights, since its uses lost
// different channels. Which one belongs to which node is told by the locations
// of the operations, which the import took from the nodes, or, where text lost
// them, by the order of the operations.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_EXPORT_TEMPLATE_MODULEWEIGHTS_H
#define PRUNE_LIB_EXPORT_TEMPLATE_MODULEWEIGHTS_H

#include "prune/IR/KeptRecord.h"

namespace mlir::prune::onnx_export {

/// An operand of an operation that is a weight.
struct ModuleUse {
  /// The location's name; empty if it has none.
  std::string node;
  /// The resource's key.
  std::string key;
};

/// By the names of weights, their uses in program order.
llvm::StringMap<std::vector<ModuleUse>> collectUses(ModuleOp module);

class ModuleWeights {
public:
  explicit ModuleWeights(ModuleOp module);

  /// Of the weight of a name.
  ArrayRef<ModuleUse> usesOf(StringRef name) const {
    auto found = uses.find(name);
    return found == uses.end() ? ArrayRef<ModuleUse>()
                               : ArrayRef<ModuleUse>(found->second);
  }
  /// The constant that is added, before anything else happens, to the sum of
  /// products with the weight of a key; null if there is none, or several.
  ElementsAttr findBias(StringRef key) const;

private:
  llvm::StringMap<std::vector<ModuleUse>> uses;
  llvm::StringMap<SmallVector<Value, 1>> values;
};

} // namespace mlir::prune::onnx_export

#endif // PRUNE_LIB_EXPORT_TEMPLATE_MODULEWEIGHTS_H
