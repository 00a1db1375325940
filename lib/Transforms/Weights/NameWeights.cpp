//===- NameWeights.cpp - Turn constant weights into named resources -------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A name has to survive canonicalisation, CSE and printing, which only resource
// keys do. The data of a dense constant moves into a resource blob once; splats
// are written out, since a masked weight stops being a splat.
//
//===----------------------------------------------------------------------===//

#include "prune/Analysis/WeightUses.h"
#include "prune/IR/ConstantView.h"
#include "prune/Transforms/Weights/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace mlir::prune {
#define GEN_PASS_DEF_NAMEWEIGHTSPASS
#include "prune/Transforms/Weights/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;
using namespace mlir::prune;

/// Gives the weight uses of the constant a resource of their own.
static void nameWeight(const Weight &weight) {
  auto value = dyn_cast<DenseElementsAttr>(weight.getValue());
  if (!value)
    return;
  Operation *constant = weight.constants.front();
  OpBuilder builder(constant->getContext());
  builder.setInsertionPointAfter(constant);
  Value named = arith::ConstantOp::create(
      builder, constant->getLoc(), createNamedConstant(value, weight.name));
  for (const WeightUse &use : weight.uses) {
    OpOperand *first = use.chain.empty()
                           ? use.operand
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
