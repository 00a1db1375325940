//===- TensorEvaluation.cpp - Tensors computed from constants -------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Looks at everything that a tensor is made of before anything is computed: one
// operation that is not known, or an argument, and there is no answer. Then
// each operation runs once, and what nothing needs any more is freed.
//
//===----------------------------------------------------------------------===//

#include "prune/Analysis/Evaluation/TensorEvaluation.h"

#include "LoopEvaluation.h"
#include "prune/IR/ConstantView.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::prune;

//===----------------------------------------------------------------------===//
// What a tensor is made of
//===----------------------------------------------------------------------===//

/// Bytes of a static tensor; nothing for types that are not computed with.
static std::optional<uint64_t> bytesOf(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !tensor.hasStaticShape() || tensor.getEncoding())
    return std::nullopt;
  std::optional<LaneType> element = getLaneType(tensor.getElementType());
  if (!element)
    return std::nullopt;
  uint64_t bytes = element->bytes();
  for (int64_t size : tensor.getShape())
    bytes = llvm::SaturatingMultiply<uint64_t>(bytes, size);
  return bytes;
}

static bool isStatic(ArrayRef<int64_t> values) {
  return !llvm::is_contained(values, ShapedType::kDynamic);
}

static bool isSupported(Operation *op) {
  return TypeSwitch<Operation *, bool>(op)
      .Case<arith::ConstantOp>([](auto) { return true; })
      .Case<linalg::LinalgOp>([](linalg::LinalgOp structured) {
        return structured.hasPureTensorSemantics() &&
               countSteps(structured).has_value();
      })
      .Case<tensor::EmptyOp, tensor::ExpandShapeOp, tensor::CollapseShapeOp,
            tensor::CastOp, tensor::ConcatOp>([](auto) { return true; })
      .Case<tensor::ExtractSliceOp, tensor::InsertSliceOp>([](auto slice) {
        return isStatic(slice.getStaticOffsets()) &&
               isStatic(slice.getStaticSizes()) &&
               isStatic(slice.getStaticStrides());
      })
      .Case<tensor::PadOp>([](tensor::PadOp pad) {
        return isStatic(pad.getStaticLow()) && isStatic(pad.getStaticHigh()) &&
               pad.getConstantPaddingValue();
      })
      .Default(false);
}

/// Tensors that an operation reads, in its regions too.
static SmallVector<Value> tensorsOf(Operation *op) {
  SmallVector<Value> tensors;
  op->walk([&](Operation *inner) {
    for (Value operand : inner->getOperands())
      if (isa<RankedTensorType>(operand.getType()))
        tensors.push_back(operand);
  });
  return tensors;
}

/// The operations behind a tensor, each after what it reads; nothing if one of
/// them cannot be evaluated.
static std::optional<SmallVector<Operation *>> collect(Value tensor) {
  SmallVector<Operation *> order;
  llvm::SmallDenseMap<Operation *, bool> isDone;
  SmallVector<Value> work = {tensor};
  while (!work.empty()) {
    Operation *op = work.back().getDefiningOp();
    if (!op || !bytesOf(work.back().getType()))
      return std::nullopt;
    auto [entry, isNew] = isDone.try_emplace(op, false);
    if (isNew) {
      if (!isSupported(op))
        return std::nullopt;
      llvm::append_range(work, tensorsOf(op));
      continue;
    }
    work.pop_back();
    if (!std::exchange(entry->second, true))
      order.push_back(op);
  }
  return order;
}

/// Whether an operation only moves or converts the elements of one tensor.
static bool isView(Operation *op) {
  if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::CastOp,
          linalg::TransposeOp, tensor::EmptyOp>(op))
    return true;
  auto generic = dyn_cast<linalg::GenericOp>(op);
  if (!generic || generic.getNumDpsInputs() != 1 ||
      generic.getNumReductionLoops() != 0)
    return false;
  Type input = getElementTypeOrSelf(generic.getInputs()[0].getType());
  return isa<FloatType>(input) &&
         llvm::all_of(generic.getBody()->without_terminator(),
                      [](Operation &inner) {
                        return isa<arith::ExtFOp, arith::TruncFOp>(inner);
                      });
}

