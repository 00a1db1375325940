//===- ChannelContributions.cpp - Constants go into biases ----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where a channel of ones leaves, its weights were a bias. If the sum is
// followed by an addition of a constant bias along the same dimensions, the
// bias takes the numbers; else the sum starts from them instead of from zero.
//
//===----------------------------------------------------------------------===//

#include "ChannelRemoval.h"

#include "prune/IR/ConstantView.h"
#include "prune/IR/KeptRecord.h"
#include "prune/IR/Prune.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::prune;

/// The numbers that remain.
static std::vector<double> gatherValues(const Contribution &contribution) {
  std::vector<double> values(
      countElements(keptShape(contribution.shape, contribution.kept)));
  ArrayRef<char> data(
      reinterpret_cast<const char *>(contribution.values.data()),
      contribution.values.size() * sizeof(double));
  gatherSlices(data, sizeof(double), contribution.shape, contribution.kept,
               reinterpret_cast<char *>(values.data()));
  return values;
}

static DenseElementsAttr createDense(RankedTensorType type,
                                     ArrayRef<double> values) {
  SmallVector<APFloat> rounded;
  auto &semantics = cast<FloatType>(type.getElementType()).getFloatSemantics();
  for (double value : values) {
    bool losesInfo;
    rounded.emplace_back(value).convert(semantics, APFloat::rmNearestTiesToEven,
                                        &losesInfo);
  }
  return DenseElementsAttr::get(type, rounded);
}

/// A splat's raw data is one element; written out it is all of them.
static std::vector<char> getAllBytes(DenseElementsAttr dense) {
  ArrayRef<char> raw = dense.getRawData();
  std::vector<char> data;
  for (int64_t i = 0, n = dense.isSplat() ? dense.getNumElements() : 1; i != n;
       ++i)
    data.insert(data.end(), raw.begin(), raw.end());
  return data;
}

TypedAttr mlir::prune::createRounded(Attribute old, RankedTensorType type,
                                     ArrayRef<double> values) {
  return createConstantLike(old, type, getAllBytes(createDense(type, values)));
}

/// The operand that is added, element for element, to the only use of `sum`
/// before anything else happens, with the same map as `dims`; or null.
static OpOperand *findBias(Value sum, ArrayRef<int64_t> dims) {
  if (!sum.hasOneUse())
    return nullptr;
  OpOperand &use = *sum.getUses().begin();
  auto op = dyn_cast<linalg::LinalgOp>(use.getOwner());
  if (!op || !op.hasPureTensorSemantics() || op.isDpsInit(&use) ||
      !op.getMatchingIndexingMap(&use).isPermutation())
    return nullptr;
  Value element = op.getMatchingBlockArgument(&use);
  if (!element.hasOneUse())
    return nullptr;
  auto add = dyn_cast<arith::AddFOp>(*element.getUsers().begin());
  if (!add || add.getLhs() == add.getRhs())
    return nullptr;
  auto other = dyn_cast<BlockArgument>(add.getLhs() == element ? add.getRhs()
                                                               : add.getLhs());
  if (!other || other.getOwner() != op.getBlock() || !other.hasOneUse())
    return nullptr;
  OpOperand *bias = op.getMatchingOpOperand(other);
  AffineMap sumMap = op.getMatchingIndexingMap(&use);
  AffineMap biasMap = op.getMatchingIndexingMap(bias);
  SmallVector<AffineExpr> expected;
  for (int64_t dim : dims)
    expected.push_back(sumMap.getResult(dim));
  Attribute constant;
  if (op.isDpsInit(bias) || biasMap.getResults() != ArrayRef(expected) ||
      !isRematerializable(bias->get()) ||
      !matchPattern(bias->get(), m_Constant(&constant)) ||
      !getTensorView(constant))
    return nullptr;
  return bias;
}

static void addToBias(OpOperand &bias, ArrayRef<double> values,
                      KeptRecord &record) {
  Attribute old;
  matchPattern(bias.get(), m_Constant(&old));
  TensorView view = *getTensorView(old);
  std::vector<double> sums(values.size());
  view.load(0, sums);
  for (auto [sum, value] : llvm::zip_equal(sums, values))
    sum += value;
  auto type = cast<RankedTensorType>(bias.get().getType());
  OpBuilder builder(bias.getOwner());
  TypedAttr value = createRounded(old, type, sums);
  // Several uses of one constant may each have a version by now.
  auto before = dyn_cast<DenseResourceElementsAttr>(old);
  if (auto after = dyn_cast<DenseResourceElementsAttr>(value); before && after)
    record.set(before.getRawHandle().getKey(), type.getShape(),
               after.getRawHandle().getKey(), KeptIndices(type.getRank()));
  bias.set(arith::ConstantOp::create(builder, bias.get().getLoc(), value));
}

/// A constant of the numbers, named after the weight if that has a name.
static TypedAttr createShift(OpOperand &weight, RankedTensorType type,
                             ArrayRef<double> values) {
  DenseElementsAttr dense = createDense(type, values);
  Attribute constant;
  matchPattern(weight.get(), m_Constant(&constant));
  auto resource = dyn_cast_if_present<DenseResourceElementsAttr>(constant);
  if (!resource)
    return dense;
  StringRef name = resource.getRawHandle().getKey().split('#').first;
  return createRewrittenConstant(type, (name + "." + kShiftSuffix).str(),
                                 HeapAsmResourceBlob::allocateAndCopyWithAlign(
                                     ArrayRef<char>(getAllBytes(dense)), 64));
}

/// `init` plus the numbers along `dims`.
static void addToInit(linalg::LinalgOp op, OpOperand &weight,
                      ArrayRef<int64_t> dims, ArrayRef<double> values) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  OpOperand *init = op.getDpsInitOperand(0);
  auto type = cast<RankedTensorType>(init->get().getType());
  SmallVector<int64_t> shape;
  SmallVector<AffineExpr> exprs;
  for (int64_t dim : dims) {
    shape.push_back(type.getDimSize(dim));
    exprs.push_back(builder.getAffineDimExpr(dim));
  }
  Value numbers = arith::ConstantOp::create(
      builder, loc,
      createShift(weight, RankedTensorType::get(shape, type.getElementType()),
                  values));
  AffineMap identity = builder.getMultiDimIdentityMap(type.getRank());
  SmallVector<utils::IteratorType> loops(type.getRank(),
                                         utils::IteratorType::parallel);
  auto sum = linalg::GenericOp::create(
      builder, loc, type, ValueRange{numbers}, ValueRange{init->get()},
      {AffineMap::get(type.getRank(), 0, exprs, builder.getContext()),
       identity},
      loops, [](OpBuilder &nested, Location at, ValueRange elements) {
        Value sum = arith::AddFOp::create(nested, at, elements[1], elements[0]);
        linalg::YieldOp::create(nested, at, sum);
      });
  init->set(sum.getResult(0));
}

void mlir::prune::addContribution(const Contribution &contribution,
                                  KeptRecord &record) {
  std::vector<double> values = gatherValues(contribution);
  linalg::LinalgOp op = contribution.op;
  if (OpOperand *bias = findBias(op->getResult(0), contribution.dims))
    return addToBias(*bias, values, record);
  // The result's dimensions are a permutation of loops, like the init's.
  addToInit(op, *contribution.weight, contribution.dims, values);
}
