//===- Emitter.cpp - Tensors and what is known of them --------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Constants are kept as elements or as a stored attribute until an operation
// needs them in the IR; many only say shapes and never do.
//
// Sizes come from the file and are not trusted: a tensor of more than 2^40
// elements is refused here, before anything multiplies its sizes.
//
//===----------------------------------------------------------------------===//

#include "Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;

/// Expressions of more terms become symbols of their own, so that no recursion
/// over them goes deep.
static constexpr unsigned kMaxTerms = 64;

bool Tensor::isConstant() const {
  if (constant)
    return true;
  return contents && llvm::all_of(contents->ints, [](AffineExpr element) {
           return isa<AffineConstantExpr>(element);
         });
}

bool Tensor::isNamed() const {
  return isa_and_present<DenseResourceElementsAttr>(constant);
}

RankedTensorType Emitter::typeOf(ArrayRef<AffineExpr> dims, DataType type) {
  SmallVector<int64_t> shape;
  int64_t count = 1;
  if (static_cast<int64_t>(dims.size()) > kMaxRank) {
    if (!state.failed)
      error() << "would make a tensor of " << dims.size()
              << " dimensions; it has at most " << kMaxRank << " dimensions";
    state.failed = true;
  }
  for (AffineExpr dim : dims) {
    int64_t size = known(dim).value_or(ShapedType::kDynamic);
    if (!ShapedType::isDynamic(size)) {
      if (size < 0 || size > kMaxElements ||
          count > kMaxElements / std::max<int64_t>(size, 1)) {
        if (!state.failed)
          error() << "would make a tensor of sizes " << text(dims)
                  << "; a size must not be negative, and a tensor has at most "
                  << kMaxElements << " elements";
        state.failed = true;
        size = ShapedType::kDynamic;
      } else {
        count *= std::max<int64_t>(size, 1);
      }
    }
    shape.push_back(size);
  }
  return RankedTensorType::get(shape, elementType(type, state.context));
}

/// Whether an expression has few enough terms to be walked recursively.
static bool isSmall(AffineExpr expr) {
  SmallVector<AffineExpr> work = {expr};
  for (unsigned terms = 0; !work.empty(); ++terms) {
    if (terms == kMaxTerms)
      return false;
    if (auto binary = dyn_cast<AffineBinaryOpExpr>(work.pop_back_val())) {
      work.push_back(binary.getLHS());
      work.push_back(binary.getRHS());
    }
  }
  return true;
}

Tensor *Emitter::make(Value value, DataType type, ArrayRef<AffineExpr> dims) {
  Tensor &tensor = state.tensors.emplace_back();
  tensor.type = type;
  tensor.value = value;
  for (AffineExpr dim : dims)
    tensor.dims.push_back(isSmall(dim) ? dim : symbol(index(dim)));
  return &tensor;
}

Tensor *Emitter::makeInts(DataType type, ArrayRef<AffineExpr> dims,
                          ArrayRef<AffineExpr> ints) {
  Tensor *tensor = make(nullptr, type, dims);
  tensor->contents.emplace();
  for (AffineExpr element : ints)
    tensor->contents->ints.push_back(isSmall(element) ? element
                                                      : symbol(index(element)));
  return tensor;
}

Tensor *Emitter::makeFloats(DataType type, ArrayRef<AffineExpr> dims,
                            ArrayRef<double> floats) {
  Tensor *tensor = make(nullptr, type, dims);
  tensor->contents.emplace();
  tensor->contents->floats.assign(floats.begin(), floats.end());
  return tensor;
}

Tensor *Emitter::number(DataType type, double value) {
  if (isFloat(type))
    return makeFloats(type, {}, value);
  return makeInts(type, {}, size(toInteger(value)));
}

APInt mlir::prune::onnx_import::integerOf(Type type, int64_t value) {
  return APInt(type.getIntOrFloatBitWidth(), value, /*isSigned=*/true,
               /*implicitTrunc=*/true);
}

