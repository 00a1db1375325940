//===- Emitter.cpp - Sizes, tensors and elementwise computations ----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An elementwise body is written once, as the code of a linalg.generic. When
// all elements of all operands are known, the same body is folded operation by
// operation instead, so that constants and generated code cannot disagree.
//
// Sizes come from the file and are not trusted: a tensor of more than 2^40
// elements is refused here, before anything multiplies its sizes.
//
//===----------------------------------------------------------------------===//

#include "Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/DenseMap.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;

/// No tensor of a network has more elements.
static constexpr int64_t kMaxElements = int64_t(1) << 40;
/// Expressions of more terms become symbols of their own, so that no recursion
/// over them goes deep.
static constexpr unsigned kMaxTerms = 64;

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

Type mlir::prune::onnx_import::elementType(DataType type,
                                           MLIRContext *context) {
  Builder b(context);
  switch (type) {
  case DataType::Float:
    return b.getF32Type();
  case DataType::Double:
    return b.getF64Type();
  case DataType::Float16:
    return b.getF16Type();
  case DataType::BFloat16:
    return b.getBF16Type();
  case DataType::Int8:
  case DataType::UInt8:
    return b.getIntegerType(8);
  case DataType::Int16:
  case DataType::UInt16:
    return b.getIntegerType(16);
  case DataType::Int32:
  case DataType::UInt32:
    return b.getIntegerType(32);
  case DataType::Int64:
  case DataType::UInt64:
    return b.getIntegerType(64);
  case DataType::Bool:
    return b.getIntegerType(1);
  default:
    return nullptr;
  }
}

bool mlir::prune::onnx_import::isFloat(DataType type) {
  return type == DataType::Float || type == DataType::Double ||
         type == DataType::Float16 || type == DataType::BFloat16;
}

bool mlir::prune::onnx_import::isUnsigned(DataType type) {
  return type == DataType::UInt8 || type == DataType::UInt16 ||
         type == DataType::UInt32 || type == DataType::UInt64 ||
         type == DataType::Bool;
}

StringRef mlir::prune::onnx_import::nameOf(DataType type) {
  static const char *const names[] = {
      "undefined", "float",   "uint8",   "int8",   "uint16",  "int16",
      "int32",     "int64",   "string",  "bool",   "float16", "double",
      "uint32",    "uint64",  "complex64", "complex128", "bfloat16"};
  unsigned at = static_cast<unsigned>(type);
  return at < std::size(names) ? names[at] : "unknown";
}

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

InFlightDiagnostic Emitter::error() {
  state.failed = true;
  return emitError(loc);
}

AffineExpr Emitter::size(int64_t value) {
  return getAffineConstantExpr(value, state.context);
}

AffineExpr Emitter::symbol(Value index) {
  if (auto constant = getConstantIntValue(index))
    return size(*constant);
  state.symbols.push_back(index);
  return getAffineSymbolExpr(state.symbols.size() - 1, state.context);
}

std::optional<int64_t> Emitter::known(AffineExpr size) {
  if (auto constant = dyn_cast<AffineConstantExpr>(size))
    return constant.getValue();
  return std::nullopt;
}

std::optional<SmallVector<int64_t>> Emitter::known(ArrayRef<AffineExpr> sizes) {
  SmallVector<int64_t> values;
  for (AffineExpr size : sizes) {
    std::optional<int64_t> value = known(size);
    if (!value)
      return std::nullopt;
    values.push_back(*value);
  }
  return values;
}

AffineExpr Emitter::product(ArrayRef<AffineExpr> sizes) {
  AffineExpr result = size(1);
  for (AffineExpr size : sizes)
    result = result * size;
  return result;
}

Value Emitter::index(AffineExpr expr) {
  Scalar s(b, loc);
  switch (expr.getKind()) {
  case AffineExprKind::Constant:
    return s.index(cast<AffineConstantExpr>(expr).getValue());
  case AffineExprKind::SymbolId:
    return state.symbols[cast<AffineSymbolExpr>(expr).getPosition()];
  case AffineExprKind::DimId:
    llvm_unreachable("sizes have no dimensions");
  default:
    break;
  }
  auto binary = cast<AffineBinaryOpExpr>(expr);
  Value x = index(binary.getLHS());
  Value y = index(binary.getRHS());
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return s.add(x, y);
  case AffineExprKind::Mul:
    return s.mul(x, y);
  case AffineExprKind::FloorDiv:
    return arith::FloorDivSIOp::create(b, loc, x, y);
  case AffineExprKind::CeilDiv:
    return arith::CeilDivSIOp::create(b, loc, x, y);
  default: {
    // Euclidean: the remainder is never negative.
    Value remainder = s.rem(x, y);
    return s.select(s.compare(Order::LT, remainder, s.index(0)),
                    s.add(remainder, y), remainder);
  }
  }
}

