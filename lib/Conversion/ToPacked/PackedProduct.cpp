//===- PackedProduct.cpp - Build a packed product -------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// At most two changes of layout surround the packed op. Where the input was
// brought out of the same panels by the layer before, neither is needed, and
// both vanish: a chain of layers stays in panels.
//
//===----------------------------------------------------------------------===//

#include "PackedProduct.h"

#include "Conversion/Weights/Epilogue.h"
#include "Lowering/Tensors/CastElements.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::prune;

//===----------------------------------------------------------------------===//
// Layout
//===----------------------------------------------------------------------===//

/// Whether the loop `feature` stands first (true) or last (false) in the map,
/// with `columns` in order beside it.
static std::optional<bool> isFeatureFirst(AffineMap map, unsigned feature,
                                          ArrayRef<unsigned> columns) {
  SmallVector<unsigned> loops;
  for (AffineExpr expr : map.getResults())
    loops.push_back(cast<AffineDimExpr>(expr).getPosition());
  SmallVector<unsigned> last(columns), first{feature};
  last.push_back(feature);
  llvm::append_range(first, columns);
  if (loops == last)
    return false;
  if (loops == first)
    return true;
  return std::nullopt;
}

std::optional<ProductLayout>
mlir::prune::matchProductLayout(const WeightContraction &contraction,
                                std::string &reason) {
  linalg::LinalgOp op = contraction.op;
  if (contraction.isConvolution() || contraction.columnLoops.size() != 1) {
    reason = "it is a convolution, or sums over several dimensions";
    return std::nullopt;
  }
  unsigned rowLoop = contraction.rowLoop, sumLoop = contraction.columnLoops[0];
  SmallVector<unsigned> columnLoops;
  ProductLayout layout;
  layout.columns = 1;
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  AffineMap output = op.getMatchingIndexingMap(contraction.output);
  for (AffineExpr expr : output.getResults()) {
    unsigned loop = cast<AffineDimExpr>(expr).getPosition();
    if (loop == rowLoop)
      continue;
    columnLoops.push_back(loop);
    layout.columns =
        ShapedType::isDynamic(sizes[loop]) ? 0 : layout.columns * sizes[loop];
  }
  auto input = isFeatureFirst(op.getMatchingIndexingMap(contraction.input),
                              sumLoop, columnLoops);
  auto result = isFeatureFirst(output, rowLoop, columnLoops);
  if (!input || !result) {
    reason = "its columns are not in one order in input and output";
    return std::nullopt;
  }
  layout.inputFeatureMajor = *input;
  layout.outputFeatureMajor = *result;
  return layout;
}

//===----------------------------------------------------------------------===//
// Rewriting
//===----------------------------------------------------------------------===//

namespace {
/// Changes of layout around one product.
class Relayout {
public:
  Relayout(RewriterBase &b, Location loc, const KernelPlan &plan)
      : b(b), loc(loc), plan(plan) {}

  /// The activation as the kernel reads it.
  Value enter(Value activation, bool featureMajor);
  /// The kernel's result in the shape and order of `like`.
  Value leave(Value result, Value like, bool featureMajor);
  /// An empty tensor for the result with that many features.
  Value createInit(Value input, int64_t features);

private:
  Value flatten(Value activation, bool featureMajor);
  Value transpose(Value matrix);
  RewriterBase &b;
  Location loc;
  const KernelPlan &plan;
};
} // namespace

/// The groups of dimensions that a matrix makes of a tensor.
static SmallVector<ReassociationIndices> getGroups(int64_t rank,
                                                   bool featureMajor) {
  SmallVector<ReassociationIndices> groups(2);
  for (int64_t dim = 0; dim != rank; ++dim) {
    bool isFeature = featureMajor ? dim == 0 : dim == rank - 1;
    groups[isFeature != featureMajor].push_back(dim);
  }
  return groups;
}

/// Columns in one dimension; a vector becomes a matrix of one column.
Value Relayout::flatten(Value activation, bool featureMajor) {
  auto type = cast<RankedTensorType>(activation.getType());
  if (type.getRank() == 1) {
    SmallVector<int64_t> shape{1, type.getDimSize(0)};
    if (featureMajor)
      std::swap(shape[0], shape[1]);
    return tensor::ExpandShapeOp::create(
        b, loc, type.clone(shape), activation,
        SmallVector<ReassociationIndices>{{0, 1}});
  }
  if (type.getRank() == 2)
    return activation;
  return b.createOrFold<tensor::CollapseShapeOp>(
      loc, activation, getGroups(type.getRank(), featureMajor));
}

Value Relayout::transpose(Value matrix) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, matrix);
  std::swap(sizes[0], sizes[1]);
  Type element = getElementTypeOrSelf(matrix.getType());
  Value init = tensor::EmptyOp::create(b, loc, sizes, element);
  return linalg::TransposeOp::create(b, loc, matrix, init,
                                     ArrayRef<int64_t>{1, 0})
      ->getResult(0);
}

