//===- SliceConstants.cpp - What whole slices are known to hold -----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One sweep in program order. StructuredConstants.cpp has the rule for
// structured operations.
//
//===----------------------------------------------------------------------===//

#include "prune/Analysis/Evaluation/SliceConstants.h"
#include "prune/Core/TensorSlices.h"
#include "prune/IR/ConstantView.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

#include <map>

using namespace mlir;
using namespace mlir::prune;

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

/// Element `position` of a constant's buffer as a number, zeros without sign.
static Attribute readElement(Type type, const ConstantBytes &bytes,
                             int64_t position) {
  uint64_t word = 0;
  std::memcpy(&word, bytes.data.data() + position * bytes.elementSize,
              bytes.elementSize);
  APInt bits(bytes.elementSize * 8, word);
  if (auto floating = dyn_cast<FloatType>(type)) {
    APFloat value(floating.getFloatSemantics(), bits);
    return FloatAttr::get(
        type, value.isZero() ? APFloat::getZero(value.getSemantics()) : value);
  }
  return IntegerAttr::get(type, bits);
}

/// The number that a splat or a fill consists of, also behind reshapes, or
/// null.
static Attribute getSplat(Value value) {
  while (isa_and_nonnull<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(
      value.getDefiningOp()))
    value = value.getDefiningOp()->getOperand(0);
  if (auto fill = value.getDefiningOp<linalg::FillOp>())
    value = fill.getInputs()[0];
  Attribute constant;
  if (!matchPattern(value, m_Constant(&constant)))
    return {};
  if (auto splat = dyn_cast<SplatElementsAttr>(constant)) {
    constant = splat.getSplatValue<Attribute>();
  } else if (auto resource = dyn_cast<DenseResourceElementsAttr>(constant)) {
    std::optional<ConstantBytes> bytes = getConstantBytes(resource);
    if (!bytes || bytes->data.size() != bytes->elementSize ||
        bytes->elementSize > 8)
      return {};
    return readElement(resource.getElementType(), *bytes, 0);
  }
  auto number = dyn_cast<FloatAttr>(constant);
  if (number && number.getValue().isZero())
    return FloatAttr::get(number.getType(), 0.0);
  return isa<FloatAttr, IntegerAttr>(constant) ? constant : Attribute();
}

void SliceConstants::readConstant(const Axis &axis) {
  MutableArrayRef<Attribute> target(constants.data() + axis.first, axis.size);
  if (axis.value.getDefiningOp<tensor::EmptyOp>())
    return llvm::fill(target, UnitAttr::get(axis.value.getContext()));
  if (Attribute splat = getSplat(axis.value))
    return llvm::fill(target, splat);
  Attribute constant;
  if (!matchPattern(axis.value, m_Constant(&constant)))
    return;
  std::optional<ConstantBytes> bytes = getConstantBytes(constant);
  if (!bytes || bytes->elementSize > 8 ||
      !llvm::isPowerOf2_32(bytes->elementSize))
    return;
  auto type = cast<RankedTensorType>(axis.value.getType());
  Type element = type.getElementType();
  if (bytes->isSplat)
    return llvm::fill(target, readElement(element, *bytes, 0));
  std::vector<int64_t> found =
      findConstantSlices(bytes->data, bytes->elementSize,
                         isa<FloatType>(element), type.getShape(), axis.dim);
  for (auto [position, slot] : llvm::zip_equal(found, target))
    if (position >= 0)
      slot = readElement(element, *bytes, position);
}

SliceConstants::SliceConstants(Operation *root, const ChannelGroups &groups)
    : groups(groups), constants(groups.getNumSlots()) {
  for (const Axis &axis : groups.getAxes())
    if (axis.use && axis.size != 0)
      readConstant(axis);
  std::vector<Operation *> ops;
  forEachChannelOp(root, [&](Operation *op) { ops.push_back(op); });
  evaluate(ops);
}

//===----------------------------------------------------------------------===//
// Lookups
//===----------------------------------------------------------------------===//

/// What has no content yet counts as unknown wherever numbers are computed.
static bool isNumber(Attribute value) { return value && !isa<UnitAttr>(value); }

ArrayRef<Attribute> SliceConstants::slots(unsigned axis) const {
  const Axis &info = groups.getAxes()[axis];
  return ArrayRef(constants).slice(info.first, info.size);
}

Attribute SliceConstants::uniformFrom(unsigned firstAxis, int64_t rank) const {
  for (int64_t dim = 0; dim != rank; ++dim) {
    ArrayRef<Attribute> of = slots(firstAxis + dim);
    if (!of.empty() && isNumber(of[0]) && llvm::all_equal(of))
      return of[0];
  }
  return {};
}

