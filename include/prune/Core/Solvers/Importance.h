//===- Importance.h - Scores of weights from statistics ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CORE_SOLVERS_IMPORTANCE_H
#define PRUNE_CORE_SOLVERS_IMPORTANCE_H

#include "llvm/ADT/ArrayRef.h"

#include <cstdint>

namespace mlir::prune {

/// |w_ij| ||x_j||: how much a weight of a row can add to its output (Wanda: Sun
/// et al., 2023). `weights` and `scores` are [rows x inputs]; `norms` has the
/// Euclidean norm of each input over all samples, the root of diag H.
void scoreByWanda(llvm::ArrayRef<double> weights, int64_t rows, int64_t inputs,
                  llvm::ArrayRef<double> norms,
                  llvm::MutableArrayRef<double> scores);

/// (|w_ij| / sum of |row i| + |w_ij| / sum of |column j|) ||x_j||^power:
/// weights by what their row and their column have, so that no channel is lost
/// as a whole (RIA: Zhang et al., 2024, with the power 0.5). The shapes are
/// those of `scoreByWanda`. Where a sum is 0, so is the score.
void scoreByRIA(llvm::ArrayRef<double> weights, int64_t rows, int64_t inputs,
                llvm::ArrayRef<double> norms, double power,
                llvm::MutableArrayRef<double> scores);

} // namespace mlir::prune

#endif // PRUNE_CORE_SOLVERS_IMPORTANCE_H
