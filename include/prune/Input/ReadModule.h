//===- ReadModule.h - A model, in whatever form it comes --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one way from bytes to a module, for every tool and interface: MLIR as
// text or bytecode, or an ONNX model. Input is not trusted, bytecode aside.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_INPUT_READMODULE_H
#define PRUNE_INPUT_READMODULE_H

#include "prune/Import/ONNX.h"

#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"

#include <memory>

namespace mlir::prune {

/// Whether a file is an ONNX model, by its name.
bool isONNX(StringRef path);

/// Opens a file of MLIR, "-" being standard input, and checks what its reader
/// would not survive. The buffer is what MLIR's readers want.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> openModule(StringRef path);

/// Parses MLIR that has been checked and makes sure that its resources are
/// there. Null after diagnostics; they show lines of `sources`, which get the
/// buffer.
OwningOpRef<ModuleOp>
parseModule(std::unique_ptr<llvm::MemoryBuffer> buffer,
            const std::shared_ptr<llvm::SourceMgr> &sources,
            MLIRContext *context);

/// Opens and reads a file, ONNX by its name and MLIR else. The error is without
/// words if diagnostics have said it all.
llvm::Expected<OwningOpRef<ModuleOp>>
readModule(StringRef path, const std::shared_ptr<llvm::SourceMgr> &sources,
           MLIRContext *context, const ONNXImportOptions &options);

} // namespace mlir::prune

#endif // PRUNE_INPUT_READMODULE_H
