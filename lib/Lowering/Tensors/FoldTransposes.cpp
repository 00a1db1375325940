//===- FoldTransposes.cpp - Transpose constants at compile time -----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elements are moved as bytes, so that neither their type nor their number
// matters. Only i1 in `dense` form, which is packed as bits, is left alone, and
// sub-byte integers.
//
//===----------------------------------------------------------------------===//

#include "prune/IR/WeightRecord.h"
#include "prune/Lowering/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"

#include <cstring>

namespace mlir::prune {
#define GEN_PASS_DEF_FOLDTRANSPOSESPASS
#include "prune/Lowering/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;

/// Writes the elements of `in` in the order of the permuted tensor.
static void permute(ArrayRef<char> in, MutableArrayRef<char> out,
                    ArrayRef<int64_t> shape, ArrayRef<int64_t> permutation,
                    unsigned bytes) {
  int64_t rank = shape.size();
  SmallVector<int64_t> strides(rank, bytes);
  for (int64_t dim = rank - 1; dim > 0; --dim)
    strides[dim - 1] = strides[dim] * shape[dim];
  SmallVector<int64_t> position(rank, 0);
  const char *source = in.data();
  for (size_t at = 0; at < out.size(); at += bytes) {
    std::memcpy(out.data() + at, source, bytes);
    for (int64_t dim = rank - 1; dim >= 0; --dim) {
      int64_t from = permutation[dim];
      source += strides[from];
      if (++position[dim] < shape[from])
        break;
      source -= strides[from] * shape[from];
      position[dim] = 0;
    }
  }
}

/// The transposed constant, or null if it cannot be computed.
static TypedAttr transposed(Attribute value, RankedTensorType type,
                            ArrayRef<int64_t> permutation) {
  auto elements = dyn_cast<ElementsAttr>(value);
  if (!elements)
    return {};
  if (auto splat = dyn_cast<SplatElementsAttr>(value))
    return splat.resizeSplat(type);
  Type element = type.getElementType();
  if (!element.isIntOrFloat() || element.getIntOrFloatBitWidth() % 8)
    return {};
  unsigned bytes = element.getIntOrFloatBitWidth() / 8;
  size_t size = type.getNumElements() * bytes;
  ArrayRef<int64_t> shape = elements.getShapedType().getShape();
  if (auto dense = dyn_cast<DenseIntOrFPElementsAttr>(value)) {
    std::vector<char> out(size);
    permute(dense.getRawData(), out, shape, permutation, bytes);
    return cast<TypedAttr>(
        DenseIntOrFPElementsAttr::getFromRawBuffer(type, out));
  }
  auto resource = dyn_cast<DenseResourceElementsAttr>(value);
  AsmResourceBlob *blob =
      resource ? resource.getRawHandle().getBlob() : nullptr;
  if (!blob || blob->getData().size() != size)
    return {};
  AsmResourceBlob out = prune::allocateBlob(size);
  permute(blob->getData(), out.getMutableData(), shape, permutation, bytes);
  return DenseResourceElementsAttr::get(type, resource.getRawHandle().getKey(),
                                        std::move(out));
}

static void fold(linalg::TransposeOp op) {
  Attribute value;
  auto type = dyn_cast<RankedTensorType>(op.getInit().getType());
  if (!type || !type.hasStaticShape() ||
      !matchPattern(op.getInput(), m_Constant(&value)))
    return;
  TypedAttr folded = transposed(value, type, op.getPermutation());
  if (!folded)
    return;
  OpBuilder builder(op);
  Value constant = arith::ConstantOp::create(builder, op.getLoc(), folded);
  op->getResult(0).replaceAllUsesWith(constant);
  op.erase();
}

namespace {
struct FoldTransposes : prune::impl::FoldTransposesPassBase<FoldTransposes> {
  using Base::Base;

  void runOnOperation() override { getOperation()->walk(fold); }
};
} // namespace
