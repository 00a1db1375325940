//===- BatchNormFolder.cpp - Fold what follows a contraction --------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Everything is decided and computed before anything changes.
//
//===----------------------------------------------------------------------===//

#include "BatchNormFolder.h"

#include "prune/Core/Packing/LevelStorage.h"
#include "prune/IR/ConstantView.h"
#include "prune/IR/Prune.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"

#include <cmath>

using namespace mlir;
using namespace mlir::prune;

//===----------------------------------------------------------------------===//
// Reasons
//===----------------------------------------------------------------------===//

/// Operations that only move elements, of which operand 0 is moved.
static bool isMovement(Operation *op) {
  return isa_and_present<linalg::TransposeOp, tensor::ExpandShapeOp,
                         tensor::CollapseShapeOp, tensor::CastOp>(op);
}

void FoldReasons::noteUsers(Value value, const std::string &reason) {
  for (Operation *user : value.getUsers()) {
    while (isMovement(user) && user->hasOneUse())
      user = *user->getUsers().begin();
    note(user, reason);
  }
}

void FoldReasons::noteSource(Value value, const std::string &reason) {
  Operation *op = value.getDefiningOp();
  while (op && (isMovement(op) || isa<tensor::PadOp>(op)))
    op = op->getOperand(0).getDefiningOp();
  if (op)
    note(op, reason);
}

void FoldReasons::noteAround(linalg::LinalgOp op, OpOperand *weight,
                             const std::string &reason) {
  noteUsers(op->getResult(0), reason);
  for (OpOperand *operand : op.getDpsInputOperands())
    if (operand != weight)
      noteSource(operand->get(), reason);
}

StringRef FoldReasons::get(Operation *op) const {
  auto found = reasons.find(op);
  return found == reasons.end()
             ? StringRef("no contraction with a constant weight is next to it")
             : StringRef(found->second);
}

//===----------------------------------------------------------------------===//
// Channels
//===----------------------------------------------------------------------===//

BatchNormFolder::BatchNormFolder(WeightRescaler weight, KeptRecord &kept,
                                 FoldReasons &reasons,
                                 llvm::SmallPtrSetImpl<Operation *> &changed,
                                 bool wholeNodes)
    : weight(std::move(weight)), kept(kept),
      contraction(this->weight.getContraction()), reasons(reasons),
      changed(changed), wholeNodes(wholeNodes) {
  AffineMap out =
      contraction.getMatchingIndexingMap(contraction.getDpsInitOperand(0));
  for (auto [dim, expr] : llvm::enumerate(out.getResults())) {
    auto loop = dyn_cast<AffineDimExpr>(expr);
    int64_t size = loop ? this->weight.getExtent(loop.getPosition()) : 0;
    if (size > 0)
      channelDims.push_back({unsigned(dim), loop.getPosition(), size, 1});
  }
  int64_t stride = 1;
  for (ChannelDim &channel : llvm::reverse(channelDims)) {
    channel.stride = stride;
    stride *= channel.size;
  }
}

int64_t BatchNormFolder::countChannels() const {
  int64_t count = 1;
  for (const ChannelDim &channel : channelDims)
    count *= channel.size;
  return count;
}

WeightRescaler::Steps BatchNormFolder::getChannelSteps() const {
  WeightRescaler::Steps steps;
  for (const ChannelDim &channel : channelDims) {
    std::vector<int64_t> &table = steps[channel.loop];
    for (int64_t i = 0; i != channel.size; ++i)
      table.push_back(i * channel.stride);
  }
  return steps;
}

//===----------------------------------------------------------------------===//
// What follows
//===----------------------------------------------------------------------===//

/// The factors behind each dimension of a constant operand of `op`, of which
/// the operand `use` has the origins `dims`. Nothing if an index is not a loop.
static std::optional<SmallVector<SmallVector<Factor>>>
getOrigins(linalg::LinalgOp op, OpOperand *constant, AffineMap useMap,
           const DimFactors &dims) {
  SmallVector<SmallVector<Factor>> origins;
  for (AffineExpr expr : op.getMatchingIndexingMap(constant).getResults()) {
    SmallVector<Factor> &list = origins.emplace_back();
    if (isa<AffineConstantExpr>(expr))
      continue;
    std::optional<unsigned> dim = useMap.getResultPosition(expr);
    if (!dim)
      return std::nullopt;
    llvm::append_range(list, dims.getFactors(*dim));
  }
  return origins;
}

/// The row-major position in a constant, from the indices that its factors
/// have.
static int64_t
getPosition(OpOperand *constant, ArrayRef<SmallVector<Factor>> origins,
            llvm::function_ref<int64_t(const Factor &)> indexOf) {
  auto type = cast<RankedTensorType>(constant->get().getType());
  int64_t position = 0;
  for (auto [size, factors] : llvm::zip_equal(type.getShape(), origins)) {
    int64_t index = 0;
    for (const Factor &factor : factors)
      index =
          index * factor.size + indexOf(factor) / factor.stride % factor.size;
    position = position * size + index;
  }
  return position;
}

