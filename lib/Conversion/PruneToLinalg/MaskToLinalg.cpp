//===- MaskToLinalg.cpp - Ranking as linalg operations --------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Computes at run time the cut that MaskSelection computes for constants. The
// scores of units become integers of the same order. The k-th lowest is found
// bit by bit: count how many share the bits known so far and have a 0 next; if
// k is larger, the next bit is 1. The position of the last tie that is removed
// is found in the same way. Everything is a reduction over whole tensors.
//
//===----------------------------------------------------------------------===//

#include "MaskToLinalg.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <cmath>

using namespace mlir;
using namespace mlir::prune;

namespace {
/// An ImplicitLocOpBuilder-like shorthand for the few arith ops needed here.
struct Arith {
  OpBuilder &b;
  Location loc;

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  Value i64(int64_t value) {
    return arith::ConstantIntOp::create(b, loc, value, 64);
  }
  Value add(Value x, Value y) { return arith::AddIOp::create(b, loc, x, y); }
  Value sub(Value x, Value y) { return arith::SubIOp::create(b, loc, x, y); }
  Value mul(Value x, Value y) { return arith::MulIOp::create(b, loc, x, y); }
  Value bitAnd(Value x, Value y) { return arith::AndIOp::create(b, loc, x, y); }
  Value bitOr(Value x, Value y) { return arith::OrIOp::create(b, loc, x, y); }
  Value bitXor(Value x, Value y) { return arith::XOrIOp::create(b, loc, x, y); }
  Value shiftLeft(Value x, Value y) {
    return arith::ShLIOp::create(b, loc, x, y);
  }
  Value shiftRight(Value x, Value y) {
    return arith::ShRUIOp::create(b, loc, x, y);
  }
  Value divide(Value x, Value y) {
    return arith::DivUIOp::create(b, loc, x, y);
  }
  Value compare(arith::CmpIPredicate predicate, Value x, Value y) {
    return arith::CmpIOp::create(b, loc, predicate, x, y);
  }
  Value compare(arith::CmpFPredicate predicate, Value x, Value y) {
    return arith::CmpFOp::create(b, loc, predicate, x, y);
  }
  Value select(Value condition, Value x, Value y) {
    return arith::SelectOp::create(b, loc, condition, x, y);
  }
  Value toI64(Value index) {
    return arith::IndexCastOp::create(b, loc, b.getI64Type(), index);
  }
};

/// One operand of the ranking: its units' keys and where they count from.
struct RankedKeys {
  Value keys; // tensor<grid x i64>, unsigned order
  SmallVector<int64_t> grid;
  int64_t firstUnit;
};

/// Lowers one mask op.
class MaskBuilder {
public:
  MaskBuilder(OpBuilder &builder, MaskOp mask)
      : builder(builder), mask(mask), loc(mask.getLoc()) {}

  SmallVector<Value> build();

private:
  Value scoreUnits(Value scores, const UnitPattern &units,
                   ArrayRef<int64_t> grid);
  Value toKeys(Value unitScores);
  Value
  countMatching(const RankedKeys &operand,
                function_ref<Value(Arith, Value key, Value position)> matches);
  std::pair<Value, Value>
  bisect(ArrayRef<RankedKeys> operands, int64_t bits, Value rank,
         function_ref<Value(Arith, Value key, Value position)> value,
         function_ref<Value(Arith, Value key)> considered);
  Value spread(Value keptUnits, RankedTensorType type,
               const UnitPattern &units);
  Value maskGroups(Value scores, const UnitPattern &units);
  Value keepUnits(const RankedKeys &operand, Value cutKey, Value cutPosition);

  OpBuilder &builder;
  MaskOp mask;
  Location loc;
};
} // namespace

//===----------------------------------------------------------------------===//
// Building blocks
//===----------------------------------------------------------------------===//

