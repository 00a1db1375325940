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
// - `patterns` has one inner loop for each set of rows, so that it multiplies
//   nonzeros only and yet loads an activation once for all rows that need it.
// - A tile may be wider than a panel. It then reads as many panels at once, and
//   panels that are left over get narrower tiles of their own.
// - Where the weight is cut in blocks of columns, partial sums wait in the
//   result itself. They are exact there: registers and memory have one format.
// - Two accumulators or fewer would wait for each other; such tiles are
//   accumulated several times over, in turn, and summed at the end.
// - The inner loops are not to be unrolled by LLVM: they are long as they are,
//   and the loop for what is left over would end in one more surprise.
// - The last group of rows may stand over the result's edge. It has code of its
//   own that stores less, so no loop carries a mask.
//
//===----------------------------------------------------------------------===//

#include "PackedToVector.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::prune;

//===----------------------------------------------------------------------===//
// Parts of a kernel
//===----------------------------------------------------------------------===//

static constexpr auto kNoWrap =
    arith::IntegerOverflowFlags::nsw | arith::IntegerOverflowFlags::nuw;

namespace {
/// The listed columns [begin, end) of one segment, whose values start at
/// `values` and are those of the rows in `rows`.
struct Run {
  Value begin, end;
  Value values;
  SmallVector<int64_t> rows;
};

using Accumulators = SmallVector<Value>;
/// Adds the products of column `column`, whose values start at `values`.
using AddColumn =
    function_ref<Accumulators(Value column, Value values, ValueRange)>;

class Kernel {
public:
  Kernel(RewriterBase &b, PackedMatmulOp op)
      : b(b), loc(op.getLoc()), op(op), kernel(op.getKernel()),
        layout(kernel.getLayout()), math(b, loc),
        vector(VectorType::get(kernel.getWidth(), op.getElementType())),
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
    int64_t panel = cast<MemRefType>(op.getInput().getType()).getDimSize(2);
    return std::max<int64_t>(1, kernel.getTileColumns() / panel);
  }

  // Loops over tiles.
  void emitElements();
  void emitAlongColumns();
  void emitPanels(Value begin, Value end, int64_t step);
  void emitAlongRows();
  void emitGroups(function_ref<void(Value group, int64_t rows)> emitGroup);
  void emitColumnsTile(ValueRange position, Value group, int64_t rows);
  void emitRowsTile(Value group, int64_t rows, Value n, int64_t columns);

  // The walk over the weight.
  SmallVector<Run> getRuns(Value block, Value group);
  Accumulators walk(const Run &run, Accumulators init, int64_t copies,
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
  Value broadcast(Value scalar) {
    return vector::BroadcastOp::create(b, loc, vector, scalar);
  }
  Value loadScalar(Value buffer, ValueRange position) {
    return memref::LoadOp::create(b, loc, buffer, position);
  }
  Value loadVector(Value buffer, ValueRange position) {
    return vector::LoadOp::create(b, loc, vector, buffer, position);
  }
  /// Of a vector, the first `lanes` lanes; the others are zero.
  Value loadLanes(Value buffer, ValueRange position, int64_t lanes) {
    if (lanes == kernel.getWidth())
      return loadVector(buffer, position);
    return vector::MaskedLoadOp::create(b, loc, vector, buffer, position,
                                        getMask(lanes), zero(vector));
  }
  /// Where vector `v` of a tile with lanes along columns stands in `row`.
  SmallVector<Value> vectorAt(ValueRange position, Value row, int64_t v) {
    int64_t panel = cast<MemRefType>(op.getInput().getType()).getDimSize(2);
    int64_t column = v * kernel.getWidth();
    return {math.add(position[0], column / panel), row,
            math.add(position[1], column % panel)};
  }
  Value getMask(int64_t lanes) {
    auto type = VectorType::get(kernel.getWidth(), b.getI1Type());
    return vector::ConstantMaskOp::create(b, loc, type, ArrayRef(lanes));
  }

  RewriterBase &b;
  Location loc;
  PackedMatmulOp op;
  KernelAttr kernel;
  PackedLayout layout;
  IndexMath math;
  VectorType vector;
  /// Vectors of columns in a tile with lanes along columns.
  int64_t numVectors;
  /// What threads take: groups of rows and maybe the panels of one tile; else
  /// all.
  Value partBegin, partEnd, partPanel;
};
} // namespace

