//===- OutlineLoops.cpp - Functions for the loops of long functions -------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LLVM takes more than linear time for a function, and a network is one. Here
// each nest of loops of a long function moves to a function of its own. It is
// written down as text, and nests that come to the same text share it: a
// network has many layers, but few shapes of them.
//
// LLVM must not know less of a nest than where it stood before. What is static
// of a buffer is part of the function, what is not are arguments, so that a
// buffer is one pointer in every case. Of a pointer that no other argument can
// lead to the function says so; that is known where buffers are allocated.
//
//===----------------------------------------------------------------------===//

#include "MemoryAccess.h"
#include "SharedFunctions.h"

#include "prune/Lowering/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "mlir/Transforms/RegionUtils.h"

namespace mlir::prune {
#define GEN_PASS_DEF_OUTLINELOOPSPASS
#include "prune/Lowering/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;
using namespace mlir::prune;

//===----------------------------------------------------------------------===//
// Which nests
//===----------------------------------------------------------------------===//

static bool isStructured(Operation *op) {
  auto structured = dyn_cast<linalg::LinalgOp>(op);
  return structured && structured.hasPureBufferSemantics();
}

/// Whether the operation may be inside of a nest: it computes, or reads and
/// writes elements, and owns no memory.
static bool isLocal(Operation *op) {
  return op->hasTrait<OpTrait::HasRecursiveMemoryEffects>() ||
         onlyReadsAndWrites(op);
}

/// Numbers, and buffers that strides describe.
static bool isStrided(Type type) {
  auto memref = dyn_cast<MemRefType>(type);
  return memref ? memref.isStrided() && !memref.getMemorySpace()
                : type.isIntOrIndexOrFloat();
}

/// Loops that nothing is carried out of, on buffers that strides describe.
static bool isNest(Operation *op) {
  if (!isStructured(op) && !isa<scf::ForOp>(op))
    return false;
  if (op->getNumResults() != 0 ||
      !llvm::all_of(op->getOperandTypes(), isStrided))
    return false;
  llvm::SetVector<Value> above;
  getUsedValuesDefinedAbove(op->getRegions(), above);
  return llvm::all_of(ValueRange(above.getArrayRef()).getTypes(), isStrided) &&
         !op->walk([&](Operation *inner) {
              return inner == op || isLocal(inner) ? WalkResult::advance()
                                                   : WalkResult::interrupt();
            }).wasInterrupted();
}

static SmallVector<Operation *> findNests(func::FuncOp function) {
  SmallVector<Operation *> nests;
  function.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (!isNest(op))
      return WalkResult::advance();
    nests.push_back(op);
    return WalkResult::skip();
  });
  return nests;
}

//===----------------------------------------------------------------------===//
// Which memory
//===----------------------------------------------------------------------===//

/// The memory that a buffer is part of, if no other buffer than parts of it
/// can lead there: what is allocated here, a constant, or an argument beside
/// these; null if that is not known.
static Value getRoot(Value buffer) {
  while (auto view = buffer.getDefiningOp<ViewLikeOpInterface>())
    buffer = view.getViewSource();
  if (auto argument = dyn_cast<BlockArgument>(buffer))
    return isa<func::FuncOp>(argument.getOwner()->getParentOp()) &&
                   argument.getOwner()->isEntryBlock()
               ? buffer
               : Value();
  return isa<memref::AllocOp, memref::AllocaOp, memref::GetGlobalOp>(
             buffer.getDefiningOp())
             ? buffer
             : Value();
}

