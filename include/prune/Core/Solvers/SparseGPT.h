//===- SparseGPT.h - Removal column by column -------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CORE_SOLVERS_SPARSEGPT_H
#define PRUNE_CORE_SOLVERS_SPARSEGPT_H

#include "prune/Core/MaskSelection.h"
#include "prune/Core/Solvers/LayerSystem.h"
#include "prune/Core/Solvers/MaskByADMM.h"

#include "llvm/Support/Error.h"

namespace mlir::prune {

struct SparseGPTOptions {
  double damping = 0.01;
  /// Columns whose mask is chosen together.
  int64_t blockColumns = 128;
  /// Columns by descending diag H, instead of from left to right.
  bool byActivation = false;
};

/// Goes through the inputs once and makes up for each weight that is removed
/// with the inputs that come later (Frantar and Alistarh, 2023). The mask of a
/// block of columns is chosen when all before them are done, by w^2 / U_jj^2,
/// where U' U is the inverse of the damped Gram matrix. Where a unit of the
/// pattern is in no block as a whole, the mask of all columns is chosen before
/// the first, by the same scores. Starts from the weights that reproduce the
/// target best without a mask, W0 if nothing in front has changed. With each
/// block a selection of its own, the number of weights that stay may differ a
/// little from that of one selection. Time: inputs^3 + 2 rows inputs^2
/// multiplications. Fails if sizes do not match, a number is not finite, or no
/// damping makes a Gram matrix positive definite.
llvm::Expected<MaskedWeights>
pruneBySparseGPT(llvm::ArrayRef<LayerSystem> groups, SelectKept select,
                 const SparseGPTOptions &options, ParallelFor parallelFor);

/// The same with the mask `keep` [all elements of all groups].
llvm::Expected<MaskedWeights>
updateBySparseGPT(llvm::ArrayRef<LayerSystem> groups,
                  llvm::ArrayRef<uint8_t> keep, const SparseGPTOptions &options,
                  ParallelFor parallelFor);

} // namespace mlir::prune

#endif // PRUNE_CORE_SOLVERS_SPARSEGPT_H
