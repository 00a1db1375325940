//===- ReplaceContraction.cpp - Let a contraction read a packed weight ----===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The new operation is a linalg.generic with the loops of the old one, but for
// those summed over, which become one loop, last. A blocked format splits one
// loop: the operand that runs along it is padded to full blocks and expanded
// alike. Sums of half-precision outputs are accumulated in f32 and rounded
// once.
//
//===----------------------------------------------------------------------===//

#include "Conversion/Weights/WeightContraction.h"
#include "Lowering/Tensors/CastElements.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SparseTensor/IR/SparseTensor.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/Utils/Utils.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace mlir::prune;

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

/// Up to this many elements are written in the text of the program.
static constexpr int64_t kMaxInline = 32;

/// A resource with these bytes: the first of `key`, `key.1`, ... that is free
/// or holds just them, so that equal packings of a shared weight are one.
static DenseResourceElementsAttr
getResource(RankedTensorType type, StringRef key, ArrayRef<char> bytes) {
  auto &interface =
      DenseResourceElementsHandle::getManagerInterface(type.getContext());
  std::string candidate = key.str();
  for (unsigned i = 1;; ++i) {
    auto *entry = interface.getBlobManager().lookup(candidate);
    if (!entry)
      break;
    if (entry->getBlob() && entry->getBlob()->getData() == bytes)
      return DenseResourceElementsAttr::get(
          type,
          DenseResourceElementsHandle(
              entry, type.getContext()->getLoadedDialect<BuiltinDialect>()));
    candidate = (key + "." + Twine(i)).str();
  }
  return DenseResourceElementsAttr::get(
      type,
      interface.insert(candidate, HeapAsmResourceBlob::allocateAndCopyWithAlign(
                                      bytes, /*align=*/64,
                                      /*dataIsMutable=*/false)));
}

static Value createConstant(OpBuilder &builder, Location loc, Type element,
                            const Twine &key, ArrayRef<char> bytes) {
  int64_t count = bytes.size() * 8 / element.getIntOrFloatBitWidth();
  auto type = RankedTensorType::get({count}, element);
  ElementsAttr value;
  if (count <= kMaxInline)
    value = DenseElementsAttr::getFromRawBuffer(type, bytes);
  else
    value = getResource(type, key.str(), bytes);
  return arith::ConstantOp::create(builder, loc, type, cast<TypedAttr>(value));
}

static Value assemble(OpBuilder &builder, Location loc,
                      const EncodedWeight &encoded, StringRef name) {
  const PackedTensor &packed = encoded.packed;
  std::string prefix = (name + "#" + encoded.format.toString() + ".").str();
  SmallVector<Value> levels;
  if (encoded.format.kind != SparseFormat::Structured)
    levels.push_back(createConstant(
        builder, loc, builder.getIntegerType(packed.positionWidth),
        prefix + "positions", packed.positions));
  levels.push_back(createConstant(
      builder, loc, builder.getIntegerType(packed.coordinateWidth),
      prefix + "coordinates", packed.coordinates));
  Value values = createConstant(builder, loc, encoded.type.getElementType(),
                                prefix + "values", packed.values);
  auto op = sparse_tensor::AssembleOp::create(builder, loc, encoded.type,
                                              levels, values);
  op->setAttr("prune.weight", builder.getStringAttr(name));
  return op;
}

//===----------------------------------------------------------------------===//
// Shapes and types of dense operands
//===----------------------------------------------------------------------===//

/// Collapses all dimensions from `from` on into one.
static Value flatten(OpBuilder &builder, Location loc, Value value,
                     int64_t from) {
  int64_t rank = cast<RankedTensorType>(value.getType()).getRank();
  if (from == rank - 1)
    return value;
  SmallVector<ReassociationIndices> groups;
  for (int64_t dim = 0; dim < from; ++dim)
    groups.push_back({dim});
  groups.push_back(llvm::to_vector<2>(llvm::seq<int64_t>(from, rank)));
  return tensor::CollapseShapeOp::create(builder, loc, value, groups);
}

/// One group per dimension, with two for `dim`.
static SmallVector<ReassociationIndices> getSplitGroups(int64_t rank,
                                                        int64_t dim) {
  SmallVector<ReassociationIndices> groups;
  for (int64_t i = 0, next = 0; i < rank; ++i) {
    groups.push_back({next++});
    if (i == dim)
      groups.back().push_back(next++);
  }
  return groups;
}