/// Opens the loop over parts that are computed at the same time.
void Kernel::enterPart(unsigned threads) {
  ArrayRef<int64_t> chunks = *op.getRowChunks();
  SmallVector<Value> ends{math.constant(chunks.size() - 1)};
  if (op.getParallelPanels()) {
    Value tiles = memref::DimOp::create(b, loc, op.getInput(), /*index=*/0);
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
// The walk over the weight
//===----------------------------------------------------------------------===//

Value Kernel::loadIndex(Value buffer, Value position) {
  return arith::IndexCastUIOp::create(b, loc, b.getIndexType(),
                                      loadScalar(buffer, position));
}

/// Lowering to branches and to LLVM carries the annotation on.
static void forbidUnrolling(scf::ForOp loop) {
  MLIRContext *context = loop.getContext();
  auto unroll = LLVM::LoopUnrollAttr::get(
      context, /*disable=*/BoolAttr::get(context, true), {}, {}, {}, {}, {},
      {});
  loop->setAttr("loop_annotation", LLVM::LoopAnnotationAttr::get(
                                       context, {}, {}, {}, unroll, {}, {}, {},
                                       {}, {}, {}, {}, {}, {}, {}, {}));
}

/// The runs of the segment of this block and group.
SmallVector<Run> Kernel::getRuns(Value block, Value group) {
  SmallVector<int64_t> allRows =
      llvm::to_vector(llvm::seq<int64_t>(0, layout.groupRows));
  if (layout.form == PackedForm::Dense) {
    // The values before are whole blocks, then groups of this block.
    Value begin = math.mul(block, layout.kBlock);
    Value end = math.add(begin, layout.kBlock);
    if (layout.k % layout.kBlock != 0)
      end = math.min(end, math.constant(layout.k));
    Value before = math.mul(begin, layout.numGroups() * layout.groupRows);
    Value size = math.mul(math.sub(end, begin), layout.groupRows);
    Value within = arith::MulIOp::create(b, loc, size, group, kNoWrap);
    return {{begin, end, math.add(before, within), allRows}};
  }
  int64_t stride = layout.positionsPerSegment();
  Value segment = math.add(math.mul(block, layout.numGroups()), group);
  Value at = math.mul(segment, stride);
  Value positions = op.getPositions();
  if (layout.form != PackedForm::Patterns) {
    Value begin = loadIndex(positions, at);
    Value end = loadIndex(positions, math.add(at, 1));
    return {{begin, end, math.mul(begin, layout.groupRows), allRows}};
  }
  SmallVector<Run> runs;
  Value values = loadIndex(positions, at);
  Value begin = loadIndex(positions, math.add(at, 1));
  for (int64_t set = 1; set != stride; ++set) {
    int64_t next = set + 1 == stride ? stride + 1 : set + 1;
    Value end = loadIndex(positions, math.add(at, next));
    SmallVector<int64_t> rows = llvm::to_vector(llvm::make_filter_range(
        allRows, [&](int64_t row) { return set >> row & 1; }));
    runs.push_back({begin, end, values, rows});
    Value size = math.mul(math.sub(end, begin), rows.size());
    values = math.add(values, size);
    begin = end;
  }
  return runs;
}

/// The column of the weight that stands at `listed` in the list.
Value Kernel::getColumn(Value listed) {
  if (layout.form == PackedForm::Dense)
    return listed;
  return loadIndex(op.getIndices(), listed);
}

/// Adds the columns of a run, to `copies` sets of accumulators in turn.
Accumulators Kernel::walk(const Run &run, Accumulators init, int64_t copies,
                          AddColumn addColumn) {
  int64_t size = init.size();
  int64_t valuesPerColumn = run.rows.size();
  auto emitLoop = [&](Value begin, Value end, int64_t step,
                      ArrayRef<Value> init) -> Accumulators {
    scf::ForOp loop = createLoop(begin, end, step, init);
    forbidUnrolling(loop);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Accumulators next;
    for (int64_t copy = 0; copy != step; ++copy) {
      Value listed = math.add(loop.getInductionVar(), copy);
      Value values = math.add(
          run.values, math.mul(math.sub(listed, run.begin), valuesPerColumn));
      llvm::append_range(
          next, addColumn(getColumn(listed), values,
                          loop.getRegionIterArgs().slice(copy * size, size)));
    }
    scf::YieldOp::create(b, loc, next);
    return Accumulators(loop.getResults());
  };
  if (copies == 1)
    return emitLoop(run.begin, run.end, 1, init);

  assert(llvm::isPowerOf2_64(copies) && "copies split a count by a mask");
  Value whole = arith::AndIOp::create(b, loc, math.sub(run.end, run.begin),
                                      math.constant(-copies));
  Value middle = math.add(run.begin, whole);
  Accumulators all = init;
  for (int64_t i = size; i != size * copies; ++i)
    all.push_back(zero(init.front().getType()));
  all = emitLoop(run.begin, middle, copies, all);
  Accumulators sums =
      emitLoop(middle, run.end, 1, ArrayRef(all).take_front(size));
  for (int64_t i = size; i != size * copies; ++i)
    sums[i % size] = arith::AddFOp::create(b, loc, sums[i % size], all[i]);
  return sums;
}

/// Products with lanes along columns; `position` is the panel and the column in
/// it. `rows` says which rows of the tile the values are for.
Accumulators Kernel::addVectorsOfColumns(ValueRange position,
                                         ArrayRef<int64_t> rows, Value column,
                                         Value values,
                                         ValueRange accumulators) {
  SmallVector<Value> inputs;
  for (int64_t v = 0; v != numVectors; ++v)
    inputs.push_back(loadVector(op.getInput(), vectorAt(position, column, v)));
  Accumulators next;
  for (size_t i = 0; i != rows.size(); ++i) {
    Value weight = broadcast(loadScalar(op.getValues(), math.add(values, i)));
    for (int64_t v = 0; v != numVectors; ++v)
      next.push_back(vector::FMAOp::create(b, loc, weight, inputs[v],
                                           accumulators[next.size()]));
  }
  return next;
}

/// Products with lanes along rows, for `columns` columns from `n` on.
Accumulators Kernel::addVectorsOfRows(Value n, int64_t columns, Value column,
                                      Value values, ValueRange accumulators) {
  int64_t numVectors = kernel.getTileRows() / kernel.getWidth();
  SmallVector<Value> weights;
  for (int64_t v = 0; v != numVectors; ++v)
    weights.push_back(
        loadVector(op.getValues(), math.add(values, v * kernel.getWidth())));
  Accumulators next;
  for (int64_t c = 0; c != columns; ++c) {
    Value input =
        broadcast(loadScalar(op.getInput(), {math.add(n, c), column}));
    for (int64_t v = 0; v != numVectors; ++v)
      next.push_back(vector::FMAOp::create(b, loc, weights[v], input,
                                           accumulators[next.size()]));
  }
  return next;
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
      SmallVector<Value> at = vectorAt(position, row, v);
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
                           vectorAt(position,
                                    math.add(math.mul(group, layout.groupRows),
                                             i / numVectors),
                                    i % numVectors));
          scf::YieldOp::create(b, loc, partial);
        });
    tile.assign(branch.result_begin(), branch.result_end());
  }
  for (const Run &run : getRuns(block, group)) {
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
  int64_t panel = cast<MemRefType>(op.getInput().getType()).getDimSize(2);
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
  auto type = cast<MemRefType>(op.getInput().getType());
  int64_t panel = type.getDimSize(2), panels = type.getDimSize(0);
  Value begin = math.constant(0);
  Value end = memref::DimOp::create(b, loc, op.getInput(), /*index=*/0);
  int64_t step = getPanelsPerTile();
  if (partPanel) {
    begin = math.mul(partPanel, step);
    end = math.min(math.add(begin, step), end);
  }
  if (step == 1)
    return emitPanels(begin, end, step);
  // Panels in full tiles, and what is left one by one.
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
  Run run = getRuns(math.constant(0), group).front();
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
    Run run = getRuns(math.constant(0), row).front();
    auto addColumn = [&](Value column, Value values, ValueRange sum) {
      Value input = loadScalar(op.getInput(), {at[0], column});
      Value weight = loadScalar(op.getValues(), values);
      Value next = math::FmaOp::create(b, loc, weight, input, sum[0]);
      return Accumulators{next};
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
                                              unsigned threads) {
  if (failed(verifyExpandable(op)))
    return failure();
  rewriter.setInsertionPoint(op);
  Kernel(rewriter, op).emit(threads);
  rewriter.eraseOp(op);
  return success();
}
