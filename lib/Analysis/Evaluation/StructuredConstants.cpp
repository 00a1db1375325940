//===- StructuredConstants.cpp - Slices through structured operations -----===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A slice of a result is computed from the slices of the operands that the same
// loop index selects; operands that the loop does not index count only if they
// hold one number throughout. A reduction is evaluated step by step until
// nothing changes, so that a mean of equal numbers is known too. Most slices of
// an operation look alike, so bodies are evaluated once for each combination of
// what is known.
//
// A window over a padded image meets its elements and the padding in any order
// and number. Where neither changes what the first element made of the start,
// as in a maximum with minus infinity, the result is known all the same.
//
//===----------------------------------------------------------------------===//

#include "prune/Analysis/Evaluation/SliceConstants.h"
#include "prune/IR/ConstantView.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

#include <map>

using namespace mlir;
using namespace mlir::prune;

/// Longer sums of something other than zero stay unknown.
static constexpr int64_t kMaxSteps = 1 << 16;

//===----------------------------------------------------------------------===//
// Windows over padding
//===----------------------------------------------------------------------===//

namespace {
/// An operand that is a padded image.
struct PaddedOperand {
  tensor::PadOp pad;
  unsigned number;
  Attribute value;
  /// Whether each step of the result meets an element of the image.
  bool alwaysMeetsImage;
};
} // namespace

/// Whether the steps that a result reduces over, along a padded dimension that
/// `expr` walks over, always meet one of the elements that were not padded.
static bool meetsImage(linalg::LinalgOp op, AffineExpr expr, AffineMap out,
                       int64_t low, int64_t high, int64_t size) {
  if (ShapedType::isDynamic(low) || ShapedType::isDynamic(high))
    return false;
  // One reduction loop, times its dilation, next to whatever else.
  std::optional<unsigned> window;
  for (unsigned loop = 0; loop != op.getNumLoops(); ++loop)
    if (expr.isFunctionOfDim(loop) && !out.isFunctionOfDim(loop)) {
      if (window)
        return false;
      window = loop;
    }
  if (!window)
    return false;
  AffineExpr at = getAffineDimExpr(*window, op.getContext());
  AffineExpr step =
      simplifyAffineExpr(expr.replace(at, at + 1) - expr, op.getNumLoops(), 0);
  auto dilation = dyn_cast<AffineConstantExpr>(step);
  int64_t taps = op.getStaticLoopRanges()[*window];
  if (!dilation || dilation.getValue() < 1 || ShapedType::isDynamic(taps) ||
      taps > std::numeric_limits<int32_t>::max() ||
      dilation.getValue() > std::numeric_limits<int32_t>::max())
    return false;
  // Taps that are longer than either border reach out of it, and cannot step
  // over an image that is as long as their distance. An image of open size is
  // taken to have an element.
  bool isLong = ShapedType::isDynamic(size) ? dilation.getValue() == 1
                                            : size >= dilation.getValue();
  return isLong && (taps - 1) * dilation.getValue() + 1 > std::max(low, high);
}

/// The input that is padded, if there is one.
static std::optional<PaddedOperand> findPadded(linalg::LinalgOp op,
                                               AffineMap out) {
  for (OpOperand *operand : op.getDpsInputOperands()) {
    auto pad = operand->get().getDefiningOp<tensor::PadOp>();
    Value value = pad ? pad.getConstantPaddingValue() : Value();
    Attribute number;
    if (!value || !matchPattern(value, m_Constant(&number)))
      continue;
    PaddedOperand padded{pad, operand->getOperandNumber(), number, true};
    AffineMap map = op.getMatchingIndexingMap(operand);
    // Loops that walk over two dimensions would tie their windows together.
    llvm::SmallDenseSet<unsigned> walked;
    for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
      int64_t low = pad.getStaticLow()[dim], high = pad.getStaticHigh()[dim];
      if (low == 0 && high == 0)
        continue;
      for (unsigned loop = 0; loop != op.getNumLoops(); ++loop)
        if (expr.isFunctionOfDim(loop) && !out.isFunctionOfDim(loop))
          padded.alwaysMeetsImage &= walked.insert(loop).second;
      padded.alwaysMeetsImage &= meetsImage(
          op, expr, out, low, high, pad.getSourceType().getDimSize(dim));
    }
    return padded;
  }
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Evaluation
//===----------------------------------------------------------------------===//

