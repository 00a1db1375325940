//===- WalkPackedWeight.cpp - Loops over a packed weight ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Within a tile a kernel walks through the listed columns of a few rows of the
// weight, from front to back, and multiplies what is listed with the
// activations of that column.
//
// What is not obvious:
// - `patterns` has one inner loop for each set of rows, so that it multiplies
//   nonzeros only and yet loads an activation once for all rows that need it.
// - The inner loops are not to be unrolled by LLVM: they are long as they are,
//   and the loop for what is left over would end in one more surprise.
//
//===----------------------------------------------------------------------===//

#include "PackedKernel.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::prune;

static constexpr auto kNoWrap =
    arith::IntegerOverflowFlags::nsw | arith::IntegerOverflowFlags::nuw;

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
SmallVector<ColumnRun> Kernel::getRuns(Value block, Value group) {
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
  SmallVector<ColumnRun> runs;
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
Accumulators Kernel::walk(const ColumnRun &run, Accumulators init,
                          int64_t copies, AddColumn addColumn) {
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
    inputs.push_back(loadVector(op.getInput(), inputAt(position, column, v)));
  Accumulators next;
  for (size_t i = 0; i != rows.size(); ++i) {
    Value weight = broadcast(loadWeight(math.add(values, i)));
    for (int64_t v = 0; v != numVectors; ++v)
      next.push_back(multiplyAdd(weight, inputs[v], accumulators[next.size()]));
  }
  return next;
}

/// Products with lanes along rows, for `columns` columns from `n` on.
Accumulators Kernel::addVectorsOfRows(Value n, int64_t columns, Value column,
                                      Value values, ValueRange accumulators) {
  int64_t numVectors = kernel.getTileRows() / kernel.getWidth();
  SmallVector<Value> weights;
  for (int64_t v = 0; v != numVectors; ++v)
    weights.push_back(loadWeights(math.add(values, v * kernel.getWidth())));
  Accumulators next;
  for (int64_t c = 0; c != columns; ++c) {
    Value input =
        broadcast(loadScalar(op.getInput(), {math.add(n, c), column}));
    for (int64_t v = 0; v != numVectors; ++v)
      next.push_back(multiplyAdd(weights[v], input, accumulators[next.size()]));
  }
  return next;
}
