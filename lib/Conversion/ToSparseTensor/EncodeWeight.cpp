//===- EncodeWeight.cpp - Pack a weight and use it ------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every format is a tensor whose dimensions are its levels, in storage order
// but for CSC. Blocked formats have an explicit dimension within the block,
// padded to full blocks, and the loop of the contraction is split alike,
// because maps with floordiv and mod do not lower correctly when sizes do not
// divide. Nothing is packed at run time: levels are constants.
//
//===----------------------------------------------------------------------===//

#include "Conversion/Weights/WeightContraction.h"

#include "mlir/Dialect/SparseTensor/IR/SparseTensor.h"

using namespace mlir;
using namespace mlir::prune;
using sparse_tensor::LevelFormat;
using sparse_tensor::LevelType;

static constexpr int64_t kColumnBlock = 64;
static constexpr int64_t kMaxBlock = 64;

//===----------------------------------------------------------------------===//
// Formats
//===----------------------------------------------------------------------===//

/// Reads `n<separator>m` with both from 1 to kMaxBlock.
static bool parsePair(StringRef text, StringRef separator, int64_t &n,
                      int64_t &m) {
  auto [first, second] = text.split(separator);
  return !first.getAsInteger(10, n) && !second.getAsInteger(10, m) && n > 0 &&
         m > 0 && n <= kMaxBlock && m <= kMaxBlock;
}

std::optional<SparseFormat> SparseFormat::parse(StringRef text) {
  if (text == "dense")
    return SparseFormat{Dense};
  if (text == "csr")
    return SparseFormat{CSR};
  if (text == "csc")
    return SparseFormat{CSC};
  if (text == "blocked-csr")
    return SparseFormat{BlockedCSR};
  int64_t n, m;
  if (parsePair(text, "x", n, m) && n > 1 && m == 1)
    return SparseFormat{RowBlock, n};
  if (parsePair(text, "of", n, m) && n < m)
    return SparseFormat{Structured, n, m};
  return std::nullopt;
}

std::string SparseFormat::toString() const {
  switch (kind) {
  case Dense:
    return "dense";
  case CSR:
    return "csr";
  case CSC:
    return "csc";
  case BlockedCSR:
    return "blocked-csr";
  case RowBlock:
    return std::to_string(n) + "x1";
  case Structured:
    return std::to_string(n) + "of" + std::to_string(m);
  }
  return "";
}

//===----------------------------------------------------------------------===//
// Packing
//===----------------------------------------------------------------------===//

namespace {
/// A weight matrix laid out for a format.
struct Layout {
  ByteBuffer data;
  StorageShape shape;
  /// The shape of the packed operand.
  SmallVector<int64_t> type;
  SmallVector<LevelType> levels;
  /// The map from dimensions to levels; null for the identity.
  AffineMap dimToLevel;
};
} // namespace

/// The matrix in row-major order, or its transpose.
static ByteBuffer readMatrix(const WeightContraction &match,
                             const WeightView &weight, bool isTransposed) {
  AffineMap map = match.op.getMatchingIndexingMap(match.weight);
  MLIRContext *context = match.op.getContext();
  auto dimOf = [&](unsigned loop) -> int64_t {
    return *map.getResultPosition(getAffineDimExpr(loop, context));
  };
  SmallVector<int64_t> dims;
  for (unsigned loop : match.columnLoops)
    dims.push_back(dimOf(loop));
  dims.insert(isTransposed ? dims.end() : dims.begin(), dimOf(match.rowLoop));
  return weight.read(dims);
}

/// The matrix with rows and columns padded to multiples, in the order given.
static ByteBuffer readBlocks(const WeightContraction &match,
                             const WeightView &weight, int64_t rows,
                             int64_t columns, ArrayRef<int64_t> shape,
                             ArrayRef<int64_t> strides) {
  unsigned bytes = byteSize(weight.kind);
  std::vector<char> padded =
      padMatrix(readMatrix(match, weight, false), bytes, match.rows,
                match.columns, rows, columns);
  return gatherElements(padded, bytes, shape, strides);
}

