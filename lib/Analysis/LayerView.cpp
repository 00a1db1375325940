//===- LayerView.cpp - A product as a product of matrices -----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which loop is what follows from who reads it. Loops of the weight are summed
// (columns), or end in the result: alone (rows), or together with the input
// (groups). All other loops of the result are positions. A loop along which a
// weight was only broadcast is no loop of the weight.
//
//===----------------------------------------------------------------------===//

#include "prune/Analysis/LayerView.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::prune;

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

static SmallVector<int64_t> getExtents(Value value) {
  SmallVector<int64_t> extents(
      cast<RankedTensorType>(value.getType()).getShape());
  for (int64_t &extent : extents)
    if (ShapedType::isDynamic(extent))
      extent = 1;
  return extents;
}

static int64_t countExtents(ArrayRef<int64_t> extents) {
  int64_t count = 1;
  for (int64_t extent : extents)
    count *= extent;
  return count;
}

/// Calls `visit` for each index of a shape, in row-major order.
static void visitIndices(ArrayRef<int64_t> extents,
                         function_ref<void(ArrayRef<int64_t>)> visit) {
  SmallVector<int64_t> index(extents.size());
  for (int64_t i = 0, e = countExtents(extents); i < e; ++i) {
    visit(index);
    for (size_t dim = extents.size(); dim-- > 0;) {
      if (++index[dim] < extents[dim])
        break;
      index[dim] = 0;
    }
  }
}

/// Where an operation reads along each dimension of its operand: along which
/// dimension of its result (or none), and from where on.
namespace {
struct SourceDim {
  int64_t dim = -1;
  int64_t offset = 0;
};
} // namespace

static std::optional<SmallVector<SourceDim>> getSourceDims(Operation *op) {
  SmallVector<SourceDim> dims(
      cast<RankedTensorType>(op->getOperand(0).getType()).getRank());
  bool isKnown =
      llvm::TypeSwitch<Operation *, bool>(op)
          .Case([&](linalg::TransposeOp op) {
            for (auto [to, from] : llvm::enumerate(op.getPermutation()))
              dims[from].dim = to;
            return true;
          })
          .Case([&](linalg::BroadcastOp op) {
            int64_t to = 0;
            for (SourceDim &dim : dims) {
              while (llvm::is_contained(op.getDimensions(), to))
                ++to;
              dim.dim = to++;
            }
            return true;
          })
          .Case([&](tensor::ExtractSliceOp op) {
            llvm::SmallBitVector dropped = op.getDroppedDims();
            int64_t to = 0;
            for (auto [from, dim] : llvm::enumerate(dims)) {
              dim.offset = op.getStaticOffsets()[from];
              if (!dropped[from])
                dim.dim = to++;
            }
            return true;
          })
          .Case([&](linalg::GenericOp op) {
            AffineMap input =
                op.getMatchingIndexingMap(op.getDpsInputOperand(0));
            AffineMap output =
                op.getMatchingIndexingMap(op.getDpsInitOperand(0));
            for (auto [from, expr] : llvm::enumerate(input.getResults()))
              if (auto to = output.getResultPosition(expr))
                dims[from].dim = *to;
              else
                return false;
            return true;
          })
          .Default([](Operation *) { return false; });
  return isKnown ? std::make_optional(dims) : std::nullopt;
}

/// Whether an operation leaves the row-major order of the elements alone.
static bool keepsOrder(Operation *op) {
  return isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::CastOp>(
             op) ||
         op->getName().getDialectNamespace() == "arith";
}

std::optional<std::vector<int64_t>>
mlir::prune::followElements(RankedTensorType constant,
                            ArrayRef<Operation *> chain) {
  std::vector<int64_t> elements(constant.getNumElements());
  for (auto [i, element] : llvm::enumerate(elements))
    element = i;
  for (Operation *op : chain) {
    if (keepsOrder(op))
      continue;
    std::optional<SmallVector<SourceDim>> dims = getSourceDims(op);
    if (!dims)
      return std::nullopt;
    SmallVector<int64_t> from = getExtents(op->getOperand(0));
    SmallVector<int64_t> to = getExtents(op->getResult(0));
    std::vector<int64_t> next;
    next.reserve(countExtents(to));
    visitIndices(to, [&](ArrayRef<int64_t> index) {
      int64_t position = 0;
      for (auto [dim, extent] : llvm::zip_equal(*dims, from))
        position = position * extent + dim.offset +
                   (dim.dim == -1 ? 0 : index[dim.dim]);
      next.push_back(elements[position]);
    });
    elements = std::move(next);
  }
  return elements;
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

/// Adds `factor` times a linear expression to the coefficients of its
/// dimensions, the last of which is that of 1.
static bool addLinear(AffineExpr expr, int64_t factor,
                      MutableArrayRef<int64_t> coefficients) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
    coefficients[dim.getPosition()] += factor;
    return true;
  }
  if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    coefficients.back() += factor * constant.getValue();
    return true;
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return false;
  if (binary.getKind() == AffineExprKind::Add)
    return addLinear(binary.getLHS(), factor, coefficients) &&
           addLinear(binary.getRHS(), factor, coefficients);
  auto constant = dyn_cast<AffineConstantExpr>(binary.getRHS());
  return binary.getKind() == AffineExprKind::Mul && constant &&
         addLinear(binary.getLHS(), factor * constant.getValue(), coefficients);
}

