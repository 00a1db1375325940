//===- EraseDead.cpp - Erase what nothing reads any more ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "prune/IR/EraseDead.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

void mlir::prune::eraseDead(llvm::SetVector<Operation *> operations) {
  while (!operations.empty()) {
    Operation *op = operations.pop_back_val();
    if (!isOpTriviallyDead(op))
      continue;
    llvm::SmallSetVector<Operation *, 4> sources;
    for (Value operand : op->getOperands())
      if (Operation *source = operand.getDefiningOp())
        sources.insert(source);
    op->erase();
    operations.insert(sources.begin(), sources.end());
  }
}
