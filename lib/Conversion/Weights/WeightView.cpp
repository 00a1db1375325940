//===- WeightView.cpp - A weight as its contraction sees it -------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Transposes and broadcasts change only strides, and so does a splat, which is
// one element with strides of 0. Data is copied where a reshape meets a view
// that is not contiguous, and where a cast changes the element type.
//
//===----------------------------------------------------------------------===//

#include "WeightView.h"

#include "prune/Core/Packing/LevelStorage.h"
#include "prune/IR/ConstantView.h"
#include "prune/IR/Prune.h"
#include "prune/IR/WeightRecord.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::prune;

static SmallVector<int64_t> getContiguousStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;)
    strides[i - 1] = strides[i] * shape[i];
  return strides;
}

static void setData(WeightView &view, ByteBuffer data) {
  view.storage = std::make_shared<ByteBuffer>(std::move(data));
  view.data = *view.storage;
}

ByteBuffer WeightView::read(ArrayRef<int64_t> dims) const {
  SmallVector<int64_t> orderedShape, orderedStrides;
  for (int64_t dim : dims) {
    orderedShape.push_back(shape[dim]);
    orderedStrides.push_back(strides[dim]);
  }
  return gatherElements(data, byteSize(kind), orderedShape, orderedStrides);
}

ArrayRef<char> WeightView::view(ArrayRef<int64_t> dims,
                                ByteBuffer &copy) const {
  int64_t stride = 1;
  for (int64_t dim : llvm::reverse(dims)) {
    if (strides[dim] != stride) {
      copy = read(dims);
      return copy;
    }
    stride *= shape[dim];
  }
  return data.take_front(stride * byteSize(kind));
}

int64_t WeightView::countNonzeros() const {
  // Without broadcasts a view is a permutation of its data.
  if (int64_t(data.size()) == countElements(shape) * byteSize(kind))
    return prune::countNonzeros(kind, data);
  return prune::countNonzeros(
      kind, read(llvm::to_vector(llvm::seq<int64_t>(0, shape.size()))));
}

static bool isSplat(const WeightView &view) {
  return llvm::all_of(view.strides, [](int64_t s) { return s == 0; });
}

static void reshape(WeightView &view, ArrayRef<int64_t> shape) {
  if (isSplat(view)) {
    view.strides.assign(shape.size(), 0);
  } else {
    if (view.strides != getContiguousStrides(view.shape))
      setData(view, view.read(llvm::to_vector(
                        llvm::seq<int64_t>(0, view.shape.size()))));
    view.strides = getContiguousStrides(shape);
  }
  view.shape.assign(shape.begin(), shape.end());
}

static void convert(WeightView &view, Type type) {
  FloatKind kind = *getFloatKind(getElementTypeOrSelf(type));
  if (kind == view.kind)
    return;
  std::vector<char> data = convertElements(view.kind, kind, view.data);
  setData(view, ByteBuffer(data.begin(), data.end()));
  view.kind = kind;
}

/// A transpose, a broadcast or a generic that combines them with casts: each
/// dimension of the result is a loop, and each loop walks through at most one
/// dimension of the operand.
static void applyStructured(WeightView &view, linalg::LinalgOp op) {
  AffineMap input = op.getMatchingIndexingMap(op.getDpsInputOperand(0));
  AffineMap output = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  SmallVector<int64_t> loopSizes = op.getStaticLoopRanges();
  SmallVector<int64_t> shape, strides;
  for (AffineExpr loop : output.getResults()) {
    std::optional<unsigned> source = input.getResultPosition(loop);
    shape.push_back(source
                        ? view.shape[*source]
                        : loopSizes[cast<AffineDimExpr>(loop).getPosition()]);
    strides.push_back(source ? view.strides[*source] : 0);
  }
  view.shape = std::move(shape);
  view.strides = std::move(strides);
  for (Operation &inner : *op.getBlock())
    if (isa<arith::ExtFOp, arith::TruncFOp>(inner))
      convert(view, inner.getResult(0).getType());
}

/// A part without holes, as contiguous data of its own.
static void takePart(WeightView &view, tensor::ExtractSliceOp slice) {
  ArrayRef<int64_t> shape = slice.getType().getShape();
  if (isSplat(view)) {
    view.strides.assign(shape.size(), 0);
  } else {
    int64_t first = 0;
    for (auto [offset, stride] :
         llvm::zip_equal(slice.getStaticOffsets(), view.strides))
      first += offset * stride;
    setData(view,
            gatherElements(view.data.drop_front(first * byteSize(view.kind)),
                           byteSize(view.kind), slice.getStaticSizes(),
                           view.strides));
    view.strides = getContiguousStrides(shape);
  }
  view.shape.assign(shape.begin(), shape.end());
}

std::optional<WeightView> mlir::prune::foldWeight(const Weight &weight,
                                                  const WeightUse &use,
                                                  std::string &reason) {
  std::optional<TensorView> source = getTensorView(weight.getValue());
  if (!source) {
    reason = "its constant has no readable data";
    return std::nullopt;
  }
  WeightView view{source->kind, llvm::to_vector(source->shape),
                  getContiguousStrides(source->shape), source->data, nullptr};
  if (source->splat)
    view.strides.assign(view.shape.size(), 0);
  for (Operation *step : use.chain) {
    auto type = cast<RankedTensorType>(step->getResult(0).getType());
    std::optional<FloatKind> kind = getFloatKind(type.getElementType());
    bool isDynamic = !type.hasStaticShape() && !isa<tensor::CastOp>(step);
    if (!kind || isDynamic || type.getEncoding()) {
      reason = ("it passes through " + step->getName().getStringRef() +
                " with a type that cannot be folded")
                   .str();
      return std::nullopt;
    }
    if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(step))
      reshape(view, type.getShape());
    else if (auto slice = dyn_cast<tensor::ExtractSliceOp>(step))
      takePart(view, slice);
    else if (isa<arith::ExtFOp, arith::TruncFOp>(step))
      convert(view, type);
    else if (auto op = dyn_cast<linalg::LinalgOp>(step))
      applyStructured(view, op);
    else if (!isa<tensor::CastOp>(step)) {
      reason = ("it passes through " + step->getName().getStringRef() +
                ", which cannot be folded")
                   .str();
      return std::nullopt;
    }
  }
  return view;
}

void mlir::prune::recordPackedWeight(WeightRecords &records,
                                     const Weight &weight,
                                     ArrayRef<NamedAttribute> entries) {
  Operation *op = weight.constants.front();
  Builder builder(op->getContext());
  SmallVector<NamedAttribute> all(entries);
  all.push_back(builder.getNamedAttr("type", TypeAttr::get(weight.getType())));
  all.push_back(builder.getNamedAttr(
      "nonzeros",
      builder.getI64IntegerAttr(prune::countNonzeros(weight.getValue()))));
  records.add(op, weight.name, all);
}
