//===- Arithmetic.cpp - Elementwise operators of several inputs -----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arithmetic, comparison, logic and conversions, with ONNX's broadcasting.
// Integers that hold sizes are computed at import even where a size is not
// known, as expressions.
//
//===----------------------------------------------------------------------===//

#include "Import/Emitter/NarrowTypes.h"
#include "Import/Model/Node.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;

/// Whether an expression cannot be negative: sizes, sums and products of them.
static bool isNatural(AffineExpr expr) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return constant.getValue() >= 0;
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  return !binary || (isNatural(binary.getLHS()) && isNatural(binary.getRHS()));
}

/// A size from two, or null where an expression cannot say it.
static AffineExpr combine(StringRef op, AffineExpr x, AffineExpr y) {
  if (op == "Add")
    return x + y;
  if (op == "Sub")
    return x - y;
  if (op == "Mul")
    return x * y;
  auto divisor = dyn_cast<AffineConstantExpr>(y);
  if (!divisor || divisor.getValue() <= 0 || !isNatural(x))
    return nullptr;
  if (op == "Div")
    return x.floorDiv(y);
  return op == "Mod" ? x % y : nullptr;
}

/// Integer arithmetic with sizes that are not known; null if it is not that.
static Tensor *combineSizes(Node &n, StringRef op, Tensor *x, Tensor *y) {
  bool sizes = x->contents && y->contents && x->type == DataType::Int64 &&
               y->type == DataType::Int64 && x->rank() <= 1 && y->rank() <= 1;
  if (!sizes || (x->isConstant() && y->isConstant()))
    return nullptr;
  ArrayRef<AffineExpr> xs = x->contents->ints, ys = y->contents->ints;
  if (xs.size() != ys.size() && xs.size() != 1 && ys.size() != 1)
    return nullptr;
  SmallVector<AffineExpr> results;
  size_t count = xs.size() == 1 ? ys.size() : xs.size();
  for (size_t at = 0; at < count; ++at) {
    AffineExpr result =
        combine(op, xs[xs.size() == 1 ? 0 : at], ys[ys.size() == 1 ? 0 : at]);
    if (!result)
      return nullptr;
    results.push_back(result);
  }
  Sizes dims;
  if (x->rank() + y->rank() != 0)
    dims.push_back(n.size(results.size()));
  return n.makeInts(x->type, dims, results);
}

/// Until opset 6 the second operand is aligned by an attribute.
static Tensor *alignOld(Node &n, Tensor *x, Tensor *y) {
  if (n.opset >= 7)
    return y;
  int64_t broadcast = n.integer("broadcast", 0);
  int64_t at = n.integer("axis", x->rank() - y->rank());
  if (!broadcast || y->rank() == 0)
    return y;
  std::optional<int64_t> axis = n.axis(at, std::max<int64_t>(x->rank(), 1));
  if (!axis || *axis + y->rank() > x->rank()) {
    n.error() << "cannot align " << n.text(y->dims) << " with "
              << n.text(x->dims) << " at axis " << at;
    return nullptr;
  }
  Sizes dims = y->dims;
  dims.append(x->rank() - *axis - y->rank(), n.size(1));
  return n.reshape(y, dims);
}

/// Both operands, of one type and aligned.
static bool operands(Node &n, Tensor *&x, Tensor *&y) {
  if (!n.sameTypes({0, 1}))
    return false;
  x = n.input(0);
  y = alignOld(n, x, n.input(1));
  return y;
}

template <Value (Scalar::*Op)(Value, Value)>
static LogicalResult importBinary(Node &n) {
  Tensor *x, *y;
  if (!operands(n, x, y))
    return failure();
  if (Tensor *sizes = combineSizes(n, n.proto.op_type(), x, y))
    return n.output(sizes);
  return n.output(n.map({x, y}, x->type, [](Scalar &s, ValueRange v) {
    return (s.*Op)(v[0], v[1]);
  }));
}

template <Order O> static LogicalResult importCompare(Node &n) {
  Tensor *x, *y;
  if (!operands(n, x, y))
    return failure();
  return n.output(n.map({x, y}, DataType::Bool, [](Scalar &s, ValueRange v) {
    return s.compare(O, v[0], v[1]);
  }));
}

/// Min, Max, Sum, Mean: any number of inputs.
template <Value (Scalar::*Op)(Value, Value)>
static LogicalResult importVariadic(Node &n) {
  // Maxima and minima are exact.
  StringRef name = n.proto.op_type();
  if (name == "Sum" || name == "Mean")
    n.computeWide();
  Tensor *result = n.input(0);
  for (unsigned at = 1; at < n.numInputs(); ++at) {
    if (!n.input(at))
      return n.error() << "input " << at << " is missing";
    if (!n.sameTypes({0, at}))
      return failure();
    result = n.map({result, n.input(at)}, result->type,
                   [](Scalar &s, ValueRange v) { return (s.*Op)(v[0], v[1]); });
    if (!result)
      return failure();
  }
  if (name == "Mean")
    result = n.div(result, n.Emitter::number(result->type, n.numInputs()));
  return n.output(result);
}

