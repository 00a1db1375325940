//===- WeightUses.cpp - The weights of a network --------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Contractions are recognised by what they compute, never by name: a linalg op
// with two inputs whose body multiplies them and adds to the output, over at
// least one reduction loop. From its operands we walk back through operations
// that only change shape, layout or element type until a constant is met.
//
//===----------------------------------------------------------------------===//

#include "prune/Analysis/WeightUses.h"

#include "NoWeight.h"

#include "prune/IR/ConstantView.h"
#include "prune/IR/Prune.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/IR/LinalgInterfaces.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::prune;

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

StringRef mlir::prune::getWeightName(StringRef resourceKey) {
  return resourceKey.take_until([](char c) { return c == '#'; });
}

StringRef mlir::prune::getWeightName(Attribute value) {
  auto resource = dyn_cast_or_null<DenseResourceElementsAttr>(value);
  if (!resource || isElided(value))
    return {};
  return getWeightName(resource.getRawHandle().getKey());
}

Attribute mlir::prune::getConstantValue(Operation *op) {
  Attribute value;
  matchPattern(op, m_Constant(&value));
  return value;
}

ElementsAttr Weight::getValue() const {
  return cast<ElementsAttr>(getConstantValue(constants.front()));
}

RankedTensorType Weight::getType() const {
  return cast<RankedTensorType>(constants.front()->getResult(0).getType());
}

bool Weight::isDepthwise() const {
  return llvm::any_of(uses,
                      [](const WeightUse &use) { return use.isDepthwise; });
}

//===----------------------------------------------------------------------===//
// Chains
//===----------------------------------------------------------------------===//

static bool isFloatCast(Operation *op) {
  return isa<arith::ExtFOp, arith::TruncFOp>(op);
}

/// Whether a generic passes on its one input, permuted, broadcast or cast.
static bool isForwardingGeneric(linalg::GenericOp op) {
  if (op.getNumDpsInputs() != 1 || op.getNumDpsInits() != 1 ||
      op.getNumParallelLoops() != op.getNumLoops())
    return false;
  AffineMap input = op.getMatchingIndexingMap(op.getDpsInputOperand(0));
  AffineMap output = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  if (!input.isProjectedPermutation() || !output.isPermutation())
    return false;
  Value yielded = op.getBody()->getTerminator()->getOperand(0);
  while (Operation *cast = yielded.getDefiningOp()) {
    if (!isFloatCast(cast))
      return false;
    yielded = cast->getOperand(0);
  }
  return yielded == op.getBody()->getArgument(0);
}

/// Whether a slice takes a known part without holes.
static bool isKnownPart(tensor::ExtractSliceOp slice) {
  auto isKnown = [](ArrayRef<int64_t> numbers) {
    return llvm::none_of(numbers, ShapedType::isDynamic);
  };
  return isKnown(slice.getStaticOffsets()) && isKnown(slice.getStaticSizes()) &&
         llvm::all_of(
             llvm::zip_equal(slice.getStaticSizes(), slice.getStaticStrides()),
             [](auto pair) {
               auto [size, stride] = pair;
               return size == 1 || stride == 1;
             });
}

OpOperand *mlir::prune::getForwardedOperand(Operation *op) {
  auto slice = dyn_cast<tensor::ExtractSliceOp>(op);
  bool forwards =
      isFloatCast(op) || (slice && isKnownPart(slice)) ||
      isa<linalg::TransposeOp, linalg::BroadcastOp, tensor::ExpandShapeOp,
          tensor::CollapseShapeOp, tensor::CastOp>(op);
  if (auto generic = dyn_cast<linalg::GenericOp>(op))
    forwards = isForwardingGeneric(generic);
  return forwards ? &op->getOpOperand(0) : nullptr;
}

/// The one of `dims` that the innermost dimension of a reshape group is, past
/// dimensions of size 1.
static int64_t getInnermost(ArrayRef<int64_t> dims, ArrayRef<int64_t> shape) {
  for (int64_t dim : llvm::reverse(dims))
    if (shape[dim] != 1)
      return dim;
  return dims.back();
}

/// The operand dimension behind dimension `dim` of the result of a reshape.
static std::optional<int64_t>
throughReshape(int64_t dim, ArrayRef<ReassociationIndices> groups,
               ArrayRef<int64_t> expandedShape, bool isExpand) {
  if (!isExpand)
    return getInnermost(groups[dim], expandedShape);
  for (auto [source, group] : llvm::enumerate(groups))
    if (llvm::is_contained(group, dim))
      return getInnermost(group, expandedShape) == dim
                 ? std::optional<int64_t>(source)
                 : std::nullopt;
  return std::nullopt;
}

