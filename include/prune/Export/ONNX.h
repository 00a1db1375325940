//===- ONNX.h - Export of pruned models to ONNX -----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes a pruned network back into the ONNX file that it was imported from, so
// that any other runtime profits: initialisers get the module's numbers without
// the channels that left, and numbers in nodes that are sizes (groups, shapes,
// pads) follow. Names, operators and operator set stay. The file is not
// trusted.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_EXPORT_ONNX_H
#define PRUNE_EXPORT_ONNX_H

#include "prune/Import/ONNX.h"

namespace mlir::prune {

/// The bytes of the patched model. `original` is the path of the file that
/// `module` was imported from, with the same `options`; sizes that these fix
/// are fixed in the result. Fails after diagnostics, which name the initialiser
/// or node that stands in the way, if the patched file would not compute what
/// the module does.
FailureOr<std::string> exportONNX(ModuleOp module, StringRef original,
                                  const ONNXImportOptions &options);

} // namespace mlir::prune

#endif // PRUNE_EXPORT_ONNX_H