/// Whether two roots are different memory for sure.
static bool isDistinct(Value a, Value b) {
  if (!a || !b || a == b)
    return false;
  auto isAllocated = [](Value root) {
    return isa_and_nonnull<memref::AllocOp, memref::AllocaOp>(
        root.getDefiningOp());
  };
  return isAllocated(a) || isAllocated(b);
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

namespace {
/// A nest that becomes a call.
class Nest {
public:
  explicit Nest(Operation *op);

  func::FuncOp createFunction();
  void replace(func::FuncOp function);

private:
  MemRefType getInnerType(Value buffer) const;
  void addBuffer(OpBuilder &builder, Value buffer);
  void addArgument(Value value) { arguments.push_back(value); }
  Value rebuild(OpBuilder &builder, Value buffer,
                Block::BlockArgListType::iterator &next);
  bool isSingle(size_t index) const;

  Operation *op;
  /// Values from above that regions use.
  llvm::SetVector<Value> captured;
  /// All values from above, constants apart.
  SmallVector<Value> used;
  SmallVector<Operation *> constants;
  /// What the call passes, and the root of each that is a buffer.
  SmallVector<Value> arguments, roots;
};
} // namespace

static bool isStatic(MemRefType type) {
  auto [strides, offset] = type.getStridesAndOffset();
  return type.hasStaticShape() && !ShapedType::isDynamicShape(strides) &&
         !ShapedType::isDynamic(offset);
}

/// The type that the buffer has in the function. Parts of a buffer that are
/// alike but for where they start share a function. What is used inside of a
/// region keeps its type, which those of views may follow from.
MemRefType Nest::getInnerType(Value buffer) const {
  auto type = cast<MemRefType>(buffer.getType());
  auto [strides, offset] = type.getStridesAndOffset();
  if (offset == 0 || !isStructured(op) || captured.contains(buffer))
    return type;
  return MemRefType::get(
      type.getShape(), type.getElementType(),
      StridedLayoutAttr::get(op->getContext(), ShapedType::kDynamic, strides));
}

Nest::Nest(Operation *op) : op(op) {
  getUsedValuesDefinedAbove(op->getRegions(), captured);
  llvm::SetVector<Value> above(op->operand_begin(), op->operand_end());
  above.insert_range(captured);
  OpBuilder builder(op);
  for (Value value : above) {
    Operation *source = value.getDefiningOp();
    if (source && source->hasTrait<OpTrait::ConstantLike>()) {
      constants.push_back(source);
      continue;
    }
    used.push_back(value);
    if (isa<MemRefType>(value.getType()))
      addBuffer(builder, value);
    else
      addArgument(value);
  }
  roots = llvm::map_to_vector(arguments, [](Value value) {
    return isa<MemRefType>(value.getType()) ? getRoot(value) : Value();
  });
}

/// A buffer of open sizes is passed as the element that it starts from, and
/// what is not known.
void Nest::addBuffer(OpBuilder &builder, Value buffer) {
  MemRefType type = getInnerType(buffer);
  if (isStatic(type))
    return addArgument(buffer);
  auto metadata =
      memref::ExtractStridedMetadataOp::create(builder, op->getLoc(), buffer);
  auto [strides, offset] = type.getStridesAndOffset();
  addArgument(metadata.getBaseBuffer());
  if (ShapedType::isDynamic(offset))
    addArgument(metadata.getOffset());
  for (auto [known, size] :
       llvm::zip_equal(type.getShape(), metadata.getSizes()))
    if (ShapedType::isDynamic(known))
      addArgument(size);
  for (auto [known, stride] : llvm::zip_equal(strides, metadata.getStrides()))
    if (ShapedType::isDynamic(known))
      addArgument(stride);
}

/// The buffer, within the function, from the arguments that start with `next`.
Value Nest::rebuild(OpBuilder &builder, Value buffer,
                    Block::BlockArgListType::iterator &next) {
  if (!isa<MemRefType>(buffer.getType()))
    return *next++;
  MemRefType type = getInnerType(buffer);
  if (isStatic(type))
    return *next++;
  Value base = *next++;
  auto fill = [&](ArrayRef<int64_t> known) {
    return llvm::map_to_vector(known, [&](int64_t value) -> OpFoldResult {
      if (ShapedType::isDynamic(value))
        return Value(*next++);
      return builder.getIndexAttr(value);
    });
  };
  auto [strides, offset] = type.getStridesAndOffset();
  OpFoldResult from = fill(offset).front();
  SmallVector<OpFoldResult> sizes = fill(type.getShape());
  return memref::ReinterpretCastOp::create(builder, op->getLoc(), type, base,
                                           from, sizes, fill(strides));
}

/// Whether no other argument leads to the memory of this one.
bool Nest::isSingle(size_t index) const {
  for (size_t other = 0; other != arguments.size(); ++other)
    if (other != index && isa<MemRefType>(arguments[other].getType()) &&
        !isDistinct(roots[index], roots[other]))
      return false;
  return isa<MemRefType>(arguments[index].getType()) && roots[index];
}

func::FuncOp Nest::createFunction() {
  OpBuilder builder(op->getContext());
  auto function = func::FuncOp::create(
      op->getLoc(), "loops",
      builder.getFunctionType(ValueRange(arguments).getTypes(), {}));
  function.setPrivate();
  function->setAttr("llvm.bareptr", builder.getUnitAttr());
  function->setAttr(
      "llvm.linkage",
      LLVM::LinkageAttr::get(builder.getContext(), LLVM::Linkage::Internal));
  for (size_t index = 0; index != arguments.size(); ++index)
    if (isSingle(index))
      function.setArgAttr(index, LLVM::LLVMDialect::getNoAliasAttrName(),
                          builder.getUnitAttr());
  Block *body = function.addEntryBlock();
  builder.setInsertionPointToStart(body);
  IRMapping mapping;
  auto next = body->getArguments().begin();
  for (Value value : used)
    mapping.map(value, rebuild(builder, value, next));
  for (Operation *constant : constants)
    builder.clone(*constant, mapping);
  builder.clone(*op, mapping);
  func::ReturnOp::create(builder, op->getLoc());
  return function;
}

void Nest::replace(func::FuncOp function) {
  OpBuilder builder(op);
  func::CallOp::create(builder, op->getLoc(), function, arguments);
  op->erase();
}

namespace {
struct OutlineLoops : prune::impl::OutlineLoopsPassBase<OutlineLoops> {
  using Base::Base;

  void runOnOperation() override {
    SharedFunctions functions(getOperation());
    for (auto function :
         llvm::to_vector(getOperation().getOps<func::FuncOp>())) {
      SmallVector<Operation *> nests = findNests(function);
      if (nests.size() < minNests)
        continue;
      for (Operation *op : nests) {
        Nest nest(op);
        nest.replace(functions.insert(nest.createFunction()));
      }
    }
  }
};
} // namespace
