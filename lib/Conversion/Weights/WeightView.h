//===- WeightView.h - A weight as its contraction sees it -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Between a constant and the contraction that it is a weight of may stand
// transposes, reshapes, casts and broadcasts. Folding carries them out on the
// data, so that the weight can be packed in whatever order a format wants.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_CONVERSION_WEIGHTS_WEIGHTVIEW_H
#define PRUNE_LIB_CONVERSION_WEIGHTS_WEIGHTVIEW_H

#include "prune/Analysis/WeightUses.h"
#include "prune/Core/Support/ByteBuffer.h"
#include "prune/Core/TensorView.h"
#include "prune/IR/WeightRecord.h"

#include <memory>
#include <vector>

namespace mlir::prune {

/// A strided view of the data: element (i0, i1, ...) is element
/// i0*strides[0] + i1*strides[1] + ... of `data`. Views share what they own.
struct WeightView {
  FloatKind kind;
  SmallVector<int64_t> shape;
  SmallVector<int64_t> strides;
  ArrayRef<char> data;
  std::shared_ptr<ByteBuffer> storage;

  /// The elements with the dimensions in the given order, contiguous.
  ByteBuffer read(ArrayRef<int64_t> dims) const;

  /// The same without a copy where they lie so already; else in `copy`.
  ArrayRef<char> view(ArrayRef<int64_t> dims, ByteBuffer &copy) const;

  int64_t countNonzeros() const;
};

/// Carries out the chain of `use`. Empty, with a reason, if a step cannot be.
std::optional<WeightView> foldWeight(const Weight &weight, const WeightUse &use,
                                     std::string &reason);

/// Adds to the record of a weight what its packed form does not show:
/// its type and nonzeros, and further entries.
void recordPackedWeight(WeightRecords &records, const Weight &weight,
                        ArrayRef<NamedAttribute> entries = {});

} // namespace mlir::prune

#endif // PRUNE_LIB_CONVERSION_WEIGHTS_WEIGHTVIEW_H
