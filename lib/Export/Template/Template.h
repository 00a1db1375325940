//===- Template.h - The file as the module has it ---------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A module may have several versions of one initialiser, and none of what was
// folded into its neighbours. Before anything else the file is made alike: each
// version gets an initialiser of its own, and nodes that were folded are taken
// out, with an initialiser for the bias that they left.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_EXPORT_TEMPLATE_TEMPLATE_H
#define PRUNE_LIB_EXPORT_TEMPLATE_TEMPLATE_H

#include "Facts.h"
#include "GraphEditor.h"

#include "llvm/ADT/MapVector.h"

namespace mlir::prune::onnx_export {

class Template : public GraphEditor {
public:
  using Resources = llvm::MapVector<StringRef, Versions>;
  /// `resources` are all of the module's.
  Template(onnx::ModelProto &model, const Facts &facts, ModuleOp module,
           const Resources &resources);

  /// Changes the model; whether it did is `hasChanged`.
  LogicalResult adapt();
  bool hasChanged() const { return changed; }

  /// The resource key of an initialiser that is one of several versions.
  std::optional<StringRef> keyOf(StringRef tensor) const;
  /// The numbers of an initialiser that is a bias after folding.
  ElementsAttr biasOf(StringRef tensor) const { return biases.lookup(tensor); }
  /// The number that an initialiser holds throughout, of which the module has
  /// nothing left since it did nothing.
  std::optional<double> numberOf(StringRef tensor) const {
    auto found = numbers.find(tensor);
    return found == numbers.end() ? std::nullopt : std::optional(found->second);
  }
  /// The number that an initialiser of the file holds throughout, if it does.
  std::optional<double> getOnlyNumber(StringRef tensor) const;
  /// Whether nodes took in the initialiser that were folded. What else read it
  /// and is gone did nothing.
  bool isFolded(StringRef tensor) const {
    return foldedWeights.contains(weightOf(tensor));
  }
  /// Whether a weight of the module is such a bias.
  bool isBias(StringRef key) const { return biasKeys.contains(key); }

private:
  InFlightDiagnostic error() { return emitError(module.getLoc()); }
  LogicalResult dropAllFolded();
  LogicalResult splitAll();
  void splitGone();
  LogicalResult split(StringRef tensor, const Fact &fact,
                      ArrayRef<ModuleUse> uses);
  std::optional<std::vector<ModuleUse>> locate(StringRef weight,
                                               ArrayRef<ModuleUse> uses);
  LogicalResult dropFolded(StringRef weight, DictionaryAttr names);
  LogicalResult addFoldedBias(StringRef weight, Reader reader,
                              ArrayRef<int64_t> shape,
                              const llvm::StringSet<> &folded);
  /// Names that are left to be found in nodes.
  struct Names {
    SmallVector<StringRef> left;
    llvm::StringSet<> found;
  };
  bool take(onnx::NodeProto &node, int data, Names &names);
  std::optional<int> getData(const onnx::NodeProto &node);
  bool isIdentity(const onnx::NodeProto &node, int data);
  void dropBehind(onnx::NodeProto &node, Names &names);
  void dropInFront(Reader reader, Names &names);
  void neutralize(onnx::NodeProto &node);
  StringRef weightOf(StringRef tensor) const;

  const Facts &facts;
  ModuleOp module;
  const Resources &resources;
  ModuleWeights weights;
  bool changed = false;
  llvm::StringMap<std::string> keys;
  llvm::StringMap<ElementsAttr> biases;
  llvm::StringMap<double> numbers;
  llvm::StringSet<> biasKeys, foldedWeights;
  llvm::DenseMap<const onnx::NodeProto *, std::string> nodeNames;
  /// The tensors of the file by the names of their weights.
  llvm::MapVector<StringRef, std::string> tensorOf;
};

} // namespace mlir::prune::onnx_export

#endif // PRUNE_LIB_EXPORT_TEMPLATE_TEMPLATE_H
