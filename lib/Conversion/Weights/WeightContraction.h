//===- WeightContraction.h - Contractions with a packed weight --*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A contraction or convolution is understood as a product with a weight matrix
// of rows (the one loop that only weight and output share) and columns (the
// loops that are summed over). The matrix is packed in a format, and the
// operation is rewritten to read the packed operand.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_CONVERSION_WEIGHTS_WEIGHTCONTRACTION_H
#define PRUNE_LIB_CONVERSION_WEIGHTS_WEIGHTCONTRACTION_H

#include "WeightView.h"

#include "prune/Core/Packing/LevelStorage.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::prune {

/// How a weight matrix is stored.
struct SparseFormat {
  enum Kind { Dense, CSR, CSC, BlockedCSR, RowBlock, Structured };
  Kind kind = Dense;
  /// The rows of a row block; or the N of N:M.
  int64_t n = 0;
  /// The M of N:M.
  int64_t m = 0;

  /// `dense`, `csr`, `csc`, `blocked-csr`, `4x1`, `2of4`, ...
  static std::optional<SparseFormat> parse(StringRef text);
  std::string toString() const;
};

/// A contraction whose weight can be packed.
struct WeightContraction {
  /// A handle, whose accessors are not const.
  mutable linalg::LinalgOp op;
  OpOperand *weight;
  OpOperand *input;
  OpOperand *output;
  unsigned rowLoop;
  /// The loops summed over, outermost column index first.
  SmallVector<unsigned> columnLoops;
  int64_t rows, columns;
  /// For a convolution, the offset of each column in the input flattened from
  /// dimension `flatFrom`, and a bound of them. Empty for a plain product.
  SmallVector<int64_t> offsets;
  int64_t numOffsets = 0;
  unsigned flatFrom = 0;

  bool isConvolution() const { return !offsets.empty(); }
};

/// Whether the body of an operation with two inputs is `out + cast(a) *
/// cast(b)`, in any order.
bool isMultiplyAdd(Block &body);

/// The coefficients of the loops in a sum without constant term and without
/// negative coefficients, or nothing.
std::optional<SmallVector<int64_t>> getCoefficients(AffineExpr expr,
                                                    unsigned numLoops);

/// Understands the contraction; empty, with a reason, if it has another form.
std::optional<WeightContraction> matchContraction(const WeightUse &use,
                                                  std::string &reason);

/// A weight matrix packed and verified against its source.
struct EncodedWeight {
  SparseFormat format;
  /// The type of the packed operand.
  RankedTensorType type;
  PackedTensor packed;
};

/// Packs the weight; empty, with a reason, if the format does not suit it.
std::optional<EncodedWeight> encodeWeight(const WeightContraction &contraction,
                                          const WeightView &weight,
                                          SparseFormat format,
                                          std::string &reason);

/// Packs the weight in the format that takes the fewest bytes.
std::optional<EncodedWeight> encodeSmallest(const WeightContraction &match,
                                            const WeightView &weight,
                                            std::string &reason);

/// Replaces the contraction by one with the packed weight. `name` is that of
/// the weight.
void replaceContraction(const WeightContraction &contraction,
                        const EncodedWeight &encoded, StringRef name);

} // namespace mlir::prune

#endif // PRUNE_LIB_CONVERSION_WEIGHTS_WEIGHTCONTRACTION_H