namespace mlir::prune {
/// One operation under evaluation.
class StructuredEvaluation {
public:
  StructuredEvaluation(linalg::LinalgOp op, const SliceConstants &constants);

  /// What index `index` of dimension `loop` of a result holds.
  Attribute evaluate(OpResult result, unsigned loop, int64_t index);

private:
  using Arguments = SmallVector<BodyValue>;
  Attribute step(const Arguments &arguments, unsigned result);
  Attribute reduce(Arguments arguments, unsigned out, unsigned result,
                   int64_t steps);
  Attribute reducePadded(Arguments arguments, unsigned out, unsigned result);
  Attribute getImage(unsigned loop, int64_t index) const;
  int64_t countSteps(unsigned out) const;
  bool hasNoZero(OpOperand &operand) const;

  linalg::LinalgOp op;
  const SliceConstants &constants;
  SmallVector<AffineMap> maps;
  SmallVector<int64_t> ranges;
  SmallVector<tensor::ExtractOp> reads;
  std::optional<PaddedOperand> padded;
  /// What is known of operands that the loop in question does not index.
  SmallVector<BodyValue> uniform;
  std::map<std::vector<const void *>, Attribute> seen;
  /// Where the body is evaluated.
  unsigned loop = 0;
  int64_t index = 0;
};
} // namespace mlir::prune

StructuredEvaluation::StructuredEvaluation(linalg::LinalgOp op,
                                           const SliceConstants &constants)
    : op(op), constants(constants), maps(op.getIndexingMapsArray()),
      ranges(op.getStaticLoopRanges()), reads(getElementReads(op)) {
  bool divides = !op.getBlock()->getOps<arith::DivFOp>().empty();
  for (OpOperand &operand : op->getOpOperands()) {
    BodyValue &value = uniform.emplace_back();
    value.constant = constants.getUniform(operand);
    value.isNonzero = divides && !value.constant && hasNoZero(operand);
  }
  if (op.getNumReductionLoops() != 0 && op.getNumDpsInits() == 1)
    padded = findPadded(op, maps.back());
}

/// Whether a constant has neither a zero nor a NaN.
bool StructuredEvaluation::hasNoZero(OpOperand &operand) const {
  std::optional<TensorView> view = getReadableWeight(op, operand);
  if (!view || countElements(view->shape) > kMaxSteps)
    return false;
  std::vector<double> values(countElements(view->shape));
  view->load(0, values);
  return llvm::none_of(values, [](double v) { return v == 0 || v != v; });
}

int64_t StructuredEvaluation::countSteps(unsigned out) const {
  int64_t steps = 1;
  for (unsigned at = 0; at != ranges.size(); ++at)
    if (!maps[out].isFunctionOfDim(at))
      steps = ShapedType::isDynamic(ranges[at]) || steps < 0
                  ? -1
                  : std::min(steps * ranges[at], kMaxSteps + 1);
  return steps;
}

Attribute StructuredEvaluation::step(const Arguments &arguments,
                                     unsigned result) {
  auto inPlace = [&](Operation *inner, ArrayRef<BodyValue> operands) {
    if (auto at = dyn_cast<linalg::IndexOp>(inner))
      return at.getDim() == loop ? Attribute(Builder(inner).getIndexAttr(index))
                                 : Attribute();
    auto read = dyn_cast<tensor::ExtractOp>(inner);
    return read && llvm::is_contained(reads, read)
               ? constants.getElement(read, operands.drop_front())
               : Attribute();
  };
  if (reads.empty())
    return evaluateBody(op, arguments)[result].constant;
  return evaluateBody(op, arguments, inPlace)[result].constant;
}

/// Runs the body for as many steps as the result reduces over. `arguments`
/// holds the operands, with the accumulator's start at `out`.
Attribute StructuredEvaluation::reduce(Arguments arguments, unsigned out,
                                       unsigned result, int64_t steps) {
  for (int64_t at = 0; at < std::min(steps, kMaxSteps); ++at) {
    Attribute next = step(arguments, result);
    if (!next || next == arguments[out].constant)
      return next;
    arguments[out].constant = next;
  }
  return steps <= kMaxSteps ? arguments[out].constant : Attribute();
}