/// Pads dimension `dim` to `blocks * block` and splits it in two.
static Value padAndSplit(OpBuilder &builder, Location loc, Value value,
                         int64_t dim, int64_t blocks, int64_t block) {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> shape(type.getShape());
  int64_t padding = blocks * block - shape[dim];
  if (padding != 0) {
    shape[dim] += padding;
    SmallVector<OpFoldResult> low(type.getRank(), builder.getIndexAttr(0)),
        high(low);
    high[dim] = builder.getIndexAttr(padding);
    Value zero = arith::ConstantOp::create(
        builder, loc, builder.getZeroAttr(type.getElementType()));
    value = tensor::PadOp::create(builder, loc, type.clone(shape), value, low,
                                  high, zero);
  }
  shape[dim] = blocks;
  shape.insert(shape.begin() + dim + 1, block);
  return tensor::ExpandShapeOp::create(builder, loc, type.clone(shape), value,
                                       getSplitGroups(type.getRank(), dim));
}

/// Undoes padAndSplit: `like` has the wanted shape.
static Value joinAndCrop(OpBuilder &builder, Location loc, Value value,
                         Value like, int64_t dim) {
  auto type = cast<RankedTensorType>(like.getType());
  value = tensor::CollapseShapeOp::create(builder, loc, value,
                                          getSplitGroups(type.getRank(), dim));
  if (cast<RankedTensorType>(value.getType()).getDimSize(dim) ==
      type.getDimSize(dim))
    return value;
  SmallVector<OpFoldResult> offsets(type.getRank(), builder.getIndexAttr(0)),
      strides(type.getRank(), builder.getIndexAttr(1)),
      sizes = tensor::getMixedSizes(builder, loc, value);
  sizes[dim] = builder.getIndexAttr(type.getDimSize(dim));
  return tensor::ExtractSliceOp::create(builder, loc, value, offsets, sizes,
                                        strides);
}

//===----------------------------------------------------------------------===//
// The contraction
//===----------------------------------------------------------------------===//

namespace {
/// The new operation in the making. Loops are those of the old one that are not
/// summed over, in order, then the column; a split loop is followed by its
/// inner part at the very end.
struct Rewrite {
  Rewrite(const WeightContraction &match, const EncodedWeight &encoded);

  void mapInput();
  void mapSplit();

  const WeightContraction &match;
  const EncodedWeight &encoded;
  MLIRContext *context;
  OpBuilder builder;
  Location loc;
  Value input, init;
  AffineExpr row, column, inner;
  unsigned numLoops;
  /// The new expression of each old loop.
  SmallVector<AffineExpr> loops;
  SmallVector<AffineExpr> inputMap, weightMap, outputMap;
  /// The output dimension that is split, if any.
  std::optional<int64_t> splitOutput;
};
} // namespace

Rewrite::Rewrite(const WeightContraction &match, const EncodedWeight &encoded)
    : match(match), encoded(encoded), context(match.op.getContext()),
      builder(match.op), loc(match.op.getLoc()), input(match.input->get()),
      init(match.output->get()) {
  unsigned next = 0;
  for (unsigned loop = 0; loop < match.op.getNumLoops(); ++loop)
    loops.push_back(llvm::is_contained(match.columnLoops, loop)
                        ? AffineExpr()
                        : getAffineDimExpr(next++, context));
  column = getAffineDimExpr(next++, context);
  inner = getAffineDimExpr(next, context);
  row = loops[match.rowLoop];
  numLoops = next;
  for (AffineExpr expr :
       match.op.getMatchingIndexingMap(match.output).getResults())
    outputMap.push_back(expr.replaceDims(loops));
  weightMap = {row, column};
  mapInput();
  mapSplit();
}

