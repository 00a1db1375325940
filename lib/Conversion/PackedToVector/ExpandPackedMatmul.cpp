//===- ExpandPackedMatmul.cpp - Loops of the packed kernels ---------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The family of kernels is two loop nests. With lanes along columns a tile is a
// few rows by a few vectors of columns: for each listed column of the weight
// the vectors are loaded once, and each weight is broadcast. With lanes along
// rows it is the other way round. Either way the tile stays in registers over
// the whole walk, and is stored once, through the epilogue.
//
// What is not obvious:
// - A tile may be wider than a panel. It then reads as many panels at once, and
//   panels that are left over get narrower tiles of their own.
// - Where the weight is cut in blocks of columns, partial sums wait in the
//   result itself. They are exact there: registers and memory have one format.
// - Two accumulators or fewer would wait for each other; such tiles are
//   accumulated several times over, in turn, and summed at the end.
// - The last group of rows may stand over the result's edge. It has code of its
//   own that stores less, so no loop carries a mask.
//
//===----------------------------------------------------------------------===//

#include "PackedKernel.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::prune;

//===----------------------------------------------------------------------===//
// Parts of a kernel
//===----------------------------------------------------------------------===//

/// Where vector `v` of a tile with lanes along columns stands in `row` of the
/// activations.
SmallVector<Value> Kernel::inputAt(ValueRange position, Value row, int64_t v) {
  int64_t column = v * kernel.getWidth();
  if (op.readsWindows())
    return {math.add(math.add(math.mul(position[0], panel), column), row)};
  return {math.add(position[0], column / panel), row,
          math.add(position[1], column % panel)};
}

/// The same in a row of the result.
SmallVector<Value> Kernel::resultAt(ValueRange position, Value row, int64_t v) {
  if (op.readsWindows())
    return {row, math.add(math.mul(position[0], panel), v * kernel.getWidth())};
  return inputAt(position, row, v);
}

Value Kernel::countPanels() {
  if (op.readsWindows())
    return math.constant(
        cast<MemRefType>(op.getInit().getType()).getDimSize(1) / panel);
  return memref::DimOp::create(b, loc, op.getInput(), /*index=*/0);
}

/// Opens the loop over parts that are computed at the same time.
void Kernel::enterPart(unsigned threads) {
  ArrayRef<int64_t> chunks = *op.getRowChunks();
  SmallVector<Value> ends{math.constant(chunks.size() - 1)};
  if (op.getParallelPanels()) {
    Value tiles = countPanels();
    if (int64_t step = getPanelsPerTile(); step > 1)
      tiles = arith::DivUIOp::create(b, loc, math.add(tiles, step - 1),
                                     math.constant(step));
    ends.push_back(tiles);
  }
  SmallVector<Value> part =
      enterParallelLoop(b, loc, ends, threads, isLongProduct(op));
  Value bounds = arith::ConstantOp::create(
      b, loc,
      DenseElementsAttr::get(VectorType::get(chunks.size(), b.getIndexType()),
                             chunks));
  auto boundAt = [&](Value number) -> Value {
    return vector::ExtractOp::create(b, loc, bounds, number);
  };
  partBegin = boundAt(part[0]);
  partEnd = boundAt(math.add(part[0], 1));
  if (op.getParallelPanels())
    partPanel = part[1];
}

//===----------------------------------------------------------------------===//
// Ends of a tile
//===----------------------------------------------------------------------===//

/// Stores a tile with lanes along columns; partial sums as they are.
void Kernel::storeColumnsTile(ValueRange position, Value group, int64_t rows,
                              ValueRange accumulators, bool isLast) {
  for (int64_t i = 0; i != rows; ++i) {
    Value row = math.add(math.mul(group, layout.groupRows), i);
    Value bias;
    if (isLast && op.getBias())
      bias = broadcast(loadScalar(op.getBias(), row));
    for (int64_t v = 0; v != numVectors; ++v) {
      SmallVector<Value> at = resultAt(position, row, v);
      Value element = accumulators[i * numVectors + v];
      if (isLast)
        element = applyEpilogue(
            element, bias,
            op.getResidual() ? loadVector(op.getResidual(), at) : Value());
      vector::StoreOp::create(b, loc, element, op.getInit(), at);
    }
  }
}

/// Stores the first lanes of a vector of rows from `row` on in column `n`.
void Kernel::storeRowsVector(Value value, Value row, int64_t lanes, Value n) {
  Value bias, residual;
  if (op.getBias())
    bias = loadLanes(op.getBias(), row, lanes);
  if (op.getResidual())
    residual = loadLanes(op.getResidual(), {n, row}, lanes);
  value = applyEpilogue(value, bias, residual);
  if (lanes == kernel.getWidth())
    vector::StoreOp::create(b, loc, value, op.getInit(), ValueRange{n, row});
  else
    vector::MaskedStoreOp::create(b, loc, op.getInit(), ValueRange{n, row},
                                  getMask(lanes), value);
}

