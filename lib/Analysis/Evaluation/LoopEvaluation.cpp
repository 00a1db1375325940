//===- LoopEvaluation.cpp - Structured operations on constants ------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The body is run once for a block of iterations along one parallel loop, so
// that the cost of looking at an operation is shared by many numbers. All other
// loops keep their order, and with them every sum. Loops that walk through all
// operands without a gap are joined first, which makes blocks long.
//
//===----------------------------------------------------------------------===//

#include "LoopEvaluation.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "llvm/Support/MathExtras.h"

#include <deque>

using namespace mlir;
using namespace mlir::prune;

namespace {
/// Elements that the loops walk through: a position is linear in the loops'.
struct Access {
  LaneType type;
  const char *data = nullptr;
  char *target = nullptr;
  int64_t base = 0;
  SmallVector<int64_t> strides = {};
  Lanes *lanes = nullptr;
  /// Whether the position itself is what is read: an index of a loop.
  bool isPosition = false;
};

/// An element of a tensor at computed indices.
struct Gather {
  size_t step;
  ArrayRef<char> data;
  LaneType type;
  SmallVector<int64_t> shape;
  SmallVector<Lanes *> indices;
  Lanes *result;
};

class LoopProgram {
public:
  LoopProgram(linalg::LinalgOp op, FindElements find) : op(op), find(find) {}

  bool compile(MutableArrayRef<std::string> results);
  bool run();

private:
  std::optional<Access> makeAccess(AffineMap map, Type type);
  bool addOperands(MutableArrayRef<std::string> results);
  bool addStep(Operation &inner);
  bool addGather(tensor::ExtractOp extract);
  Lanes *lookup(Value value);
  Lanes *newLanes() { return &lanes.emplace_back(); }
  void joinLoops();
  void chooseLane();
  bool runBlock(ArrayRef<int64_t> position, int64_t first, int64_t count);
  bool runGather(const Gather &gather, int64_t count);

  linalg::LinalgOp op;
  FindElements find;
  SmallVector<int64_t> sizes;
  SmallVector<bool> isParallel;
  std::deque<Lanes> lanes;
  llvm::DenseMap<Value, Lanes *> values;
  SmallVector<Access> inputs, outputs;
  SmallVector<LaneStep> steps;
  SmallVector<Gather> gathers;
  /// The loop that blocks go along; none if all of them are reductions.
  std::optional<unsigned> lane;
};
} // namespace

/// Coefficients of a linear expression, its constant last.
static bool flatten(AffineExpr expr, int64_t factor,
                    MutableArrayRef<int64_t> coefficients) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    coefficients.back() += factor * constant.getValue();
    return true;
  }
  if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
    coefficients[dim.getPosition()] += factor;
    return true;
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return false;
  if (expr.getKind() == AffineExprKind::Add)
    return flatten(binary.getLHS(), factor, coefficients) &&
           flatten(binary.getRHS(), factor, coefficients);
  auto scale = dyn_cast<AffineConstantExpr>(binary.getRHS());
  return expr.getKind() == AffineExprKind::Mul && scale &&
         flatten(binary.getLHS(), factor * scale.getValue(), coefficients);
}

/// Null if the loops leave the tensor.
std::optional<Access> LoopProgram::makeAccess(AffineMap map, Type type) {
  std::optional<LaneType> element = getLaneType(getElementTypeOrSelf(type));
  if (!element)
    return std::nullopt;
  Access access{*element};
  access.strides.assign(sizes.size(), 0);
  access.lanes = newLanes();
  auto shaped = dyn_cast<RankedTensorType>(type);
  if (!shaped)
    return access;
  int64_t stride = 1;
  for (int64_t dim = shaped.getRank(); dim-- > 0;) {
    SmallVector<int64_t> coefficients(sizes.size() + 1, 0);
    if (!flatten(map.getResult(dim), 1, coefficients))
      return std::nullopt;
    int64_t low = coefficients.back(), high = low;
    for (auto [loop, size] : llvm::enumerate(sizes)) {
      int64_t reach = coefficients[loop] * std::max<int64_t>(size - 1, 0);
      (reach < 0 ? low : high) += reach;
      access.strides[loop] += coefficients[loop] * stride;
    }
    if (low < 0 || high >= shaped.getDimSize(dim))
      return std::nullopt;
    access.base += coefficients.back() * stride;
    stride *= shaped.getDimSize(dim);
  }
  return access;
}

