//===- BufferizeSlices.cpp - Many slices on buffers -----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One copy into a subview per source. The destination is written in place, as
// by the chain of insertions that the operation stands for.
//
//===----------------------------------------------------------------------===//

#include "prune/Conversion/Bufferization.h"
#include "prune/IR/Prune.h"
#include "prune/IR/SliceOps.h"

#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/DialectRegistry.h"

using namespace mlir;
using namespace mlir::bufferization;
using namespace mlir::prune;

namespace {
struct InsertSlicesModel
    : DstBufferizableOpInterfaceExternalModel<InsertSlicesModel,
                                              InsertSlicesOp> {
  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto slices = cast<InsertSlicesOp>(op);
    FailureOr<Value> dest =
        getBuffer(rewriter, slices.getDest(), options, state);
    if (failed(dest))
      return failure();
    auto type = cast<MemRefType>(dest->getType());
    SmallVector<OpFoldResult> offsets = slices.getMixedOffsets(),
                              sizes = slices.getMixedSizes(),
                              strides = slices.getMixedStrides();
    size_t rank = type.getRank();
    for (auto [index, source] : llvm::enumerate(slices.getSources())) {
      FailureOr<Value> buffer = getBuffer(rewriter, source, options, state);
      if (failed(buffer))
        return failure();
      auto part = [&, at = index * rank](ArrayRef<OpFoldResult> all) {
        return all.slice(at, rank);
      };
      auto shape = cast<MemRefType>(buffer->getType()).getShape();
      auto viewType =
          cast<MemRefType>(memref::SubViewOp::inferRankReducedResultType(
              shape, type, part(offsets), part(sizes), part(strides)));
      Value view =
          memref::SubViewOp::create(rewriter, op->getLoc(), viewType, *dest,
                                    part(offsets), part(sizes), part(strides));
      if (failed(options.createMemCpy(rewriter, op->getLoc(), *buffer, view)))
        return failure();
    }
    replaceOpWithBufferizedValues(rewriter, op, *dest);
    return success();
  }
};
} // namespace

void mlir::prune::registerSliceBufferizationModels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, PruneDialect *) {
    InsertSlicesOp::attachInterface<InsertSlicesModel>(*context);
  });
}
