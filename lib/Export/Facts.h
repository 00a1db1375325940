//===- Facts.h - What an import tells of an ONNX graph ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The importer knows the shape of every value, and the elements of small ones,
// also where only the run knows some of them. The exporter asks it twice: about
// the original graph, and about the patched one as a proof.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_EXPORT_FACTS_H
#define PRUNE_LIB_EXPORT_FACTS_H

#include "Graph.h"

#include "llvm/ADT/StringSet.h"

namespace mlir::prune::onnx_export {

/// What is known of one value.
struct Fact {
  /// Sizes and elements as text: a number, or an expression over open sizes.
  SmallVector<std::string> sizes;
  std::optional<SmallVector<std::string>> elements;
  onnx_import::DataType type = onnx_import::DataType::Undefined;
  /// The weight's constant; null if the value is computed, or small integers.
  ElementsAttr constant;

  bool isInteger() const { return !onnx_import::isFloat(type); }
  int64_t rank() const { return sizes.size(); }
  /// -1 if only the run knows.
  int64_t size(int64_t dim) const;
  SmallVector<int64_t> shape() const;
  /// The elements if all are numbers.
  std::optional<SmallVector<int64_t>> numbers() const;
  /// Before `#` in the key of the weight's resource; empty if it is none.
  StringRef name() const;
};

/// The type of a function, as text; empty if there is none of that name.
std::string typeOf(ModuleOp module, StringRef function);

/// Facts about the values of a model's outermost graph.
class Facts {
public:
  /// Imports `model`; diagnostics go to the context of `loc`. Check `isValid`.
  Facts(onnx::ModelProto model, StringRef path, Location loc,
        const ONNXImportOptions &options);

  bool isValid() const { return valid; }
  const Fact *get(StringRef name) const;
  /// The type of the function that the model became, as text.
  StringRef getType() const { return type; }
  /// Whether the function uses a weight of that name.
  bool isUsed(StringRef weight) const { return used.contains(weight); }

private:
  MLIRContext context;
  bool valid = false;
  llvm::StringMap<Fact> facts;
  std::string type;
  llvm::StringSet<> used;
};

} // namespace mlir::prune::onnx_export

#endif // PRUNE_LIB_EXPORT_FACTS_H
