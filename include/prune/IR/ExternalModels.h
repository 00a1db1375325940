//===- ExternalModels.h - Our interfaces on upstream operations -*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_IR_EXTERNALMODELS_H
#define PRUNE_IR_EXTERNALMODELS_H

namespace mlir {
class DialectRegistry;

namespace prune {

/// Attaches ChannelOpInterface to the operations of the tensor dialect.
void registerExternalModels(DialectRegistry &registry);

} // namespace prune
} // namespace mlir

#endif // PRUNE_IR_EXTERNALMODELS_H
