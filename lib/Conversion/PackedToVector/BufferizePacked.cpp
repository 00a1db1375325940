//===- BufferizePacked.cpp - Packed ops on buffers ------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// All three ops write the whole of their destination and read the rest, so that
// a destination costs no copy and never shares memory with an input. Kernels
// load vectors, so what is not dense in its innermost dimension is copied.
//
//===----------------------------------------------------------------------===//

#include "prune/Conversion/Bufferization.h"
#include "prune/IR/Prune.h"

#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/DialectRegistry.h"

using namespace mlir;
using namespace mlir::bufferization;
using namespace mlir::prune;

/// A buffer of the same shape whose innermost dimension is dense: the same if
/// it is one. Elements are not copied.
static FailureOr<Value> getDenseBuffer(RewriterBase &rewriter, Value buffer,
                                       const BufferizationOptions &options) {
  auto type = cast<MemRefType>(buffer.getType());
  if (type.isLastDimUnitStride())
    return buffer;
  Location loc = buffer.getLoc();
  SmallVector<Value> sizes;
  for (auto [dim, size] : llvm::enumerate(type.getShape()))
    if (ShapedType::isDynamic(size))
      sizes.push_back(memref::DimOp::create(rewriter, loc, buffer, dim));
  auto dense = MemRefType::get(type.getShape(), type.getElementType());
  return options.createAlloc(rewriter, loc, dense, sizes);
}

namespace {
template <typename OpTy>
struct PackedModel
    : DstBufferizableOpInterfaceExternalModel<PackedModel<OpTy>, OpTy> {
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand,
                              const AnalysisState &) const {
    return !cast<DestinationStyleOpInterface>(op).isDpsInit(&operand);
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    OpOperand *init =
        cast<DestinationStyleOpInterface>(op).getDpsInitOperand(0);
    rewriter.setInsertionPoint(op);
    SmallVector<Value> buffers;
    Value destination;
    for (OpOperand &operand : op->getOpOperands()) {
      FailureOr<Value> buffer =
          getBuffer(rewriter, operand.get(), options, state);
      if (failed(buffer))
        return failure();
      FailureOr<Value> dense = getDenseBuffer(rewriter, *buffer, options);
      if (failed(dense))
        return failure();
      if (&operand == init)
        destination = *buffer;
      else if (*dense != *buffer &&
               failed(options.createMemCpy(rewriter, op->getLoc(), *buffer,
                                           *dense)))
        return failure();
      buffers.push_back(*dense);
    }
    OperationState buffered(op->getLoc(), op->getName(), buffers,
                            /*types=*/TypeRange(), op->getAttrs());
    if (Attribute properties = op->getPropertiesAsAttribute())
      buffered.propertiesAttr = properties;
    for (Region &region : op->getRegions())
      buffered.addRegion()->takeBody(region);
    rewriter.create(buffered);
    Value written = buffers[init->getOperandNumber()];
    if (written != destination &&
        failed(
            options.createMemCpy(rewriter, op->getLoc(), written, destination)))
      return failure();
    replaceOpWithBufferizedValues(rewriter, op, destination);
    return success();
  }
};
} // namespace

void mlir::prune::registerBufferizableOpInterfaceExternalModels(
    DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, PruneDialect *) {
    PackedMatmulOp::attachInterface<PackedModel<PackedMatmulOp>>(*context);
    PackPanelsOp::attachInterface<PackedModel<PackPanelsOp>>(*context);
    UnpackPanelsOp::attachInterface<PackedModel<UnpackPanelsOp>>(*context);
  });
}