OpFoldResult Emitter::fold(AffineExpr size) {
  if (std::optional<int64_t> value = known(size))
    return b.getIndexAttr(*value);
  return index(size);
}

SmallVector<OpFoldResult> Emitter::fold(ArrayRef<AffineExpr> sizes) {
  return llvm::map_to_vector(sizes, [&](AffineExpr size) { return fold(size); });
}

SmallVector<OpFoldResult> Emitter::fold(ArrayRef<int64_t> sizes) {
  return llvm::map_to_vector(
      sizes, [&](int64_t size) -> OpFoldResult { return b.getIndexAttr(size); });
}

bool Emitter::requireEqual(AffineExpr x, AffineExpr y, StringRef what) {
  if (x == y)
    return true;
  if (known(x) && known(y)) {
    error() << "expects equal " << what << ", but got " << text(x) << " and "
            << text(y);
    return false;
  }
  Value same = Scalar(b, loc).compare(Order::EQ, index(x), index(y));
  cf::AssertOp::create(b, loc, same, ("expects equal " + what).str());
  return true;
}

std::string Emitter::text(AffineExpr size) {
  std::string result;
  llvm::raw_string_ostream os(result);
  os << size;
  return result;
}

std::string Emitter::text(ArrayRef<AffineExpr> sizes) {
  std::string result = "[";
  for (AffineExpr size : sizes)
    result += (result.size() == 1 ? "" : ", ") + text(size);
  return result + "]";
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

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
  for (AffineExpr dim : dims) {
    int64_t size = known(dim).value_or(ShapedType::kDynamic);
    if (!ShapedType::isDynamic(size)) {
      if (size < 0 || size > kMaxElements || count > kMaxElements / std::max<int64_t>(size, 1)) {
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
    tensor->contents->ints.push_back(
        isSmall(element) ? element : symbol(index(element)));
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
  return makeInts(type, {}, size(static_cast<int64_t>(value)));
}

/// An integer that keeps its low bits, as all conversions do.
static APInt integerOf(Type type, int64_t value) {
  return APInt(type.getIntOrFloatBitWidth(), value, /*isSigned=*/true,
               /*implicitTrunc=*/true);
}

static APFloat floatOf(Type type, double value) {
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
  return b.getIntegerAttr(element,
                          integerOf(element, static_cast<int64_t>(value)));
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

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

std::optional<Sizes> Emitter::broadcast(ArrayRef<AffineExpr> x,
                                        ArrayRef<AffineExpr> y) {
  if (x.size() < y.size())
    std::swap(x, y);
  Sizes result(x.begin(), x.end());
  unsigned offset = x.size() - y.size();
  for (auto [at, dim] : llvm::enumerate(y)) {
    AffineExpr &other = result[offset + at];
    if (dim == other || known(dim) == 1)
      continue;
    if (known(other) == 1) {
      other = dim;
      continue;
    }
    if (known(dim) && known(other))
      error() << "cannot broadcast " << text(x) << " with " << text(y);
    else
      error() << "cannot decide how " << text(x) << " and " << text(y)
              << " broadcast; fix the sizes with --dim";
    return std::nullopt;
  }
  return result;
}

Value Emitter::operandOf(Tensor *tensor, ArrayRef<AffineExpr> dims,
                         AffineMap &map) {
  unsigned offset = dims.size() - tensor->rank();
  SmallVector<AffineExpr> exprs;
  SmallVector<int64_t> stretched;
  for (auto [at, dim] : llvm::enumerate(tensor->dims)) {
    if (dim != dims[offset + at])
      stretched.push_back(at);
    else
      exprs.push_back(b.getAffineDimExpr(offset + at));
  }
  map = AffineMap::get(dims.size(), 0, exprs, state.context);
  if (stretched.empty())
    return value(tensor);
  return value(squeeze(tensor, stretched));
}

namespace {
/// Evaluates a body on known elements with the operations' own folders.
class Evaluator {
public:
  Evaluator(Emitter &emitter, ArrayRef<DataType> operands, MapBody body)
      : builder(emitter.state.context) {
    for (DataType operand : operands) {
      types.push_back(elementType(operand, emitter.state.context));
      block.addArgument(types.back(), emitter.loc);
    }
    builder.setInsertionPointToStart(&block);
    Scalar s(builder, emitter.loc, isUnsigned(operands.front()));
    result = body(s, block.getArguments());
  }

  /// The result for these elements, or null.
  Attribute run(ArrayRef<Attribute> elements) {
    llvm::DenseMap<Value, Attribute> values;
    for (auto [argument, element] : llvm::zip(block.getArguments(), elements))
      values[argument] = element;
    for (Operation &op : block) {
      SmallVector<Attribute> operands;
      for (Value operand : op.getOperands())
        operands.push_back(values.lookup(operand));
      SmallVector<OpFoldResult> folded;
      if (op.getNumResults() != 1 || failed(op.fold(operands, folded)) ||
          folded.size() != 1)
        return nullptr;
      auto attribute = dyn_cast<Attribute>(folded.front());
      values[op.getResult(0)] =
          attribute ? attribute : values.lookup(cast<Value>(folded.front()));
    }
    return values.lookup(result);
  }

  Attribute element(const Contents &contents, unsigned operand, int64_t at) {
    Type type = types[operand];
    if (auto floating = dyn_cast<FloatType>(type))
      return FloatAttr::get(floating, floatOf(floating, contents.floats[at]));
    return IntegerAttr::get(
        type, integerOf(type, cast<AffineConstantExpr>(contents.ints[at])
                                  .getValue()));
  }

private:
  Block block;
  OpBuilder builder;
  Value result;
  SmallVector<Type> types;
};
} // namespace

SmallVector<int64_t> mlir::prune::onnx_import::range(int64_t first,
                                                     int64_t last) {
  SmallVector<int64_t> values;
  for (int64_t value = first; value < last; ++value)
    values.push_back(value);
  return values;
}

void mlir::prune::onnx_import::forEachPosition(
    ArrayRef<int64_t> shape, function_ref<void(ArrayRef<int64_t>)> visit) {
  SmallVector<int64_t> at(shape.size(), 0);
  if (llvm::is_contained(shape, 0))
    return;
  while (true) {
    visit(at);
    int64_t dim = shape.size();
    while (dim-- > 0 && ++at[dim] == shape[dim])
      at[dim] = 0;
    if (dim < 0)
      return;
  }
}

/// Whether all elements of all operands are known, and few.
static bool areKnown(ArrayRef<Tensor *> operands) {
  return llvm::all_of(operands, [](Tensor *tensor) {
    return tensor->contents && tensor->isConstant() &&
           (!tensor->isNamed() || tensor->contents->floats.size() == 1);
  });
}

/// The row-major position of `at` in an operand that broadcasts.
static int64_t positionIn(const Tensor &tensor, ArrayRef<int64_t> at) {
  int64_t position = 0;
  unsigned offset = at.size() - tensor.rank();
  for (auto [dim, size] : llvm::enumerate(tensor.dims)) {
    int64_t extent = *Emitter::known(size);
    position = position * extent + (extent == 1 ? 0 : at[offset + dim]);
  }
  return position;
}

/// Appends a folded element.
static void append(Contents &contents, Attribute element, DataType type) {
  if (auto number = dyn_cast<FloatAttr>(element)) {
    APFloat value = number.getValue();
    bool inexact;
    value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                  &inexact);
    contents.floats.push_back(value.convertToDouble());
    return;
  }
  APInt value = cast<IntegerAttr>(element).getValue();
  contents.ints.push_back(getAffineConstantExpr(
      isUnsigned(type) ? value.getZExtValue() : value.getSExtValue(),
      element.getContext()));
}

/// The map on known elements, or null if it does not fold.
static Tensor *mapKnown(Emitter &emitter, ArrayRef<Tensor *> operands,
                        ArrayRef<AffineExpr> dims, DataType type,
                        MapBody body) {
  std::optional<SmallVector<int64_t>> shape = Emitter::known(dims);
  if (!shape)
    return nullptr;
  int64_t count = 1;
  for (int64_t size : *shape)
    count = std::min(count * size, kMaxContents + 1);
  if (count > kMaxContents)
    return nullptr;
  SmallVector<DataType> types;
  for (Tensor *operand : operands)
    types.push_back(operand->type);
  Evaluator evaluator(emitter, types, body);
  Contents contents;
  bool folds = true;
  forEachPosition(*shape, [&](ArrayRef<int64_t> at) {
    if (!folds)
      return;
    SmallVector<Attribute> elements;
    for (auto [number, operand] : llvm::enumerate(operands))
      elements.push_back(evaluator.element(*operand->contents, number,
                                           positionIn(*operand, at)));
    if (Attribute result = evaluator.run(elements))
      append(contents, result, type);
    else
      folds = false;
  });
  if (!folds)
    return nullptr;
  Tensor *result = emitter.make(nullptr, type, dims);
  result->contents = std::move(contents);
  return result;
}

Tensor *Emitter::map(ArrayRef<Tensor *> operands, DataType type, MapBody body) {
  if (llvm::is_contained(operands, nullptr))
    return nullptr;
  Sizes dims;
  for (Tensor *operand : operands) {
    std::optional<Sizes> both = broadcast(dims, operand->dims);
    if (!both)
      return nullptr;
    dims = *both;
  }
  typeOf(dims, type);
  if (state.failed)
    return nullptr;
  if (areKnown(operands))
    if (Tensor *folded = mapKnown(*this, operands, dims, type, body))
      return folded;

  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  SmallVector<std::optional<TypedAttr>> inlined;
  for (Tensor *operand : operands) {
    // Numbers are written where they are used. Not all of them: a generic
    // needs no operand, but the one that gives the shape says what happens.
    if (std::optional<double> number = scalarOf(operand);
        number && std::abs(*number) < 9e15) {
      inlined.push_back(attribute(operand->type, *number));
      continue;
    }
    inlined.push_back(std::nullopt);
    inputs.push_back(operandOf(operand, dims, maps.emplace_back()));
  }
  maps.push_back(AffineMap::getMultiDimIdentityMap(dims.size(), state.context));
  Value init = empty(dims, type);
  SmallVector<utils::IteratorType> iterators(dims.size(),
                                             utils::IteratorType::parallel);
  auto generic = linalg::GenericOp::create(
      b, loc, init.getType(), inputs, init, maps, iterators,
      [&](OpBuilder &nested, Location at, ValueRange arguments) {
        Scalar s(nested, at, isUnsigned(operands.front()->type));
        SmallVector<Value> elements;
        unsigned next = 0;
        for (std::optional<TypedAttr> number : inlined)
          elements.push_back(
              number ? Value(arith::ConstantOp::create(nested, at, *number))
                     : arguments[next++]);
        linalg::YieldOp::create(nested, at, body(s, elements));
      });
  return make(generic.getResult(0), type, dims);
}

Tensor *Emitter::generate(ArrayRef<AffineExpr> dims, DataType type,
                          MapBody body) {
  Value init = empty(dims, type);
  if (state.failed)
    return nullptr;
  SmallVector<utils::IteratorType> iterators(dims.size(),
                                             utils::IteratorType::parallel);
  auto generic = linalg::GenericOp::create(
      b, loc, init.getType(), ValueRange(), init,
      AffineMap::getMultiDimIdentityMap(dims.size(), state.context), iterators,
      [&](OpBuilder &nested, Location at, ValueRange) {
        Scalar s(nested, at, isUnsigned(type));
        SmallVector<Value> position;
        for (unsigned dim = 0; dim < dims.size(); ++dim)
          position.push_back(linalg::IndexOp::create(nested, at, dim));
        linalg::YieldOp::create(nested, at, body(s, position));
      });
  return make(generic.getResult(0), type, dims);
}

Tensor *Emitter::unary(StringRef name, Tensor *x) {
  if (!x)
    return nullptr;
  return map(x, x->type,
             [&](Scalar &s, ValueRange v) { return s.unary(name, v[0]); });
}

#define BINARY(NAME)                                                           \
  Tensor *Emitter::NAME(Tensor *x, Tensor *y) {                                \
    if (!x || !y)                                                              \
      return nullptr;                                                          \
    return map({x, y}, x->type,                                                \
               [](Scalar &s, ValueRange v) { return s.NAME(v[0], v[1]); });    \
  }
BINARY(add)
BINARY(sub)
BINARY(mul)
BINARY(div)
#undef BINARY

Tensor *Emitter::convert(Tensor *x, DataType type) {
  if (!x || x->type == type)
    return x;
  // Sizes pass through conversions between the types that hold them.
  auto wide = [](DataType t) {
    return t == DataType::Int64 || t == DataType::Int32;
  };
  if (x->contents && !x->isConstant() && wide(x->type) && wide(type))
    return makeInts(type, x->dims, x->contents->ints);
  DataType from = x->type;
  return map(x, type, [&](Scalar &s, ValueRange v) {
    Scalar target(s.b, s.loc, isUnsigned(type));
    return target.cast(v[0], elementType(type, state.context),
                       isUnsigned(from));
  });
}
