//===- Diagnostics.h - What the compiler says, on a terminal ----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_TOOLS_DIAGNOSTICS_H
#define PRUNE_LIB_TOOLS_DIAGNOSTICS_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/SourceMgr.h"

#include <memory>
#include <string>

namespace mlir::prune {

/// Writes diagnostics to standard error. What lies in a text file is shown with
/// its line; anything else begins with the name of the file, once.
class ToolDiagnostics : public SourceMgrDiagnosticHandler {
public:
  ToolDiagnostics(std::shared_ptr<llvm::SourceMgr> sources,
                  MLIRContext *context, StringRef path);

private:
  void write(Diagnostic &diagnostic);

  std::shared_ptr<llvm::SourceMgr> sources;
  std::string path;
};

} // namespace mlir::prune

#endif // PRUNE_LIB_TOOLS_DIAGNOSTICS_H