//===----------------------------------------------------------------------===//
// Loops over tiles
//===----------------------------------------------------------------------===//

/// Copies of a tile of `size` accumulators that keep the multipliers busy,
/// which need that many sums in flight: a fused multiply-add takes four cycles
/// and one or two start in each.
static int64_t getCopies(int64_t size, int64_t inFlight) {
  return std::max<int64_t>(1, inFlight / llvm::PowerOf2Ceil(size));
}

/// A loop over whole groups, and code of its own for a last, partial one.
void Kernel::emitGroups(function_ref<void(Value, int64_t)> emitGroup) {
  int64_t whole = layout.m / layout.groupRows;
  Value end = math.constant(whole);
  if (whole > 0) {
    scf::ForOp loop = createLoop(partBegin ? partBegin : math.constant(0),
                                 partEnd ? math.min(partEnd, end) : end, 1);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    emitGroup(loop.getInductionVar(), layout.groupRows);
  }
  int64_t rest = layout.m % layout.groupRows;
  if (rest == 0)
    return;
  OpBuilder::InsertionGuard guard(b);
  if (partEnd) {
    Value isMine =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ugt, partEnd, end);
    auto branch = scf::IfOp::create(b, loc, isMine);
    b.setInsertionPointToStart(branch.thenBlock());
  }
  emitGroup(end, rest);
}

/// `position` is the panel, the column in it and the block of the weight.
void Kernel::emitColumnsTile(ValueRange position, Value group, int64_t rows) {
  Value block = position[2];
  Accumulators tile(layout.groupRows * numVectors, zero(vector));
  bool isCut = layout.numBlocks() > 1;
  if (isCut) {
    Value isFirst = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                          block, math.constant(0));
    auto branch = scf::IfOp::create(
        b, loc, isFirst,
        [&](OpBuilder &, Location) { scf::YieldOp::create(b, loc, tile); },
        [&](OpBuilder &, Location) {
          Accumulators partial = tile;
          for (int64_t i = 0; i != rows * numVectors; ++i)
            partial[i] =
                loadVector(op.getInit(),
                           resultAt(position,
                                    math.add(math.mul(group, layout.groupRows),
                                             i / numVectors),
                                    i % numVectors));
          scf::YieldOp::create(b, loc, partial);
        });
    tile.assign(branch.result_begin(), branch.result_end());
  }
  for (const ColumnRun &run : getRuns(block, group)) {
    Accumulators part;
    for (int64_t row : run.rows)
      llvm::append_range(part,
                         ArrayRef(tile).slice(row * numVectors, numVectors));
    // A run of `patterns` is too short to be split.
    int64_t copies =
        layout.form == PackedForm::Patterns ? 1 : getCopies(part.size(), 8);
    part = walk(run, part, copies,
                [&](Value column, Value values, ValueRange accumulators) {
                  return addVectorsOfColumns(position, run.rows, column, values,
                                             accumulators);
                });
    for (auto [i, row] : llvm::enumerate(run.rows))
      std::copy_n(part.begin() + i * numVectors, numVectors,
                  tile.begin() + row * numVectors);
  }
  if (!isCut)
    return storeColumnsTile(position, group, rows, tile, /*isLast=*/true);
  Value isLast = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, block,
                                       math.constant(layout.numBlocks() - 1));
  auto store = [&](bool last) {
    return [&, last](OpBuilder &, Location) {
      storeColumnsTile(position, group, rows, tile, last);
      scf::YieldOp::create(b, loc);
    };
  };
  scf::IfOp::create(b, loc, isLast, store(true), store(false));
}

/// Tiles that start in every `step`-th of the panels [begin, end).
void Kernel::emitPanels(Value begin, Value end, int64_t step) {
  int64_t tileColumns = numVectors * kernel.getWidth();
  Value zero = math.constant(0);
  OpBuilder::InsertionGuard guard(b);
  SmallVector<Value> position(3, zero);
  auto enter = [&](Value begin, Value end, int64_t step) {
    scf::ForOp loop = createLoop(begin, end, step);
    b.setInsertionPointToStart(loop.getBody());
    return loop.getInductionVar();
  };
  position[0] = enter(begin, end, step);
  if (layout.numBlocks() > 1)
    position[2] = enter(zero, math.constant(layout.numBlocks()), 1);
  if (panel > tileColumns)
    position[1] = enter(zero, math.constant(panel), tileColumns);
  emitGroups([&](Value group, int64_t rows) {
    emitColumnsTile(position, group, rows);
  });
}