bool LoopProgram::addOperands(MutableArrayRef<std::string> results) {
  Block *body = op.getBlock();
  for (OpOperand &operand : op->getOpOperands()) {
    BlockArgument argument = body->getArgument(operand.getOperandNumber());
    std::optional<Access> access = makeAccess(
        op.getMatchingIndexingMap(&operand), operand.get().getType());
    if (!access)
      return false;
    values[argument] = access->lanes;
    Attribute number;
    if (op.isDpsInit(&operand)) {
      std::string &result = results[outputs.size()];
      access->data = access->target = result.data();
      outputs.push_back(*access);
      if (argument.use_empty())
        continue;
    } else if (isa<RankedTensorType>(operand.get().getType())) {
      ArrayRef<char> data = find(operand.get());
      if (data.empty())
        return false;
      access->data = data.data();
    } else if (matchPattern(operand.get(), m_Constant(&number))) {
      fillLanes(number, access->type, *access->lanes);
      continue;
    } else {
      return false;
    }
    inputs.push_back(*access);
  }
  return true;
}

Lanes *LoopProgram::lookup(Value value) {
  if (auto found = values.find(value); found != values.end())
    return found->second;
  Attribute number;
  std::optional<LaneType> type = getLaneType(value.getType());
  if (!type || !matchPattern(value, m_Constant(&number)))
    return nullptr;
  Lanes *constant = newLanes();
  fillLanes(number, *type, *constant);
  return values[value] = constant;
}

bool LoopProgram::addGather(tensor::ExtractOp extract) {
  std::optional<LaneType> type = getLaneType(extract.getType());
  ArrayRef<char> data = find(extract.getTensor());
  if (!type || data.empty())
    return false;
  Gather gather{steps.size(), data, *type, {}, {}, newLanes()};
  llvm::append_range(gather.shape, extract.getTensor().getType().getShape());
  for (Value index : extract.getIndices())
    if (!gather.indices.emplace_back(lookup(index)))
      return false;
  values[extract.getResult()] = gather.result;
  gathers.push_back(std::move(gather));
  return true;
}

bool LoopProgram::addStep(Operation &inner) {
  if (inner.hasTrait<OpTrait::ConstantLike>())
    return true;
  if (auto index = dyn_cast<linalg::IndexOp>(inner)) {
    Access access{{LaneType::Int, 64, {}}};
    access.strides.assign(sizes.size(), 0);
    access.strides[index.getDim()] = 1;
    access.isPosition = true;
    values[index.getResult()] = access.lanes = newLanes();
    inputs.push_back(access);
    return true;
  }
  if (auto extract = dyn_cast<tensor::ExtractOp>(inner))
    return addGather(extract);
  if (inner.getNumResults() != 1 || inner.getNumRegions() != 0 ||
      inner.getNumOperands() < 1 || inner.getNumOperands() > 3)
    return false;
  Value result = inner.getResult(0);
  std::optional<LaneType> from = getLaneType(inner.getOperand(0).getType());
  std::optional<LaneType> to = getLaneType(result.getType());
  if (!from || !to)
    return false;
  LaneStep step{newLanes(), {}, *from, *to, 0, findLaneKernel(&inner, *from)};
  if (!step.kernel)
    return false;
  if (auto predicate = inner.getAttrOfType<IntegerAttr>("predicate"))
    step.predicate = predicate.getInt();
  for (auto [at, operand] : llvm::enumerate(inner.getOperands()))
    if (!(step.operands[at] = lookup(operand)))
      return false;
  values[result] = step.result;
  steps.push_back(step);
  return true;
}

/// Joins a loop with the one inside of it where, for every operand, both make
/// one walk.
void LoopProgram::joinLoops() {
  auto canJoin = [&](unsigned loop) {
    auto isOneWalk = [&](const Access &access) {
      return access.strides[loop] == access.strides[loop + 1] * sizes[loop + 1];
    };
    return isParallel[loop] == isParallel[loop + 1] &&
           llvm::all_of(inputs, isOneWalk) && llvm::all_of(outputs, isOneWalk);
  };
  for (unsigned loop = sizes.size(); loop-- > 0;) {
    if (loop + 1 >= sizes.size() || !canJoin(loop))
      continue;
    sizes[loop] *= sizes[loop + 1];
    sizes.erase(sizes.begin() + loop + 1);
    isParallel.erase(isParallel.begin() + loop + 1);
    for (SmallVector<Access> *list : {&inputs, &outputs})
      for (Access &access : *list)
        access.strides.erase(access.strides.begin() + loop);
  }
}

