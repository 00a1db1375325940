//===- ForeignArrays.h - Files that are no .npy files -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_CORE_FOREIGNARRAYS_H
#define PRUNE_LIB_CORE_FOREIGNARRAYS_H

#include "llvm/ADT/StringRef.h"

#include <string>

namespace mlir::prune {

/// What a file is, by its first bytes or its name, and the command that makes
/// an array of it.
std::string describeForeignArray(llvm::StringRef contents,
                                 llvm::StringRef path);

} // namespace mlir::prune

#endif // PRUNE_LIB_CORE_FOREIGNARRAYS_H