Value Relayout::enter(Value activation, bool featureMajor) {
  Value matrix = flatten(activation, featureMajor);
  if (plan.lanesAlongRows)
    return featureMajor ? transpose(matrix) : matrix;
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, matrix);
  auto type = cast<RankedTensorType>(matrix.getType());
  OpFoldResult columns = sizes[featureMajor ? 1 : 0];
  OpFoldResult features = sizes[featureMajor ? 0 : 1];
  int64_t known = type.getDimSize(featureMajor ? 1 : 0);
  OpFoldResult panels;
  if (ShapedType::isDynamic(known)) {
    Value panel = arith::ConstantIndexOp::create(b, loc, plan.panel);
    panels =
        b.createOrFold<arith::CeilDivUIOp>(loc, cast<Value>(columns), panel);
  } else {
    panels = b.getIndexAttr(llvm::divideCeil(known, plan.panel));
  }
  auto unpack = matrix.getDefiningOp<UnpackPanelsOp>();
  Value init = tensor::EmptyOp::create(
      b, loc, {panels, features, b.getIndexAttr(plan.panel)},
      type.getElementType());
  if (unpack && unpack.getSource().getType() == init.getType() &&
      unpack.getFeatureMajor() == featureMajor) {
    b.eraseOp(init.getDefiningOp());
    return unpack.getSource();
  }
  return PackPanelsOp::create(b, loc, init.getType(), matrix, init,
                              featureMajor)
      .getResult();
}

Value Relayout::createInit(Value input, int64_t features) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, input);
  sizes[1] = b.getIndexAttr(features);
  return tensor::EmptyOp::create(b, loc, sizes,
                                 getElementTypeOrSelf(input.getType()));
}

Value Relayout::leave(Value result, Value like, bool featureMajor) {
  auto type = cast<RankedTensorType>(like.getType());
  if (plan.lanesAlongRows) {
    if (featureMajor)
      result = transpose(result);
  } else {
    // The matrix: all columns in one dimension.
    OpFoldResult columns = b.getIndexAttr(1);
    OpFoldResult features = b.getIndexAttr(1);
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, like);
    int64_t featureDim = featureMajor ? 0 : type.getRank() - 1;
    for (auto [dim, size] : llvm::enumerate(sizes)) {
      if (int64_t(dim) == featureDim) {
        features = size;
      } else if (isConstantIntValue(columns, 1)) {
        columns = size;
      } else {
        Value product = b.createOrFold<arith::MulIOp>(
            loc, getValueOrCreateConstantIndexOp(b, loc, columns),
            getValueOrCreateConstantIndexOp(b, loc, size));
        columns = getAsOpFoldResult(product);
      }
    }
    SmallVector<OpFoldResult> shape{columns, features};
    if (featureMajor)
      std::swap(shape[0], shape[1]);
    Value init = tensor::EmptyOp::create(b, loc, shape, type.getElementType());
    result = UnpackPanelsOp::create(b, loc, init.getType(), result, init,
                                    featureMajor)
                 .getResult();
  }
  if (type.getRank() == 2)
    return result;
  if (type.getRank() == 1)
    return tensor::CollapseShapeOp::create(
        b, loc, result, SmallVector<ReassociationIndices>{{0, 1}});
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, like);
  return tensor::ExpandShapeOp::create(
      b, loc, type, result, getGroups(type.getRank(), featureMajor), sizes);
}

PackedMatmulOp mlir::prune::replaceByPackedProduct(
    RewriterBase &b, const WeightContraction &contraction,
    const ProductLayout &layout, const KernelPlan &plan, KernelAttr kernel,
    const PackedWeightValues &weight) {
  Epilogue epilogue(b, contraction.op, contraction.rowLoop);
  // Everything that the epilogue reads is there at its last operation.
  b.setInsertionPoint(epilogue.last);
  Location loc = contraction.op.getLoc();
  Relayout relayout(b, loc, plan);
  Type element = getElementTypeOrSelf(contraction.output->get().getType());
  Value input =
      relayout.enter(widenElements(b, loc, contraction.input->get(), element),
                     layout.inputFeatureMajor);
  Value bias = epilogue.createBias();
  Value residual = epilogue.createResidual();
  if (residual)
    residual = relayout.enter(residual, layout.outputFeatureMajor);
  Value init = relayout.createInit(input, kernel.getM());
  auto packed = PackedMatmulOp::create(
      b, loc, init.getType(), kernel, weight.values, weight.indices,
      weight.positions, input, bias, residual, init, weight.rowChunks,
      weight.parallelPanels);
  epilogue.build(packed.getEpilogue());
  b.setInsertionPointAfter(packed);
  Value like = contraction.output->get();
  epilogue.replaceBy(
      relayout.leave(packed.getResult(), like, layout.outputFeatureMajor));
  return packed;
}