namespace {
/// Finds out what the loops of one product are.
class LoopReader {
public:
  LoopReader(const WeightUse &use, std::vector<int64_t> elements)
      : op(cast<linalg::LinalgOp>(use.operand->getOwner())),
        weight(use.operand), elements(std::move(elements)) {}

  std::optional<LayerView> read(std::string &reason);

private:
  bool readInput(OpOperand *input);
  bool isBroadcast(int64_t dim) const;
  int64_t addLoop(SmallVectorImpl<PatchLoop> &loops, unsigned loop);
  void addElements(ArrayRef<unsigned> order);

  linalg::LinalgOp op;
  OpOperand *weight;
  std::vector<int64_t> elements;
  /// For each dimension of the input, the coefficients of its index.
  SmallVector<SmallVector<int64_t>> steps;
  SmallVector<int64_t> sizes;
  LayerView view;
};
} // namespace

bool LoopReader::readInput(OpOperand *input) {
  view.input = input;
  for (AffineExpr expr : op.getMatchingIndexingMap(input).getResults()) {
    SmallVector<int64_t> coefficients(op.getNumLoops() + 1);
    if (!addLinear(expr, 1, coefficients))
      return false;
    view.layout.start.push_back(coefficients.back());
    steps.push_back(std::move(coefficients));
  }
  return true;
}

/// Whether all slices along a dimension of the weight's operand are the same.
bool LoopReader::isBroadcast(int64_t dim) const {
  SmallVector<int64_t> extents = getExtents(weight->get());
  int64_t inner = countExtents(ArrayRef(extents).drop_front(dim + 1));
  int64_t extent = extents[dim];
  if (extent == 1)
    return ShapedType::isDynamic(
        cast<RankedTensorType>(weight->get().getType()).getDimSize(dim));
  for (auto [i, element] : llvm::enumerate(elements)) {
    int64_t index = int64_t(i) / inner % extent;
    if (element != elements[i - index * inner])
      return false;
  }
  return true;
}

/// Returns the loop's size.
int64_t LoopReader::addLoop(SmallVectorImpl<PatchLoop> &loops, unsigned loop) {
  PatchLoop &added = loops.emplace_back();
  for (ArrayRef<int64_t> coefficients : steps)
    added.steps.push_back(coefficients[loop]);
  added.size = ShapedType::isDynamic(sizes[loop]) ? -1 : sizes[loop];
  return added.size;
}

/// Lists the elements with the loops of the weight in a given order.
void LoopReader::addElements(ArrayRef<unsigned> order) {
  AffineMap map = op.getMatchingIndexingMap(weight);
  SmallVector<int64_t> extents = getExtents(weight->get());
  SmallVector<int64_t> strides(op.getNumLoops()), ordered;
  int64_t stride = 1;
  for (size_t dim = extents.size(); dim-- > 0;) {
    strides[map.getDimPosition(dim)] = stride;
    stride *= extents[dim];
  }
  for (unsigned loop : order)
    ordered.push_back(sizes[loop]);
  visitIndices(ordered, [&](ArrayRef<int64_t> index) {
    int64_t position = 0;
    for (auto [loop, i] : llvm::zip_equal(order, index))
      position += strides[loop] * i;
    view.elements.push_back(elements[position]);
  });
}

std::optional<LayerView> LoopReader::read(std::string &reason) {
  unsigned other = weight->getOperandNumber() == 0 ? 1 : 0;
  if (!readInput(op.getDpsInputOperand(other))) {
    reason = "its input is read at indices that are not linear";
    return std::nullopt;
  }
  sizes = op.getStaticLoopRanges();
  AffineMap weightMap = op.getMatchingIndexingMap(weight);
  AffineMap resultMap = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  SmallVector<unsigned> groups, rows, columns;
  for (unsigned loop = 0; loop < op.getNumLoops(); ++loop) {
    auto expr = getAffineDimExpr(loop, op.getContext());
    std::optional<unsigned> dim = weightMap.getResultPosition(expr);
    bool isWeights = dim && !isBroadcast(*dim);
    bool isResults = resultMap.isFunctionOfDim(loop);
    bool isInputs = llvm::any_of(
        steps, [&](ArrayRef<int64_t> dim) { return dim[loop] != 0; });
    if (!isWeights && isResults) {
      addLoop(view.layout.positions, loop);
    } else if (isWeights && isResults && !isInputs) {
      rows.push_back(loop);
      view.rows *= sizes[loop];
    } else if (isWeights && isResults) {
      groups.push_back(loop);
      view.groups *= addLoop(view.layout.groups, loop);
    } else if (isWeights && isInputs) {
      columns.push_back(loop);
      view.columns *= addLoop(view.layout.columns, loop);
    } else if (sizes[loop] != 1) {
      reason =
          "it sums along a loop that its weight or its input does not have";
      return std::nullopt;
    }
  }
  addElements(llvm::to_vector(llvm::concat<unsigned>(groups, rows, columns)));
  return std::move(view);
}

std::optional<LayerView> LayerView::get(const WeightUse &use,
                                        RankedTensorType constant,
                                        std::string &reason) {
  std::optional<std::vector<int64_t>> elements =
      followElements(constant, use.chain);
  if (!elements) {
    reason = "the weight is rearranged in a way that cannot be followed";
    return std::nullopt;
  }
  return LoopReader(use, std::move(*elements)).read(reason);
}
