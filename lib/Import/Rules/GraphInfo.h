//===- GraphInfo.h - What an import tells of an ONNX graph ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The importer knows the shape of every value, and the elements of small ones,
// also where only the run knows some of them. What an operator couples is read
// from that.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_IMPORT_RULES_GRAPHINFO_H
#define PRUNE_LIB_IMPORT_RULES_GRAPHINFO_H

#include "Import/Model/Graph.h"

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

/// Facts about the values of a model's outermost graph.
class GraphInfo {
public:
  void collect(const onnx_import::Graph &graph);
  const Fact *get(StringRef name) const;
  /// The branches that took the place of their Ifs.
  const llvm::StringMap<bool> &getBranches() const { return branches; }
  /// Whether the indices of all dimensions are so few that what becomes of each
  /// can be written down. A few bytes of a model can state sizes of billions.
  bool hasFewIndices() const;

private:
  llvm::StringMap<Fact> facts;
  llvm::StringMap<bool> branches;
};

} // namespace mlir::prune::onnx_export

#endif // PRUNE_LIB_IMPORT_RULES_GRAPHINFO_H