Attribute SliceConstants::getUniform(Value value) const {
  std::optional<unsigned> axis = groups.getFirstAxis(value);
  return axis ? uniformFrom(*axis,
                            cast<RankedTensorType>(value.getType()).getRank())
              : Attribute();
}

Attribute SliceConstants::getUniform(OpOperand &operand) const {
  auto type = dyn_cast<RankedTensorType>(operand.get().getType());
  if (!type || type.getRank() == 0 || isRematerializable(operand.get()))
    if (Attribute splat = getSplat(operand.get()))
      return splat;
  std::optional<unsigned> axis = groups.getFirstAxis(operand);
  return type && axis ? uniformFrom(*axis, type.getRank()) : Attribute();
}

std::optional<unsigned> mlir::prune::dimOfLoop(AffineMap map, unsigned loop) {
  return map.getResultPosition(getAffineDimExpr(loop, map.getContext()));
}

Attribute SliceConstants::getAt(OpOperand &operand, AffineMap map,
                                unsigned loop, int64_t index) const {
  std::optional<unsigned> dim = dimOfLoop(map, loop);
  std::optional<unsigned> axis = groups.getFirstAxis(operand);
  if (dim && axis) {
    ArrayRef<Attribute> of = slots(*axis + *dim);
    if (index < int64_t(of.size()) && isNumber(of[index]))
      return of[index];
  }
  return getUniform(operand);
}

//===----------------------------------------------------------------------===//
// Structured operations
//===----------------------------------------------------------------------===//

void SliceConstants::store(unsigned slot, Attribute value, Log *log) {
  if (constants[slot] == value)
    return;
  if (log)
    log->push_back({slot, constants[slot]});
  constants[slot] = value;
}

bool mlir::prune::isSumOfProducts(linalg::LinalgOp op) {
  return op.hasPureTensorSemantics() && op.getNumDpsInputs() == 2 &&
         op.getNumDpsInits() == 1 &&
         linalg::detail::isContractionBody(
             *op.getBlock(), [](Operation *multiply, Operation *add) {
               return isa<arith::MulFOp>(multiply) && isa<arith::AddFOp>(add);
             });
}

std::optional<TensorView> mlir::prune::getReadableWeight(linalg::LinalgOp op,
                                                         OpOperand &operand) {
  Attribute value;
  if (!isRematerializable(operand.get()) ||
      !op.getMatchingIndexingMap(&operand).isProjectedPermutation() ||
      !matchPattern(operand.get(), m_Constant(&value)))
    return std::nullopt;
  return getTensorView(value);
}

/// A sum whose terms all have a factor of zero, if not always the same one:
/// an output of the weight that has numbers only for inputs that are zero.
void SliceConstants::refineSum(linalg::LinalgOp op, OpOperand &x,
                               OpOperand &w) {
  std::optional<TensorView> view = getReadableWeight(op, w);
  std::optional<unsigned> result = groups.getFirstAxis(op->getResult(0));
  if (!view || view->shape.empty() || !result)
    return;
  OpOperand &init = *op.getDpsInitOperand(0);
  AffineMap ofX = op.getMatchingIndexingMap(&x);
  AffineMap ofW = op.getMatchingIndexingMap(&w);
  AffineMap out = op.getMatchingIndexingMap(&init);
  std::vector<std::vector<bool>> zeros(view->shape.size());
  bool anyZero = false;
  for (unsigned loop = 0; loop != op.getNumLoops(); ++loop) {
    std::optional<unsigned> dim = dimOfLoop(ofW, loop);
    if (!dim || out.isFunctionOfDim(loop) || !dimOfLoop(ofX, loop))
      continue;
    zeros[*dim].resize(view->shape[*dim]);
    for (int64_t i = 0; i != view->shape[*dim]; ++i) {
      auto number = dyn_cast_or_null<FloatAttr>(getAt(x, ofX, loop, i));
      zeros[*dim][i] = number && number.getValue().isZero();
      anyZero |= zeros[*dim][i];
    }
  }
  if (!anyZero)
    return;
  FloatAttr zero = FloatAttr::get(getElementTypeOrSelf(x.get().getType()), 0.0);
  for (auto [dim, expr] : llvm::enumerate(out.getResults())) {
    auto loop = dyn_cast<AffineDimExpr>(expr);
    std::optional<unsigned> weightDim =
        loop ? dimOfLoop(ofW, loop.getPosition()) : std::nullopt;
    if (!weightDim)
      continue;
    const Axis &axis = groups.getAxes()[*result + dim];
    std::vector<bool> live = findLiveSlices(*view, *weightDim, zeros);
    for (int64_t i = 0; i != axis.size; ++i) {
      if (live[i] || constants[axis.first + i])
        continue;
      SmallVector<BodyValue> arguments(3);
      arguments[x.getOperandNumber()] = {zero};
      arguments[init.getOperandNumber()] = {
          getAt(init, out, loop.getPosition(), i)};
      constants[axis.first + i] = evaluateBody(op, arguments)[0].constant;
    }
  }
}

