//===- Branches.h - Branches of conditions that are known -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_IMPORT_MODEL_BRANCHES_H
#define PRUNE_LIB_IMPORT_MODEL_BRANCHES_H

#include "Model.h"

#include "llvm/ADT/StringMap.h"

#include <memory>
#include <vector>

namespace mlir::prune::onnx_import {

/// Visits the nodes of a graph in their order and puts the nodes of one branch
/// in the place of an If. Values of the branch get other names where the graph
/// has theirs already.
class BranchInliner {
public:
  explicit BranchInliner(onnx::GraphProto &graph) : graph(graph) {}

  /// `visit` says of each node which branch stays, if it is an If that goes:
  /// then_branch for true. The branch's initialisers are the last of the graph
  /// when its first node is visited.
  LogicalResult
  run(function_ref<LogicalResult(onnx::NodeProto &, std::optional<bool> &)>
          visit);

private:
  void expand(onnx::NodeProto &node, bool condition);
  void count(const onnx::NodeProto &node, int by);
  void count(const onnx::GraphProto &graph, int by);
  std::string freshName(const std::string &stem);

  onnx::GraphProto &graph;
  /// Nodes to visit, the next one last.
  std::vector<std::unique_ptr<onnx::NodeProto>> pending;
  /// How often a name is defined, in the graphs inside of nodes, too.
  llvm::StringMap<int64_t> definitions;
};

/// The name by which the branch of an If is remembered.
StringRef keyOfBranch(const onnx::NodeProto &node);

/// Puts branches that an import took in the place of their Ifs.
void inlineBranches(onnx::GraphProto &graph,
                    const llvm::StringMap<bool> &branches);

} // namespace mlir::prune::onnx_import

#endif // PRUNE_LIB_IMPORT_MODEL_BRANCHES_H
