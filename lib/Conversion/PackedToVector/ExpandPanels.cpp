//===- ExpandPanels.cpp - Loops that bring activations into panels --------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From and to the row-major layout a square of vectors is read, transposed in
// registers and written, so that each cache line is touched once. What does not
// fill a square is copied element by element; so is everything beside the last
// whole vector of columns. Padding is written as zeros: the products over it
// are thrown away, but odd numbers in it could make them slow.
//
//===----------------------------------------------------------------------===//

#include "PackedToVector.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::prune;

namespace {
class PanelCopy {
public:
  /// Copies from `plain` to `panels` or, if `unpack`, back.
  PanelCopy(RewriterBase &b, Location loc, Value plain, Value panels,
            bool featureMajor, bool unpack, int64_t width)
      : b(b), loc(loc), math(b, loc), plain(plain), panels(panels),
        featureMajor(featureMajor), unpack(unpack), width(width),
        vector(VectorType::get(
            width, cast<MemRefType>(plain.getType()).getElementType())) {}

  void emit();

private:
  void emitPanel(Value panel);
  void copySquare(Value panel, Value column, Value feature);
  void copyVector(Value panel, Value column, Value feature);
  void copyElement(Value panel, Value column, Value feature);
  void padElement(Value panel, Value column, Value feature);

  void loop(Value begin, Value end, int64_t step,
            function_ref<void(Value)> body) {
    auto loop = scf::ForOp::create(b, loc, begin, end, math.constant(step));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    body(loop.getInductionVar());
  }
  /// The largest multiple of the width that is at most `value`.
  Value roundDown(Value value) {
    return math.sub(
        value, arith::RemUIOp::create(b, loc, value, math.constant(width)));
  }
  SmallVector<Value> plainAt(Value panel, Value column, Value feature) {
    Value n = math.add(math.mul(panel, panelSize()), column);
    return featureMajor ? SmallVector<Value>{feature, n}
                        : SmallVector<Value>{n, feature};
  }
  int64_t panelSize() {
    return cast<MemRefType>(panels.getType()).getDimSize(2);
  }

  RewriterBase &b;
  Location loc;
  IndexMath math;
  Value plain, panels;
  bool featureMajor, unpack;
  int64_t width;
  VectorType vector;
};
} // namespace

/// Transposes a square of vectors: after the step for bit `s`, lane and vector
/// numbers have exchanged that bit.
static void transpose(OpBuilder &b, Location loc,
                      MutableArrayRef<Value> square) {
  int64_t size = square.size();
  for (int64_t s = 1; s < size; s *= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t lane = 0; lane != size; ++lane) {
      low.push_back(lane & s ? size + lane - s : lane);
      high.push_back(lane & s ? size + lane : lane + s);
    }
    for (int64_t i = 0; i != size; ++i) {
      if (i & s)
        continue;
      Value first = square[i], second = square[i + s];
      square[i] = vector::ShuffleOp::create(b, loc, first, second, low);
      square[i + s] = vector::ShuffleOp::create(b, loc, first, second, high);
    }
  }
}

void PanelCopy::copySquare(Value panel, Value column, Value feature) {
  SmallVector<SmallVector<Value>> plainRows, panelRows;
  for (int64_t i = 0; i != width; ++i) {
    plainRows.push_back(plainAt(panel, math.add(column, i), feature));
    panelRows.push_back({panel, math.add(feature, i), column});
  }
  Value from = unpack ? panels : plain, to = unpack ? plain : panels;
  SmallVector<Value> square;
  for (ArrayRef<Value> at : unpack ? panelRows : plainRows)
    square.push_back(vector::LoadOp::create(b, loc, vector, from, at));
  transpose(b, loc, square);
  for (auto [row, at] : llvm::zip_equal(square, unpack ? plainRows : panelRows))
    vector::StoreOp::create(b, loc, row, to, at);
}

void PanelCopy::copyVector(Value panel, Value column, Value feature) {
  SmallVector<Value> from = plainAt(panel, column, feature);
  SmallVector<Value> to{panel, feature, column};
  Value source = plain, target = panels;
  if (unpack)
    std::swap(from, to), std::swap(source, target);
  Value row = vector::LoadOp::create(b, loc, vector, source, from);
  vector::StoreOp::create(b, loc, row, target, to);
}

void PanelCopy::copyElement(Value panel, Value column, Value feature) {
  SmallVector<Value> from = plainAt(panel, column, feature);
  SmallVector<Value> to{panel, feature, column};
  Value source = plain, target = panels;
  if (unpack)
    std::swap(from, to), std::swap(source, target);
  Value element = memref::LoadOp::create(b, loc, source, from);
  memref::StoreOp::create(b, loc, element, target, to);
}

void PanelCopy::padElement(Value panel, Value column, Value feature) {
  Value zero =
      arith::ConstantOp::create(b, loc, b.getZeroAttr(vector.getElementType()));
  memref::StoreOp::create(b, loc, zero, panels,
                          ValueRange{panel, feature, column});
}

void PanelCopy::emitPanel(Value panel) {
  Value zero = math.constant(0), size = math.constant(panelSize());
  Value n = memref::DimOp::create(b, loc, plain, featureMajor ? 1 : 0);
  Value k = memref::DimOp::create(b, loc, plain, featureMajor ? 0 : 1);
  Value columns = math.min(size, math.sub(n, math.mul(panel, panelSize())));
  Value wholeColumns = roundDown(columns);
  if (featureMajor) {
    loop(zero, k, 1, [&](Value feature) {
      loop(zero, wholeColumns, width,
           [&](Value column) { copyVector(panel, column, feature); });
    });
  } else {
    Value wholeFeatures = roundDown(k);
    loop(zero, wholeFeatures, width, [&](Value feature) {
      loop(zero, wholeColumns, width,
           [&](Value column) { copySquare(panel, column, feature); });
    });
    loop(wholeFeatures, k, 1, [&](Value feature) {
      loop(zero, wholeColumns, 1,
           [&](Value column) { copyElement(panel, column, feature); });
    });
  }
  loop(zero, k, 1, [&](Value feature) {
    loop(wholeColumns, columns, 1,
         [&](Value column) { copyElement(panel, column, feature); });
    if (!unpack)
      loop(columns, size, 1,
           [&](Value column) { padElement(panel, column, feature); });
  });
}

void PanelCopy::emit() {
  Value numPanels = memref::DimOp::create(b, loc, panels, /*index=*/0);
  loop(math.constant(0), numPanels, 1, [&](Value panel) { emitPanel(panel); });
}

LogicalResult mlir::prune::expandPackPanels(RewriterBase &rewriter,
                                            PackPanelsOp op, int64_t width) {
  if (failed(verifyExpandable(op)))
    return failure();
  rewriter.setInsertionPoint(op);
  PanelCopy(rewriter, op.getLoc(), op.getSource(), op.getInit(),
            op.getFeatureMajor(), /*unpack=*/false, width)
      .emit();
  rewriter.eraseOp(op);
  return success();
}

LogicalResult mlir::prune::expandUnpackPanels(RewriterBase &rewriter,
                                              UnpackPanelsOp op,
                                              int64_t width) {
  if (failed(verifyExpandable(op)))
    return failure();
  rewriter.setInsertionPoint(op);
  PanelCopy(rewriter, op.getLoc(), op.getInit(), op.getSource(),
            op.getFeatureMajor(), /*unpack=*/true, width)
      .emit();
  rewriter.eraseOp(op);
  return success();
}