void SliceConstants::refineSums(linalg::LinalgOp op) {
  if (!isSumOfProducts(op))
    return;
  OpOperand &left = *op.getDpsInputOperand(0),
            &right = *op.getDpsInputOperand(1);
  refineSum(op, left, right);
  refineSum(op, right, left);
}

bool SliceConstants::isNeutral(linalg::LinalgOp op, unsigned loop,
                               int64_t index) {
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  SmallVector<BodyValue> arguments;
  for (OpOperand &operand : op->getOpOperands()) {
    unsigned number = operand.getOperandNumber();
    if (op.isDpsInit(&operand))
      arguments.push_back({Attribute(), int(number)});
    else
      arguments.push_back({getAt(operand, maps[number], loop, index)});
  }
  SmallVector<BodyValue> yielded = evaluateBody(op, arguments);
  for (OpResult result : op->getResults()) {
    unsigned out =
        op.getDpsInitOperand(result.getResultNumber())->getOperandNumber();
    if (!maps[out].isFunctionOfDim(loop) &&
        yielded[result.getResultNumber()].argument != int(out))
      return false;
  }
  return true;
}

//===----------------------------------------------------------------------===//
// All operations
//===----------------------------------------------------------------------===//

void SliceConstants::evaluateElementwise(Operation *op, Log *log) {
  std::optional<unsigned> first = groups.getFirstAxis(op->getResult(0));
  if (!first)
    return;
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  for (int64_t dim = 0; dim != type.getRank(); ++dim) {
    const Axis &axis = groups.getAxes()[*first + dim];
    for (int64_t index = 0; index != axis.size; ++index) {
      SmallVector<BodyValue> operands;
      for (OpOperand &operand : op->getOpOperands()) {
        std::optional<unsigned> from = groups.getFirstAxis(operand);
        operands.push_back(
            {from ? get(groups.getAxes()[*from + dim].first + index)
                  : getUniform(operand)});
      }
      store(axis.first + index, evaluateElement(op, operands).constant, log);
    }
  }
}

void SliceConstants::evaluate(Operation *op, Log *log) {
  if (auto structured = dyn_cast<linalg::LinalgOp>(op)) {
    if (structured.hasPureTensorSemantics() && op->getNumResults() != 0) {
      evaluateStructured(structured, log);
      // Under an assumption, whole groups are zero and this adds nothing.
      if (!log)
        refineSums(structured);
    }
  } else if (auto channels = dyn_cast<ChannelOpInterface>(op)) {
    evaluateDescribed(channels, log);
  } else if (hasChannelLinks(op)) {
    evaluateElementwise(op, log);
  }
}

void SliceConstants::evaluateDescribed(ChannelOpInterface channels, Log *log) {
  Operation *op = channels;
  // Results go to lists of their own first: the log wants to see changes.
  llvm::MapVector<unsigned, SmallVector<Attribute>> results;
  for (OpResult result : op->getResults())
    if (std::optional<unsigned> first = groups.getFirstAxis(Value(result)))
      for (int64_t dim = 0;
           dim != cast<RankedTensorType>(result.getType()).getRank(); ++dim)
        results[*first + dim].resize(groups.getAxes()[*first + dim].size);
  channels.propagateConstants(
      [&](unsigned operand, int64_t dim) -> ArrayRef<Attribute> {
        std::optional<unsigned> axis =
            groups.getAxis(op, ChannelPort::operand(operand, dim));
        return axis ? slots(*axis) : ArrayRef<Attribute>();
      },
      [&](unsigned result, int64_t dim) -> MutableArrayRef<Attribute> {
        std::optional<unsigned> axis =
            groups.getAxis(op, ChannelPort::result(result, dim));
        return axis ? MutableArrayRef<Attribute>(results[*axis])
                    : MutableArrayRef<Attribute>();
      });
  for (auto &[axis, values] : results)
    for (auto [index, value] : llvm::enumerate(values))
      store(groups.getAxes()[axis].first + index, value, log);
}
