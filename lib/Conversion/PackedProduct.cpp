//===- PackedProduct.cpp - Build a packed product -------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Around the packed op stand at most two changes of layout. Where the input was
// brought out of the same panels by the layer before, neither is needed, and
// both vanish: a chain of layers stays in panels.
//
// The epilogue is gathered forward from the contraction, one elementwise
// operation after another, for as long as the value has a single user that the
// region can express.
//
//===----------------------------------------------------------------------===//

#include "PackedProduct.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

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
mlir::prune::matchProductLayout(const SparseContraction &contraction,
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
// Epilogue
//===----------------------------------------------------------------------===//

namespace {
/// What follows the product, gathered from the IR.
class Epilogue {
public:
  Epilogue(RewriterBase &b, const SparseContraction &contraction)
      : b(b), contraction(contraction),
        element(cast<ShapedType>(contraction.output->get().getType())
                    .getElementType()) {
    AffineMap output = contraction.op.getMatchingIndexingMap(contraction.output);
    rowDim = *output.getResultPosition(
        getAffineDimExpr(contraction.rowLoop, b.getContext()));
  }

  /// Takes the initial value and then every operation that fits.
  void gather();

  Value bias, residual;
  /// The last operation taken in: its result is what the product yields.
  Operation *last;
  SmallVector<Operation *> taken;

  /// Fills the region of the packed op.
  void build(Region &region);

private:
  enum class Source { Element, Bias, Residual, Constant };
  std::optional<Source> classify(Value operand, AffineMap map, Value current,
                                 Value &asBias, Value &asResidual);
  bool takeInit();
  bool take(linalg::GenericOp op);
  bool setOnce(Value &slot, Value value) {
    if (!value || slot == value)
      return true;
    if (slot)
      return false;
    slot = value;
    return true;
  }
  Attribute getSplat(Value value);

  RewriterBase &b;
  const SparseContraction &contraction;
  Type element;
  unsigned rowDim;
  bool addsBias = false, addsResidual = false;
};
} // namespace

/// The scalar that an operation fills a tensor with, else null.
static Value getFilledScalar(Operation *op) {
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

/// The value of a constant that is the same everywhere, else null.
Attribute Epilogue::getSplat(Value value) {
  if (Value scalar = getFilledScalar(value.getDefiningOp()))
    value = scalar;
  Attribute constant;
  if (!matchPattern(value, m_Constant(&constant)))
    return {};
  if (auto elements = dyn_cast<DenseElementsAttr>(constant))
    return elements.isSplat() ? elements.getSplatValue<Attribute>()
                              : Attribute();
  return isa<FloatAttr, IntegerAttr>(constant) ? constant : Attribute();
}

/// Whether a map reads a vector along dimension `rowDim` only, all its other
/// results being 0.
static bool readsRowsOnly(AffineMap map, unsigned rowDim) {
  unsigned reads = 0;
  for (AffineExpr expr : map.getResults()) {
    if (auto dim = dyn_cast<AffineDimExpr>(expr);
        dim && dim.getPosition() == rowDim)
      ++reads;
    else if (auto zero = dyn_cast<AffineConstantExpr>(expr);
             !zero || zero.getValue() != 0)
      return false;
  }
  return reads == 1;
}

/// What `operand` is to the epilogue, or nothing if it does not fit.
std::optional<Epilogue::Source>
Epilogue::classify(Value operand, AffineMap map, Value current, Value &asBias,
                   Value &asResidual) {
  if (operand == current)
    return map.isIdentity() ? std::optional(Source::Element) : std::nullopt;
  if (getSplat(operand))
    return Source::Constant;
  if (getElementTypeOrSelf(operand.getType()) != element)
    return std::nullopt;
  auto type = dyn_cast<RankedTensorType>(operand.getType());
  if (!type)
    return std::nullopt;
  if (readsRowsOnly(map, rowDim) && type.hasStaticShape()) {
    asBias = operand;
    return Source::Bias;
  }
  if (!map.isIdentity())
    return std::nullopt;
  asResidual = operand;
  return Source::Residual;
}

/// The vector that a value is the broadcast of along dimension `rowDim`, or
/// null.
static Value getBroadcastVector(Value value, unsigned rowDim) {
  if (auto broadcast = value.getDefiningOp<linalg::BroadcastOp>()) {
    auto input = cast<RankedTensorType>(broadcast.getInput().getType());
    bool alongRows = input.getRank() == 1 && input.hasStaticShape() &&
                     !llvm::is_contained(broadcast.getDimensions(), rowDim);
    return alongRows ? broadcast.getInput() : Value();
  }
  auto generic = value.getDefiningOp<linalg::GenericOp>();
  if (!generic || generic.getNumDpsInputs() != 1 ||
      generic.getNumResults() != 1 ||
      generic.getNumLoops() != generic.getNumParallelLoops())
    return {};
  Block &body = *generic.getBody();
  if (body.getTerminator()->getOperand(0) != body.getArgument(0))
    return {};
  AffineMap output = generic.getMatchingIndexingMap(generic.getDpsInitOperand(0));
  AffineMap input = generic.getMatchingIndexingMap(generic.getDpsInputOperand(0));
  auto type = dyn_cast<RankedTensorType>(generic.getInputs()[0].getType());
  if (!output.isIdentity() || !type || !type.hasStaticShape() ||
      !readsRowsOnly(input, rowDim))
    return {};
  return generic.getInputs()[0];
}

/// Takes the initial value of the sum: nothing, a bias or a residual.
bool Epilogue::takeInit() {
  Value init = contraction.output->get();
  if (auto splat = dyn_cast_or_null<FloatAttr>(getSplat(init));
      splat && splat.getValue().isZero())
    return true;
  if (Value vector = getBroadcastVector(init, rowDim)) {
    bias = vector;
    addsBias = true;
  } else {
    residual = init;
    addsResidual = true;
  }
  return true;
}

/// Takes an elementwise operation on the current value.
bool Epilogue::take(linalg::GenericOp op) {
  Value current = last->getResult(0);
  if (op.getNumResults() != 1 || op.getNumDpsInits() != 1 ||
      op.getNumLoops() != op.getNumParallelLoops() ||
      op.getResult(0).getType() != current.getType() ||
      !op.getMatchingIndexingMap(op.getDpsInitOperand(0)).isIdentity() ||
      !op.getBody()->getArguments().back().use_empty())
    return false;
  for (Operation &inner : op.getBody()->without_terminator()) {
    bool isElementwise = inner.hasTrait<OpTrait::ConstantLike>() ||
                         OpTrait::hasElementwiseMappableTraits(&inner);
    if (!isElementwise || !isMemoryEffectFree(&inner))
      return false;
    for (Value operand : inner.getOperands())
      if (operand.getParentBlock() != op.getBody() && !getSplat(operand))
        return false;
  }
  Value newBias, newResidual;
  for (OpOperand *operand : op.getDpsInputOperands()) {
    Value asBias, asResidual;
    if (!classify(operand->get(), op.getMatchingIndexingMap(operand), current,
                  asBias, asResidual) ||
        !setOnce(newBias, asBias) || !setOnce(newResidual, asResidual))
      return false;
  }
  Value oldBias = bias;
  if (!setOnce(bias, newBias))
    return false;
  if (!setOnce(residual, newResidual)) {
    bias = oldBias;
    return false;
  }
  return true;
}

void Epilogue::gather() {
  last = contraction.op;
  takeInit();
  while (last->getResult(0).hasOneUse() ||
         llvm::all_equal(last->getResult(0).getUsers())) {
    if (last->getResult(0).use_empty())
      return;
    auto next = dyn_cast<linalg::GenericOp>(*last->getResult(0).user_begin());
    if (!next || next->getBlock() != last->getBlock() || !take(next))
      return;
    taken.push_back(next);
    last = next;
  }
}

void Epilogue::build(Region &region) {
  OpBuilder::InsertionGuard guard(b);
  Location loc = contraction.op.getLoc();
  Block *block = b.createBlock(&region);
  Value current = block->addArgument(element, loc);
  Value biasElement, residualElement;
  if (bias)
    biasElement = block->addArgument(element, loc);
  if (residual)
    residualElement = block->addArgument(element, loc);
  if (addsBias)
    current = arith::AddFOp::create(b, loc, current, biasElement);
  if (addsResidual)
    current = arith::AddFOp::create(b, loc, current, residualElement);
  Value currentTensor = contraction.op->getResult(0);
  for (Operation *op : taken) {
    auto generic = cast<linalg::GenericOp>(op);
    IRMapping mapping;
    for (OpOperand *operand : generic.getDpsInputOperands()) {
      Value argument = generic.getMatchingBlockArgument(operand);
      if (operand->get() == currentTensor)
        mapping.map(argument, current);
      else if (Attribute splat = getSplat(operand->get()))
        mapping.map(argument, arith::ConstantOp::create(
                                  b, loc, cast<TypedAttr>(splat)));
      else if (operand->get() == bias)
        mapping.map(argument, biasElement);
      else
        mapping.map(argument, residualElement);
    }
    for (Operation &inner : generic.getBody()->without_terminator()) {
      // Constants from outside move in.
      for (Value operand : inner.getOperands())
        if (operand.getParentBlock() != generic.getBody() &&
            !mapping.contains(operand))
          mapping.map(operand, arith::ConstantOp::create(
                                   b, loc, cast<TypedAttr>(getSplat(operand))));
      b.clone(inner, mapping);
    }
    current = mapping.lookup(generic.getBody()->getTerminator()->getOperand(0));
    currentTensor = generic.getResult(0);
  }
  YieldOp::create(b, loc, current);
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
    panels = b.createOrFold<arith::CeilDivUIOp>(loc, cast<Value>(columns), panel);
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

/// A bias as a vector, whatever dimensions of size 1 it has.
static Value flattenBias(RewriterBase &b, Location loc, Value bias) {
  auto type = cast<RankedTensorType>(bias.getType());
  if (type.getRank() == 1)
    return bias;
  ReassociationIndices all =
      llvm::to_vector<2>(llvm::seq<int64_t>(0, type.getRank()));
  return tensor::CollapseShapeOp::create(b, loc, bias,
                                         SmallVector<ReassociationIndices>{all});
}

PackedMatmulOp mlir::prune::replaceByPackedProduct(
    RewriterBase &b, const SparseContraction &contraction,
    const ProductLayout &layout, const KernelPlan &plan, KernelAttr kernel,
    const PackedWeightValues &weight) {
  Epilogue epilogue(b, contraction);
  epilogue.gather();
  // Everything that the epilogue reads is there at its last operation.
  b.setInsertionPoint(epilogue.last);
  Location loc = contraction.op.getLoc();
  Relayout relayout(b, loc, plan);
  Value input =
      relayout.enter(contraction.input->get(), layout.inputFeatureMajor);
  Value bias, residual;
  if (epilogue.bias)
    bias = flattenBias(b, loc, epilogue.bias);
  if (epilogue.residual)
    residual = relayout.enter(epilogue.residual, layout.outputFeatureMajor);
  Value init = relayout.createInit(input, kernel.getM());
  auto packed = PackedMatmulOp::create(
      b, loc, init.getType(), kernel, weight.values, weight.indices,
      weight.positions, input, bias, residual, init, weight.rowChunks,
      weight.parallelPanels);
  epilogue.build(packed.getEpilogue());
  b.setInsertionPointAfter(packed);
  Value like = contraction.output->get();
  Value result =
      relayout.leave(packed.getResult(), like, layout.outputFeatureMajor);
  b.replaceAllUsesWith(epilogue.last->getResult(0), result);
  for (Operation *op : llvm::reverse(epilogue.taken))
    b.eraseOp(op);
  b.eraseOp(contraction.op);
  return packed;
}
