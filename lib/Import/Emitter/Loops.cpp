//===- Loops.cpp - Loops over tensors -------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is sequential by nature, recurrences and scattered writes, becomes
// scf.for with the tensors carried from one iteration to the next.
//
//===----------------------------------------------------------------------===//

#include "Emitter.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;

SmallVector<Tensor *> Emitter::loop(AffineExpr count,
                                    ArrayRef<Tensor *> carried, LoopBody body) {
  Scalar s(b, loc);
  SmallVector<Value> values =
      llvm::map_to_vector(carried, [&](Tensor *t) { return value(t); });
  auto loop =
      scf::ForOp::create(b, loc, s.index(0), index(count), s.index(1), values);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    SmallVector<Tensor *> inner;
    for (auto [tensor, argument] : llvm::zip(carried, loop.getRegionIterArgs()))
      inner.push_back(make(argument, tensor->type, tensor->dims));
    SmallVector<Value> results;
    SmallVector<Tensor *> next = body(loop.getInductionVar(), inner);
    if (state.failed || llvm::is_contained(next, nullptr))
      return {};
    for (auto [tensor, argument] : llvm::zip_equal(next, inner)) {
      Value result = value(tensor);
      Type type = argument->value.getType();
      if (result.getType() != type)
        result = tensor::CastOp::create(b, loc, type, result);
      results.push_back(result);
    }
    scf::YieldOp::create(b, loc, results);
  }
  SmallVector<Tensor *> results;
  for (auto [tensor, result] : llvm::zip(carried, loop.getResults()))
    results.push_back(make(result, tensor->type, tensor->dims));
  return results;
}

Tensor *
Emitter::loopOver(ArrayRef<AffineExpr> dims, Tensor *carried,
                  function_ref<Value(Scalar &, ValueRange, Value)> body) {
  if (!carried)
    return nullptr;
  Scalar s(b, loc);
  SmallVector<Value> low(dims.size(), s.index(0)),
      step(dims.size(), s.index(1));
  SmallVector<Value> high =
      llvm::map_to_vector(dims, [&](AffineExpr dim) { return index(dim); });
  if (dims.empty()) {
    Value result = body(s, {}, value(carried));
    return make(result, carried->type, carried->dims);
  }
  scf::LoopNest nest = scf::buildLoopNest(
      b, loc, low, high, step, value(carried),
      [&](OpBuilder &nested, Location at, ValueRange position,
          ValueRange tensors) -> scf::ValueVector {
        Scalar inner(nested, at);
        return {body(inner, position, tensors[0])};
      });
  return make(nest.results[0], carried->type, carried->dims);
}

Tensor *Emitter::insertAt(Tensor *part, Tensor *whole, int64_t axis,
                          Value position) {
  if (!part || !whole)
    return nullptr;
  SmallVector<OpFoldResult> offsets(whole->rank(), b.getIndexAttr(0));
  SmallVector<OpFoldResult> sizes = fold(whole->dims);
  SmallVector<OpFoldResult> steps(whole->rank(), b.getIndexAttr(1));
  offsets[axis] = position;
  sizes[axis] = b.getIndexAttr(1);
  Value result = tensor::InsertSliceOp::create(
      b, loc, value(part), value(whole), offsets, sizes, steps);
  return make(result, whole->type, whole->dims);
}

Tensor *Emitter::sliceAt(Tensor *x, int64_t axis, Value position) {
  if (!x)
    return nullptr;
  SmallVector<OpFoldResult> offsets(x->rank(), b.getIndexAttr(0));
  SmallVector<OpFoldResult> sizes = fold(x->dims);
  SmallVector<OpFoldResult> steps(x->rank(), b.getIndexAttr(1));
  offsets[axis] = position;
  sizes[axis] = b.getIndexAttr(1);
  Sizes dims(x->dims);
  dims.erase(dims.begin() + axis);
  Value result = tensor::ExtractSliceOp::create(
      b, loc, typeOf(dims, x->type), value(x), offsets, sizes, steps);
  return make(result, x->type, dims);
}