/// Whether an ONNX node is left without effect, or that does not matter.
/// Numbers in a body may be a node's attributes, or what its operator is.
bool BatchNormFolder::isNode(linalg::LinalgOp op, ArrayRef<Operation *> chain,
                             const BodyConstants &body, bool isWhole) {
  if (!wholeNodes || (isWhole && llvm::none_of(chain, [&](Operation *link) {
                        return !isa<arith::ExtFOp, arith::TruncFOp>(link) &&
                               body.getNames(link).empty();
                      })))
    return true;
  reasons.note(op, "an ONNX file could not leave it out");
  return false;
}

std::optional<BatchNormFolder::Step>
BatchNormFolder::makeStep(OpOperand &use, const DimFactors &dims) {
  linalg::LinalgOp op = asElementwise(use.getOwner());
  if (!op || op.isDpsInit(&use) ||
      op->getResult(0).getType() != use.get().getType())
    return std::nullopt;
  AffineMap useMap = op.getMatchingIndexingMap(&use);
  if (useMap != op.getMatchingIndexingMap(op.getDpsInitOperand(0)))
    return std::nullopt;
  Step step{op, &use, {}, BodyConstants(op), {}, false, {}};
  step.chain = getChainAfter(op.getMatchingBlockArgument(&use), step.body);
  if (step.chain.empty())
    return std::nullopt;
  Operation *end = op.getBlock()->getTerminator();
  step.isWhole = step.chain.back()->getResult(0) == end->getOperand(0);
  if (!step.isWhole &&
      (!isa<linalg::GenericOp>(op) ||
       !getChainStart(step.chain, step.body,
                      step.chain.back()->getResult(0).getType())))
    return std::nullopt;
  if (!isNode(op, step.chain, step.body, step.isWhole))
    return std::nullopt;
  step.names = step.body.getNames(step.chain);
  for (OpOperand *constant : step.body.getVarying(step.chain)) {
    auto origins = getOrigins(op, constant, useMap, dims);
    bool fits =
        origins && llvm::all_of(*origins, [&](const auto &factors) {
          return llvm::all_of(factors, [&](const Factor &factor) {
            return llvm::any_of(channelDims, [&](const ChannelDim &channel) {
              return channel.dim == factor.dim;
            });
          });
        });
    if (fits && llvm::any_of(*origins, [](const auto &factors) {
          return llvm::any_of(factors, [](const Factor &factor) {
            return ShapedType::isDynamic(factor.size);
          });
        })) {
      reasons.note(op, "its numbers differ along a dimension of unknown size");
      return std::nullopt;
    }
    if (!fits) {
      reasons.note(op, ("its numbers differ along a dimension that weight '" +
                        weight.getName() + "' does not have")
                           .str());
      return std::nullopt;
    }
    step.varying.push_back({constant, std::move(*origins)});
  }
  return step;
}

/// The only use of a value but for its sizes, or null.
static OpOperand *getOnlyUse(Value value) {
  OpOperand *only = nullptr;
  for (OpOperand &use : value.getUses()) {
    if (isa<tensor::DimOp>(use.getOwner()))
      continue;
    if (only)
      return nullptr;
    only = &use;
  }
  return only;
}

std::vector<BatchNormFolder::Step> BatchNormFolder::collectSteps() {
  std::vector<Step> steps;
  Value value = contraction->getResult(0);
  auto type = cast<RankedTensorType>(value.getType());
  DimFactors dims(type);
  while (true) {
    OpOperand *use = getOnlyUse(value);
    if (!use) {
      reasons.noteUsers(value, "what it scales has other users too");
      return steps;
    }
    Operation *user = use->getOwner();
    if (isMovement(user) && use->getOperandNumber() == 0) {
      if (!dims.follow(user))
        return steps;
      value = user->getResult(0);
      continue;
    }
    std::optional<Step> step = makeStep(*use, dims);
    if (!step)
      return steps;
    steps.push_back(std::move(*step));
    if (!steps.back().isWhole)
      return steps;
    value = user->getResult(0);
  }
}

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

/// Zero, or a constant of zeros.
static bool isZero(Value value) {
  if (auto fill = value.getDefiningOp<linalg::FillOp>())
    value = fill.getInputs()[0];
  return matchPattern(value, m_AnyZeroFloat());
}

