//===- ChannelLinks.cpp - Which dimensions move together ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A structured operation is a nest of loops. A dimension that a map reads at a
// loop's very index moves with all other dimensions that the same loop indexes,
// and so does one that the body reads there element by element.
// A loop that takes part in a sum of indices (a window), or whose index the
// body looks at for anything else, has to keep every step.
//
//===----------------------------------------------------------------------===//

#include "prune/IR/ChannelLinks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/BitVector.h"

using namespace mlir;
using namespace mlir::prune;

#include "prune/IR/ChannelOpInterface.cpp.inc"

static constexpr StringLiteral kReadAnywhere =
    "reads it element by element at positions that it computes";

/// Longer tables are not followed entry by entry.
static constexpr int64_t kMaxTable = 1 << 16;

static int64_t sizeOf(Operation *op, ChannelPort port) {
  return cast<RankedTensorType>(port.getValue(op).getType())
      .getDimSize(port.dim);
}

void ChannelLinks::couple(Operation *op, ChannelPort a, ChannelPort b) {
  links.push_back({a, b, sizeOf(op, a)});
}

void ChannelLinks::freeze(Operation *op, ChannelPort port, StringRef reason) {
  frozen.push_back({port, 0, sizeOf(op, port), reason});
}

void ChannelLinks::freezeAll(Operation *op, StringRef reason) {
  auto freezeValue = [&](Value value, bool isResult, unsigned index) {
    if (auto type = dyn_cast<RankedTensorType>(value.getType()))
      for (int64_t dim = 0; dim != type.getRank(); ++dim)
        freeze(op, {isResult, index, dim}, reason);
  };
  for (auto [index, operand] : llvm::enumerate(op->getOperands()))
    freezeValue(operand, false, index);
  for (auto [index, result] : llvm::enumerate(op->getResults()))
    freezeValue(result, true, index);
}

//===----------------------------------------------------------------------===//
// Structured operations
//===----------------------------------------------------------------------===//

SmallVector<tensor::ExtractOp>
mlir::prune::getElementReads(linalg::LinalgOp op) {
  SmallVector<tensor::ExtractOp> reads;
  for (auto read : op.getBlock()->getOps<tensor::ExtractOp>())
    if (read.getTensor().getParentBlock() != op.getBlock())
      reads.push_back(read);
  return reads;
}

std::optional<unsigned> mlir::prune::getLoopOfRead(tensor::ExtractOp read,
                                                   int64_t dim) {
  if (auto index = read.getIndices()[dim].getDefiningOp<linalg::IndexOp>())
    return index.getDim();
  return std::nullopt;
}

std::optional<TableRead> mlir::prune::getTableRead(linalg::LinalgOp op,
                                                   tensor::ExtractOp read,
                                                   int64_t dim) {
  // Read for nothing else, which might need other numbers after a removal.
  Value coordinate = read.getIndices()[dim];
  if (isa_and_nonnull<arith::IndexCastOp, arith::IndexCastUIOp>(
          coordinate.getDefiningOp()) &&
      coordinate.hasOneUse())
    coordinate = coordinate.getDefiningOp()->getOperand(0);
  auto entry = coordinate.getDefiningOp<tensor::ExtractOp>();
  DenseIntElementsAttr numbers;
  if (!entry || !coordinate.hasOneUse() || entry->getBlock() != op.getBlock() ||
      entry.getTensor().getType().getRank() != 1 ||
      !matchPattern(entry.getTensor(), m_Constant(&numbers)) ||
      !numbers.getElementType().isInteger() ||
      numbers.getNumElements() > kMaxTable)
    return std::nullopt;
  std::optional<unsigned> loop = getLoopOfRead(entry, 0);
  int64_t size = read.getTensor().getType().getDimSize(dim);
  if (!loop || op.getStaticLoopRanges()[*loop] != numbers.getNumElements())
    return std::nullopt;
  TableRead result{&entry.getTensorMutable(), *loop, {}};
  for (const APInt &number : numbers.getValues<APInt>()) {
    if (number.getSignificantBits() > 64 || number.getSExtValue() < 0 ||
        number.getSExtValue() >= size)
      return std::nullopt;
    result.coordinates.push_back(number.getSExtValue());
  }
  return result;
}

/// Whether a body uses the index of a loop for nothing but to read a dimension
/// that is as long as the loop, for a result of its own in each step.
static bool isCoordinate(linalg::LinalgOp op, linalg::IndexOp index) {
  unsigned loop = index.getDim();
  auto isOfResult = [&](OpOperand &init) {
    return op.getMatchingIndexingMap(&init).isFunctionOfDim(loop);
  };
  if (!llvm::all_of(op.getDpsInitsMutable(), isOfResult))
    return false;
  int64_t range = op.getStaticLoopRanges()[loop];
  return llvm::all_of(index->getUses(), [&](OpOperand &use) {
    auto read = dyn_cast<tensor::ExtractOp>(use.getOwner());
    if (!read || read->getBlock() != op.getBlock())
      return false;
    // The first operand is the tensor.
    return read.getTensor().getType().getDimSize(use.getOperandNumber() - 1) ==
           range;
  });
}