Value mlir::prune::buildElementwise(
    OpBuilder &builder, Location loc, RankedTensorType type, ValueRange inputs,
    function_ref<Value(OpBuilder &, ValueRange, ValueRange)> body) {
  Value init = tensor::EmptyOp::create(builder, loc, type.getShape(),
                                       type.getElementType());
  SmallVector<AffineMap> maps(inputs.size() + 1,
                              builder.getMultiDimIdentityMap(type.getRank()));
  SmallVector<utils::IteratorType> loops(type.getRank(),
                                         utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             builder, loc, type, inputs, init, maps, loops,
             [&](OpBuilder &b, Location loc, ValueRange args) {
               SmallVector<Value> indices;
               for (int64_t d = 0; d < type.getRank(); ++d)
                 indices.push_back(linalg::IndexOp::create(b, loc, d));
               linalg::YieldOp::create(b, loc,
                                       body(b, args.drop_back(), indices));
             })
      .getResult(0);
}

Value mlir::prune::buildLinearIndex(OpBuilder &builder, Location loc,
                                    ValueRange indices,
                                    ArrayRef<int64_t> shape) {
  Arith a{builder, loc};
  Value linear = a.index(0);
  for (auto [index, size] : llvm::zip_equal(indices, shape))
    linear = a.add(a.mul(linear, a.index(size)), index);
  return linear;
}

/// Sums a block into its unit, in row-major order. Positions outside of the
/// tensor, in blocks at its upper edge, are skipped.
Value MaskBuilder::scoreUnits(Value scores, const UnitPattern &units,
                              ArrayRef<int64_t> grid) {
  auto type = cast<RankedTensorType>(scores.getType());
  int64_t rank = type.getRank();
  Type f64 = builder.getF64Type();
  if (llvm::all_of(units.block, [](int64_t size) { return size == 1; }))
    return scores;

  // Loops: the grid, then the block. An input that is never read gives the
  // block loops their extents.
  Value extents = tensor::EmptyOp::create(builder, loc, units.block, f64);
  Value zero =
      arith::ConstantOp::create(builder, loc, builder.getF64FloatAttr(0.0));
  Value init = tensor::EmptyOp::create(builder, loc, grid, f64);
  init = linalg::FillOp::create(builder, loc, zero, init).getResult(0);
  AffineMap all = builder.getMultiDimIdentityMap(2 * rank);
  SmallVector<AffineMap> maps = {all.getMinorSubMap(rank),
                                 all.getMajorSubMap(rank)};
  SmallVector<utils::IteratorType> loops(2 * rank,
                                         utils::IteratorType::reduction);
  std::fill_n(loops.begin(), rank, utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             builder, loc, init.getType(), extents, init, maps, loops,
             [&](OpBuilder &b, Location loc, ValueRange args) {
               Arith a{b, loc};
               SmallVector<Value> position;
               Value inside = arith::ConstantIntOp::create(b, loc, 1, 1);
               for (int64_t d = 0; d < rank; ++d) {
                 Value block = a.mul(linalg::IndexOp::create(b, loc, d),
                                     a.index(units.block[d]));
                 Value element =
                     a.add(block, linalg::IndexOp::create(b, loc, rank + d));
                 Value last = a.index(type.getDimSize(d) - 1);
                 Value isInside =
                     a.compare(arith::CmpIPredicate::ule, element, last);
                 inside = a.bitAnd(inside, isInside);
                 position.push_back(a.select(isInside, element, last));
               }
               Value score =
                   tensor::ExtractOp::create(b, loc, scores, position);
               Value sum = arith::AddFOp::create(b, loc, args[1], score);
               linalg::YieldOp::create(b, loc, a.select(inside, sum, args[1]));
             })
      .getResult(0);
}

/// Integers whose unsigned order is the order of the scores.
Value MaskBuilder::toKeys(Value unitScores) {
  auto type = cast<RankedTensorType>(unitScores.getType());
  return buildElementwise(
      builder, loc, type.clone(builder.getI64Type()), unitScores,
      [&](OpBuilder &b, ValueRange elements, ValueRange) -> Value {
        Arith a{b, loc};
        // Adding zero turns -0 into +0, so that both have one key.
        Value zero = arith::ConstantOp::create(b, loc, b.getF64FloatAttr(0.0));
        Value score = arith::AddFOp::create(b, loc, elements[0], zero);
        Value bits = arith::BitcastOp::create(b, loc, b.getI64Type(), score);
        Value isNegative = a.compare(arith::CmpIPredicate::slt, bits, a.i64(0));
        return a.select(isNegative, a.bitXor(bits, a.i64(-1)),
                        a.bitXor(bits, a.i64(INT64_MIN)));
      });
}