/// Reads what the sum starts from, if it is zero or one constant per channel.
bool BatchNormFolder::readInit(std::vector<Affine> &numbers, bool &hasBias) {
  numbers.assign(countChannels(), Affine());
  hasBias = false;
  initName = "";
  Value init = contraction.getDpsInitOperand(0)->get();
  if (isZero(init))
    return true;
  auto broadcast = init.getDefiningOp<linalg::LinalgOp>();
  OpOperand *source = broadcast ? getForwardedOperand(broadcast) : nullptr;
  Attribute constant;
  if (!source || !matchPattern(source->get(), m_Constant(&constant)))
    return false;
  std::optional<TensorView> view = getTensorView(constant);
  AffineMap to =
      broadcast.getMatchingIndexingMap(broadcast.getDpsInitOperand(0));
  auto origins = getOrigins(broadcast, source, to,
                            DimFactors(cast<RankedTensorType>(init.getType())));
  if (!view || !origins || view->size() == 0)
    return false;
  for (const auto &factors : *origins)
    for (const Factor &factor : factors)
      if (llvm::none_of(channelDims, [&](const ChannelDim &channel) {
            return channel.dim == factor.dim;
          }))
        return false;
  std::vector<double> values(view->splat ? 1 : view->size());
  view->load(0, values);
  hasBias = true;
  initName = getWeightName(constant);
  for (auto [channel, number] : llvm::enumerate(numbers)) {
    auto indexOf = [&, channel = channel](const Factor &factor) {
      const ChannelDim *dim = llvm::find_if(
          channelDims, [&](const auto &c) { return c.dim == factor.dim; });
      return int64_t(channel) / dim->stride % dim->size;
    };
    number.shift =
        values[view->splat ? 0 : getPosition(source, *origins, indexOf)];
  }
  return true;
}

std::optional<std::vector<Affine>>
BatchNormFolder::multiplyOut(MutableArrayRef<Step> steps) {
  std::vector<Affine> numbers;
  bool hasBias;
  if (!readInit(numbers, hasBias)) {
    for (Step &step : steps)
      reasons.note(step.op, ("the sum with weight '" + weight.getName() +
                             "' starts from other than zero or a bias")
                                .str());
    return std::nullopt;
  }
  bool scales = false;
  for (auto [channel, number] : llvm::enumerate(numbers)) {
    auto indexOf = [&, channel = channel](const Factor &factor) {
      const ChannelDim *dim = llvm::find_if(
          channelDims, [&](const auto &c) { return c.dim == factor.dim; });
      return int64_t(channel) / dim->stride % dim->size;
    };
    for (Step &step : steps) {
      step.body.evaluate([&](OpOperand *operand) -> int64_t {
        for (auto &[constant, origins] : step.varying)
          if (constant == operand)
            return getPosition(constant, origins, indexOf);
        return 0;
      });
      number = applyChain(step.chain, step.body, number);
    }
    if (!std::isfinite(number.scale) || !std::isfinite(number.shift)) {
      for (Step &step : steps)
        reasons.note(step.op, "its scale or shift is not finite in channel " +
                                  std::to_string(channel));
      return std::nullopt;
    }
    scales |= number.scale != 1;
  }
  // One bias behind a sum from zero is what remains in any case.
  if (!scales && steps.size() + hasBias < 2)
    return std::nullopt;
  return numbers;
}

//===----------------------------------------------------------------------===//
// Rewriting
//===----------------------------------------------------------------------===//

bool BatchNormFolder::scaleWeight(ArrayRef<Affine> numbers) {
  if (llvm::all_of(numbers, [](const Affine &n) { return n.scale == 1; }))
    return true;
  std::vector<double> values;
  weight.forEach(getChannelSteps(),
                 [&](int64_t, double value, ArrayRef<int64_t> position) {
                   values.push_back(value * numbers[position[0]].scale);
                 });
  return weight.replaceValues(values, kept);
}

bool BatchNormFolder::canHold(ArrayRef<double> shifts) {
  auto type = cast<RankedTensorType>(contraction->getResult(0).getType());
  FloatKind kind = *getFloatKind(type.getElementType());
  return llvm::all_of(shifts, [&](double shift) {
    return std::isfinite(roundTo(kind, shift));
  });
}

