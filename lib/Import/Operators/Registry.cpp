//===- Registry.cpp - The table of operators ------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Collects the tables of all families. The documentation's table is printed
// from the same data.
//
//===----------------------------------------------------------------------===//

#include "ChannelNotes.h"
#include "Import/Model/Node.h"
#include "prune/Import/ONNX.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;

/// All operators, sorted by domain and name.
static const SmallVector<Operator> &allOperators() {
  static const SmallVector<Operator> sorted = [] {
    SmallVector<Operator> all;
    for (ArrayRef<Operator> family :
         {activationOperators(),   arithmeticOperators(),
          attentionOperators(),    controlOperators(),
          convolutionOperators(),  fusedOperators(),
          indexingOperators(),     matrixOperators(),
          movementOperators(),     normalizationOperators(),
          orderOperators(),        patternOperators(),
          placementOperators(),    poolingOperators(),
          quantizationOperators(), quantizedOperators(),
          recurrentOperators(),    reductionOperators(),
          regionOperators(),       resizeOperators(),
          samplingOperators(),     scanOperators(),
          selectionOperators(),    shapeOperators(),
          signalOperators()})
      llvm::append_range(all, family);
    llvm::sort(all, [](const Operator &x, const Operator &y) {
      return std::tie(x.domain, x.name, x.since) <
             std::tie(y.domain, y.name, y.since);
    });
    return all;
  }();
  return sorted;
}

/// The rows of a node's operator.
static ArrayRef<Operator> rowsOf(const onnx::NodeProto &node) {
  using Key = std::pair<StringRef, StringRef>;
  StringRef domain = node.domain() == "ai.onnx" ? "" : StringRef(node.domain());
  Key key(domain, node.op_type());
  auto keyOf = [](const Operator &op) { return Key(op.domain, op.name); };
  const SmallVector<Operator> &all = allOperators();
  const Operator *begin = llvm::lower_bound(
      all, key, [&](const Operator &op, Key key) { return keyOf(op) < key; });
  const Operator *end = begin;
  while (end != all.end() && keyOf(*end) == key)
    ++end;
  return {begin, end};
}

const Operator *
mlir::prune::onnx_import::findOperator(const onnx::NodeProto &node,
                                       int64_t opset) {
  for (const Operator &op : rowsOf(node))
    if (opset >= op.since && opset <= op.until)
      return &op;
  return nullptr;
}

ChannelRule mlir::prune::onnx_import::ruleOf(const onnx::NodeProto &node) {
  ArrayRef<Operator> rows = rowsOf(node);
  return rows.empty() ? ChannelRule::Keep : rows.front().channels;
}

void mlir::prune::printONNXOperators(llvm::raw_ostream &os) {
  os << "| operator | opsets | import | export | channels |\n"
        "|---|---|---|---|---|\n";
  for (const Operator &op : allOperators())
    os << "| " << op.domain << (op.domain.empty() ? "" : ".") << op.name
       << " | " << op.since << "-" << op.until << " | "
       << (op.limits.empty() ? "complete" : op.limits) << " | "
       << (op.channels == ChannelRule::Keep ? "keeps all channels" : "yes")
       << " | "
       << (op.domain.empty() ? describeChannels(op.name) : "not tested")
       << " |\n";
}