/// The number of units for which `matches` holds, as an i64.
Value MaskBuilder::countMatching(
    const RankedKeys &operand,
    function_ref<Value(Arith, Value, Value)> matches) {
  auto type = cast<RankedTensorType>(operand.keys.getType());
  Type i64 = builder.getI64Type();
  Value zero = arith::ConstantIntOp::create(builder, loc, 0, 64);
  Value init = tensor::EmptyOp::create(builder, loc, ArrayRef<int64_t>(), i64);
  init = linalg::FillOp::create(builder, loc, zero, init).getResult(0);
  SmallVector<AffineMap> maps = {
      builder.getMultiDimIdentityMap(type.getRank()),
      AffineMap::get(type.getRank(), 0, builder.getContext())};
  SmallVector<utils::IteratorType> loops(type.getRank(),
                                         utils::IteratorType::reduction);
  Value count =
      linalg::GenericOp::create(
          builder, loc, init.getType(), operand.keys, init, maps, loops,
          [&](OpBuilder &b, Location loc, ValueRange args) {
            Arith a{b, loc};
            SmallVector<Value> indices;
            for (int64_t d = 0; d < type.getRank(); ++d)
              indices.push_back(linalg::IndexOp::create(b, loc, d));
            Value position =
                a.add(a.toI64(buildLinearIndex(b, loc, indices, operand.grid)),
                      a.i64(operand.firstUnit));
            Value one = arith::ExtUIOp::create(b, loc, i64,
                                               matches(a, args[0], position));
            linalg::YieldOp::create(b, loc, a.add(args[1], one));
          })
          .getResult(0);
  return tensor::ExtractOp::create(builder, loc, count, ValueRange());
}

/// Finds the `rank`-th lowest `value` among the units that are considered, bit
/// by bit from the highest. Returns it and the rank that is left among equals.
std::pair<Value, Value>
MaskBuilder::bisect(ArrayRef<RankedKeys> operands, int64_t bits, Value rank,
                    function_ref<Value(Arith, Value, Value)> value,
                    function_ref<Value(Arith, Value)> considered) {
  Arith outer{builder, loc};
  auto loop =
      scf::ForOp::create(builder, loc, outer.index(0), outer.index(bits),
                         outer.index(1), ValueRange{outer.i64(0), rank});
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  Arith a{builder, loc};
  Value bit = a.sub(a.i64(bits - 1), a.toI64(loop.getInductionVar()));
  Value known = loop.getRegionIterArg(0), left = loop.getRegionIterArg(1);
  Value prefix = a.shiftRight(known, bit);
  Value count = a.i64(0);
  for (const RankedKeys &operand : operands)
    count = a.add(
        count, countMatching(operand, [&](Arith a, Value key, Value position) {
          Value same =
              a.compare(arith::CmpIPredicate::eq,
                        a.shiftRight(value(a, key, position), bit), prefix);
          return a.bitAnd(same, considered(a, key));
        }));
  Value isAbove = a.compare(arith::CmpIPredicate::sgt, left, count);
  Value withBit = a.bitOr(known, a.shiftLeft(a.i64(1), bit));
  scf::YieldOp::create(builder, loc,
                       ValueRange{a.select(isAbove, withBit, known),
                                  a.select(isAbove, a.sub(left, count), left)});
  return {loop.getResult(0), loop.getResult(1)};
}

/// Gives each element the fate of its unit.
Value MaskBuilder::spread(Value keptUnits, RankedTensorType type,
                          const UnitPattern &units) {
  if (keptUnits.getType() == type)
    return keptUnits;
  return buildElementwise(
      builder, loc, type, {},
      [&](OpBuilder &b, ValueRange, ValueRange indices) -> Value {
        Arith a{b, loc};
        SmallVector<Value> unit;
        for (auto [index, size] : llvm::zip_equal(indices, units.block))
          unit.push_back(a.divide(index, a.index(size)));
        return tensor::ExtractOp::create(b, loc, keptUnits, unit);
      });
}

