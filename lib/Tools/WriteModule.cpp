//===- WriteModule.cpp - A module as text or bytecode ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WriteModule.h"

#include "Tool.h"

#include "prune/Core/Support/FileOutput.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using llvm::Error;

Error mlir::prune::writeModule(ModuleOp module, StringRef output,
                               bool asBytecode, StringRef option) {
  asBytecode |= output.ends_with(".mlirbc");
  bool seen = isTerminal(output);
  if (seen && asBytecode)
    return makeError(kUsage, "bytecode is not for a terminal; write it to a "
                             "file with " +
                                 option);
  OpPrintingFlags flags;
  if (seen) {
    noteElision();
    flags.elideLargeElementsAttrs(64).elideLargeResourceString(64);
  }
  return writeFile(output, [&](llvm::raw_ostream &os) -> Error {
    if (!asBytecode)
      module->print(os, flags);
    else if (failed(writeBytecodeToFile(module, os)))
      return llvm::createStringError("cannot write bytecode");
    return Error::success();
  });
}
