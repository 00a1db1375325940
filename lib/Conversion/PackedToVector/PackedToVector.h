//===- PackedToVector.h - Expansion of packed ops ---------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The expansions that convert-prune-packed-to-vector applies. Each replaces one
// op on buffers by loops over vectors, or returns a failure after a diagnostic.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_CONVERSION_PACKEDTOVECTOR_PACKEDTOVECTOR_H
#define PRUNE_LIB_CONVERSION_PACKEDTOVECTOR_PACKEDTOVECTOR_H

#include "prune/IR/Prune.h"

#include "mlir/IR/PatternMatch.h"

namespace mlir::prune {

/// With several threads, the parts of a product are computed at the same time.
/// With `fma` products and sums are rounded at once.
LogicalResult expandPackedMatmul(RewriterBase &rewriter, PackedMatmulOp op,
                                 unsigned threads, bool fma);
LogicalResult expandPackPanels(RewriterBase &rewriter, PackPanelsOp op,
                               int64_t width);
LogicalResult expandUnpackPanels(RewriterBase &rewriter, UnpackPanelsOp op,
                                 int64_t width);

/// Opens a loop nest from 0 to `ends` whose iterations `threads` threads share,
/// and moves the builder into it. Returns the numbers of the iteration. Threads
/// ask for long iterations one by one, and have equal numbers of short ones.
SmallVector<Value> enterParallelLoop(OpBuilder &builder, Location loc,
                                     ValueRange ends, unsigned threads,
                                     bool isLong);

/// Whether the product takes so long that its parts are worth being asked for.
bool isLongProduct(PackedMatmulOp op);

/// Repeats the epilogue of a product on `element`, a scalar or a vector.
Value applyEpilogue(OpBuilder &builder, PackedMatmulOp op, Value element,
                    Value bias, Value residual);

/// Checks that the op works on buffers whose innermost dimensions are dense, as
/// vector loads and stores need.
LogicalResult verifyExpandable(Operation *op);

/// Integer arithmetic on addresses and counts, which never overflows, with
/// constants folded.
class IndexMath {
public:
  IndexMath(OpBuilder &builder, Location loc) : b(builder), loc(loc) {}

  Value constant(int64_t value);
  Value add(Value lhs, Value rhs);
  Value add(Value lhs, int64_t rhs);
  Value sub(Value lhs, Value rhs);
  Value mul(Value lhs, int64_t rhs);
  Value min(Value lhs, Value rhs);

private:
  OpBuilder &b;
  Location loc;
};

} // namespace mlir::prune

#endif // PRUNE_LIB_CONVERSION_PACKEDTOVECTOR_PACKEDTOVECTOR_H
