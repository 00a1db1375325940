//===- WriteStatistics.cpp - A module with what was seen of it ------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Model.h"

#include "Tools/Tool.h"
#include "Tools/WriteModule.h"

using namespace mlir;
using namespace mlir::prune;
using llvm::Error;

Error mlir::prune::writeStatistics(ObservedModule &observed, StringRef output) {
  if (Error error = observed.collector->finish(*observed.module))
    return makeError(kInput,
                     "--statistics: " + llvm::toString(std::move(error)));
  return writeModule(*observed.module, output, /*asBytecode=*/false,
                     "--statistics");
}
