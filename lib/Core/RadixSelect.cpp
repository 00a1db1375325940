//===- RadixSelect.cpp - The k-th lowest of many scores -------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The k-th lowest score is found by radix selection: scores become unsigned
// keys of the same order, a histogram of 16 key bits finds the bucket of the
// k-th, and as soon as few enough keys fall into that bucket they are collected
// and searched directly. Two to three passes over the scores, linear time, and
// no more memory than an eighth of the keys. All counts are integers, so the
// answer does not depend on the number of threads. Small tensors, for which a
// histogram would be most of the work, are collected at once.
//
//===----------------------------------------------------------------------===//

#include "RadixSelect.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

using namespace mlir::prune;
using llvm::ArrayRef;

/// Bits of a key that are counted at a time.
static constexpr unsigned kBits = 16;
/// Up to this many keys are collected without counting.
static constexpr int64_t kSmall = int64_t(1) << 15;

/// An unsigned key with the order of the scores; both zeros are one key.
static uint64_t toKey(double score) {
  uint64_t bits;
  score += 0.0;
  std::memcpy(&bits, &score, sizeof(bits));
  return bits >> 63 ? ~bits : bits | uint64_t(1) << 63;
}

static double fromKey(uint64_t key) {
  uint64_t bits = key >> 63 ? key & ~(uint64_t(1) << 63) : ~key;
  double score;
  std::memcpy(&score, &bits, sizeof(score));
  return score;
}

//===----------------------------------------------------------------------===//
// TileSequence
//===----------------------------------------------------------------------===//

TileSequence::TileSequence(ArrayRef<RankedTensorScores> operands)
    : operands(operands) {
  for (const RankedTensorScores &operand : operands) {
    starts.push_back(numTiles);
    numTiles += operand.numTiles();
  }
}

size_t TileSequence::numChunks() const {
  return std::clamp<size_t>(numTiles / 64, 1, 16);
}

size_t TileSequence::getOperand(size_t tile) const {
  return std::upper_bound(starts.begin(), starts.end(), tile) -
         starts.begin() - 1;
}

//===----------------------------------------------------------------------===//
// RadixSelect
//===----------------------------------------------------------------------===//

/// No operand of a chunk has a NaN.
static constexpr size_t kNone = std::numeric_limits<size_t>::max();

/// The first operand with a NaN; true if there is none.
static bool findNan(ArrayRef<size_t> nans, size_t &nanOperand) {
  auto nan = std::find_if(nans.begin(), nans.end(),
                          [](size_t operand) { return operand != kNone; });
  if (nan == nans.end())
    return true;
  nanOperand = *nan;
  return false;
}

bool RadixSelect::read(int64_t numUnits, size_t &nanOperand) {
  return numUnits <= kSmall ? readAll(nanOperand) : countHighBits(nanOperand);
}

bool RadixSelect::readAll(size_t &nanOperand) {
  std::vector<std::vector<uint64_t>> perChunk(tiles.numChunks());
  std::vector<size_t> nans(perChunk.size(), kNone);
  parallelFor(perChunk.size(), [&](size_t chunk) {
    tiles.forChunk(chunk, [&](size_t operand, int64_t, ArrayRef<double> run) {
      for (double score : run) {
        if (std::isnan(score) && nans[chunk] == kNone)
          nans[chunk] = operand;
        perChunk[chunk].push_back(toKey(score));
      }
    });
  });
  for (std::vector<uint64_t> &keys : perChunk)
    allKeys.insert(allKeys.end(), keys.begin(), keys.end());
  isInfiniteFound = std::find(allKeys.begin(), allKeys.end(),
                              toKey(INFINITY)) != allKeys.end();
  return findNan(nans, nanOperand);
}

RadixSelect::Histogram
RadixSelect::merge(std::vector<Histogram> &perChunk) const {
  Histogram sum(size_t(1) << kBits, 0);
  for (Histogram &histogram : perChunk)
    for (size_t i = 0, e = sum.size(); i != e; ++i)
      sum[i] += histogram[i];
  return sum;
}

