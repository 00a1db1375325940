//===- NameWeights.cpp - Turn constant weights into named resources -------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A name has to survive canonicalisation, CSE and printing, which only resource
// keys do. The data of a dense constant moves into a resource blob once; splats
// are written out, since a masked weight is no splat any more.
//
//===----------------------------------------------------------------------===//

#include "prune/Analysis/WeightUses.h"
#include "prune/IR/WeightRecord.h"
#include "prune/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/BuiltinDialect.h"
#include "mlir/IR/DialectResourceBlobManager.h"

namespace mlir::prune {
#define GEN_PASS_DEF_NAMEWEIGHTSPASS
#include "prune/Transforms/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;
using namespace mlir::prune;

/// A resource constant of the same elements under the key `name`.
static DenseResourceElementsAttr toResource(DenseElementsAttr value,
                                            StringRef name) {
  ArrayRef<char> raw = value.getRawData();
  size_t size = value.getElementType().getIntOrFloatBitWidth() / 8;
  size_t count = value.getNumElements();
  AsmResourceBlob blob = allocateBlob(size * count);
  char *data = blob.getMutableData().data();
  if (value.isSplat())
    for (size_t i = 0; i != count; ++i)
      std::memcpy(data + i * size, raw.data(), size);
  else
    std::memcpy(data, raw.data(), raw.size());
  auto &manager =
      DenseResourceElementsHandle::getManagerInterface(value.getContext());
  return DenseResourceElementsAttr::get(cast<ShapedType>(value.getType()),
                                        manager.insert(name, std::move(blob)));
}

/// Gives the weight uses of the constant a resource of their own.
static void nameWeight(const Weight &weight) {
  auto value = dyn_cast<DenseElementsAttr>(weight.getValue());
  if (!value)
    return;
  Operation *constant = weight.constants.front();
  OpBuilder builder(constant->getContext());
  builder.setInsertionPointAfter(constant);
  Value named = arith::ConstantOp::create(builder, constant->getLoc(),
                                          toResource(value, weight.name));
  for (const WeightUse &use : weight.uses) {
    OpOperand *first = use.chain.empty() ? use.operand
                                         : getForwardedOperand(use.chain.front());
    first->set(named);
  }
  if (constant->use_empty())
    constant->erase();
}

namespace {
struct NameWeights : prune::impl::NameWeightsPassBase<NameWeights> {
  using Base::Base;

  void runOnOperation() override {
    WeightUses weights(getOperation());
    for (const Weight &weight : weights.getWeights())
      nameWeight(weight);
  }
};
} // namespace