/// N:M: an element is kept if fewer than N of its group rank above it.
Value MaskBuilder::maskGroups(Value scores, const UnitPattern &units) {
  auto type = cast<RankedTensorType>(scores.getType());
  int64_t rank = type.getRank(), dim = units.groupDim;
  Type i64 = builder.getI64Type();
  Value extent = tensor::EmptyOp::create(
      builder, loc, ArrayRef<int64_t>{units.groupSize}, i64);
  Value zero = arith::ConstantIntOp::create(builder, loc, 0, 64);
  Value init = tensor::EmptyOp::create(builder, loc, type.getShape(), i64);
  init = linalg::FillOp::create(builder, loc, zero, init).getResult(0);
  AffineMap all = builder.getMultiDimIdentityMap(rank + 1);
  SmallVector<AffineMap> maps = {all.getMajorSubMap(rank),
                                 all.getMinorSubMap(1),
                                 all.getMajorSubMap(rank)};
  SmallVector<utils::IteratorType> loops(rank, utils::IteratorType::parallel);
  loops.push_back(utils::IteratorType::reduction);
  Value above =
      linalg::GenericOp::create(
          builder, loc, init.getType(), ValueRange{scores, extent}, init, maps,
          loops,
          [&](OpBuilder &b, Location loc, ValueRange args) {
            Arith a{b, loc};
            SmallVector<Value> other;
            for (int64_t d = 0; d < rank; ++d)
              other.push_back(linalg::IndexOp::create(b, loc, d));
            Value own = other[dim], size = a.index(units.groupSize);
            Value candidate = a.add(a.mul(a.divide(own, size), size),
                                    linalg::IndexOp::create(b, loc, rank));
            Value last = a.index(type.getDimSize(dim) - 1);
            Value inside =
                a.compare(arith::CmpIPredicate::ule, candidate, last);
            other[dim] = a.select(inside, candidate, last);
            Value score = tensor::ExtractOp::create(b, loc, scores, other);
            Value higher = a.compare(arith::CmpFPredicate::OGT, score, args[0]);
            Value later =
                a.bitAnd(a.compare(arith::CmpFPredicate::OEQ, score, args[0]),
                         a.compare(arith::CmpIPredicate::ugt, candidate, own));
            Value counts = a.bitAnd(inside, a.bitOr(higher, later));
            Value one = arith::ExtUIOp::create(b, loc, i64, counts);
            linalg::YieldOp::create(b, loc, a.add(args[2], one));
          })
          .getResult(0);
  return buildElementwise(
      builder, loc, type.clone(builder.getI1Type()), above,
      [&](OpBuilder &b, ValueRange elements, ValueRange) -> Value {
        Arith a{b, loc};
        return a.compare(arith::CmpIPredicate::slt, elements[0],
                         a.i64(units.groupKeep));
      });
}

/// Kept are units above the cut, and of those at the cut the ones behind
/// `cutPosition`.
Value MaskBuilder::keepUnits(const RankedKeys &operand, Value cutKey,
                             Value cutPosition) {
  auto type = cast<RankedTensorType>(operand.keys.getType());
  return buildElementwise(
      builder, loc, type.clone(builder.getI1Type()), operand.keys,
      [&](OpBuilder &b, ValueRange elements, ValueRange indices) -> Value {
        Arith a{b, loc};
        Value position =
            a.add(a.toI64(buildLinearIndex(b, loc, indices, operand.grid)),
                  a.i64(operand.firstUnit));
        Value above = a.compare(arith::CmpIPredicate::ugt, elements[0], cutKey);
        Value behind = a.bitAnd(
            a.compare(arith::CmpIPredicate::eq, elements[0], cutKey),
            a.compare(arith::CmpIPredicate::ugt, position, cutPosition));
        return a.bitOr(above, behind);
      });
}

//===----------------------------------------------------------------------===//
// The op
//===----------------------------------------------------------------------===//