static LogicalResult importMod(Node &n) {
  Tensor *x, *y;
  bool likeC = n.integer("fmod", 0);
  if (!operands(n, x, y))
    return failure();
  if (!likeC && isFloat(x->type))
    return n.error() << "expects integers where fmod is 0, but got "
                     << nameOf(x->type);
  if (!likeC)
    if (Tensor *sizes = combineSizes(n, "Mod", x, y))
      return n.output(sizes);
  return n.output(n.map({x, y}, x->type, [&](Scalar &s, ValueRange v) {
    Value remainder = s.rem(v[0], v[1]);
    if (likeC || isUnsigned(x->type))
      return remainder;
    // Python's sign: the divisor's.
    Value zero = s.integer(remainder.getType(), 0);
    Value differs = s.compare(Order::LT, s.bitXor(remainder, v[1]), zero);
    Value wrong = s.bitAnd(differs, s.compare(Order::NE, remainder, zero));
    return s.select(wrong, s.add(remainder, v[1]), remainder);
  }));
}

static LogicalResult importPow(Node &n) {
  Tensor *x = n.input(0);
  Tensor *y = alignOld(n, x, n.input(1));
  if (!y)
    return failure();
  if (isFloat(x->type) && n.scalarOf(y) == 2.0) {
    if (!n.broadcast(x->dims, y->dims))
      return failure();
    return n.output(n.map({x, y}, x->type, [](Scalar &s, ValueRange v) {
      return s.mul(v[0], v[0]);
    }));
  }
  if (!isFloat(x->type) && isFloat(y->type)) {
    DataType wide = y->type;
    Tensor *power =
        n.map({n.convert(x, wide), y}, wide,
              [](Scalar &s, ValueRange v) { return s.pow(v[0], v[1]); });
    return n.output(n.convert(power, x->type));
  }
  y = n.convert(y, x->type);
  return n.output(n.map({x, y}, x->type, [](Scalar &s, ValueRange v) {
    return s.pow(v[0], v[1]);
  }));
}

template <Value (Scalar::*Op)(Value, Value)>
static LogicalResult importLogic(Node &n) {
  Tensor *x, *y;
  if (!operands(n, x, y))
    return failure();
  if (isFloat(x->type))
    return n.error() << "expects booleans or integers, but got "
                     << nameOf(x->type);
  return n.output(n.map({x, y}, x->type, [](Scalar &s, ValueRange v) {
    return (s.*Op)(v[0], v[1]);
  }));
}

static LogicalResult importShift(Node &n) {
  Tensor *x, *y;
  std::string direction = n.string("direction", "");
  if (direction != "LEFT" && direction != "RIGHT")
    return n.error() << "expects direction LEFT or RIGHT, but got '"
                     << direction << "'";
  if (!operands(n, x, y))
    return failure();
  return n.output(n.map({x, y}, x->type, [&](Scalar &s, ValueRange v) {
    return s.shift(direction == "LEFT", v[0], v[1]);
  }));
}

static LogicalResult importNot(Node &n) {
  Tensor *x = n.input(0);
  if (isFloat(x->type))
    return n.error() << "expects booleans or integers, but got "
                     << nameOf(x->type);
  return n.output(n.map(x, x->type, [](Scalar &s, ValueRange v) {
    return s.bitXor(v[0], s.integer(v[0].getType(), -1));
  }));
}

/// A choice between sizes under a known condition, element by element.
static Tensor *chooseSizes(Node &n) {
  Tensor *condition = n.input(0), *x = n.input(1), *y = n.input(2);
  if (!condition->contents || !condition->isConstant() || !x->contents ||
      !y->contents || isFloat(x->type))
    return nullptr;
  std::optional<Sizes> dims = n.broadcast(condition->dims, x->dims);
  if (dims)
    dims = n.broadcast(*dims, y->dims);
  if (!dims || !Emitter::known(*dims))
    return nullptr;
  condition = n.expand(condition, *dims);
  x = n.expand(x, *dims);
  y = n.expand(y, *dims);
  if (!condition->contents || !x->contents || !y->contents)
    return nullptr;
  SmallVector<AffineExpr> chosen;
  for (auto [which, yes, no] : llvm::zip(condition->contents->ints,
                                         x->contents->ints, y->contents->ints))
    chosen.push_back(which == n.size(0) ? no : yes);
  return n.makeInts(x->type, *dims, chosen);
}

static LogicalResult importWhere(Node &n) {
  if (!n.sameTypes({1, 2}))
    return failure();
  if (n.input(0)->type != DataType::Bool)
    return n.error() << "expects a boolean condition, but got "
                     << nameOf(n.input(0)->type);
  if (Tensor *chosen = chooseSizes(n))
    return n.output(chosen);
  return n.output(n.map(
      {n.input(0), n.input(1), n.input(2)}, n.input(1)->type,
      [](Scalar &s, ValueRange v) { return s.select(v[0], v[1], v[2]); }));
}

