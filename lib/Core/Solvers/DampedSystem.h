//===- DampedSystem.h - A layer's system that can be solved -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What all solvers start from: a ridge added to the Gram matrix that pulls the
// weights to those of the dense layer, and inputs that are always 0 set apart.
// Weights are then the minimum of
//
//   J(W) = ||Xp W' - Xd W0'||^2 + ridge ||W - W0||^2.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_CORE_SOLVERS_DAMPEDSYSTEM_H
#define PRUNE_LIB_CORE_SOLVERS_DAMPEDSYSTEM_H

#include "prune/Core/MaskSelection.h"
#include "prune/Core/Solvers/FitSupport.h"
#include "prune/Core/Solvers/LayerSystem.h"
#include "prune/Core/Solvers/MaskByADMM.h"
#include "prune/Core/Solvers/SparseGPT.h"

#include "llvm/Support/Error.h"

#include <algorithm>
#include <vector>

namespace mlir::prune {

/// A copy of a `LayerSystem` with its ridge.
struct DampedSystem {
  DampedSystem(const LayerSystem &system, double damping);

  int64_t rows, inputs;
  /// damping * mean(diag H).
  double ridge = 0;
  /// The ridge to go on with if this one is too small: tenfold.
  double nextRidge(double tried) const {
    return 10 * std::max(tried, leastRidge);
  }
  /// By input, whether it is ever different from 0.
  std::vector<uint8_t> live;
  /// W0 [rows x inputs], 0 for dead inputs.
  std::vector<double> weights;
  /// H + ridge I [inputs x inputs]; of dead inputs, a row of the identity.
  std::vector<double> gram;
  /// R + ridge W0 [rows x inputs], 0 for dead inputs.
  std::vector<double> target;

private:
  double leastRidge = 0;
};

/// How often a ridge that is too small is made tenfold.
constexpr int kRidgeAttempts = 12;

/// Rows that are worked on together. What is computed of a row may depend on
/// which others are in its block, so blocks are the same for all threads.
constexpr int64_t kRowBlock = 64;

/// Calls `body(first, count)` for blocks of rows.
inline void
forRowBlocks(int64_t rows, ParallelFor parallelFor,
             llvm::function_ref<void(int64_t first, int64_t count)> body) {
  parallelFor((rows + kRowBlock - 1) / kRowBlock, [&](size_t block) {
    int64_t first = int64_t(block) * kRowBlock;
    body(first, std::min(kRowBlock, rows - first));
  });
}

/// An error if sizes do not match, a number is not finite, or a diagonal
/// element of the Gram matrix is negative.
llvm::Error checkSystem(const LayerSystem &system);

/// w H w' - 2 w . R of each row, plain, without the energy.
std::vector<double> rowErrors(const LayerSystem &system,
                              llvm::ArrayRef<double> weights,
                              ParallelFor parallelFor);

/// U of `factorizeInverse` for the damped matrix, with the ridge tenfold as
/// long as it is not positive definite. Empty if that does not help.
std::vector<double> factorizeInverse(const DampedSystem &damped);

/// The minimum of J without a mask: W0 if nothing in front has changed. `u` is
/// what `factorizeInverse` returned.
std::vector<double> solveDense(const DampedSystem &damped,
                               llvm::ArrayRef<double> u,
                               ParallelFor parallelFor);

/// The solvers of the public headers, for systems that are checked and damped.
/// With `given`, SparseGPT does not choose a mask.
llvm::Expected<MaskedWeights> maskByADMM(llvm::ArrayRef<DampedSystem> systems,
                                         SelectKept select,
                                         const ADMMOptions &options,
                                         ParallelFor parallelFor);
llvm::Expected<MaskedWeights>
pruneBySparseGPT(llvm::ArrayRef<DampedSystem> systems, SelectKept select,
                 llvm::ArrayRef<uint8_t> given, const SparseGPTOptions &options,
                 ParallelFor parallelFor);
void fitSupport(const LayerSystem &system, const DampedSystem &damped,
                llvm::ArrayRef<uint8_t> keep, const FitOptions &options,
                ParallelFor parallelFor, llvm::MutableArrayRef<double> weights);

} // namespace mlir::prune

#endif // PRUNE_LIB_CORE_SOLVERS_DAMPEDSYSTEM_H
