//===- Memory.h - How much there is, and how much is wanted -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A size on a command line or in a file is a wish. The system often grants more
// than there is and ends the program when the memory is touched, so what is
// larger than the machine is refused before.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CORE_SUPPORT_MEMORY_H
#define PRUNE_CORE_SUPPORT_MEMORY_H

#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <string>

namespace mlir::prune {

/// "3.6 TiB"
std::string byteString(uint64_t bytes);

/// The memory of this machine, the largest number if that is not known.
uint64_t machineMemory();

/// Fails if a machine with this memory cannot have so much. `what` names it and
/// begins the message.
llvm::Error checkMemory(const llvm::Twine &what, uint64_t bytes);

} // namespace mlir::prune

#endif // PRUNE_CORE_SUPPORT_MEMORY_H
