//===- LayerSystem.h - What a layer's weights have to reproduce -*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A layer computes Y = X W', with one row of X for each position of each
// sample. With fewer weights, or other inputs since earlier layers have
// changed, the weights that reproduce its outputs Yd on the inputs Xd of the
// dense network best are those that minimise ||Xp W' - Xd W0'||^2. All that
// solvers need to know of the data are sums over its rows.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CORE_SOLVERS_LAYERSYSTEM_H
#define PRUNE_CORE_SOLVERS_LAYERSYSTEM_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <cstdint>
#include <vector>

namespace mlir::prune {

/// One group of a layer: rows (outputs) that read the same inputs. A product or
/// an ordinary convolution is one group; a depthwise one has one group of one
/// row for each channel. Matrices are row-major.
struct LayerSystem {
  int64_t rows = 0, inputs = 0;
  /// W0, [rows x inputs].
  std::vector<double> weights;
  /// H = Xp' Xp, [inputs x inputs], both triangles.
  std::vector<double> gram;
  /// R = W0 (Xd' Xp), [rows x inputs]; W0 H if nothing in front has changed.
  std::vector<double> target;
  /// ||Xd W0'||^2.
  double energy = 0;
};

/// Chooses the elements that stay. `scores` has one number for each element of
/// all groups, group after group; those whose elements of a unit of the pattern
/// have the largest sums stay, as many as the pattern and its target say. If
/// `candidates` is not empty, only elements that are 1 in it are ranked, at the
/// same sparsity, and `keep` is written for them only.
using SelectKept = llvm::function_ref<void(
    llvm::ArrayRef<double> scores, llvm::ArrayRef<uint8_t> candidates,
    llvm::MutableArrayRef<uint8_t> keep)>;

} // namespace mlir::prune

#endif // PRUNE_CORE_SOLVERS_LAYERSYSTEM_H