/// The operand dimension that dimension `dim` of the result of a forwarding
/// operation comes from.
static std::optional<int64_t> getSourceDim(Operation *op, int64_t dim) {
  return llvm::TypeSwitch<Operation *, std::optional<int64_t>>(op)
      .Case([&](linalg::TransposeOp op) { return op.getPermutation()[dim]; })
      .Case([&](linalg::BroadcastOp op) -> std::optional<int64_t> {
        ArrayRef<int64_t> added = op.getDimensions();
        if (llvm::is_contained(added, dim))
          return std::nullopt;
        return dim - llvm::count_if(added, [&](int64_t d) { return d < dim; });
      })
      .Case([&](tensor::ExpandShapeOp op) {
        return throughReshape(dim, op.getReassociationIndices(),
                              op.getResultType().getShape(), true);
      })
      .Case([&](tensor::CollapseShapeOp op) {
        return throughReshape(dim, op.getReassociationIndices(),
                              op.getSrcType().getShape(), false);
      })
      .Case([&](tensor::ExtractSliceOp op) -> std::optional<int64_t> {
        llvm::SmallBitVector dropped = op.getDroppedDims();
        for (int64_t source = 0, rank = dropped.size(); source != rank;
             ++source)
          if (!dropped[source] && dim-- == 0)
            return source;
        return std::nullopt;
      })
      .Case([&](linalg::GenericOp op) -> std::optional<int64_t> {
        AffineMap input = op.getMatchingIndexingMap(op.getDpsInputOperand(0));
        AffineMap output = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
        std::optional<unsigned> source =
            input.getResultPosition(output.getResult(dim));
        return source ? std::optional<int64_t>(*source) : std::nullopt;
      })
      .Default([&](Operation *) { return dim; });
}

//===----------------------------------------------------------------------===//
// Contractions
//===----------------------------------------------------------------------===//

/// Whether the op multiplies two inputs and sums over at least one loop.
static bool isMultiplyAdd(linalg::LinalgOp op) {
  if (!op.hasPureTensorSemantics() || op.getNumDpsInputs() != 2 ||
      op.getNumDpsInits() != 1 || op.getNumReductionLoops() == 0)
    return false;
  return linalg::detail::isContractionBody(
      *op.getBlock(), [](Operation *multiply, Operation *add) {
        return (isa<arith::MulFOp>(multiply) && isa<arith::AddFOp>(add)) ||
               (isa<arith::MulIOp>(multiply) && isa<arith::AddIOp>(add));
      });
}

static FailureOr<linalg::ConvolutionDimensions>
getConvolutionDims(linalg::LinalgOp op) {
  // A product whose operands are all read in plain order convolves nothing.
  if (llvm::all_of(op.getIndexingMapsArray(),
                   [](AffineMap map) { return map.isProjectedPermutation(); }))
    return failure();
  return linalg::inferConvolutionDims(op);
}

/// The loops that the op sums over, those of convolution windows left out.
static SmallVector<unsigned> getSummedLoops(linalg::LinalgOp op) {
  if (FailureOr<linalg::ConvolutionDimensions> dims = getConvolutionDims(op);
      succeeded(dims) && !dims->inputChannel.empty())
    return llvm::to_vector(ArrayRef<unsigned>(dims->inputChannel));
  SmallVector<unsigned> loops;
  op.getReductionDims(loops);
  return loops;
}

std::optional<int64_t> WeightUse::getReductionDim() const {
  auto op = cast<linalg::LinalgOp>(operand->getOwner());
  AffineMap map = op.getMatchingIndexingMap(operand);
  std::optional<int64_t> dim;
  for (unsigned loop : getSummedLoops(op))
    if (std::optional<unsigned> position =
            map.getResultPosition(getAffineDimExpr(loop, op.getContext())))
      dim = std::max<int64_t>(dim.value_or(0), *position);
  for (Operation *step : llvm::reverse(chain))
    if (dim)
      dim = getSourceDim(step, *dim);
  return dim;
}

Operation *mlir::prune::findConstant(Value value,
                                     SmallVectorImpl<Operation *> &chain) {
  chain.clear();
  while (Operation *op = value.getDefiningOp()) {
    if (op->hasTrait<OpTrait::ConstantLike>()) {
      std::reverse(chain.begin(), chain.end());
      return op;
    }
    OpOperand *forwarded = getForwardedOperand(op);
    if (!forwarded)
      return nullptr;
    chain.push_back(op);
    value = forwarded->get();
  }
  return nullptr;
}

std::string mlir::prune::whyNotPrunable(Operation *constant) {
  auto type = dyn_cast<RankedTensorType>(constant->getResult(0).getType());
  auto value = dyn_cast_or_null<ElementsAttr>(getConstantValue(constant));
  if (!type || !value)
    return "is not a constant tensor";
  if (!getFloatKind(type.getElementType())) {
    std::string text;
    llvm::raw_string_ostream(text) << "element type " << type.getElementType()
                                   << " is not one of f64, f32, f16, bf16";
    return text;
  }
  if (isa<SparseElementsAttr>(value) || type.getEncoding())
    return "is a sparse constant already";
  if (type.getNumElements() == 0)
    return "has no elements";
  auto resource = dyn_cast<DenseResourceElementsAttr>(value);
  if (!resource && !isa<DenseElementsAttr>(value))
    return "is neither a dense nor a dense_resource constant";
  if (resource && !isElided(value) && !resource.getRawHandle().getBlob())
    return "has a resource without data";
  return "";
}