/// A conversion, by what the attributes say of floats of 8 bits.
static LogicalResult castTo(Node &n, DataType type) {
  bool saturates = n.opset < 19 || n.integer("saturate", 1) != 0;
  if (n.opset >= 24)
    (void)n.string("round_mode", "up");
  if (!elementType(type, n.state.context) || type == DataType::Float8E8M0)
    return n.error() << "cannot convert to " << nameOf(type);
  if (isNarrowFloat(type))
    return n.output(n.toNarrow(n.input(0), type, saturates));
  return n.output(n.convert(n.input(0), type));
}

static LogicalResult importCast(Node &n) {
  return castTo(n, static_cast<DataType>(n.integer("to", 0)));
}

static LogicalResult importCastLike(Node &n) {
  return castTo(n, n.input(1)->type);
}

/// The same bits read as another type. Booleans are one bit here.
static LogicalResult importBitCast(Node &n) {
  Tensor *x = n.input(0);
  auto type = static_cast<DataType>(n.integer("to", 0));
  Type from = elementType(x->type, n.state.context);
  Type to = elementType(type, n.state.context);
  if (!to || narrowBits(x->type) || narrowBits(type) ||
      from.getIntOrFloatBitWidth() != to.getIntOrFloatBitWidth())
    return n.error() << "cannot read the bits of " << nameOf(x->type) << " as "
                     << nameOf(type);
  return n.output(n.map(x, type, [&](Scalar &s, ValueRange v) -> Value {
    return from == to ? v[0]
                      : Value(arith::BitcastOp::create(s.b, s.loc, to, v[0]));
  }));
}

ArrayRef<Operator> mlir::prune::onnx_import::arithmeticOperators() {
  static const Operator operators[] = {
      {"Add", 1, kNewest, 2, ChannelRule::Elementwise,
       importBinary<&Scalar::add>},
      {"And", 1, kNewest, 2, ChannelRule::Elementwise,
       importLogic<&Scalar::bitAnd>},
      {"BitCast", 26, kNewest, 1, ChannelRule::Keep, importBitCast,
       "no booleans"},
      {"BitShift", 11, kNewest, 2, ChannelRule::Elementwise, importShift},
      {"BitwiseAnd", 18, kNewest, 2, ChannelRule::Keep,
       importLogic<&Scalar::bitAnd>},
      {"BitwiseNot", 18, kNewest, 1, ChannelRule::Keep, importNot},
      {"BitwiseOr", 18, kNewest, 2, ChannelRule::Keep,
       importLogic<&Scalar::bitOr>},
      {"BitwiseXor", 18, kNewest, 2, ChannelRule::Keep,
       importLogic<&Scalar::bitXor>},
      {"Cast", 6, kNewest, 1, ChannelRule::Elementwise, importCast,
       "no strings, not to float8e8m0"},
      {"CastLike", 15, kNewest, 2, ChannelRule::Elementwise, importCastLike,
       "no strings, not to float8e8m0"},
      {"Div", 1, kNewest, 2, ChannelRule::Elementwise,
       importBinary<&Scalar::div>},
      {"Equal", 1, kNewest, 2, ChannelRule::Elementwise,
       importCompare<Order::EQ>},
      {"Greater", 1, kNewest, 2, ChannelRule::Elementwise,
       importCompare<Order::GT>},
      {"GreaterOrEqual", 12, kNewest, 2, ChannelRule::Elementwise,
       importCompare<Order::GE>},
      {"Less", 1, kNewest, 2, ChannelRule::Elementwise,
       importCompare<Order::LT>},
      {"LessOrEqual", 12, kNewest, 2, ChannelRule::Elementwise,
       importCompare<Order::LE>},
      {"Max", 1, kNewest, 1, ChannelRule::Elementwise,
       importVariadic<&Scalar::max>},
      {"Mean", 1, kNewest, 1, ChannelRule::Elementwise,
       importVariadic<&Scalar::add>},
      {"Min", 1, kNewest, 1, ChannelRule::Elementwise,
       importVariadic<&Scalar::min>},
      {"Mod", 10, kNewest, 2, ChannelRule::Elementwise, importMod},
      {"Mul", 1, kNewest, 2, ChannelRule::Elementwise,
       importBinary<&Scalar::mul>},
      {"Not", 1, kNewest, 1, ChannelRule::Elementwise, importNot},
      {"Or", 1, kNewest, 2, ChannelRule::Elementwise,
       importLogic<&Scalar::bitOr>},
      {"Pow", 1, kNewest, 2, ChannelRule::Elementwise, importPow},
      {"Sub", 1, kNewest, 2, ChannelRule::Elementwise,
       importBinary<&Scalar::sub>},
      {"Sum", 1, kNewest, 1, ChannelRule::Elementwise,
       importVariadic<&Scalar::add>},
      {"Where", 9, kNewest, 3, ChannelRule::Elementwise, importWhere},
      {"Xor", 1, kNewest, 2, ChannelRule::Elementwise,
       importLogic<&Scalar::bitXor>},
  };
  return operators;
}
