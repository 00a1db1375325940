//===- CastElements.cpp - Tensors of another floating-point type ----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A conversion is a structured operation of its own, so that it fuses with its
// elementwise neighbours.
//
//===----------------------------------------------------------------------===//

#include "CastElements.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

static constexpr StringLiteral kExact = "prune.exact";

Value mlir::prune::castFloat(OpBuilder &builder, Location loc, Value value,
                             Type type) {
  unsigned from = value.getType().getIntOrFloatBitWidth();
  unsigned to = type.getIntOrFloatBitWidth();
  if (from < to)
    return arith::ExtFOp::create(builder, loc, type, value);
  if (from > to)
    return arith::TruncFOp::create(builder, loc, type, value);
  return value;
}

Value mlir::prune::castElements(OpBuilder &builder, Location loc, Value tensor,
                                Type type) {
  auto from = cast<RankedTensorType>(tensor.getType());
  if (from.getElementType() == type)
    return tensor;
  Value empty = tensor::EmptyOp::create(
      builder, loc, tensor::getMixedSizes(builder, loc, tensor), type);
  SmallVector<AffineMap> maps(2,
                              builder.getMultiDimIdentityMap(from.getRank()));
  SmallVector<utils::IteratorType> iterators(from.getRank(),
                                             utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             builder, loc, empty.getType(), tensor, empty, maps, iterators,
             [&](OpBuilder &nested, Location loc, ValueRange args) {
               linalg::YieldOp::create(nested, loc,
                                       castFloat(nested, loc, args[0], type));
             })
      .getResult(0);
}

void mlir::prune::markExact(Value narrow) {
  Operation *op = narrow.getDefiningOp();
  op->setAttr(kExact, UnitAttr::get(op->getContext()));
}

Value mlir::prune::getExact(Value narrow) {
  auto cast = narrow.getDefiningOp<linalg::GenericOp>();
  return cast && cast->hasAttr(kExact) && cast.getNumDpsInputs() == 1
             ? cast.getInputs()[0]
             : Value();
}

Value mlir::prune::widenElements(OpBuilder &builder, Location loc, Value narrow,
                                 Type type) {
  Value wide = getExact(narrow);
  if (wide && getElementTypeOrSelf(wide.getType()) == type)
    return wide;
  return castElements(builder, loc, narrow, type);
}
