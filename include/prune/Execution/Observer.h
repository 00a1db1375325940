//===- Observer.h - What compiled code shows --------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_EXECUTION_OBSERVER_H
#define PRUNE_EXECUTION_OBSERVER_H

#include "prune/Core/TensorView.h"

#include <functional>

namespace mlir::prune {

/// A tensor that `prune.observe` shows, for as long as the call takes, where it
/// lies: strides count elements and may be anything.
struct ShownTensor {
  /// That of the operation.
  int64_t number;
  FloatKind kind;
  const char *data;
  llvm::ArrayRef<int64_t> shape, strides;

  /// All elements in row-major order, exactly.
  std::vector<double> read() const;
};

/// Called in the thread that calls the compiled function, in the order of
/// execution.
using Observer = std::function<void(const ShownTensor &)>;

} // namespace mlir::prune

#endif // PRUNE_EXECUTION_OBSERVER_H