void Kernel::emitAlongColumns() {
  Value begin = math.constant(0), end = countPanels();
  int64_t step = getPanelsPerTile();
  if (partPanel) {
    begin = math.mul(partPanel, step);
    end = math.min(math.add(begin, step), end);
  }
  if (step == 1)
    return emitPanels(begin, end, step);
  // Panels in full tiles, and what is left one by one.
  int64_t panels = cast<MemRefType>(op.getInput().getType()).getDimSize(0);
  bool isStatic = !ShapedType::isDynamic(panels) && !partPanel;
  Value rest =
      arith::RemUIOp::create(b, loc, math.sub(end, begin), math.constant(step));
  Value whole = math.sub(end, rest);
  if (!isStatic || panels >= step)
    emitPanels(begin, whole, step);
  if (isStatic && panels % step == 0)
    return;
  numVectors = panel / kernel.getWidth();
  emitPanels(whole, end, 1);
}

void Kernel::emitRowsTile(Value group, int64_t rows, Value n, int64_t columns) {
  int64_t width = kernel.getWidth();
  int64_t numVectors = kernel.getTileRows() / width;
  Accumulators tile(numVectors * columns, zero(vector));
  ColumnRun run = getRuns(math.constant(0), group).front();
  tile =
      walk(run, tile, getCopies(tile.size(), 4),
           [&](Value column, Value values, ValueRange accumulators) {
             return addVectorsOfRows(n, columns, column, values, accumulators);
           });
  for (int64_t c = 0; c != columns; ++c)
    for (int64_t v = 0; v != numVectors && v * width < rows; ++v)
      storeRowsVector(tile[c * numVectors + v],
                      math.add(math.mul(group, layout.groupRows), v * width),
                      std::min(width, rows - v * width), math.add(n, c));
}

void Kernel::emitAlongRows() {
  int64_t columns = kernel.getTileColumns();
  int64_t size = cast<MemRefType>(op.getInput().getType()).getDimSize(0);
  Value n = memref::DimOp::create(b, loc, op.getInput(), /*index=*/0);
  // Whole tiles of columns, and what is left: one tile where its size is known,
  // else columns one by one.
  Value rest = arith::RemUIOp::create(b, loc, n, math.constant(columns));
  Value whole = math.sub(n, rest);
  bool isStatic = !ShapedType::isDynamic(size);
  auto emitColumns = [&](Value begin, Value end, int64_t step, Value group,
                         int64_t rows) {
    scf::ForOp loop = createLoop(begin, end, step);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    emitRowsTile(group, rows, loop.getInductionVar(), step);
  };
  emitGroups([&](Value group, int64_t rows) {
    if (!isStatic || size >= columns)
      emitColumns(math.constant(0), whole, columns, group, rows);
    if (isStatic && size % columns != 0)
      emitRowsTile(group, rows, math.constant(size - size % columns),
                   size % columns);
    else if (!isStatic && columns > 1)
      emitColumns(whole, n, 1, group, rows);
  });
}

/// Scalar products: nothing is shared between rows or columns.
void Kernel::emitElements() {
  Value n = memref::DimOp::create(b, loc, op.getInput(), /*index=*/0);
  Type element = op.getElementType();
  scf::ForOp columns = createLoop(math.constant(0), n, 1);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(columns.getBody());
  emitGroups([&](Value row, int64_t) {
    SmallVector<Value> at{columns.getInductionVar(), row};
    ColumnRun run = getRuns(math.constant(0), row).front();
    auto addColumn = [&](Value column, Value values, ValueRange sum) {
      Value input = loadScalar(op.getInput(), {at[0], column});
      Value weight = loadWeight(values);
      return Accumulators{multiplyAdd(weight, input, sum[0])};
    };
    Value sum = walk(run, {zero(element)}, /*copies=*/8, addColumn)[0];
    Value bias, residual;
    if (op.getBias())
      bias = loadScalar(op.getBias(), row);
    if (op.getResidual())
      residual = loadScalar(op.getResidual(), at);
    memref::StoreOp::create(b, loc, applyEpilogue(sum, bias, residual),
                            op.getInit(), at);
  });
}

LogicalResult mlir::prune::expandPackedMatmul(RewriterBase &rewriter,
                                              PackedMatmulOp op,
                                              unsigned threads, bool fma) {
  if (failed(verifyExpandable(op)))
    return failure();
  rewriter.setInsertionPoint(op);
  Kernel(rewriter, op, fma).emit(threads);
  rewriter.eraseOp(op);
  return success();
}
