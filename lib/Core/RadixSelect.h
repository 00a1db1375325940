//===- RadixSelect.h - The k-th lowest of many scores -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where a ranking over several tensors is cut, without storing their scores.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_CORE_RADIXSELECT_H
#define PRUNE_LIB_CORE_RADIXSELECT_H

#include "prune/Core/MaskSelection.h"

#include <optional>
#include <vector>

namespace mlir::prune {

/// All tiles of all operands in ranking order, cut into chunks for threads.
class TileSequence {
public:
  explicit TileSequence(llvm::ArrayRef<RankedTensorScores> operands);

  /// A chunk is worth a thread and a histogram.
  size_t numChunks() const;

  /// Calls `body(operand, firstUnit, scores)` for the tiles of a chunk, in
  /// order.
  template <typename Body> void forChunk(size_t chunk, Body body) const {
    size_t begin = numTiles * chunk / numChunks();
    forTiles(begin, numTiles * (chunk + 1) / numChunks() - begin, body);
  }

  /// Likewise for `count` tiles from `begin` on.
  template <typename Body>
  void forTiles(size_t begin, size_t count, Body body) const {
    std::vector<double> scores;
    size_t operand = getOperand(begin);
    for (size_t end = begin + count; begin != end; ++begin) {
      while (operand + 1 < starts.size() && starts[operand + 1] <= begin)
        ++operand;
      int64_t unit =
          operands[operand].scoreTile(begin - starts[operand], scores);
      body(operand, unit, llvm::ArrayRef<double>(scores));
    }
  }

  size_t size() const { return numTiles; }

private:
  size_t getOperand(size_t tile) const;

  llvm::ArrayRef<RankedTensorScores> operands;
  llvm::SmallVector<size_t> starts;
  size_t numTiles = 0;
};

/// Finds the score and, among equals, the position of the k-th lowest unit.
class RadixSelect {
public:
  RadixSelect(const TileSequence &tiles, ParallelFor parallelFor)
      : tiles(tiles), parallelFor(parallelFor) {}

  /// Looks at all units once; false if a score is NaN. `rank` is what `select`
  /// will be asked for, 0 for nothing.
  bool read(int64_t numUnits, int64_t rank, size_t &nanOperand);

  bool hasInfinite() const { return isInfiniteFound; }

  /// The cut behind `rank` units, of 1 to `numUnits`. To be called once.
  RankingCut select(int64_t rank, int64_t numUnits);

private:
  using Histogram = std::vector<int64_t>;
  using KeysPerChunk = std::vector<std::vector<uint64_t>>;

  bool readAll(size_t &nanOperand);
  uint64_t guessBucket(int64_t numUnits, int64_t rank) const;
  bool countHighBits(uint64_t guess, int64_t numUnits, size_t &nanOperand);
  Histogram merge(std::vector<Histogram> &perChunk) const;
  Histogram countBits(uint64_t prefix, unsigned shift);
  KeysPerChunk collect(uint64_t prefix, unsigned shift);
  std::vector<int64_t> countTies(uint64_t key);
  RankingCut selectAmong(const KeysPerChunk &perChunk, int64_t rank);
  RankingCut cutAt(uint64_t key, int64_t removedTies,
                   llvm::ArrayRef<int64_t> ties);
  static RankingCut cutBehind(uint64_t key);

  const TileSequence &tiles;
  ParallelFor parallelFor;
  bool isInfiniteFound = false;
  /// How many keys have which high bits; empty for small tensors.
  Histogram highBits;
  /// All keys of small tensors, else those in the bucket `collectedBucket`.
  KeysPerChunk allKeys;
  std::optional<uint64_t> collectedBucket;
};

} // namespace mlir::prune

#endif // PRUNE_LIB_CORE_RADIXSELECT_H
