//===- ParallelLoop.cpp - Loops whose iterations threads share ------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Upstream makes OpenMP loops of scf.parallel, all of a module at once and with
// equal shares for threads. Here only chosen loops are parallel, so that no sum
// of the user's depends on the number of threads. Where iterations are long, a
// thread takes the next one when it is done with one, since cores are not
// equally fast; where they are short, asking for each would take longer than
// that gains.
//
//===----------------------------------------------------------------------===//

#include "PackedToVector.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/OpenMP/OpenMPDialect.h"

using namespace mlir;
using namespace mlir::prune;

bool mlir::prune::isLongProduct(PackedMatmulOp op) {
  // Multiply-adds of about half a millisecond on one core.
  constexpr int64_t kLong = int64_t(1) << 25;
  // Where the number of columns or panels is open.
  constexpr int64_t kColumns = 64, kPanels = 1;
  auto input = cast<MemRefType>(op.getInput().getType());
  bool isOpen = input.isDynamicDim(0);
  int64_t columns =
      op.readsWindows() ? cast<MemRefType>(op.getInit().getType()).getDimSize(1)
      : op.getKernel().getLanes() == LaneDim::Columns
          ? input.getDimSize(2) * (isOpen ? kPanels : input.getDimSize(0))
          : (isOpen ? kColumns : input.getDimSize(0));
  return cast<MemRefType>(op.getValues().getType()).getDimSize(0) >=
         kLong / std::max<int64_t>(columns, 1);
}

SmallVector<Value> mlir::prune::enterParallelLoop(OpBuilder &b, Location loc,
                                                  ValueRange ends,
                                                  unsigned threads,
                                                  bool isLong) {
  omp::ParallelOperands parallelOperands;
  parallelOperands.numThreads =
      arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(threads));
  omp::LoopNestOperands loopOperands;
  loopOperands.loopUpperBounds.assign(ends.begin(), ends.end());
  loopOperands.loopLowerBounds.assign(
      ends.size(), arith::ConstantIndexOp::create(b, loc, 0));
  loopOperands.loopSteps.assign(ends.size(),
                                arith::ConstantIndexOp::create(b, loc, 1));
  auto parallel = omp::ParallelOp::create(b, loc, parallelOperands);
  b.createBlock(&parallel.getRegion());
  omp::WsloopOperands shareOperands;
  shareOperands.scheduleKind = omp::ClauseScheduleKindAttr::get(
      b.getContext(), isLong ? omp::ClauseScheduleKind::Dynamic
                             : omp::ClauseScheduleKind::Static);
  shareOperands.nowait = b.getUnitAttr(); // the region's end waits
  auto share = omp::WsloopOp::create(b, loc, shareOperands);
  omp::TerminatorOp::create(b, loc);
  b.createBlock(&share.getRegion());
  auto nest = omp::LoopNestOp::create(b, loc, loopOperands);
  SmallVector<Type> types(ends.size(), b.getIndexType());
  SmallVector<Location> locations(ends.size(), loc);
  Block *body = b.createBlock(&nest.getRegion(), {}, types, locations);
  b.setInsertionPoint(omp::YieldOp::create(b, loc));
  return llvm::to_vector_of<Value>(body->getArguments());
}
