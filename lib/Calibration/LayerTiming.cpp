//===- LayerTiming.cpp - How long one product takes -----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LayerTiming.h"

#include "prune/Core/Evaluation.h"
#include "prune/Execution/Elements.h"
#include "prune/Execution/Program.h"
#include "prune/IR/ConstantView.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

#include <chrono>

using namespace mlir;
using namespace mlir::prune;
using llvm::Expected;

/// Calls are timed for so long, at least so many of them.
static constexpr double kMicroseconds = 20000;
static constexpr unsigned kCalls = 11;

namespace {
/// Copies a product, with what its other operands are made of.
class ProductCopier {
public:
  ProductCopier(OpBuilder &builder, DenseResourceElementsAttr constant,
                TypedAttr replacement)
      : builder(builder), constant(constant), replacement(replacement) {}

  IRMapping mapping;
  void copy(Value value);

private:
  OpBuilder &builder;
  DenseResourceElementsAttr constant;
  TypedAttr replacement;
};
} // namespace

void ProductCopier::copy(Value value) {
  if (mapping.contains(value))
    return;
  Operation *op = value.getDefiningOp();
  Attribute held;
  if (matchPattern(value, m_Constant(&held)) && held == constant) {
    mapping.map(
        value, arith::ConstantOp::create(builder, value.getLoc(), replacement));
    return;
  }
  // Sizes that are open.
  if (value.getType().isIndex() && !matchPattern(value, m_Constant())) {
    mapping.map(value,
                arith::ConstantIndexOp::create(builder, value.getLoc(), 1));
    return;
  }
  for (Value operand : op->getOperands())
    copy(operand);
  builder.clone(*op, mapping);
}

static double medianTime(Invocation &invocation) {
  std::vector<double> times;
  double total = 0;
  invocation.call();
  while (times.size() < kCalls || total < kMicroseconds) {
    invocation.freeResults();
    auto begin = std::chrono::steady_clock::now();
    invocation.call();
    std::chrono::duration<double, std::micro> time =
        std::chrono::steady_clock::now() - begin;
    times.push_back(time.count());
    total += time.count();
  }
  return spreadOf(std::move(times)).median;
}

Expected<double> mlir::prune::timeProduct(const WeightUse &use,
                                          DenseResourceElementsAttr constant,
                                          ArrayRef<char> bytes) {
  auto product = cast<linalg::LinalgOp>(use.operand->getOwner());
  Location loc = product.getLoc();
  Value input =
      product.getDpsInputOperand(use.operand->getOperandNumber() == 0 ? 1 : 0)
          ->get();
  OpBuilder builder(product.getContext());
  OwningOpRef<ModuleOp> module = ModuleOp::create(builder, loc);
  builder.setInsertionPointToEnd(module->getBody());
  auto function = func::FuncOp::create(
      builder, loc, "main",
      builder.getFunctionType(input.getType(), product->getResultTypes()));
  builder.setInsertionPointToStart(function.addEntryBlock());
  ProductCopier copier(builder, constant,
                       createConstantLike(constant, constant.getType(), bytes));
  copier.mapping.map(input, function.getArgument(0));
  for (Value operand : product->getOperands())
    copier.copy(operand);
  Operation *copy = builder.clone(*product, copier.mapping);
  func::ReturnOp::create(builder, loc, copy->getResults());

  CompileOptions options;
  options.module = "a product";
  options.kernels = "packed";
  Expected<std::unique_ptr<Program>> program =
      Program::compile(*module, options);
  if (!program)
    return program.takeError();
  const Port &port = (*program)->arguments().front();
  SmallVector<int64_t> shape;
  for (int64_t extent : port.shape)
    shape.push_back(extent == -1 ? 1 : extent);
  Expected<NpyArray> x =
      makeRandom("the input of a product", memoryTypeOf(port.element), shape,
                 /*seed=*/0, /*argument=*/0);
  if (!x)
    return x.takeError();
  auto invocation = (*program)->bind({PortView{x->bytes().data(), shape}});
  if (!invocation)
    return invocation.takeError();
  return medianTime(**invocation);
}
