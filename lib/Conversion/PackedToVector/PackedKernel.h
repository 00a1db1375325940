//===- PackedKernel.h - Emission of packed kernels --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One class emits a product: the loops over tiles (ExpandPackedMatmul.cpp) and,
// in each tile, the walk over the packed weight (WalkPackedWeight.cpp).
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_CONVERSION_PACKEDTOVECTOR_PACKEDKERNEL_H
#define PRUNE_LIB_CONVERSION_PACKEDTOVECTOR_PACKEDKERNEL_H

#include "PackedToVector.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::prune {

/// The listed columns [begin, end) of one segment, whose values start at
/// `values` and are those of the rows in `rows`.
struct ColumnRun {
  Value begin, end;
  Value values;
  SmallVector<int64_t> rows;
};

using Accumulators = SmallVector<Value>;
/// Adds the products of column `column`, whose values start at `values`.
using AddColumn =
    function_ref<Accumulators(Value column, Value values, ValueRange)>;

/// Emits the loops of one product.
class Kernel {
public:
  Kernel(RewriterBase &b, PackedMatmulOp op, bool fma)
      : b(b), loc(op.getLoc()), op(op), fma(fma), kernel(op.getKernel()),
        layout(kernel.getLayout()), math(b, loc),
        vector(VectorType::get(kernel.getWidth(), op.getElementType())),
        panel(op.getPanelSize()),
        numVectors(kernel.getTileColumns() / kernel.getWidth()) {}

  void emit(unsigned threads) {
    OpBuilder::InsertionGuard guard(b);
    if (op.getRowChunks() && threads > 1)
      enterPart(threads);
    if (layout.form == PackedForm::Elements)
      emitElements();
    else if (kernel.getLanes() == LaneDim::Columns)
      emitAlongColumns();
    else
      emitAlongRows();
  }

private:
  void enterPart(unsigned threads);
  int64_t getPanelsPerTile() {
    return std::max<int64_t>(1, kernel.getTileColumns() / panel);
  }
  Value countPanels();

  // Loops over tiles.
  void emitElements();
  void emitAlongColumns();
  void emitPanels(Value begin, Value end, int64_t step);
  void emitAlongRows();
  void emitGroups(function_ref<void(Value group, int64_t rows)> emitGroup);
  void emitColumnsTile(ValueRange position, Value group, int64_t rows);
  void emitRowsTile(Value group, int64_t rows, Value n, int64_t columns);

  // The walk over the weight.
  SmallVector<ColumnRun> getRuns(Value block, Value group);
  Accumulators walk(const ColumnRun &run, Accumulators init, int64_t copies,
                    AddColumn addColumn);
  Value loadIndex(Value buffer, Value position);
  Value getColumn(Value listed);
  Accumulators addVectorsOfColumns(ValueRange position, ArrayRef<int64_t> rows,
                                   Value column, Value values,
                                   ValueRange accumulators);
  Accumulators addVectorsOfRows(Value n, int64_t columns, Value column,
                                Value values, ValueRange accumulators);

  // Ends of a tile.
  Value applyEpilogue(Value element, Value bias, Value residual) {
    return prune::applyEpilogue(b, op, element, bias, residual);
  }
  void storeColumnsTile(ValueRange position, Value group, int64_t rows,
                        ValueRange accumulators, bool isLast);
  void storeRowsVector(Value value, Value row, int64_t lanes, Value n);

  scf::ForOp createLoop(Value begin, Value end, int64_t step,
                        ValueRange init = {}) {
    return scf::ForOp::create(b, loc, begin, end, math.constant(step), init);
  }
  Value zero(Type type) {
    return arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  }
  /// The sum of a product and `sum`.
  Value multiplyAdd(Value x, Value y, Value sum) {
    if (fma && isa<VectorType>(sum.getType()))
      return vector::FMAOp::create(b, loc, x, y, sum);
    if (fma)
      return math::FmaOp::create(b, loc, x, y, sum);
    Value product = arith::MulFOp::create(b, loc, x, y);
    return arith::AddFOp::create(b, loc, sum, product);
  }
  Value broadcast(Value scalar) {
    return vector::BroadcastOp::create(b, loc, vector, scalar);
  }
  Value loadScalar(Value buffer, ValueRange position) {
    return memref::LoadOp::create(b, loc, buffer, position);
  }
  Value loadVector(Value buffer, ValueRange position) {
    return vector::LoadOp::create(b, loc, vector, buffer, position);
  }
  /// A value of the weight, or the vector of them from there on, as it is
  /// multiplied.
  Value loadWeight(Value position) {
    return widen(loadScalar(op.getValues(), position), op.getElementType());
  }
  Value loadWeights(Value position) {
    Type stored = cast<ShapedType>(op.getValues().getType()).getElementType();
    return widen(vector::LoadOp::create(b, loc, vector.clone(stored),
                                        op.getValues(), position),
                 vector);
  }
  Value widen(Value stored, Type type) {
    return stored.getType() == type
               ? stored
               : arith::ExtFOp::create(b, loc, type, stored).getResult();
  }
  /// Of a vector, the first `lanes` lanes; the others are zero.
  Value loadLanes(Value buffer, ValueRange position, int64_t lanes) {
    if (lanes == kernel.getWidth())
      return loadVector(buffer, position);
    return vector::MaskedLoadOp::create(b, loc, vector, buffer, position,
                                        getMask(lanes), zero(vector));
  }
  SmallVector<Value> inputAt(ValueRange position, Value row, int64_t v);
  SmallVector<Value> resultAt(ValueRange position, Value row, int64_t v);
  Value getMask(int64_t lanes) {
    auto type = VectorType::get(kernel.getWidth(), b.getI1Type());
    return vector::ConstantMaskOp::create(b, loc, type, ArrayRef(lanes));
  }

  RewriterBase &b;
  Location loc;
  PackedMatmulOp op;
  bool fma;
  KernelAttr kernel;
  PackedLayout layout;
  IndexMath math;
  VectorType vector;
  /// Columns in a panel, with lanes along columns.
  int64_t panel;
  /// Vectors of columns in a tile with lanes along columns.
  int64_t numVectors;
  /// What threads take: groups of rows and maybe the panels of one tile; else
  /// all.
  Value partBegin, partEnd, partPanel;
};

} // namespace mlir::prune

#endif // PRUNE_LIB_CONVERSION_PACKEDTOVECTOR_PACKEDKERNEL_H
