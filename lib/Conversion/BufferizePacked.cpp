//===- BufferizePacked.cpp - Packed ops on buffers ------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// All three ops write the whole of their destination and read the rest, so that
// a destination costs no copy and never shares memory with an input.
//
//===----------------------------------------------------------------------===//

#include "prune/Conversion/Bufferization.h"
#include "prune/IR/Prune.h"

#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"
#include "mlir/IR/DialectRegistry.h"

using namespace mlir;
using namespace mlir::bufferization;
using namespace mlir::prune;

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
    SmallVector<Value> buffers;
    for (Value operand : op->getOperands()) {
      FailureOr<Value> buffer = getBuffer(rewriter, operand, options, state);
      if (failed(buffer))
        return failure();
      buffers.push_back(*buffer);
    }
    rewriter.setInsertionPoint(op);
    OperationState buffered(op->getLoc(), op->getName(), buffers,
                            /*types=*/TypeRange(), op->getAttrs());
    if (Attribute properties = op->getPropertiesAsAttribute())
      buffered.propertiesAttr = properties;
    for (Region &region : op->getRegions())
      buffered.addRegion()->takeBody(region);
    rewriter.create(buffered);
    auto init = cast<DestinationStyleOpInterface>(op).getDpsInitOperand(0);
    replaceOpWithBufferizedValues(rewriter, op,
                                  buffers[init->getOperandNumber()]);
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
