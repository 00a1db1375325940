//===- DescribeLimits.cpp - What an ONNX file cannot lose ----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A module can lose channels that no ONNX operator could: a mean over channels
// divides by their number, which our lowering keeps as a constant. Whoever
// decides knows no ONNX, so that the import writes down for each weight what
// the rules of the export say before anything was decided.
//
//===----------------------------------------------------------------------===//

#include "ExportRules.h"

#include "llvm/ADT/IntEqClasses.h"

using namespace mlir;
using namespace mlir::prune::onnx_export;
using Dim = Coupling::Dim;

/// The entry of one dimension, which several uses may have.
static Attribute describeDim(MLIRContext *context, Coupling &coupling,
                             ArrayRef<SmallVector<Dim>> uses, size_t at) {
  // Parameters of several channels, such as a vector of ones, stand for
  // whichever of their uses can lose them; shared filters for all.
  bool isParameter = uses.front().size() == 1 && uses.size() > 1;
  if (isParameter)
    return UnitAttr::get(context);
  int64_t size = coupling.sizeOf(uses.front()[at]);
  // What leaves together in any use leaves together.
  llvm::IntEqClasses together(size);
  std::vector<bool> stays(size, false);
  std::optional<StringRef> why;
  for (const SmallVector<Dim> &dims : uses) {
    llvm::SmallDenseMap<unsigned, int64_t> firstOf;
    for (int64_t i = 0; i != size; ++i) {
      if (auto cause = coupling.whyKept(dims[at], i)) {
        why = why ? why : cause;
        stays[i] = true;
        continue;
      }
      auto [entry, isNew] =
          firstOf.try_emplace(coupling.classOf(dims[at], i), i);
      if (!isNew)
        together.join(entry->second, i);
    }
  }
  if (size && !llvm::is_contained(stays, false))
    return StringAttr::get(context, *why);
  together.compress();
  if (!why && together.getNumClasses() == size)
    return UnitAttr::get(context);
  SmallVector<int64_t> classes;
  for (int64_t i = 0; i != size; ++i)
    classes.push_back(stays[i] ? -1 : int64_t(together[i]));
  return DenseI64ArrayAttr::get(context, classes);
}

namespace {
/// What leaves together: in any case, and by what reshapes choose.
struct Couplings {
  explicit Couplings(Coupling solved)
      : any(solved), outer(solved), inner(std::move(solved)) {
    any.joinProducts();
    outer.chooseFactors(/*last=*/false);
    inner.chooseFactors(/*last=*/true);
  }
  Coupling any, outer, inner;
};
} // namespace

/// The entry of one dimension. A reshape of channels to a grid can lose rows or
/// columns: where that makes a difference, the entry says both.
static Attribute describeChoice(MLIRContext *context, Couplings &couplings,
                                ArrayRef<SmallVector<Dim>> uses, size_t at) {
  Attribute any = describeDim(context, couplings.any, uses, at);
  Attribute outer = describeDim(context, couplings.outer, uses, at);
  Attribute inner = describeDim(context, couplings.inner, uses, at);
  // Which dimension of several loses indices is for the program to choose.
  if ((outer == any && inner == any) || !isa<DenseI64ArrayAttr>(outer) ||
      !isa<DenseI64ArrayAttr>(inner))
    return any;
  return ArrayAttr::get(context, {outer, inner});
}

/// Tensors in graphs inside of nodes, which the export does not write.
static void describeInner(const onnx::NodeProto &node, StringRef outer,
                          MLIRContext *context, NamedAttrList &limits) {
  auto add = [&](std::string name) {
    // As resources are named.
    llvm::replace(name, '#', '_');
    if (!name.empty())
      limits.set(name, StringAttr::get(context, outer));
  };
  for (const onnx::AttributeProto &attribute : node.attribute()) {
    if (!attribute.has_g())
      continue;
    for (const onnx::TensorProto &tensor : attribute.g().initializer())
      add(tensor.name());
    for (const onnx::NodeProto &inner : attribute.g().node()) {
      describeInner(inner, outer, context, limits);
      if (inner.op_type() == "Constant" && inner.output_size() == 1)
        add(inner.output(0));
    }
  }
}

DictionaryAttr
mlir::prune::onnx_export::describeLimits(const onnx_import::Graph &graph) {
  MLIRContext *context = graph.state.context;
  GraphInfo info;
  info.collect(graph);
  // The export will refuse such a model, whatever leaves.
  if (!info.hasFewIndices())
    return DictionaryAttr::get(context);
  Network network(graph.proto, info, graph.opsets.lookup(""),
                  /*separateUses=*/true);
  network.addRules();
  (void)network.coupling.solve();
  Couplings couplings(network.coupling);
  NamedAttrList limits;
  auto add = [&](StringRef name) {
    const Fact *fact = info.get(name);
    if (!fact || name.empty() || fact->name() != name)
      return;
    std::vector<SmallVector<Dim>> uses = network.usesOf(name);
    SmallVector<Attribute> entries;
    for (int64_t dim = 0; dim != fact->rank() && !uses.empty(); ++dim)
      entries.push_back(describeChoice(context, couplings, uses, dim));
    if (!llvm::all_of(entries, llvm::IsaPred<UnitAttr>))
      limits.set(fact->name(), ArrayAttr::get(context, entries));
  };
  for (const onnx::TensorProto &tensor : graph.proto.initializer())
    add(tensor.name());
  for (const onnx::NodeProto &node : graph.proto.node()) {
    // Constants, and what the import computed.
    for (const std::string &output : node.output())
      add(output);
    describeInner(node, describe(node), context, limits);
  }
  return limits.getDictionary(context);
}
