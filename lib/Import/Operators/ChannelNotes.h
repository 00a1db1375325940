//===- ChannelNotes.h - Operators that channels leave through ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_IMPORT_OPERATORS_CHANNELNOTES_H
#define PRUNE_LIB_IMPORT_OPERATORS_CHANNELNOTES_H

#include "llvm/ADT/StringRef.h"

namespace mlir::prune::onnx_import {

/// Whether channels of a layer in front of the operator can be removed: "yes",
/// with a condition, or "no", with the reason.
llvm::StringRef describeChannels(llvm::StringRef op);

} // namespace mlir::prune::onnx_import

#endif // PRUNE_LIB_IMPORT_OPERATORS_CHANNELNOTES_H