APFloat mlir::prune::onnx_import::floatOf(Type type, double value) {
  APFloat result(value);
  bool inexact;
  result.convert(cast<FloatType>(type).getFloatSemantics(),
                 APFloat::rmNearestTiesToEven, &inexact);
  return result;
}

/// The elements as an attribute, or null if some are known at run time only.
static ElementsAttr toAttribute(RankedTensorType type, Tensor &tensor) {
  if (!tensor.isConstant() || !type.hasStaticShape())
    return nullptr;
  Type element = type.getElementType();
  if (isa<FloatType>(element)) {
    SmallVector<APFloat> values;
    for (double value : tensor.contents->floats)
      values.push_back(floatOf(element, value));
    return DenseElementsAttr::get(type, values);
  }
  SmallVector<APInt> values;
  for (AffineExpr value : tensor.contents->ints)
    values.push_back(
        integerOf(element, cast<AffineConstantExpr>(value).getValue()));
  return DenseElementsAttr::get(type, values);
}

Value Emitter::value(Tensor *tensor) {
  if (tensor->value)
    return tensor->value;
  RankedTensorType type = typeOf(tensor->dims, tensor->type);
  if (!tensor->constant)
    tensor->constant = toAttribute(type, *tensor);
  if (tensor->constant) {
    OpBuilder::InsertionGuard guard(b);
    if (state.lastConstant)
      b.setInsertionPointAfter(state.lastConstant);
    else
      b.setInsertionPointToStart(state.entry);
    state.lastConstant =
        arith::ConstantOp::create(b, loc, cast<TypedAttr>(tensor->constant));
    return tensor->value = state.lastConstant->getResult(0);
  }
  // Not kept: the place may be inside of a branch.
  SmallVector<Value> elements;
  for (AffineExpr element : tensor->contents->ints)
    elements.push_back(
        Scalar(b, loc).fromIndex(index(element), type.getElementType()));
  return tensor::FromElementsOp::create(b, loc, type, elements);
}

Value Emitter::empty(ArrayRef<AffineExpr> dims, DataType type) {
  RankedTensorType result = typeOf(dims, type);
  SmallVector<Value> dynamic;
  for (auto [at, dim] : llvm::enumerate(dims))
    if (result.isDynamicDim(at))
      dynamic.push_back(index(dim));
  return tensor::EmptyOp::create(b, loc, result, dynamic);
}

TypedAttr Emitter::attribute(DataType type, double value) {
  Type element = elementType(type, state.context);
  if (isa<FloatType>(element))
    return b.getFloatAttr(element, value);
  return b.getIntegerAttr(element, integerOf(element, toInteger(value)));
}

TypedAttr Emitter::extreme(DataType type, bool greatest) {
  OpBuilder scratch(state.context);
  Scalar s(scratch, loc, isUnsigned(type));
  Operation *op =
      s.extreme(elementType(type, state.context), greatest).getDefiningOp();
  auto value = cast<arith::ConstantOp>(op).getValue();
  op->destroy();
  return value;
}

Value Emitter::splat(ArrayRef<AffineExpr> dims, DataType type, double value) {
  return splat(dims, type, attribute(type, value));
}

Value Emitter::splat(ArrayRef<AffineExpr> dims, DataType type,
                     TypedAttr value) {
  Value scalar = arith::ConstantOp::create(b, loc, value);
  return linalg::FillOp::create(b, loc, scalar, empty(dims, type)).getResult(0);
}

std::optional<double> Emitter::scalarOf(Tensor *tensor) {
  if (!tensor || !tensor->contents || !tensor->isConstant())
    return std::nullopt;
  if (tensor->contents->floats.size() == 1)
    return tensor->contents->floats[0];
  if (tensor->contents->ints.size() == 1)
    return static_cast<double>(*known(tensor->contents->ints[0]));
  return std::nullopt;
}
