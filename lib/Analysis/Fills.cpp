//===- Fills.cpp - Tensors that hold one number ---------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tensor is filled by a named operation, by a structured operation that
// yields a scalar, or by a constant; reshapes change nothing about that.
//
//===----------------------------------------------------------------------===//

#include "prune/Analysis/Fills.h"

#include "prune/IR/ConstantView.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::prune;

Value mlir::prune::getFilledScalar(Operation *op) {
  if (auto fill = dyn_cast_or_null<linalg::FillOp>(op))
    return fill.getInputs()[0];
  auto generic = dyn_cast_or_null<linalg::GenericOp>(op);
  if (!generic || generic.getNumLoops() != generic.getNumParallelLoops() ||
      generic.getNumResults() != 1)
    return {};
  Value yielded = generic.getBody()->getTerminator()->getOperand(0);
  auto argument = dyn_cast<BlockArgument>(yielded);
  if (!argument || argument.getOwner() != generic.getBody())
    return yielded;
  OpOperand *operand = generic.getMatchingOpOperand(argument);
  return generic.isScalar(operand) ? operand->get() : Value();
}

/// The only element of a constant with one element, else null.
static Attribute getOnlyElement(Attribute constant) {
  std::optional<TensorView> view = getTensorView(constant);
  if (!view || view->size() != 1)
    return {};
  double number;
  view->load(0, number);
  return FloatAttr::get(
      cast<DenseResourceElementsAttr>(constant).getElementType(), number);
}

Attribute mlir::prune::getSplat(Value value) {
  if (Value scalar = getFilledScalar(value.getDefiningOp()))
    value = scalar;
  while (isa_and_nonnull<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(
      value.getDefiningOp()))
    value = value.getDefiningOp()->getOperand(0);
  Attribute constant;
  if (!matchPattern(value, m_Constant(&constant)))
    return {};
  if (auto elements = dyn_cast<DenseElementsAttr>(constant))
    return elements.isSplat() ? elements.getSplatValue<Attribute>()
                              : Attribute();
  if (isa<DenseResourceElementsAttr>(constant))
    return getOnlyElement(constant);
  return isa<FloatAttr, IntegerAttr>(constant) ? constant : Attribute();
}

bool mlir::prune::isZero(Value value) {
  auto splat = dyn_cast_or_null<FloatAttr>(getSplat(value));
  return splat && splat.getValue().isZero();
}