static Layout layOut(const WeightContraction &match, const WeightView &weight,
                     SparseFormat format) {
  int64_t rows = match.rows, columns = match.columns;
  LevelType dense(LevelFormat::Dense), compressed(LevelFormat::Compressed);
  Layout layout;
  switch (format.kind) {
  case SparseFormat::Dense:
    llvm_unreachable("a dense weight has no packed layout");
  case SparseFormat::CSR:
    layout.data = readMatrix(match, weight, false);
    layout.shape = {rows, columns};
    layout.type = {rows, match.isConvolution() ? match.numOffsets : columns};
    layout.levels = {dense, compressed};
    break;
  case SparseFormat::CSC:
    layout.data = readMatrix(match, weight, true);
    layout.shape = {columns, rows};
    layout.type = {rows, columns};
    layout.levels = {dense, compressed};
    layout.dimToLevel = AffineMap::getPermutationMap(ArrayRef<unsigned>{1, 0},
                                                     match.op.getContext());
    break;
  case SparseFormat::BlockedCSR: {
    int64_t blocks = llvm::divideCeil(columns, kColumnBlock);
    int64_t padded = blocks * kColumnBlock;
    layout.type = {blocks, rows, kColumnBlock};
    layout.data = readBlocks(match, weight, rows, padded, layout.type,
                             {kColumnBlock, padded, 1});
    layout.shape = {blocks * rows, kColumnBlock};
    layout.levels = {dense, dense, compressed};
    break;
  }
  case SparseFormat::RowBlock: {
    int64_t blocks = llvm::divideCeil(rows, format.n);
    layout.type = {blocks, columns, format.n};
    layout.data = readBlocks(match, weight, blocks * format.n, columns,
                             layout.type, {format.n * columns, 1, columns});
    layout.shape = {blocks, columns, format.n};
    layout.levels = {dense, compressed, dense};
    break;
  }
  case SparseFormat::Structured: {
    int64_t blocks = llvm::divideCeil(columns, format.m);
    layout.type = {rows, blocks, format.m};
    layout.data = readBlocks(match, weight, rows, blocks * format.m,
                             {rows, blocks * format.m}, {blocks * format.m, 1});
    layout.shape = {rows * blocks, format.m};
    layout.levels = {dense, dense,
                     *sparse_tensor::buildLevelType(LevelFormat::NOutOfM, true,
                                                    true, format.n, format.m)};
    break;
  }
  }
  return layout;
}

static Type getElementType(FloatKind kind, MLIRContext *context) {
  Builder builder(context);
  switch (kind) {
  case FloatKind::F64:
    return builder.getF64Type();
  case FloatKind::F32:
    return builder.getF32Type();
  case FloatKind::F16:
    return builder.getF16Type();
  case FloatKind::BF16:
    return builder.getBF16Type();
  }
  return {};
}

/// Whether the operand that a blocked format pads has a size to pad.
static bool canPad(const WeightContraction &match, SparseFormat format) {
  bool isRows = format.kind == SparseFormat::RowBlock;
  OpOperand *operand = isRows ? match.output : match.input;
  unsigned loop = isRows ? match.rowLoop : match.columnLoops.front();
  std::optional<unsigned> dim =
      match.op.getMatchingIndexingMap(operand).getResultPosition(
          getAffineDimExpr(loop, match.op.getContext()));
  auto type = cast<RankedTensorType>(operand->get().getType());
  return dim && !type.isDynamicDim(*dim);
}

std::optional<EncodedWeight>
mlir::prune::encodeWeight(const WeightContraction &match,
                          const WeightView &weight, SparseFormat format,
                          std::string &reason) {
  if (match.isConvolution() && format.kind != SparseFormat::CSR) {
    reason = "a convolution can be packed as csr only";
    return std::nullopt;
  }
  bool isBlocked =
      format.kind != SparseFormat::CSR && format.kind != SparseFormat::CSC;
  if (isBlocked && !canPad(match, format)) {
    reason = "the dimension to pad to full blocks is dynamic";
    return std::nullopt;
  }
  Layout layout = layOut(match, weight, format);
  EncodedWeight encoded{format, {}, {}};
  int64_t perGroup = 0;
  if (format.kind == SparseFormat::Structured) {
    perGroup = format.n;
    auto packed =
        packStructured(weight.kind, layout.data, layout.shape, perGroup);
    if (!packed) {
      reason = "a group of " + std::to_string(format.m) + " has more than " +
               std::to_string(format.n) + " nonzeros";
      return std::nullopt;
    }
    encoded.packed = std::move(*packed);
  } else {
    encoded.packed = packCompressed(weight.kind, layout.data, layout.shape,
                                    match.offsets, match.numOffsets);
  }
  // The assemble operation checks nothing, so everything is checked here.
  std::string problem =
      verifyPacked(weight.kind, encoded.packed, layout.data, layout.shape,
                   match.offsets, match.numOffsets, perGroup);
  if (!problem.empty()) {
    reason = "its packed form is invalid: " + problem;
    return std::nullopt;
  }
  MLIRContext *context = match.op.getContext();
  auto encoding = sparse_tensor::SparseTensorEncodingAttr::get(
      context, layout.levels, layout.dimToLevel, AffineMap(),
      perGroup ? 0 : encoded.packed.positionWidth,
      encoded.packed.coordinateWidth);
  encoded.type = RankedTensorType::get(
      layout.type, getElementType(weight.kind, context), encoding);
  return encoded;
}
