//===- ApplyEpilogue.cpp - What happens to an element before it is stored -===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The region of a packed product is about one element. Kernels apply it to
// vectors: its operations are repeated with vector types.
//
//===----------------------------------------------------------------------===//

#include "PackedToVector.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mlir::prune;

/// Repeats the epilogue on `element`, a scalar or a vector.
Value mlir::prune::applyEpilogue(OpBuilder &b, PackedMatmulOp op, Value element,
                                 Value bias, Value residual) {
  Location loc = op.getLoc();
  Block &block = op.getEpilogue().front();
  IRMapping mapping;
  mapping.map(block.getArgument(0), element);
  if (bias)
    mapping.map(block.getArgument(1), bias);
  if (residual)
    mapping.map(block.getArguments().back(), residual);
  auto type = dyn_cast<VectorType>(element.getType());
  // Scalars of the region, and from outside of it, become vectors.
  auto vectorize = [&](Value scalar) {
    Value vector = vector::BroadcastOp::create(
        b, loc, type.cloneWith({}, scalar.getType()), scalar);
    mapping.map(scalar, vector);
  };
  for (Operation &original : block.without_terminator()) {
    if (type)
      for (Value operand : original.getOperands())
        if (!mapping.contains(operand))
          vectorize(operand);
    Operation *clone = b.clone(original, mapping);
    if (!type)
      continue;
    if (clone->hasTrait<OpTrait::ConstantLike>()) {
      vectorize(clone->getResult(0));
      mapping.map(original.getResult(0), mapping.lookup(clone->getResult(0)));
      continue;
    }
    for (Value result : clone->getResults())
      result.setType(type.cloneWith({}, result.getType()));
  }
  Value yielded = block.getTerminator()->getOperand(0);
  if (type && !mapping.contains(yielded))
    vectorize(yielded);
  return mapping.lookupOrDefault(yielded);
}
