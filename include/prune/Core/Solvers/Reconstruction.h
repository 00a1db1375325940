//===- Reconstruction.h - Mask and weights of a layer -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Prunes a layer so that it computes on its inputs what the dense one did.
// Masks come from several methods, each is given the weights that suit it best,
// and the one that reproduces the outputs best stays.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CORE_SOLVERS_RECONSTRUCTION_H
#define PRUNE_CORE_SOLVERS_RECONSTRUCTION_H

#include "prune/Core/MaskSelection.h"
#include "prune/Core/Solvers/FitSupport.h"
#include "prune/Core/Solvers/LayerSystem.h"
#include "prune/Core/Solvers/MaskByADMM.h"
#include "prune/Core/Solvers/SparseGPT.h"

#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace mlir::prune {

struct ReconstructOptions {
  /// The masks to try. That of `surgeon` has as many elements as that of
  /// magnitude, one by one: for patterns of single elements only.
  bool magnitude = true, admm = true, sparseGPT = true, surgeon = false;
  /// Whether each mask gets the weights that suit it best; else it has those
  /// of its method (`surgeon` always does).
  bool refit = true;
  /// With more inputs, ADMM is left out if there is another mask to try.
  int64_t mostADMMInputs = 2048;
  /// Its damping is that of all methods.
  FitOptions fit;
  ADMMOptions admmOptions;
  SparseGPTOptions sparseGPTOptions;
};

/// A mask that was tried.
struct MaskCandidate {
  /// "magnitude", "admm", "sparsegpt" or "obs".
  std::string mask;
  double error = 0;
};

struct Reconstruction {
  /// Of all groups, one after another.
  std::vector<double> weights;
  std::vector<uint8_t> keep;
  /// The method of the mask that is chosen.
  std::string mask;
  /// Plain errors of all groups together: of W0 with the mask of magnitude; of
  /// each mask; of the result; and of weights that are all 0.
  double startError = 0;
  std::vector<MaskCandidate> candidates;
  double error = 0;
  double energy = 0;
};

/// Finds mask and weights. `select` ranks squared weights, or what stands for
/// them, over all groups. The result is never worse than any of the candidates,
/// nor, with the mask of magnitude among them and with `refit`, than the start.
/// Inputs that are always 0 have weight 0 and rank lowest. The result has the
/// same bits for every `parallelFor`. Fails if sizes do not match, a number is
/// not finite, no mask is asked for, or all methods that are fail.
llvm::Expected<Reconstruction> reconstruct(llvm::ArrayRef<LayerSystem> groups,
                                           SelectKept select,
                                           const ReconstructOptions &options,
                                           ParallelFor parallelFor);

} // namespace mlir::prune

#endif // PRUNE_CORE_SOLVERS_RECONSTRUCTION_H
