//===- FitSupport.h - The best weights of a given mask ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// With the mask fixed, the weights that reproduce a layer's outputs best are a
// least-squares problem for each row. This is worth more than the mask itself.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CORE_SOLVERS_FITSUPPORT_H
#define PRUNE_CORE_SOLVERS_FITSUPPORT_H

#include "prune/Core/MaskSelection.h"
#include "prune/Core/Solvers/LayerSystem.h"

#include "llvm/Support/Error.h"

namespace mlir::prune {

struct FitOptions {
  /// The ridge that pulls weights to W0, by the mean of diag H.
  double damping = 0.01;
  /// Rows that keep more inputs are solved by iteration.
  int64_t directInputs = 1500;
  /// Limits of the iteration: steps, and the norm of the residual by that of
  /// the right side.
  int64_t iterations = 10;
  double tolerance = 1e-4;
};

/// ||Xp W' - Xd W0'||^2 of `weights` [rows x inputs]: the sum of w H w' - 2 w
/// R' over rows and the energy. Rounding can make it a little less than 0.
double layerError(const LayerSystem &system, llvm::ArrayRef<double> weights,
                  ParallelFor parallelFor);

/// Replaces `weights` [rows x inputs], the start, by the minimum of the error
/// and damping * mean(diag H) * ||W - W0||^2 over all weights that are 0 where
/// `keep` [rows x inputs] is. Weights of inputs with H_jj = 0 are 0. Each row
/// becomes the better of its masked start and the fit, by the plain error. By
/// Cholesky in float64, once for rows that keep the same; with many inputs, by
/// conjugate gradients with diag H as the preconditioner. Where a matrix is not
/// positive definite, damping is made tenfold. Fails if sizes do not match or a
/// number is not finite; `weights` are left alone then.
llvm::Error fitSupport(const LayerSystem &system, llvm::ArrayRef<uint8_t> keep,
                       const FitOptions &options, ParallelFor parallelFor,
                       llvm::MutableArrayRef<double> weights);

} // namespace mlir::prune

#endif // PRUNE_CORE_SOLVERS_FITSUPPORT_H
