//===- KernelChoice.h - Which kernel suits a weight -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The cost model of the packed kernels: for a weight and a number of columns it
// lists the members of the family that could be used, with an estimate of the
// cycles that each takes, cheapest first. An estimate is a weighted sum of
// amounts of work that profiles show to matter. What a unit of each costs is
// fitted to measurements (bench/calibrate.py) and read from a file, or built
// in.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CORE_PACKING_KERNELCHOICE_H
#define PRUNE_CORE_PACKING_KERNELCHOICE_H

#include "prune/Core/Packing/PackedMatrix.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <array>
#include <map>

namespace mlir::prune {

/// Kinds of work that a kernel does. The names are those of `getName`.
enum class Work : unsigned {
  /// Cycles that the busiest of multipliers, loads and sums takes.
  Issue,
  /// Vectors multiplied, and vectors or broadcast scalars loaded.
  Products,
  Loads,
  /// Listed columns, and starts of loops over them.
  Listed,
  Runs,
  /// Loop exits beyond what the branch predictor can remember.
  MispredictedExits,
  /// Tiles set up and stored, and vectors of partial sums that wait in memory.
  Tiles,
  Sums,
  /// Vectors of activations from beyond the first and the second cache.
  L2Vectors,
  L3Vectors,
  /// Bytes of weights from the second cache, the third and memory.
  L2Bytes,
  L3Bytes,
  MemoryBytes,
  /// Products of single elements.
  Elements,
  /// Elements of activations brought into panels or back.
  PanelElements,
};
inline constexpr unsigned kNumWorks = unsigned(Work::PanelElements) + 1;
using WorkAmounts = std::array<double, kNumWorks>;

/// How a kind of work is called in a machine file.
llvm::StringRef getName(Work work);

/// The processor that kernels are chosen for.
struct KernelTarget {
  int64_t vectorBits = 512;
  /// Vector registers.
  int64_t registers = 32;
  int64_t l1Bytes = 48 << 10;
  int64_t l2Bytes = 1 << 20;
  int64_t l3Bytes = 32 << 20;
  /// Cycles per unit of each kind of work.
  WorkAmounts cycles{};

  /// The built-in description of a machine with vectors of that size.
  static KernelTarget get(int64_t vectorBits);

  /// Reads a description in JSON: an object with the members `vector-bits`,
  /// `registers`, `l1-bytes`, `l2-bytes`, `l3-bytes` and `cycles`, an object
  /// with a number of at least 0 for kinds of work. What is missing is as built
  /// in for the vector size, which is required.
  static llvm::Expected<KernelTarget> parse(llvm::StringRef json);
};

/// The facts about a weight that costs depend on.
struct MatrixStatistics {
  int64_t m = 0, k = 0;
  /// Of an element as it is multiplied, and as it is stored.
  unsigned elementBytes = 4, storedBytes = 4;
  int64_t nonzeros = 0;
  /// By rows in a group: columns with a nonzero in the group, over all groups.
  std::map<int64_t, int64_t> groupColumns;
  /// How many columns of the weight meet nearly the same activations: 1, or
  /// how many windows begin next to each other.
  int64_t overlap = 1;

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
  WorkAmounts work{};
  double cycles = 0;
};

/// All plans for a product with `columns` columns, cheapest first; never empty.
/// `columns` is not positive if it is unknown. All plans with lanes along
/// columns have the same panel, whatever the weight.
std::vector<KernelPlan> rankKernels(const MatrixStatistics &matrix,
                                    int64_t columns,
                                    const KernelTarget &target);

} // namespace mlir::prune

#endif // PRUNE_CORE_PACKING_KERNELCHOICE_H