/// The loops whose steps are not interchangeable, and why.
static SmallVector<StringRef> getFrozenLoops(linalg::LinalgOp op) {
  SmallVector<StringRef> reasons(op.getNumLoops());
  for (AffineMap map : op.getIndexingMapsArray())
    for (AffineExpr expr : map.getResults())
      if (!isa<AffineDimExpr>(expr))
        expr.walk([&](AffineExpr part) {
          if (auto dim = dyn_cast<AffineDimExpr>(part))
            reasons[dim.getPosition()] = "is walked over by a window";
        });
  op.getBlock()->walk([&](linalg::IndexOp index) {
    if (!isCoordinate(op, index))
      reasons[index.getDim()] = "is indexed by number in a body";
  });
  return reasons;
}

static ChannelLinks getLinks(linalg::LinalgOp op) {
  ChannelLinks links;
  if (!op.hasPureTensorSemantics()) {
    links.freezeAll(op, "is an operand of an operation on buffers");
    return links;
  }
  SmallVector<StringRef> frozenLoops = getFrozenLoops(op);
  SmallVector<std::optional<ChannelPort>> portOfLoop(op.getNumLoops());
  auto visit = [&](ChannelPort port, AffineExpr expr) {
    auto loop = dyn_cast<AffineDimExpr>(expr);
    if (!loop)
      return links.freeze(op, port, "is walked over by a window");
    unsigned position = loop.getPosition();
    if (!frozenLoops[position].empty())
      return links.freeze(op, port, frozenLoops[position]);
    if (portOfLoop[position])
      return links.couple(op, *portOfLoop[position], port);
    portOfLoop[position] = port;
  };
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<RankedTensorType>(operand.get().getType()))
      continue;
    AffineMap map = op.getMatchingIndexingMap(&operand);
    for (auto [dim, expr] : llvm::enumerate(map.getResults()))
      visit(ChannelPort::operand(operand.getOperandNumber(), dim), expr);
  }
  for (OpResult result : op->getResults())
    for (auto [dim, expr] :
         llvm::enumerate(op.getIndexingMapMatchingResult(result).getResults()))
      visit(ChannelPort::result(result.getResultNumber(), dim), expr);
  for (tensor::ExtractOp read : getElementReads(op))
    for (int64_t dim = 0; dim != read.getTensor().getType().getRank(); ++dim) {
      ChannelPort port = ChannelPort::readBy(read.getTensorMutable(), dim);
      if (std::optional<unsigned> loop = getLoopOfRead(read, dim)) {
        visit(port, getAffineDimExpr(*loop, op.getContext()));
        continue;
      }
      std::optional<TableRead> table = getTableRead(op, read, dim);
      if (!table || !frozenLoops[table->loop].empty() ||
          !portOfLoop[table->loop]) {
        links.freeze(op, port, kReadAnywhere);
        continue;
      }
      for (auto [at, from] : llvm::enumerate(table->coordinates))
        links.links.push_back(
            {*portOfLoop[table->loop], port, 1, int64_t(at), from});
    }
  return links;
}

/// Tensors that the scalar code in an operation's regions reads otherwise.
static void freezeReads(Operation *op, ChannelLinks &links) {
  SmallPtrSet<Operation *, 4> known;
  if (auto structured = dyn_cast<linalg::LinalgOp>(op))
    if (structured.hasPureTensorSemantics())
      known.insert_range(getElementReads(structured));
  for (Region &region : op->getRegions())
    region.walk([&](Operation *inner) {
      if (known.contains(inner))
        return;
      for (OpOperand &operand : inner->getOpOperands()) {
        auto type = dyn_cast<RankedTensorType>(operand.get().getType());
        Operation *owner = operand.get().getParentRegion()->getParentOp();
        if (!type || op->isAncestor(owner))
          continue;
        for (int64_t dim = 0; dim != type.getRank(); ++dim)
          links.freeze(op, ChannelPort::readBy(operand, dim), kReadAnywhere);
      }
    });
}

//===----------------------------------------------------------------------===//
// Elementwise operations on whole tensors
//===----------------------------------------------------------------------===//

static bool isElementwise(Operation *op) {
  return op->getNumRegions() == 0 && op->getNumResults() == 1 &&
         OpTrait::hasElementwiseMappableTraits(op) &&
         isa<RankedTensorType>(op->getResult(0).getType());
}

static ChannelLinks getElementwiseLinks(Operation *op) {
  ChannelLinks links;
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  for (auto [index, operand] : llvm::enumerate(op->getOperands()))
    if (isa<RankedTensorType>(operand.getType()))
      for (int64_t dim = 0; dim != type.getRank(); ++dim)
        links.couple(op, ChannelPort::result(0, dim),
                     ChannelPort::operand(index, dim));
  return links;
}

//===----------------------------------------------------------------------===//
// All operations
//===----------------------------------------------------------------------===//

bool mlir::prune::hasChannelLinks(Operation *op) {
  return isa<linalg::LinalgOp, ChannelOpInterface>(op) || isElementwise(op);
}

ChannelLinks mlir::prune::getChannelLinks(Operation *op) {
  ChannelLinks links;
  auto structured = dyn_cast<linalg::LinalgOp>(op);
  auto channels = dyn_cast<ChannelOpInterface>(op);
  if (structured || channels) {
    links = structured ? getLinks(structured) : channels.getChannelLinks();
    freezeReads(op, links);
    return links;
  }
  if (isElementwise(op))
    return getElementwiseLinks(op);
  links.freezeAll(op, op->hasTrait<OpTrait::ReturnLike>()
                          ? "is returned"
                          : "is used by an operation that does not say how "
                            "channels move through it");
  return links;
}
