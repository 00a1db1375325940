//===- GraphInfo.cpp - What an import tells of an ONNX graph --------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes are compared between two imports, whose contexts differ, so that they
// are kept as text: equal expressions print alike.
//
//===----------------------------------------------------------------------===//

#include "GraphInfo.h"

#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace mlir::prune;
using namespace mlir::prune::onnx_export;

static std::string textOf(AffineExpr expr) {
  std::string text;
  llvm::raw_string_ostream(text) << expr;
  return text;
}

int64_t Fact::size(int64_t dim) const {
  int64_t number;
  return StringRef(sizes[dim]).getAsInteger(10, number) ? -1 : number;
}

SmallVector<int64_t> Fact::shape() const {
  SmallVector<int64_t> result;
  for (int64_t dim = 0; dim != rank(); ++dim)
    result.push_back(size(dim));
  return result;
}

std::optional<SmallVector<int64_t>> Fact::numbers() const {
  if (!elements || !isInteger())
    return std::nullopt;
  SmallVector<int64_t> result;
  for (StringRef element : *elements)
    if (element.getAsInteger(10, result.emplace_back()))
      return std::nullopt;
  return result;
}

StringRef Fact::name() const {
  auto resource = dyn_cast_if_present<DenseResourceElementsAttr>(constant);
  return resource ? resource.getRawHandle().getKey().split('#').first
                  : StringRef();
}

static Fact toFact(const onnx_import::Tensor &tensor) {
  Fact fact;
  for (AffineExpr dim : tensor.dims)
    fact.sizes.push_back(textOf(dim));
  fact.type = tensor.type;
  fact.constant = tensor.constant;
  if (tensor.contents) {
    fact.elements.emplace();
    for (AffineExpr element : tensor.contents->ints)
      fact.elements->push_back(textOf(element));
    for (double element : tensor.contents->floats)
      fact.elements->push_back(
          llvm::utohexstr(llvm::bit_cast<uint64_t>(element)));
  }
  return fact;
}

void GraphInfo::collect(const onnx_import::Graph &graph) {
  branches = graph.takenBranches();
  auto add = [&](StringRef name) {
    if (onnx_import::Tensor *tensor =
            name.empty() ? nullptr : graph.lookup(name))
      facts.try_emplace(name, toFact(*tensor));
  };
  for (const auto &input : graph.proto.input())
    add(input.name());
  for (const auto &tensor : graph.proto.initializer())
    add(tensor.name());
  for (const auto &node : graph.proto.node())
    for (const auto &output : node.output())
      add(output);
}

bool GraphInfo::hasFewIndices() const {
  constexpr int64_t most = int64_t(1) << 25;
  int64_t left = most;
  for (const auto &entry : facts)
    for (int64_t size : entry.second.shape())
      if (size > left || (left -= std::max<int64_t>(size, 0)) < 0)
        return false;
  return true;
}

const Fact *GraphInfo::get(StringRef name) const {
  auto found = facts.find(name);
  return found == facts.end() ? nullptr : &found->second;
}