/// The same for a window that meets `arguments` and the padding, in any order.
Attribute StructuredEvaluation::reducePadded(Arguments arguments, unsigned out,
                                             unsigned result) {
  Attribute start = arguments[out].constant;
  Attribute first = step(arguments, result);
  if (!start || !first || (!padded->alwaysMeetsImage && start != first))
    return {};
  arguments[out].constant = first;
  if (step(arguments, result) != first)
    return {};
  arguments[padded->number].constant = padded->value;
  if (step(arguments, result) != first)
    return {};
  arguments[out].constant = start;
  return step(arguments, result) == start ? first : Attribute();
}

/// What the image that was padded holds in step `index` of `loop`.
Attribute StructuredEvaluation::getImage(unsigned loop, int64_t index) const {
  tensor::PadOp pad = padded->pad;
  OpOperand &source = pad.getSourceMutable();
  std::optional<unsigned> dim = dimOfLoop(maps[padded->number], loop);
  bool isPadded =
      dim && (pad.getStaticLow()[*dim] != 0 || pad.getStaticHigh()[*dim] != 0);
  return isPadded ? constants.getUniform(source)
                  : constants.getAt(source, maps[padded->number], loop, index);
}

Attribute StructuredEvaluation::evaluate(OpResult result, unsigned atLoop,
                                         int64_t atIndex) {
  loop = atLoop;
  index = atIndex;
  unsigned number = result.getResultNumber();
  unsigned out = op.getDpsInitOperand(number)->getOperandNumber();
  Arguments arguments;
  std::vector<const void *> key = {result.getAsOpaquePointer()};
  for (OpOperand &operand : op->getOpOperands()) {
    BodyValue value = uniform[operand.getOperandNumber()];
    AffineMap map = maps[operand.getOperandNumber()];
    if (dimOfLoop(map, loop))
      value.constant = constants.getAt(operand, map, loop, index);
    arguments.push_back(value);
    key.push_back(value.constant.getAsOpaquePointer());
  }
  Attribute image;
  if (padded && !arguments[padded->number].constant)
    image = getImage(loop, index);
  key.push_back(image.getAsOpaquePointer());
  int64_t steps = countSteps(out);
  auto compute = [&]() -> Attribute {
    if (image) {
      arguments[padded->number].constant = image;
      return reducePadded(arguments, out, number);
    }
    return steps > 0 ? reduce(arguments, out, number, steps) : Attribute();
  };
  // What is read depends on where.
  if (!reads.empty())
    return compute();
  auto [entry, isNew] = seen.try_emplace(std::move(key));
  if (isNew)
    entry->second = compute();
  return entry->second;
}

Attribute SliceConstants::getElement(tensor::ExtractOp read,
                                     ArrayRef<BodyValue> coordinates) const {
  std::optional<unsigned> first = groups.getFirstAxis(read.getTensorMutable());
  for (auto [dim, coordinate] : llvm::enumerate(coordinates)) {
    auto number = dyn_cast_or_null<IntegerAttr>(coordinate.constant);
    if (!number || !first)
      continue;
    const Axis &axis = groups.getAxes()[*first + dim];
    int64_t at = number.getInt();
    if (at >= 0 && at < axis.size && get(axis.first + at))
      return get(axis.first + at);
  }
  return getUniform(read.getTensorMutable());
}

void SliceConstants::evaluateStructured(linalg::LinalgOp op, Log *log) {
  StructuredEvaluation evaluation(op, *this);
  for (OpResult result : op->getResults()) {
    std::optional<unsigned> axis = groups.getFirstAxis(Value(result));
    AffineMap out = op.getIndexingMapMatchingResult(result);
    if (!axis)
      continue;
    for (auto [dim, expr] : llvm::enumerate(out.getResults())) {
      auto loop = dyn_cast<AffineDimExpr>(expr);
      if (!loop)
        continue;
      const Axis &info = groups.getAxes()[*axis + dim];
      for (int64_t i = 0; i != info.size; ++i)
        store(info.first + i,
              evaluation.evaluate(result, loop.getPosition(), i), log);
    }
  }
}
