//===- ParallelLoop.cpp - Loops whose iterations threads share ------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Upstream makes OpenMP loops of scf.parallel, all of a module at once and with
// equal shares for threads. Here only chosen loops are parallel, so that no sum
// of the user's depends on the number of threads, and a thread takes the next
// iteration when it is done with one, since cores are not equally fast.
//
//===----------------------------------------------------------------------===//

#include "PackedToVector.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/OpenMP/OpenMPDialect.h"

using namespace mlir;
using namespace mlir::prune;

SmallVector<Value> mlir::prune::enterParallelLoop(OpBuilder &b, Location loc,
                                                  ValueRange ends,
                                                  unsigned threads) {
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
      b.getContext(), omp::ClauseScheduleKind::Dynamic);
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
