//===- MemoryAccess.h - What an operation does with memory ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_LOWERING_BUFFERS_MEMORYACCESS_H
#define PRUNE_LIB_LOWERING_BUFFERS_MEMORYACCESS_H

#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace mlir::prune {

/// Whether the operation itself, regions apart, does no more with memory than
/// to read and write it.
inline bool onlyReadsAndWrites(Operation *op) {
  if (isMemoryEffectFree(op))
    return true;
  auto interface = dyn_cast<MemoryEffectOpInterface>(op);
  if (!interface)
    return false;
  SmallVector<MemoryEffects::EffectInstance> effects;
  interface.getEffects(effects);
  return llvm::all_of(effects, [](const MemoryEffects::EffectInstance &effect) {
    return isa<MemoryEffects::Read, MemoryEffects::Write>(effect.getEffect());
  });
}

} // namespace mlir::prune

#endif // PRUNE_LIB_LOWERING_BUFFERS_MEMORYACCESS_H
