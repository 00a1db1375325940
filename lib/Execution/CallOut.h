//===- CallOut.h - From compiled code to observers --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_EXECUTION_CALLOUT_H
#define PRUNE_LIB_EXECUTION_CALLOUT_H

#include "prune/Execution/Observer.h"

namespace mlir::prune {

/// While it lives, compiled code that this thread calls shows tensors to the
/// observer, or to nobody if it is null.
class ObserverScope {
public:
  explicit ObserverScope(const Observer *observer);
  ~ObserverScope();
  ObserverScope(const ObserverScope &) = delete;

private:
  const Observer *outer;
};

/// A memory reference of any rank, as compiled code passes it.
struct UnrankedReference {
  int64_t rank;
  /// Two pointers, an offset, sizes and strides.
  const int64_t *descriptor;
};

/// The functions that `prune.observe` is lowered to.
void showF64(int64_t number, const UnrankedReference *tensor);
void showF32(int64_t number, const UnrankedReference *tensor);
void showF16(int64_t number, const UnrankedReference *tensor);
void showBF16(int64_t number, const UnrankedReference *tensor);

} // namespace mlir::prune

#endif // PRUNE_LIB_EXECUTION_CALLOUT_H