std::optional<EvaluationSources> mlir::prune::findSources(Value tensor) {
  std::optional<SmallVector<Operation *>> order = collect(tensor);
  if (!order)
    return std::nullopt;
  EvaluationSources sources;
  unsigned numConstants = 0;
  for (Operation *op : *order) {
    auto constant = dyn_cast<arith::ConstantOp>(op);
    sources.isView &= constant || isView(op);
    if (!constant)
      continue;
    ++numConstants;
    if (auto elements = dyn_cast<ElementsAttr>(constant.getValue()))
      if (!elements.isSplat())
        sources.numElements += elements.getNumElements();
  }
  sources.isView &= numConstants == 1;
  return sources;
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

namespace {
using Elements = std::shared_ptr<std::string>;

class Evaluator {
public:
  explicit Evaluator(EvaluationBudget &budget) : budget(budget) {}

  std::optional<std::string> run(ArrayRef<Operation *> order, Value result);

private:
  bool compute(Operation *op);
  bool computeConstant(arith::ConstantOp op);
  bool computeLoops(linalg::LinalgOp op);
  bool computePad(tensor::PadOp op);
  bool computeConcat(tensor::ConcatOp op);
  bool computeExtract(tensor::ExtractSliceOp op);
  bool computeInsert(tensor::InsertSliceOp op);
  /// Takes memory of the budget; null if there is not enough.
  Elements allocate(Type type);
  bool spend(uint64_t &left, uint64_t amount) {
    if (amount > left) {
      budget.isExceeded = true;
      return false;
    }
    left -= amount;
    return true;
  }

  EvaluationBudget &budget;
  llvm::DenseMap<Value, Elements> values;
};
} // namespace

Elements Evaluator::allocate(Type type) {
  uint64_t bytes = *bytesOf(type);
  if (!spend(budget.bytes, bytes))
    return nullptr;
  return std::make_shared<std::string>(bytes, '\0');
}

/// Copies a block of elements between row-major tensors: `offsets` and `steps`
/// are positions in the larger one, of shape `whole`. False if it does not fit.
static bool copyBlock(std::string &large, ArrayRef<int64_t> whole,
                      std::string &small, ArrayRef<int64_t> sizes,
                      ArrayRef<int64_t> offsets, ArrayRef<int64_t> steps,
                      size_t width, bool intoLarge) {
  if (small.empty())
    return true;
  for (auto [dim, size] : llvm::enumerate(whole))
    if (offsets[dim] < 0 || steps[dim] < 1 ||
        offsets[dim] + (sizes[dim] - 1) * steps[dim] >= size)
      return false;
  SmallVector<int64_t> at(sizes.size(), 0);
  // Runs of the last dim are one copy where they have no gaps.
  bool hasRuns = !sizes.empty() && steps.back() == 1;
  int64_t run = hasRuns ? sizes.back() : 1;
  int64_t outer = sizes.size() - hasRuns;
  for (size_t position = 0; position < small.size(); position += run * width) {
    int64_t from = 0;
    for (auto [dim, size] : llvm::enumerate(whole))
      from = from * size + offsets[dim] + at[dim] * steps[dim];
    char *a = large.data() + from * width, *b = small.data() + position;
    std::memcpy(intoLarge ? a : b, intoLarge ? b : a, run * width);
    for (int64_t dim = outer; dim-- > 0;) {
      if (++at[dim] < sizes[dim])
        break;
      at[dim] = 0;
    }
  }
  return true;
}

static size_t widthOf(Value tensor) {
  return getLaneType(getElementTypeOrSelf(tensor.getType()))->bytes();
}

bool Evaluator::computeConstant(arith::ConstantOp op) {
  auto elements = dyn_cast<ElementsAttr>(op.getValue());
  Elements result = elements ? allocate(op.getType()) : nullptr;
  if (!result)
    return false;
  values[op] = result;
  if (elements.getElementType().isInteger(1)) {
    auto dense = dyn_cast<DenseElementsAttr>(op.getValue());
    if (!dense)
      return false;
    for (auto [at, bit] : llvm::enumerate(dense.getValues<bool>()))
      (*result)[at] = bit;
    return true;
  }
  std::optional<ConstantBytes> bytes = getConstantBytes(op.getValue());
  if (!bytes)
    return false;
  for (size_t at = 0; at < result->size(); at += bytes->data.size())
    std::memcpy(result->data() + at, bytes->data.data(), bytes->data.size());
  return true;
}

bool Evaluator::computeLoops(linalg::LinalgOp op) {
  if (!spend(budget.steps, *countSteps(op)))
    return false;
  SmallVector<std::string> results;
  for (OpOperand &init : op.getDpsInitsMutable()) {
    if (!spend(budget.bytes, *bytesOf(init.get().getType())))
      return false;
    results.push_back(*values[init.get()]);
  }
  auto find = [&](Value tensor) {
    auto found = values.find(tensor);
    return found == values.end()
               ? ArrayRef<char>()
               : ArrayRef<char>(found->second->data(), found->second->size());
  };
  if (!runLoops(op, find, results))
    return false;
  for (auto [result, bytes] : llvm::zip_equal(op->getResults(), results))
    values[result] = std::make_shared<std::string>(std::move(bytes));
  return true;
}

bool Evaluator::computePad(tensor::PadOp op) {
  Elements result = allocate(op.getType());
  Attribute number;
  if (!result ||
      !matchPattern(op.getConstantPaddingValue(), m_Constant(&number)))
    return false;
  LaneType type = *getLaneType(op.getType().getElementType());
  Lanes lanes;
  fillLanes(number, type, lanes);
  int64_t count = op.getType().getNumElements();
  for (int64_t at = 0; at < count; at += kLanes)
    storeLanes(result->data() + at * type.bytes(), 1,
               std::min(kLanes, count - at), type, lanes);
  ArrayRef<int64_t> sizes = op.getSourceType().getShape();
  SmallVector<int64_t> steps(sizes.size(), 1);
  if (llvm::any_of(op.getStaticLow(), [](int64_t low) { return low < 0; }) ||
      llvm::any_of(op.getStaticHigh(), [](int64_t high) { return high < 0; }))
    return false;
  values[op] = result;
  return copyBlock(*result, op.getType().getShape(), *values[op.getSource()],
                   sizes, op.getStaticLow(), steps, type.bytes(),
                   /*intoLarge=*/true);
}

bool Evaluator::computeConcat(tensor::ConcatOp op) {
  Elements result = allocate(op.getType());
  if (!result)
    return false;
  SmallVector<int64_t> offsets(op.getType().getRank(), 0);
  SmallVector<int64_t> steps(op.getType().getRank(), 1);
  for (Value part : op.getInputs()) {
    ArrayRef<int64_t> sizes = cast<RankedTensorType>(part.getType()).getShape();
    if (!copyBlock(*result, op.getType().getShape(), *values[part], sizes,
                   offsets, steps, widthOf(part), /*intoLarge=*/true))
      return false;
    offsets[op.getDim()] += sizes[op.getDim()];
  }
  values[op] = result;
  return true;
}

bool Evaluator::computeExtract(tensor::ExtractSliceOp op) {
  Elements result = allocate(op.getType());
  if (!result)
    return false;
  values[op] = result;
  return copyBlock(*values[op.getSource()], op.getSourceType().getShape(),
                   *result, op.getStaticSizes(), op.getStaticOffsets(),
                   op.getStaticStrides(), widthOf(op.getSource()),
                   /*intoLarge=*/false);
}

bool Evaluator::computeInsert(tensor::InsertSliceOp op) {
  Elements result = allocate(op.getType());
  if (!result)
    return false;
  *result = *values[op.getDest()];
  values[op] = result;
  return copyBlock(*result, op.getType().getShape(), *values[op.getSource()],
                   op.getStaticSizes(), op.getStaticOffsets(),
                   op.getStaticStrides(), widthOf(op.getSource()),
                   /*intoLarge=*/true);
}

bool Evaluator::compute(Operation *op) {
  return TypeSwitch<Operation *, bool>(op)
      .Case(
          [&](arith::ConstantOp constant) { return computeConstant(constant); })
      .Case([&](linalg::LinalgOp loops) { return computeLoops(loops); })
      .Case([&](tensor::PadOp pad) { return computePad(pad); })
      .Case([&](tensor::ConcatOp concat) { return computeConcat(concat); })
      .Case([&](tensor::ExtractSliceOp slice) { return computeExtract(slice); })
      .Case([&](tensor::InsertSliceOp slice) { return computeInsert(slice); })
      .Case([&](tensor::EmptyOp empty) {
        values[empty] = allocate(empty.getType());
        return values[empty] != nullptr;
      })
      // The same elements under another shape.
      .Default([&](Operation *view) {
        Elements same = values[view->getOperand(0)];
        values[view->getResult(0)] = same;
        return same->size() == bytesOf(view->getResult(0).getType());
      });
}

std::optional<std::string> Evaluator::run(ArrayRef<Operation *> order,
                                          Value result) {
  llvm::DenseMap<Value, Operation *> lastUse;
  for (Operation *op : order)
    for (Value tensor : tensorsOf(op))
      lastUse[tensor] = op;
  for (Operation *op : order) {
    if (!compute(op))
      return std::nullopt;
    for (Value tensor : tensorsOf(op))
      if (lastUse[tensor] == op)
        values.erase(tensor);
  }
  return std::move(*values[result]);
}

std::optional<std::string>
mlir::prune::evaluateTensor(Value tensor, EvaluationBudget &budget) {
  std::optional<SmallVector<Operation *>> order = collect(tensor);
  if (!order)
    return std::nullopt;
  return Evaluator(budget).run(*order, tensor);
}