namespace {
/// Collects weights while walking over the contractions of a module.
struct UseCollector {
  void visit(linalg::LinalgOp op);
  void visitQuantized(linalg::LinalgOp op);
  void addUse(Operation *constant, WeightUse use);
  void nameConstants();

  /// Weights by resource (key and type) or, without one, by operation.
  llvm::MapVector<std::pair<const void *, Type>, Weight> weights;
  SmallVector<NotPrunable> notPrunable;
  llvm::DenseSet<Operation *> seen;
};
} // namespace

void UseCollector::visit(linalg::LinalgOp op) {
  if (!isMultiplyAdd(op)) {
    visitQuantized(op);
    return;
  }
  FailureOr<linalg::ConvolutionDimensions> convolution = getConvolutionDims(op);
  WeightUse use;
  use.isDepthwise = succeeded(convolution) && !convolution->depth.empty() &&
                    convolution->inputChannel.empty();
  // Why the operand that comes closest to a weight is none.
  NoWeight best;
  // The second operand is the filter by convention; a product also may have its
  // weight on the left.
  for (unsigned i : {1u, 0u}) {
    use.operand = op.getDpsInputOperand(i);
    if (!op.getMatchingIndexingMap(use.operand).isProjectedPermutation())
      continue;
    if (Operation *constant = findConstant(use.operand->get(), use.chain))
      return addUse(constant, std::move(use));
    Value source = use.chain.empty() ? use.operand->get()
                                     : use.chain.back()->getOperand(0);
    NoWeight why = explainNoWeight(source, /*isFilter=*/i == 1);
    if (why.rank > best.rank)
      best = std::move(why);
  }
  notPrunable.push_back({op, best.name, best.reason});
}

/// Products of integers with zero points take more operands than others.
void UseCollector::visitQuantized(linalg::LinalgOp op) {
  if (!op.hasPureTensorSemantics() || op.getNumDpsInputs() != 4 ||
      op.getNumReductionLoops() == 0)
    return;
  SmallVector<Operation *> chain;
  Operation *constant = findConstant(op.getDpsInputOperand(1)->get(), chain);
  if (std::string reason = constant ? whyNotPrunable(constant) : "";
      !reason.empty() && seen.insert(constant).second)
    notPrunable.push_back(
        {constant, getWeightName(getConstantValue(constant)).str(), reason});
}

void UseCollector::addUse(Operation *constant, WeightUse use) {
  Attribute value = getConstantValue(constant);
  std::string reason = whyNotPrunable(constant);
  if (!reason.empty()) {
    if (seen.insert(constant).second)
      notPrunable.push_back({constant, getWeightName(value).str(), reason});
    return;
  }
  const void *identity = constant;
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value);
      resource && !isElided(value))
    identity = resource.getRawHandle().getResource();
  Weight &weight = weights[{identity, constant->getResult(0).getType()}];
  if (seen.insert(constant).second)
    weight.constants.push_back(constant);
  weight.name = getWeightName(value).str();
  weight.uses.push_back(std::move(use));
}

/// Constants that are not resources get the first free of weight0, weight1, ...
void UseCollector::nameConstants() {
  llvm::StringSet<> taken;
  for (auto &[key, weight] : weights)
    taken.insert(weight.name);
  unsigned next = 0;
  for (auto &[key, weight] : weights) {
    while (weight.name.empty()) {
      std::string candidate = "weight" + std::to_string(next++);
      if (taken.insert(candidate).second)
        weight.name = candidate;
    }
  }
}

WeightUses::WeightUses(Operation *root) {
  UseCollector collector;
  llvm::DenseMap<Operation *, size_t> position;
  root->walk<WalkOrder::PreOrder>([&](Operation *op) {
    position.try_emplace(op, position.size());
    if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
      collector.visit(linalgOp);
    else if (isa<tosa::Conv2DOp, tosa::Conv3DOp, tosa::DepthwiseConv2DOp,
                 tosa::TransposeConv2DOp, tosa::MatMulOp>(op))
      collector.notPrunable.push_back(
          {op, "", "is TOSA; run prune-lower-tosa first"});
  });
  for (auto &[key, weight] : collector.weights)
    llvm::sort(weight.constants, [&](Operation *a, Operation *b) {
      return position[a] < position[b];
    });
  llvm::sort(collector.weights, [&](const auto &a, const auto &b) {
    return position[a.second.constants.front()] <
           position[b.second.constants.front()];
  });
  collector.nameConstants();
  for (auto &[key, weight] : collector.weights)
    weights.push_back(std::move(weight));
  notPrunable = std::move(collector.notPrunable);
}

int64_t WeightUses::countMultiplications() const {
  llvm::SmallPtrSet<Operation *, 16> seen;
  int64_t total = 0;
  for (const Weight &weight : weights)
    for (const WeightUse &use : weight.uses) {
      auto op = cast<linalg::LinalgOp>(use.operand->getOwner());
      if (!seen.insert(op).second)
        continue;
      int64_t steps = 1;
      for (int64_t range : op.getStaticLoopRanges())
        steps *= ShapedType::isDynamic(range) ? 1 : range;
      total += steps;
    }
  return total;
}
