//===- DropIdentities.cpp - Remove what computes nothing ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One walk in program order: what an operation reads has been simplified
// before, so pairs that undo each other meet even if something stood between
// them. Where sizes are dynamic, equal types say nothing of equal sizes: then
// only a single unknown size is trusted, since the number of elements gives it.
//
//===----------------------------------------------------------------------===//

#include "prune/Analysis/Evaluation/AffineChains.h"

#include "prune/IR/ConstantView.h"
#include "prune/IR/EraseDead.h"
#include "prune/IR/KeptRecord.h"
#include "prune/IR/Records.h"
#include "prune/Transforms/Preparation/Passes.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mlir::prune {
#define GEN_PASS_DEF_DROPIDENTITIESPASS
#include "prune/Transforms/Preparation/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;
using namespace mlir::prune;

/// The number that a constant is or consists of, or null.
static Attribute getUniform(Value value) {
  Attribute constant;
  if (!matchPattern(value, m_Constant(&constant)))
    return nullptr;
  if (isa<FloatAttr, IntegerAttr>(constant))
    return constant;
  std::optional<ConstantBytes> bytes = getConstantBytes(constant);
  if (!bytes || bytes->data.empty())
    return nullptr;
  Type element = cast<ElementsAttr>(constant).getElementType();
  StringRef data(bytes->data.data(), bytes->data.size());
  StringRef first = data.take_front(bytes->elementSize);
  for (StringRef rest = data; !rest.empty();
       rest = rest.drop_front(bytes->elementSize))
    if (!rest.starts_with(first))
      return nullptr;
  auto one = RankedTensorType::get({1}, element);
  return DenseElementsAttr::getFromRawBuffer(
             one, ArrayRef<char>(first.data(), first.size()))
      .getSplatValue<Attribute>();
}

static SmallVector<BodyValue> getOperandValues(Operation *op) {
  SmallVector<BodyValue> values;
  for (OpOperand &operand : op->getOpOperands())
    values.push_back(
        {getUniform(operand.get()), int(operand.getOperandNumber())});
  return values;
}

/// What an operation on single elements passes on, or null.
static Value passedByElement(Operation *op) {
  if (linalg::LinalgOp structured = asElementwise(op)) {
    OpOperand *passed = getPassedOn(structured, getOperandValues(op));
    return passed ? passed->get() : nullptr;
  }
  if (!OpTrait::hasElementwiseMappableTraits(op) || op->getNumResults() != 1)
    return nullptr;
  int passed = evaluateElement(op, getOperandValues(op)).argument;
  return passed < 0 ? nullptr : op->getOperand(passed);
}

static bool isIdentity(ArrayRef<int64_t> permutation) {
  return llvm::equal(permutation, llvm::seq<int64_t>(0, permutation.size()));
}

/// Whether all sizes follow from the type and the number of elements.
static bool hasOneShape(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getNumDynamicDims() <= 1;
}

/// What `op` gives back if it undoes the operation that it reads.
static Value undone(Operation *op) {
  Operation *before = op->getOperand(0).getDefiningOp();
  if (!before)
    return nullptr;
  auto first = dyn_cast<linalg::TransposeOp>(before);
  if (auto second = dyn_cast<linalg::TransposeOp>(op)) {
    if (!first)
      return nullptr;
    SmallVector<int64_t> both;
    for (int64_t dim : second.getPermutation())
      both.push_back(first.getPermutation()[dim]);
    return isIdentity(both) ? first.getInput() : nullptr;
  }
  bool reshapes = isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op) &&
                  isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(before);
  return reshapes && hasOneShape(before->getOperand(0)) ? before->getOperand(0)
                                                        : nullptr;
}

static bool areAll(ArrayRef<OpFoldResult> sizes, int64_t value) {
  return llvm::all_of(sizes, [&](OpFoldResult size) {
    return getConstantIntValue(size) == value;
  });
}

template <typename SliceOp> static bool isWholeSlice(SliceOp op) {
  return areAll(op.getMixedOffsets(), 0) && areAll(op.getMixedStrides(), 1);
}

static bool isStatic(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.hasStaticShape();
}

/// What a movement that moves nothing gives back, or null.
static Value passedByMovement(Operation *op) {
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case([](linalg::TransposeOp op) {
        return isIdentity(op.getPermutation()) ? op.getInput() : undone(op);
      })
      .Case([](linalg::BroadcastOp op) {
        return op.getDimensions().empty() ? op.getInput() : Value();
      })
      .Case<tensor::ExpandShapeOp, tensor::CollapseShapeOp>([](Operation *op) {
        Value source = op->getOperand(0);
        return source.getType() == op->getResult(0).getType() &&
                       hasOneShape(source)
                   ? source
                   : undone(op);
      })
      .Case([](tensor::ReshapeOp op) {
        return hasOneShape(op.getSource()) ? op.getSource() : Value();
      })
      .Case([](tensor::CastOp op) { return op.getSource(); })
      .Case([](tensor::PadOp op) {
        return areAll(op.getMixedLowPad(), 0) && areAll(op.getMixedHighPad(), 0)
                   ? op.getSource()
                   : Value();
      })
      .Case([](tensor::ExtractSliceOp op) {
        return isStatic(op.getSource()) && isWholeSlice(op) ? op.getSource()
                                                            : Value();
      })
      .Case([](tensor::InsertSliceOp op) {
        return isStatic(op.getSource()) && isWholeSlice(op) ? op.getSource()
                                                            : Value();
      })
      .Case([](tensor::ConcatOp op) {
        return op.getInputs().size() == 1 ? op.getInputs()[0] : Value();
      })
      .Default([](Operation *) { return Value(); });
}

static bool drop(Operation *op) {
  if (op->getNumResults() != 1 || op->getNumOperands() == 0 ||
      op->use_empty() || !isa<RankedTensorType>(op->getResult(0).getType()))
    return false;
  Value passed = passedByMovement(op);
  if (!passed)
    passed = passedByElement(op);
  if (!passed || passed.getType() != op->getResult(0).getType())
    return false;
  remark::passed(op->getLoc(), remark::RemarkOpts::name("Dropped").category(
                                   "prune-drop-identities"))
      << remark::metric("Operation", op->getName().getStringRef());
  op->getResult(0).replaceAllUsesWith(passed);
  return true;
}

namespace {
struct DropIdentities : prune::impl::DropIdentitiesPassBase<DropIdentities> {
  using Base::Base;

  void runOnOperation() override {
    // An export has to know what they were.
    bool isImported = getOperation()->hasAttr(kOnnxRecord);
    llvm::MapVector<StringRef, Versions> before;
    if (isImported)
      before = collectResources(getOperation());
    llvm::SetVector<Operation *> dropped;
    getOperation().walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (drop(op))
        dropped.insert(op);
    });
    if (dropped.empty())
      return markAllAnalysesPreserved();
    eraseDead(std::move(dropped));
    if (!isImported)
      return;
    KeptRecord kept(getOperation());
    kept.tidy(getOperation(), before);
    kept.commit();
  }
};
} // namespace
