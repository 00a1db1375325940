//===- MaskByADMM.h - A mask by alternating directions ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CORE_SOLVERS_MASKBYADMM_H
#define PRUNE_CORE_SOLVERS_MASKBYADMM_H

#include "prune/Core/MaskSelection.h"
#include "prune/Core/Solvers/LayerSystem.h"

#include "llvm/Support/Error.h"

namespace mlir::prune {

struct ADMMOptions {
  double damping = 0.01;
  int64_t iterations = 300;
  /// The first penalty of weights that differ from masked ones.
  double penalty = 0.1;
};

/// A mask and weights that are 0 where it is, of all groups one after another.
struct MaskedWeights {
  std::vector<uint8_t> keep;
  std::vector<double> weights;
  /// How many steps it took.
  int64_t iterations = 0;
};

/// Finds a mask together with its weights (ALPS: Meng et al., NeurIPS 2024).
/// Weights B that fit and weights D that are masked are pulled to each other by
/// a penalty that grows as the mask settles. Inputs are scaled to unit second
/// moments. Each step costs two products of [rows x inputs] with [inputs x
/// inputs] per group, and there is one eigendecomposition of each Gram matrix.
/// Fails if sizes do not match, a number is not finite, or an
/// eigendecomposition does not converge.
llvm::Expected<MaskedWeights> maskByADMM(llvm::ArrayRef<LayerSystem> groups,
                                         SelectKept select,
                                         const ADMMOptions &options,
                                         ParallelFor parallelFor);

} // namespace mlir::prune

#endif // PRUNE_CORE_SOLVERS_MASKBYADMM_H
