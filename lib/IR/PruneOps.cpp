//===- PruneOps.cpp - Operations of the prune dialect ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers and the two type-list directives. What a type constraint can say is
// said in TableGen; here are the relations between shapes, dimensions, patterns
// and targets.
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Statistics.h"
#include "prune/IR/Prune.h"

#include "llvm/ADT/SmallSet.h"
#include "llvm/ADT/StringExtras.h"

#include <cmath>

using namespace mlir;
using namespace mlir::prune;

/// score: `tensor-type (, tensor-type)* (-> tensor-type)?`; the result type
/// defaults to the first operand's.
static ParseResult parseScoreTypes(OpAsmParser &parser, Type &tensor,
                                   SmallVectorImpl<Type> &statistics,
                                   Type &scores) {
  if (parser.parseType(tensor))
    return failure();
  while (succeeded(parser.parseOptionalComma()))
    if (parser.parseType(statistics.emplace_back()))
      return failure();
  scores = tensor;
  if (succeeded(parser.parseOptionalArrow()))
    return parser.parseType(scores);
  return success();
}

static void printScoreTypes(OpAsmPrinter &printer, Operation *, Type tensor,
                            TypeRange statistics, Type scores) {
  printer << tensor;
  for (Type type : statistics)
    printer << ", " << type;
  if (tensor != scores)
    printer << " -> " << scores;
}

/// mask: `score-types (-> mask-types)?`; masks default to the scores' shapes.
static ParseResult parseMaskTypes(OpAsmParser &parser,
                                  SmallVectorImpl<Type> &scores,
                                  SmallVectorImpl<Type> &masks) {
  if (parser.parseTypeList(scores))
    return failure();
  if (succeeded(parser.parseOptionalArrow()))
    return parser.parseTypeList(masks);
  Type i1 = parser.getBuilder().getI1Type();
  for (Type type : scores) {
    auto shaped = dyn_cast<ShapedType>(type);
    masks.push_back(shaped ? Type(shaped.clone(i1)) : type);
  }
  return success();
}

static void printMaskTypes(OpAsmPrinter &printer, Operation *, TypeRange scores,
                           TypeRange masks) {
  printer << scores << " -> " << masks;
}

#define GET_OP_CLASSES
#include "prune/IR/PruneOps.cpp.inc"

//===----------------------------------------------------------------------===//
// ScoreOp
//===----------------------------------------------------------------------===//

SmallVector<int64_t> ScoreOp::getReducedDims() {
  SmallVector<int64_t> dims;
  if (std::optional<ArrayAttr> attr = getReduceDims())
    for (IntegerAttr dim : attr->getAsRange<IntegerAttr>())
      dims.push_back(dim.getInt());
  return dims;
}