void BatchNormFolder::addBias(ArrayRef<double> shifts, Attribute name) {
  if (llvm::all_of(shifts, [](double shift) { return shift == 0; }))
    return;
  OpBuilder builder(contraction);
  Location loc = contraction.getLoc();
  Value result = contraction->getResult(0);
  auto type = cast<RankedTensorType>(result.getType());
  SmallVector<int64_t> shape;
  SmallVector<AffineExpr> exprs;
  for (const ChannelDim &channel : channelDims) {
    shape.push_back(channel.size);
    exprs.push_back(builder.getAffineDimExpr(channel.dim));
  }
  auto biasType = RankedTensorType::get(shape, type.getElementType());
  std::vector<char> data =
      convertElements(FloatKind::F64, *getFloatKind(type.getElementType()),
                      ArrayRef(reinterpret_cast<const char *>(shifts.data()),
                               shifts.size() * sizeof(double)));
  TypedAttr value = createConstantLike(name, biasType, data);
  builder.setInsertionPointAfter(weight.getConstant());
  Value bias = arith::ConstantOp::create(builder, loc, value);
  builder.setInsertionPointAfter(contraction);
  Value init = tensor::EmptyOp::create(
      builder, loc, tensor::getMixedSizes(builder, loc, result),
      type.getElementType());
  SmallVector<utils::IteratorType> loops(type.getRank(),
                                         utils::IteratorType::parallel);
  AffineMap identity = builder.getMultiDimIdentityMap(type.getRank());
  auto sum = linalg::GenericOp::create(
      builder, loc, type, ValueRange{result, bias}, ValueRange{init},
      {identity, AffineMap::get(type.getRank(), 0, exprs, builder.getContext()),
       identity},
      loops, [](OpBuilder &nested, Location at, ValueRange elements) {
        linalg::YieldOp::create(
            nested, at,
            Value(arith::AddFOp::create(nested, at, elements[0], elements[1])));
      });
  result.replaceUsesWithIf(sum.getResult(0), [&](OpOperand &use) {
    return use.getOwner() != sum && !isa<tensor::DimOp>(use.getOwner());
  });
}

void BatchNormFolder::removeSteps(MutableArrayRef<Step> steps) {
  for (Step &step : steps) {
    if (step.isWhole) {
      step.op->getResult(0).replaceAllUsesWith(step.use->get());
      step.op->erase();
      continue;
    }
    Value end = step.chain.back()->getResult(0);
    end.replaceAllUsesWith(getChainStart(step.chain, step.body, end.getType()));
    eraseChain(step.chain);
    changed.insert(step.op);
  }
}

Attribute mlir::prune::chooseBiasName(ArrayRef<OpOperand *> operands,
                                      MLIRContext *context) {
  Attribute best = UnitAttr::get(context);
  int bestRank = 0;
  for (OpOperand *operand : operands) {
    Attribute value;
    matchPattern(operand->get(), m_Constant(&value));
    auto resource = dyn_cast_or_null<DenseResourceElementsAttr>(value);
    if (!resource)
      continue;
    auto op = cast<linalg::LinalgOp>(operand->getOwner());
    bool isAdded = llvm::any_of(
        op.getMatchingBlockArgument(operand).getUsers(), [](Operation *user) {
          if (isa<arith::ExtFOp>(user) && user->hasOneUse())
            user = *user->user_begin();
          return isa<arith::AddFOp>(user);
        });
    bool isNew = !resource.getRawHandle().getKey().contains('#');
    int rank = 1 + isAdded + (isAdded && isNew);
    if (rank <= bestRank)
      continue;
    best = value;
    bestRank = rank;
  }
  return best;
}

unsigned BatchNormFolder::foldAfter() {
  std::vector<Step> steps = collectSteps();
  if (steps.empty())
    return 0;
  std::optional<std::vector<Affine>> numbers = multiplyOut(steps);
  if (!numbers)
    return 0;
  SmallVector<OpOperand *> operands;
  for (Step &step : steps)
    llvm::append_range(operands, step.op.getDpsInputOperands());
  Attribute name = chooseBiasName(operands, contraction.getContext());
  std::vector<double> shifts;
  for (const Affine &number : *numbers)
    shifts.push_back(number.shift);
  if (!canHold(shifts)) {
    for (Step &step : steps)
      reasons.note(step.op, "its shift would overflow as a bias");
    return 0;
  }
  if (!scaleWeight(*numbers)) {
    for (Step &step : steps)
      reasons.note(step.op, ("weight '" + weight.getName() +
                             "' would overflow when scaled")
                                .str());
    return 0;
  }
  OpBuilder builder(contraction);
  OpOperand *init = contraction.getDpsInitOperand(0);
  if (!isZero(init->get())) {
    auto type = cast<RankedTensorType>(init->get().getType());
    Location loc = contraction.getLoc();
    Value zero = arith::ConstantOp::create(
        builder, loc, builder.getZeroAttr(type.getElementType()));
    Value empty = tensor::EmptyOp::create(
        builder, loc, tensor::getMixedSizes(builder, loc, init->get()),
        type.getElementType());
    init->set(linalg::FillOp::create(builder, loc, zero, empty).getResult(0));
  }
  if (!initName.empty())
    namesAfter.push_back(initName);
  for (Step &step : steps)
    llvm::append_range(namesAfter, step.names);
  removeSteps(steps);
  addBias(shifts, name);
  return steps.size();
}