/// Extends scores to f64, which is exact.
static Value extendScores(OpBuilder &builder, Location loc, Value scores) {
  auto type = cast<RankedTensorType>(scores.getType());
  Type f64 = builder.getF64Type();
  if (type.getElementType() == f64)
    return scores;
  return buildElementwise(
      builder, loc, type.clone(f64), scores,
      [&](OpBuilder &b, ValueRange elements, ValueRange) -> Value {
        return arith::ExtFOp::create(b, loc, f64, elements[0]);
      });
}

SmallVector<Value> MaskBuilder::build() {
  Arith a{builder, loc};
  SmallVector<Value> masks;
  SmallVector<RankedKeys> operands;
  SmallVector<UnitPattern> patterns;
  int64_t numUnits = 0;
  for (Value operand : mask.getScores()) {
    Value scores = extendScores(builder, loc, operand);
    ArrayRef<int64_t> shape =
        cast<RankedTensorType>(scores.getType()).getShape();
    UnitPattern units = mask.getPattern().getUnits(shape);
    if (units.groupSize) {
      masks.push_back(maskGroups(scores, units));
      continue;
    }
    RankedKeys keys{{}, {}, numUnits};
    for (auto [size, extent] : llvm::zip_equal(shape, units.block))
      keys.grid.push_back(llvm::divideCeil(size, extent));
    keys.keys = toKeys(scoreUnits(scores, units, keys.grid));
    numUnits += countElements(keys.grid);
    operands.push_back(keys);
    patterns.push_back(units);
  }
  if (operands.empty())
    return masks;

  // The cut: the highest key and position that are removed.
  Value cutKey = a.i64(0), cutPosition = a.i64(-1);
  auto keyOf = [](Arith, Value key, Value) { return key; };
  auto positionOf = [](Arith, Value, Value position) { return position; };
  auto anyUnit = [](Arith a, Value) -> Value {
    return arith::ConstantIntOp::create(a.b, a.loc, 1, 1);
  };
  bool keepsAll = false;
  if (std::optional<APFloat> threshold = mask.getThreshold()) {
    // Nothing lies strictly between the threshold and the scores below it, so
    // cutting in front of the threshold's own key is the same.
    double value = threshold->convertToDouble() + 0.0;
    int64_t bits = llvm::bit_cast<int64_t>(value);
    uint64_t key = bits < 0 ? ~uint64_t(bits) : uint64_t(bits) ^ (1ull << 63);
    cutKey = a.i64(int64_t(key - 1));
    cutPosition = a.i64(INT64_MAX);
  } else {
    int64_t rank =
        mask.getCount()
            ? int64_t(*mask.getCount())
            : int64_t(std::floor(double(numUnits) *
                                 mask.getSparsity()->convertToDouble()));
    rank = std::min(rank, numUnits);
    keepsAll = rank <= 0;
    if (!keepsAll) {
      Value ties;
      std::tie(cutKey, ties) =
          bisect(operands, 64, a.i64(rank), keyOf, anyUnit);
      auto isTie = [&](Arith a, Value key) {
        return a.compare(arith::CmpIPredicate::eq, key, cutKey);
      };
      int64_t bits = 64 - llvm::countl_zero(uint64_t(numUnits));
      cutPosition = bisect(operands, bits, ties, positionOf, isTie).first;
    }
  }

  for (auto [operand, units, result] :
       llvm::zip_equal(operands, patterns, mask.getMasks())) {
    auto type = cast<RankedTensorType>(result.getType());
    if (keepsAll) {
      masks.push_back(arith::ConstantOp::create(
          builder, loc, DenseElementsAttr::get(type, true)));
      continue;
    }
    masks.push_back(
        spread(keepUnits(operand, cutKey, cutPosition), type, units));
  }
  return masks;
}

FailureOr<SmallVector<Value>> mlir::prune::buildMasks(OpBuilder &builder,
                                                      MaskOp mask) {
  for (Value scores : mask.getScores())
    if (mask.getPattern()
            .getUnits(cast<RankedTensorType>(scores.getType()).getShape())
            .map)
      return mask.emitError("pattern ")
             << mask.getPattern()
             << " works on constant weights only; fold with prune-fold-masks";
  return MaskBuilder(builder, mask).build();
}