LogicalResult ScoreOp::verify() {
  auto type = cast<RankedTensorType>(getTensor().getType());
  SmallVector<bool> reduced(type.getRank(), false);
  for (int64_t dim : getReducedDims()) {
    if (dim < 0 || dim >= type.getRank())
      return emitOpError("expects reduce_dims in [0, ")
             << type.getRank() << ") but got " << dim;
    if (reduced[dim])
      return emitOpError("expects each of reduce_dims once but got ")
             << dim << " twice";
    reduced[dim] = true;
  }
  SmallVector<int64_t> expected;
  for (auto [dim, size] : llvm::enumerate(type.getShape()))
    if (!reduced[dim])
      expected.push_back(size);
  auto scores = cast<RankedTensorType>(getScores().getType());
  if (scores.getShape() != ArrayRef<int64_t>(expected))
    return emitOpError("expects scores of type ")
           << scores.clone(expected) << " but got " << scores;
  if (!getFloatKind(type.getElementType()) ||
      !getFloatKind(scores.getElementType()))
    return emitOpError("expects element types f64, f32, f16 or bf16 but got ")
           << type << " and " << scores;
  SmallVector<StringRef> wanted = getCriterion().getStatistics();
  if (getStatistics().size() != wanted.size())
    return emitOpError("expects ")
           << wanted.size() << " statistics for criterion " << getCriterion()
           << (wanted.empty() ? "" : " (") << llvm::join(wanted, ", ")
           << (wanted.empty() ? "" : ")") << " but got "
           << getStatistics().size();
  for (auto [name, statistic] : llvm::zip_equal(wanted, getStatistics()))
    if (failed(getCriterion().verifyStatistic(
            name, cast<RankedTensorType>(statistic.getType()), type.getShape(),
            [&] { return emitOpError(); })))
      return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// MaskOp
//===----------------------------------------------------------------------===//

/// Checks the value of the one target that is given.
static LogicalResult verifyTarget(MaskOp op) {
  if (std::optional<APFloat> sparsity = op.getSparsity()) {
    double value = sparsity->convertToDouble();
    if (!(value >= 0 && value <= 1))
      return op.emitOpError("expects sparsity in [0, 1] but got ") << value;
  }
  if (op.getThreshold() && op.getThreshold()->isNaN())
    return op.emitOpError("expects a threshold that is a number but got NaN");
  if (std::optional<int64_t> count = op.getCount())
    if (*count < 0)
      return op.emitOpError("expects a count of at least 0 but got ") << *count;
  return success();
}

LogicalResult MaskOp::verify() {
  if (getScores().empty())
    return emitOpError("expects at least one operand");
  if (getScores().size() != getMasks().size())
    return emitOpError("expects one mask for each of ")
           << getScores().size() << " operands but got " << getMasks().size();

  PatternAttrInterface pattern = getPattern();
  for (auto [score, mask] : llvm::zip_equal(getScores(), getMasks())) {
    auto scoreType = cast<RankedTensorType>(score.getType());
    auto maskType = cast<RankedTensorType>(mask.getType());
    if (scoreType.getShape() != maskType.getShape())
      return emitOpError(
                 "expects each mask in the shape of its scores but got ")
             << maskType << " for " << scoreType;
    if (!getFloatKind(scoreType.getElementType()))
      return emitOpError("expects scores of f64, f32, f16 or bf16 but got ")
             << scoreType;
    if (failed(pattern.verifyFor(scoreType.getShape(),
                                 [&] { return emitOpError(); })))
      return failure();
  }

  int targets = getSparsity().has_value() + getThreshold().has_value() +
                getCount().has_value();
  int expected = pattern.isTarget() ? 0 : 1;
  if (targets != expected)
    return emitOpError("expects ")
           << (expected ? "exactly one of sparsity, threshold and count"
                        : "no target, since the pattern is the target,")
           << " but got " << targets;
  return verifyTarget(*this);
}

//===----------------------------------------------------------------------===//
// ApplyOp
//===----------------------------------------------------------------------===//

SmallVector<int64_t> ApplyOp::getMaskDims() {
  if (std::optional<ArrayRef<int64_t>> dims = getDims())
    return SmallVector<int64_t>(*dims);
  return llvm::to_vector(llvm::seq<int64_t>(
      0, cast<RankedTensorType>(getMask().getType()).getRank()));
}

LogicalResult ApplyOp::verify() {
  auto type = cast<RankedTensorType>(getTensor().getType());
  auto mask = cast<RankedTensorType>(getMask().getType());
  if (!getDims() && mask.getRank() != type.getRank())
    return emitOpError("expects a mask of rank ")
           << type.getRank() << ", or dims, but got " << mask;
  SmallVector<int64_t> dims = getMaskDims();
  if (int64_t(dims.size()) != mask.getRank())
    return emitOpError("expects one of dims for each of ")
           << mask.getRank() << " mask dimensions but got " << dims.size();
  for (auto [i, dim] : llvm::enumerate(dims)) {
    if (dim < 0 || dim >= type.getRank())
      return emitOpError("expects dims in [0, ")
             << type.getRank() << ") but got " << dim;
    if (i && dims[i - 1] >= dim)
      return emitOpError("expects dims to increase strictly but got ")
             << dims[i - 1] << " before " << dim;
    if (mask.getDimSize(i) != type.getDimSize(dim))
      return emitOpError("expects mask dimension ")
             << i << " to have size " << type.getDimSize(dim) << " but got "
             << mask.getDimSize(i);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// ObserveOp
//===----------------------------------------------------------------------===//

LogicalResult ObserveOp::verify() {
  if (getLayer().empty())
    return emitOpError("expects the name of a weight but got an empty string");
  if (getWhat().empty())
    return emitOpError("expects at least one statistic in 'what'; known are ")
           << llvm::join(getStatisticNames(), ", ");
  llvm::SmallSet<StringRef, 8> seen;
  for (StringRef name : getWhat().getAsValueRange<StringAttr>()) {
    if (!parseStatistic(name))
      return emitOpError("knows no statistic '")
             << name << "'; known are "
             << llvm::join(getStatisticNames(), ", ");
    if (!seen.insert(name).second)
      return emitOpError("expects each statistic once but got '")
             << name << "' twice";
  }
  return success();
}
