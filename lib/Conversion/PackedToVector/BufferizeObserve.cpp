//===- BufferizeObserve.cpp - Observers on buffers ------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An observer becomes a call of a function without a body, one for each element
// type, which takes the observer's number and the buffer, of any rank and in
// any layout. Who runs the code has the functions; so an observer without a
// number, which nobody runs the code for, is refused.
//
//===----------------------------------------------------------------------===//

#include "prune/Conversion/Bufferization.h"
#include "prune/IR/Prune.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/DialectRegistry.h"

using namespace mlir;
using namespace mlir::bufferization;
using namespace mlir::prune;

/// Finds or declares the function that takes buffers of this element type;
/// fails if the module has something else of that name.
static FailureOr<func::FuncOp> getCallee(Operation *op, Type element) {
  auto module = op->getParentOfType<ModuleOp>();
  std::string name = "prune_observe_";
  llvm::raw_string_ostream(name) << element;
  OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
  auto type = builder.getFunctionType(
      {builder.getI64Type(), UnrankedMemRefType::get(element, Attribute())},
      {});
  if (Operation *known = module.lookupSymbol(name)) {
    auto function = dyn_cast<func::FuncOp>(known);
    if (function && function.isExternal() && function.getFunctionType() == type)
      return function;
    known->emitError("'")
        << name << "' is the name of a function that observers call; rename it";
    return failure();
  }
  auto function = func::FuncOp::create(builder, op->getLoc(), name, type);
  function.setPrivate();
  function->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(),
                    builder.getUnitAttr());
  return function;
}

namespace {
struct ObserveModel
    : BufferizableOpInterface::ExternalModel<ObserveModel, ObserveOp> {
  bool bufferizesToMemoryRead(Operation *, OpOperand &,
                              const AnalysisState &) const {
    return true;
  }

  bool bufferizesToMemoryWrite(Operation *, OpOperand &,
                               const AnalysisState &) const {
    return false;
  }

  AliasingValueList getAliasingValues(Operation *op, OpOperand &,
                                      const AnalysisState &) const {
    return {{op->getResult(0), BufferRelation::Equivalent}};
  }

  LogicalResult verifyAnalysis(Operation *op, const AnalysisState &) const {
    auto observe = cast<ObserveOp>(op);
    if (observe.getNumber())
      return success();
    return op->emitError("the observer of '")
           << observe.getLayer()
           << "' has nobody to show its tensor to: run the module by prune-run "
              "--statistics, or remove observers by prune-strip-observers";
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto observe = cast<ObserveOp>(op);
    FailureOr<Value> buffer =
        getBuffer(rewriter, observe.getInput(), options, state);
    Type element = observe.getInput().getType().getElementType();
    FailureOr<func::FuncOp> callee = getCallee(op, element);
    if (failed(buffer) || failed(callee))
      return failure();
    Location loc = op->getLoc();
    Value number = arith::ConstantOp::create(
        rewriter, loc, rewriter.getI64IntegerAttr(*observe.getNumber()));
    Value shown = memref::CastOp::create(
        rewriter, loc, UnrankedMemRefType::get(element, Attribute()), *buffer);
    func::CallOp::create(rewriter, loc, *callee, ValueRange{number, shown});
    replaceOpWithBufferizedValues(rewriter, op, *buffer);
    return success();
  }
};
} // namespace

void mlir::prune::registerObserveBufferizationModel(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, PruneDialect *) {
    ObserveOp::attachInterface<ObserveModel>(*context);
  });
}
