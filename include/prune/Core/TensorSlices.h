//===- TensorSlices.h - Slices of dense buffers -----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A slice of a tensor is what one index along one dimension selects: a filter,
// a channel, a row. Removing channels asks two things of constants: which
// slices hold one number throughout, and a copy without some of the slices.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CORE_TENSORSLICES_H
#define PRUNE_CORE_TENSORSLICES_H

#include "prune/Core/TensorView.h"

#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace mlir::prune {

/// For each index along `dim` of a row-major tensor: the position of the
/// slice's first element if all of the slice equals it, else -1. With
/// `isFloat`, zeros of either sign are equal. `elementSize` is 1, 2, 4 or 8
/// bytes.
std::vector<int64_t> findConstantSlices(llvm::ArrayRef<char> data,
                                        unsigned elementSize, bool isFloat,
                                        llvm::ArrayRef<int64_t> shape,
                                        int64_t dim);

/// For each index along `dim`: whether the slice has an element other than zero
/// at indices that are not skipped. `skipped` has an entry for each dimension:
/// empty, or for each index whether it is left out.
std::vector<bool> findLiveSlices(const TensorView &tensor, int64_t dim,
                                 llvm::ArrayRef<std::vector<bool>> skipped);

/// The indices that remain along each dimension; no list stands for all.
using KeptIndices = llvm::SmallVector<std::optional<std::vector<int64_t>>>;

/// The shape that remains.
llvm::SmallVector<int64_t> keptShape(llvm::ArrayRef<int64_t> shape,
                                     const KeptIndices &kept);

/// Copies the elements that remain to `out`, in row-major order.
void gatherSlices(llvm::ArrayRef<char> data, unsigned elementSize,
                  llvm::ArrayRef<int64_t> shape, const KeptIndices &kept,
                  char *out);

} // namespace mlir::prune

#endif // PRUNE_CORE_TENSORSLICES_H
