//===- Elementwise.cpp - Elementwise computations -------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An elementwise body is written once, as the code of a linalg.generic. When
// all elements of all operands are known, the same body is folded operation by
// operation instead, so that constants and generated code cannot disagree.
//
//===----------------------------------------------------------------------===//

#include "Emitter.h"
#include "NarrowTypes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/ADT/DenseMap.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;

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
class ElementEvaluator {
public:
  ElementEvaluator(Emitter &emitter, ArrayRef<DataType> operands, MapBody body)
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
      if (auto rounding = dyn_cast<arith::TruncFOp>(op)) {
        // Its own folder does not round.
        auto number = dyn_cast_or_null<FloatAttr>(operands[0]);
        if (!number)
          return nullptr;
        APFloat value = number.getValue();
        bool inexact;
        value.convert(cast<FloatType>(rounding.getType()).getFloatSemantics(),
                      APFloat::rmNearestTiesToEven, &inexact);
        values[rounding] = FloatAttr::get(rounding.getType(), value);
        continue;
      }
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
        type,
        integerOf(type,
                  cast<AffineConstantExpr>(contents.ints[at]).getValue()));
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
  ElementEvaluator evaluator(emitter, types, body);
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

/// Whether a body does several things to numbers of 16 bits.
static bool isNarrowFunction(Emitter &emitter, ArrayRef<Tensor *> operands,
                             MapBody body) {
  auto isNarrowTensor = [](Tensor *x) { return isHalf(x->type); };
  if (llvm::none_of(operands, isNarrowTensor))
    return false;
  Block block;
  OpBuilder builder(emitter.state.context);
  for (Tensor *operand : operands)
    block.addArgument(elementType(operand->type, emitter.state.context),
                      emitter.loc);
  builder.setInsertionPointToStart(&block);
  Scalar s(builder, emitter.loc, isUnsigned(operands.front()->type));
  (void)body(s, block.getArguments());
  return llvm::count_if(block, [](Operation &op) {
           return !op.hasTrait<OpTrait::ConstantLike>();
         }) > 1;
}

Tensor *Emitter::map(ArrayRef<Tensor *> operands, DataType type, MapBody body) {
  if (llvm::is_contained(operands, nullptr))
    return nullptr;
  if (!isNarrowFunction(*this, operands, body))
    return mapAsIs(operands, type, body);
  auto wide = [&](Scalar &s, ValueRange v) {
    Type narrow = elementType(type, state.context), f32 = s.b.getF32Type();
    SmallVector<Value> elements;
    for (auto [element, operand] : llvm::zip_equal(v, operands))
      elements.push_back(isHalf(operand->type) ? s.cast(element, f32, false)
                                               : element);
    Value result = body(s, elements);
    return isHalf(type) ? s.cast(result, narrow, false) : result;
  };
  return mapAsIs(operands, type, wide);
}

Tensor *Emitter::mapAsIs(ArrayRef<Tensor *> operands, DataType type,
                         MapBody body) {
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
  if (isNarrowFloat(type))
    return toNarrow(x, type, /*saturates=*/true);
  return map(x, type, [&](Scalar &s, ValueRange v) {
    Scalar target(s.b, s.loc, isUnsigned(type));
    Value result =
        target.cast(v[0], elementType(type, state.context), isUnsigned(from));
    return isNarrowInteger(type) ? wrapToNarrow(s, result, type) : result;
  });
}

Tensor *Emitter::toNarrow(Tensor *x, DataType type, bool saturates) {
  if (!x || x->type == type)
    return x;
  bool natural = isUnsigned(x->type);
  return map(x, type, [&](Scalar &s, ValueRange v) {
    Value wide = s.cast(v[0], s.b.getF64Type(), natural);
    Value rounded = roundToNarrow(s, wide, type, saturates);
    // Exact; no processor goes there in one step.
    return s.cast(s.cast(rounded, s.b.getF32Type(), false),
                  elementType(type, state.context), false);
  });
}
