//===- Bufferization.h - Our operations on buffers --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CONVERSION_BUFFERIZATION_H
#define PRUNE_CONVERSION_BUFFERIZATION_H

namespace mlir {
class DialectRegistry;

namespace prune {

/// Lets one-shot bufferization handle the packed ops.
void registerBufferizableOpInterfaceExternalModels(DialectRegistry &registry);

/// Lets it handle `prune.insert_slices`.
void registerSliceBufferizationModels(DialectRegistry &registry);

/// Lets it handle `prune.observe`.
void registerObserveBufferizationModel(DialectRegistry &registry);

} // namespace prune
} // namespace mlir

#endif // PRUNE_CONVERSION_BUFFERIZATION_H
