//===- DropReturnedArguments.cpp - Callers know their own buffers ---------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The upstream pass for this changes public functions as well, whose signature
// is not ours to change.
//
//===----------------------------------------------------------------------===//

#include "prune/Lowering/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/SymbolTable.h"

namespace mlir::prune {
#define GEN_PASS_DEF_DROPRETURNEDARGUMENTSPASS
#include "prune/Lowering/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;
using namespace mlir::prune;

/// All calls of the function, or nothing if it is used in another way.
static std::optional<SmallVector<func::CallOp>> getCalls(func::FuncOp function,
                                                         ModuleOp module) {
  auto uses = function.getSymbolUses(module);
  if (!uses)
    return std::nullopt;
  SmallVector<func::CallOp> calls;
  for (SymbolTable::SymbolUse use : *uses) {
    auto call = dyn_cast<func::CallOp>(use.getUser());
    if (!call)
      return std::nullopt;
    calls.push_back(call);
  }
  return calls;
}

/// The argument that result `index` is at every return, if there is one.
static std::optional<unsigned> getReturnedArgument(func::FuncOp function,
                                                   unsigned index) {
  std::optional<unsigned> argument;
  for (Block &block : function.getBody()) {
    auto exit = dyn_cast<func::ReturnOp>(block.getTerminator());
    if (!exit)
      continue;
    auto value = dyn_cast<BlockArgument>(exit.getOperand(index));
    if (!value || value.getOwner() != &function.getBody().front() ||
        !isa<BaseMemRefType>(value.getType()) ||
        (argument && *argument != value.getArgNumber()))
      return std::nullopt;
    argument = value.getArgNumber();
  }
  return argument;
}

static void dropResult(func::FuncOp function, ArrayRef<func::CallOp> calls,
                       unsigned index, unsigned argument) {
  (void)function.eraseResult(index);
  for (Block &block : function.getBody())
    if (auto exit = dyn_cast<func::ReturnOp>(block.getTerminator()))
      exit->eraseOperand(index);
  for (func::CallOp call : calls)
    call.getResult(index).replaceAllUsesWith(call.getOperand(argument));
}

/// Rebuilds a call with the results that its function still has.
static void rebuildCall(func::CallOp call, func::FuncOp function,
                        ArrayRef<unsigned> kept) {
  OpBuilder builder(call);
  auto rebuilt = func::CallOp::create(builder, call.getLoc(), function,
                                      call.getOperands());
  for (auto [result, index] : llvm::zip_equal(rebuilt.getResults(), kept))
    call.getResult(index).replaceAllUsesWith(result);
  call.erase();
}

static void simplify(func::FuncOp function, ModuleOp module) {
  if (!function.isPrivate() || function.isExternal())
    return;
  std::optional<SmallVector<func::CallOp>> calls = getCalls(function, module);
  if (!calls)
    return;
  unsigned numResults = function.getNumResults();
  SmallVector<unsigned> kept;
  SmallVector<std::pair<unsigned, unsigned>> dropped;
  for (unsigned index = 0; index < numResults; ++index) {
    if (auto argument = getReturnedArgument(function, index))
      dropped.push_back({index, *argument});
    else
      kept.push_back(index);
  }
  if (dropped.empty())
    return;
  for (auto [index, argument] : llvm::reverse(dropped))
    dropResult(function, *calls, index, argument);
  for (func::CallOp call : *calls)
    rebuildCall(call, function, kept);
}

namespace {
struct DropReturnedArguments
    : prune::impl::DropReturnedArgumentsPassBase<DropReturnedArguments> {
  using Base::Base;

  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      simplify(function, getOperation());
  }
};
} // namespace
