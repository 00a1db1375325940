//===- KernelChoice.h - Which kernel suits a weight -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The cost model of the packed kernels: for a weight and a number of columns it
// lists the members of the family that could be used, with an estimate of the
// cycles that each takes, cheapest first. What is estimated is what profiles
// show to matter: multiply-adds, starts of short loops, activations that do not
// fit the first cache, and bytes of weights that stream from memory.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CORE_KERNELCHOICE_H
#define PRUNE_CORE_KERNELCHOICE_H

#include "prune/Core/PackedMatrix.h"

#include <map>

namespace mlir::prune {

/// The processor that kernels are chosen for. Times are in cycles in which one
/// vector multiply-add starts.
struct KernelTarget {
  int64_t vectorBits = 512;
  /// Vector registers.
  int64_t registers = 32;
  int64_t l1Bytes = 32 << 10;
  int64_t l2Bytes = 1 << 20;
  int64_t l3Bytes = 16 << 20;
  /// Cycles to set a tile up and to store it, for each block of columns.
  double tileStart = 30;
  /// Cycles to start a short loop: at times a branch was not foreseen.
  double loopStart = 3;
  /// Cycles that a vector of activations costs beside the products with it, and
  /// what is added if it comes from beyond the first cache.
  double load = 0.15, farLoad = 0.3;
  /// Cycles for a product of single elements.
  double element = 1.5;
  /// Bytes in a cycle that stream from each level.
  double l2Rate = 27, l3Rate = 18, memoryRate = 8;
  /// Cycles to bring an element of an activation into panels, or back.
  double panelElement = 0.45;

  /// The built-in description of a machine with vectors of that size.
  static KernelTarget get(int64_t vectorBits);
};

/// The facts about a weight that costs depend on.
struct MatrixStatistics {
  int64_t m = 0, k = 0;
  unsigned elementBytes = 4;
  int64_t nonzeros = 0;
  /// By rows in a group: columns with a nonzero in the group, over all groups.
  std::map<int64_t, int64_t> groupColumns;

  static MatrixStatistics get(int64_t m, int64_t k,
                              llvm::ArrayRef<char> elements,
                              unsigned elementBytes);
};

/// A kernel that could be used.
struct KernelPlan {
  PackedForm form = PackedForm::Dense;
  bool lanesAlongRows = false;
  int64_t width = 1;
  int64_t tileRows = 1, tileColumns = 1;
  int64_t kBlock = 1;
  /// Columns in a panel of activations; 0 with lanes along rows.
  int64_t panel = 0;
  double cycles = 0;
};

/// All plans for a product with `columns` columns, cheapest first; never empty.
/// `columns` is not positive if it is unknown.
std::vector<KernelPlan> rankKernels(const MatrixStatistics &matrix,
                                    int64_t columns,
                                    const KernelTarget &target);

} // namespace mlir::prune

#endif // PRUNE_CORE_KERNELCHOICE_H
