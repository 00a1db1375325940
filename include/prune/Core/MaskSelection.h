//===- MaskSelection.h - Ranking units and choosing a mask ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Selection answers one question: given scores and a pattern, which elements
// are removed? It never stores scores or masks of full size. Scores are read
// in short runs, as often as needed; the answer is a threshold with a position
// that breaks the tie, from which each element's fate is computed again.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CORE_MASKSELECTION_H
#define PRUNE_CORE_MASKSELECTION_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

namespace mlir::prune {

/// Runs `body(i)` for each i in [0, n), possibly in parallel.
using ParallelFor =
    llvm::function_ref<void(size_t n, llvm::function_ref<void(size_t)> body)>;

/// Units other than blocks: which elements go together, and among which units
/// is ranked. Units score the sum of their elements, in row-major order. Called
/// from several threads.
struct UnitMap {
  virtual ~UnitMap() = default;
  virtual int64_t numUnits() const = 0;
  /// The unit of an element, counted in row-major order.
  virtual int64_t unitOf(int64_t element) const = 0;
  /// Units of different banks are ranked apart: each bank loses the same part,
  /// or `count` units each.
  virtual int64_t numBanks() const { return 1; }
  virtual int64_t bankOf(int64_t unit) const { return 0; }
};

/// A pattern spelled out for one shape. Elements of a block of shape `block`
/// (one size per dimension) form a unit. If `groupSize` is not 0, units are
/// single elements and of every `groupSize` consecutive ones along `groupDim`
/// at most `groupKeep` are kept; otherwise all units are ranked together. With
/// a map, it says what units are, and nothing else does.
struct UnitPattern {
  std::shared_ptr<const UnitMap> map;
  llvm::SmallVector<int64_t> block;
  int64_t groupDim = 0;
  int64_t groupSize = 0;
  int64_t groupKeep = 0;
};

/// The scores of one tensor, readable in any order from any thread.
struct ScoreSource {
  llvm::SmallVector<int64_t> shape;
  /// Writes the scores of the elements [begin, begin + out.size()), row-major.
  std::function<void(int64_t begin, llvm::MutableArrayRef<double> out)> read;
};

/// How much is removed: exactly one is set, or none with a group pattern.
struct Target {
  std::optional<double> sparsity;
  std::optional<double> threshold;
  std::optional<int64_t> count;
};

/// Where a ranking is cut: units that score below `score` are removed; of those
/// equal to it, the ones before (`operand`, `unit`).
struct RankingCut {
  double score = 0;
  size_t operand = 0;
  int64_t unit = 0;

  /// The first unit of an operand that is kept if it scores exactly `score`.
  int64_t firstKeptTie(size_t ofOperand) const {
    if (ofOperand == operand)
      return unit;
    return ofOperand < operand ? std::numeric_limits<int64_t>::max() : 0;
  }
};

/// One operand of a ranking: its scores under its pattern, divided into tiles
/// that are processed independently of each other.
class RankedTensorScores {
public:
  RankedTensorScores(ScoreSource source, const UnitPattern &pattern);

  /// The number of units.
  int64_t numUnits() const { return units; }

  size_t numTiles() const { return tiles; }

  /// Computes the scores of the units of a tile; returns the index of the
  /// first of them. The units of a tile are consecutive, and tiles are in
  /// order. Not for group patterns.
  int64_t scoreTile(size_t tile, std::vector<double> &out) const;

  /// Calls `sink(begin, keep)` for runs of elements that cover the tile: 1 for
  /// elements that `cut` keeps, 0 for others. Group patterns do not look at it.
  void visitTile(
      size_t tile, const RankingCut &cut, size_t operand,
      llvm::function_ref<void(int64_t begin, llvm::ArrayRef<uint8_t> keep)>
          sink) const;

  bool hasGroups() const { return groupSize != 0; }

  /// Whether units are ranked in several banks. Then `decideBanks` says for
  /// each unit whether it is kept; nothing if a score is NaN.
  bool hasBanks() const { return map && map->numBanks() > 1; }
  std::optional<std::vector<uint8_t>> decideBanks(const Target &target) const;
  /// Calls `sink` as `visitTile` does, with the fates of all units.
  void visitUnits(
      llvm::ArrayRef<uint8_t> kept,
      llvm::function_ref<void(int64_t begin, llvm::ArrayRef<uint8_t> keep)>
          sink) const;

  /// Whether a score of the tile is NaN. For group patterns only.
  bool groupTileHasNan(size_t tile) const;

private:
  /// The elements of a tile of groups: `height` rows along the group dimension
  /// of `width` elements each, from element `begin`.
  struct GroupTile {
    int64_t begin, height, width;
  };
  void scoreMapped();
  GroupTile readGroupTile(size_t tile, std::vector<double> &scores) const;

  /// The elements of a tile of units: the columns [begin, end) of the rows that
  /// start at `rowOffsets`.
  struct TileElements {
    int64_t firstUnit, numUnits;
    int64_t begin, end;
    llvm::SmallVector<int64_t> rowOffsets;
  };
  TileElements locateTile(size_t tile) const;
  void scoreUnits(const TileElements &elements, double *out) const;
  void visitGroupTile(
      size_t tile,
      llvm::function_ref<void(int64_t, llvm::ArrayRef<uint8_t>)> sink) const;

  ScoreSource source;
  std::shared_ptr<const UnitMap> map;
  /// With a map, the score of each unit.
  std::vector<double> mapped;
  /// Shape, block and unit grid after merging dimensions that can be merged.
  llvm::SmallVector<int64_t> shape, block, grid;
  int64_t units = 0, unitsPerTile = 0, tilesPerRow = 0;
  size_t tiles = 0;
  /// Group patterns: the tensor seen as [outer, dim, inner].
  int64_t groupSize = 0, groupKeep = 0, outer = 0, dim = 0, inner = 0;
  int64_t groupsPerTile = 0, innerPerTile = 0;
};

/// The decision over several tensors ranked together.
class MaskSelection {
public:
  /// Chooses. Returns an empty optional if a score is NaN and sets `nanOperand`
  /// to an operand that has one.
  static std::optional<MaskSelection>
  choose(llvm::ArrayRef<RankedTensorScores> operands, const Target &target,
         ParallelFor parallelFor, size_t &nanOperand);

  /// Streams the fate of every element of an operand: `sink(begin, keep)` is
  /// called for disjoint runs from several threads.
  void visit(const RankedTensorScores &scores, size_t operand,
             ParallelFor parallelFor,
             llvm::function_ref<void(int64_t begin, llvm::ArrayRef<uint8_t>)>
                 sink) const;

  /// The fate of each of an operand's `size` elements: 1 if it is kept. One
  /// byte an element, since several threads write neighbours.
  std::vector<uint8_t> getKept(const RankedTensorScores &scores, size_t operand,
                               int64_t size, ParallelFor parallelFor) const;

  RankingCut cut;
  /// By operand that has banks, for each unit whether it is kept.
  std::vector<std::vector<uint8_t>> banks;

  /// Whether some score is +infinity. Not known for group patterns.
  bool hasInfinite = false;
};

/// Sums `source` over the dimensions `reducedDims` in row-major order.
std::vector<double> reduceScores(const ScoreSource &source,
                                 llvm::ArrayRef<int64_t> reducedDims,
                                 ParallelFor parallelFor);

} // namespace mlir::prune

#endif // PRUNE_CORE_MASKSELECTION_H