/// The longest parallel loop, each of whose iterations writes elsewhere.
void LoopProgram::chooseLane() {
  for (auto [loop, size] : llvm::enumerate(sizes)) {
    bool isSpread = llvm::all_of(outputs, [&, loop = loop](const Access &out) {
      return out.strides[loop] != 0;
    });
    if (isParallel[loop] && isSpread && (!lane || size >= sizes[*lane]))
      lane = loop;
  }
}

bool LoopProgram::compile(MutableArrayRef<std::string> results) {
  llvm::append_range(sizes, op.getStaticLoopRanges());
  for (utils::IteratorType iterator : op.getIteratorTypesArray())
    isParallel.push_back(iterator == utils::IteratorType::parallel);
  if (!addOperands(results))
    return false;
  for (Operation &inner : op.getBlock()->without_terminator())
    if (!addStep(inner))
      return false;
  Operation *yield = op.getBlock()->getTerminator();
  for (auto [at, value] : llvm::enumerate(yield->getOperands()))
    if (!(outputs[at].lanes = lookup(value)))
      return false;
  joinLoops();
  chooseLane();
  return true;
}

bool LoopProgram::runGather(const Gather &gather, int64_t count) {
  unsigned bytes = gather.type.bytes();
  for (int64_t at = 0; at != count; ++at) {
    int64_t position = 0;
    for (auto [dim, size] : llvm::enumerate(gather.shape)) {
      int64_t index = gather.indices[dim]->as<int64_t>()[at];
      if (index < 0 || index >= size)
        return false;
      position = position * size + index;
    }
    Lanes one;
    loadLanes(gather.data.data() + position * bytes, 0, 1, gather.type, one);
    size_t size = gather.type.kind == LaneType::F32 ? 4 : 8;
    std::memcpy(gather.result->storage + at * size, one.storage, size);
  }
  return true;
}

bool LoopProgram::runBlock(ArrayRef<int64_t> position, int64_t first,
                           int64_t count) {
  auto offsetOf = [&](const Access &access) {
    int64_t offset = access.base + (lane ? first * access.strides[*lane] : 0);
    for (auto [stride, at] : llvm::zip_equal(access.strides, position))
      offset += stride * at;
    return offset;
  };
  auto strideOf = [&](const Access &access) {
    return lane ? access.strides[*lane] : 0;
  };
  for (Access &access : inputs) {
    int64_t offset = offsetOf(access), stride = strideOf(access);
    if (!access.isPosition)
      loadLanes(access.data + offset * access.type.bytes(), stride, count,
                access.type, *access.lanes);
    else
      for (int64_t at = 0; at != count; ++at)
        access.lanes->as<int64_t>()[at] = offset + at * stride;
  }
  const Gather *gather = gathers.begin();
  for (size_t at = 0; at <= steps.size(); ++at) {
    for (; gather != gathers.end() && gather->step == at; ++gather)
      if (!runGather(*gather, count))
        return false;
    if (at == steps.size())
      break;
    if (!steps[at].kernel(steps[at], count))
      return false;
    settleLanes(*steps[at].result, steps[at].to, count);
  }
  for (Access &access : outputs)
    storeLanes(access.target + offsetOf(access) * access.type.bytes(),
               strideOf(access), count, access.type, *access.lanes);
  return true;
}

bool LoopProgram::run() {
  if (llvm::is_contained(sizes, 0))
    return true;
  int64_t extent = lane ? sizes[*lane] : 1;
  for (int64_t first = 0; first < extent; first += kLanes) {
    int64_t count = std::min(kLanes, extent - first);
    SmallVector<int64_t> position(sizes.size(), 0);
    while (true) {
      if (!runBlock(position, first, count))
        return false;
      int64_t loop = sizes.size();
      while (loop-- > 0) {
        if (lane && loop == int64_t(*lane))
          continue;
        if (++position[loop] < sizes[loop])
          break;
        position[loop] = 0;
      }
      if (loop < 0)
        break;
    }
  }
  return true;
}

std::optional<uint64_t> mlir::prune::countSteps(linalg::LinalgOp op) {
  uint64_t count = op->getNumOperands() + op.getBlock()->getOperations().size();
  for (int64_t size : op.getStaticLoopRanges()) {
    if (ShapedType::isDynamic(size))
      return std::nullopt;
    count = llvm::SaturatingMultiply<uint64_t>(count, size);
  }
  return count;
}

bool mlir::prune::runLoops(linalg::LinalgOp op, FindElements find,
                           MutableArrayRef<std::string> results) {
  LoopProgram program(op, find);
  return program.compile(results) && program.run();
}