bool RadixSelect::countHighBits(size_t &nanOperand) {
  size_t chunks = tiles.numChunks();
  std::vector<Histogram> perChunk(chunks);
  std::vector<size_t> nans(chunks, kNone);
  parallelFor(chunks, [&](size_t chunk) {
    Histogram &histogram = perChunk[chunk];
    histogram.assign(size_t(1) << kBits, 0);
    tiles.forChunk(chunk, [&](size_t operand, int64_t, ArrayRef<double> run) {
      bool hasNan = false;
      for (double score : run) {
        hasNan |= std::isnan(score);
        ++histogram[toKey(score) >> (64 - kBits)];
      }
      if (hasNan && nans[chunk] == kNone)
        nans[chunk] = operand;
    });
  });
  highBits = merge(perChunk);
  isInfiniteFound = highBits[toKey(INFINITY) >> (64 - kBits)] != 0;
  return findNan(nans, nanOperand);
}

RadixSelect::Histogram RadixSelect::countBits(uint64_t prefix, unsigned shift) {
  std::vector<Histogram> perChunk(tiles.numChunks());
  parallelFor(perChunk.size(), [&](size_t chunk) {
    Histogram &histogram = perChunk[chunk];
    histogram.assign(size_t(1) << kBits, 0);
    tiles.forChunk(chunk, [&](size_t, int64_t, ArrayRef<double> run) {
      for (double score : run) {
        uint64_t key = toKey(score);
        if (key >> (shift + kBits) == prefix)
          ++histogram[(key >> shift) & ((1 << kBits) - 1)];
      }
    });
  });
  return merge(perChunk);
}

std::vector<uint64_t> RadixSelect::collect(uint64_t prefix, unsigned shift) {
  std::vector<std::vector<uint64_t>> perChunk(tiles.numChunks());
  parallelFor(perChunk.size(), [&](size_t chunk) {
    tiles.forChunk(chunk, [&](size_t, int64_t, ArrayRef<double> run) {
      for (double score : run)
        if (toKey(score) >> shift == prefix)
          perChunk[chunk].push_back(toKey(score));
    });
  });
  std::vector<uint64_t> all;
  for (std::vector<uint64_t> &keys : perChunk) {
    all.insert(all.end(), keys.begin(), keys.end());
    std::vector<uint64_t>().swap(keys);
  }
  return all;
}

/// Walks the tiles for the unit behind the last of `removedTies` units equal to
/// `key`: the position that separates removed from kept ones.
RankingCut RadixSelect::cutAt(uint64_t key, int64_t removedTies) {
  std::vector<int64_t> ties(tiles.numChunks());
  parallelFor(ties.size(), [&](size_t chunk) {
    tiles.forChunk(chunk, [&](size_t, int64_t, ArrayRef<double> run) {
      for (double score : run)
        ties[chunk] += toKey(score) == key;
    });
  });
  size_t chunk = 0;
  while (removedTies > ties[chunk])
    removedTies -= ties[chunk++];

  RankingCut cut;
  cut.score = fromKey(key);
  tiles.forChunk(chunk, [&](size_t operand, int64_t unit, ArrayRef<double> run) {
    for (double score : run) {
      ++unit;
      if (toKey(score) != key || removedTies == 0)
        continue;
      cut.operand = operand;
      cut.unit = unit;
      --removedTies;
    }
  });
  return cut;
}

/// Every unit equal to `key` is removed.
RankingCut RadixSelect::cutBehind(uint64_t key) {
  RankingCut cut;
  cut.score = fromKey(key);
  cut.operand = std::numeric_limits<size_t>::max();
  return cut;
}

/// The cut behind `rank` of the keys, which are all that share their high bits.
RankingCut RadixSelect::selectAmong(std::vector<uint64_t> keys, int64_t rank) {
  std::nth_element(keys.begin(), keys.begin() + rank - 1, keys.end());
  uint64_t key = keys[rank - 1];
  int64_t lower = std::count_if(keys.begin(), keys.end(),
                                [&](uint64_t k) { return k < key; });
  int64_t ties = std::count(keys.begin(), keys.end(), key);
  return rank - lower == ties ? cutBehind(key) : cutAt(key, rank - lower);
}

RankingCut RadixSelect::select(int64_t rank, int64_t numUnits) {
  if (highBits.empty())
    return selectAmong(std::move(allKeys), rank);
  Histogram histogram = std::move(highBits);
  int64_t few = std::max<int64_t>(numUnits / 8, 4096);
  uint64_t prefix = 0;
  for (unsigned shift = 64 - kBits;; shift -= kBits) {
    size_t bucket = 0;
    while (rank > histogram[bucket])
      rank -= histogram[bucket++];
    prefix = prefix << kBits | bucket;
    if (shift == 0)
      return cutAt(prefix, rank);
    if (histogram[bucket] <= few)
      return selectAmong(collect(prefix, shift), rank);
    histogram = countBits(prefix, shift - kBits);
  }
}