void Rewrite::mapInput() {
  AffineMap map = match.op.getMatchingIndexingMap(match.input);
  if (!match.isConvolution()) {
    // The one column loop becomes the column.
    SmallVector<AffineExpr> all(loops);
    all[match.columnLoops.front()] = column;
    for (AffineExpr expr : map.getResults())
      inputMap.push_back(expr.replaceDims(all));
    return;
  }
  // At a column the loops summed over contribute its offset, at once.
  SmallVector<AffineExpr> starts(loops);
  for (unsigned loop : match.columnLoops)
    starts[loop] = getAffineConstantExpr(0, context);
  ArrayRef<int64_t> shape = cast<RankedTensorType>(input.getType()).getShape();
  AffineExpr index = column;
  int64_t stride = 1;
  for (unsigned dim = map.getNumResults(); dim-- > match.flatFrom;) {
    index = index + map.getResult(dim).replaceDims(starts) * stride;
    stride *= shape[dim];
  }
  for (unsigned dim = 0; dim < match.flatFrom; ++dim)
    inputMap.push_back(map.getResult(dim).replaceDims(starts));
  inputMap.push_back(index);
  input = flatten(builder, loc, input, match.flatFrom);
}

void Rewrite::mapSplit() {
  auto positionOf = [](ArrayRef<AffineExpr> map, AffineExpr expr) {
    return llvm::find(map, expr) - map.begin();
  };
  ArrayRef<int64_t> shape = encoded.type.getShape();
  switch (encoded.format.kind) {
  case SparseFormat::Dense:
  case SparseFormat::CSR:
  case SparseFormat::CSC:
    return;
  case SparseFormat::RowBlock:
    splitOutput = positionOf(outputMap, row);
    init = padAndSplit(builder, loc, init, *splitOutput, shape[0], shape[2]);
    outputMap.insert(outputMap.begin() + *splitOutput + 1, inner);
    weightMap = {row, column, inner};
    break;
  case SparseFormat::BlockedCSR:
  case SparseFormat::Structured: {
    bool isBlocked = encoded.format.kind == SparseFormat::BlockedCSR;
    int64_t dim = positionOf(inputMap, column);
    input = padAndSplit(builder, loc, input, dim, shape[isBlocked ? 0 : 1],
                        shape[2]);
    inputMap.insert(inputMap.begin() + dim + 1, inner);
    if (isBlocked)
      weightMap = {column, row, inner};
    else
      weightMap = {row, column, inner};
    break;
  }
  }
  ++numLoops;
}

static Type getAccumulatorType(Type output) {
  return output.getIntOrFloatBitWidth() < 32
             ? Float32Type::get(output.getContext())
             : output;
}

void mlir::prune::replaceContraction(const WeightContraction &match,
                                     const EncodedWeight &encoded,
                                     StringRef name) {
  Rewrite rewrite(match, encoded);
  OpBuilder &builder = rewrite.builder;
  Location loc = rewrite.loc;
  Type outputType = getElementTypeOrSelf(match.output->get().getType());
  Type accumulator = getAccumulatorType(outputType);
  Value init = castElements(builder, loc, rewrite.init, accumulator);
  Value weight = assemble(builder, loc, encoded, name);

  SmallVector<utils::IteratorType> iterators(rewrite.numLoops,
                                             utils::IteratorType::reduction);
  for (AffineExpr expr : rewrite.outputMap)
    iterators[cast<AffineDimExpr>(expr).getPosition()] =
        utils::IteratorType::parallel;
  auto map = [&](ArrayRef<AffineExpr> results) {
    return AffineMap::get(rewrite.numLoops, 0, results, rewrite.context);
  };
  Value result =
      linalg::GenericOp::create(
          builder, loc, init.getType(), ValueRange{rewrite.input, weight}, init,
          {map(rewrite.inputMap), map(rewrite.weightMap),
           map(rewrite.outputMap)},
          iterators,
          [&](OpBuilder &nested, Location loc, ValueRange args) {
            Value a = castFloat(nested, loc, args[0], accumulator);
            Value b = castFloat(nested, loc, args[1], accumulator);
            Value product = arith::MulFOp::create(nested, loc, a, b);
            Value sum = arith::AddFOp::create(nested, loc, args[2], product);
            linalg::YieldOp::create(nested, loc, sum);
          })
          .getResult(0);
  result = castElements(builder, loc, result, outputType);
  if (rewrite.splitOutput)
    result = joinAndCrop(builder, loc, result, match.output->get(),
                         *rewrite.splitOutput);
  Type type = match.op->getResult(0).getType();
  if (result.getType() != type)
    result = tensor::CastOp::create(builder, loc, type, result);
  match.op->replaceAllUsesWith(ValueRange{result});
}
