//===- RadixSelect.cpp - The k-th lowest of many scores -------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The k-th lowest score is found by radix selection: scores become unsigned
// keys of the same order, a histogram of 16 key bits finds the bucket of the
// k-th, and as soon as few enough keys fall into that bucket they are collected
// and searched directly. A sample tells the first histogram's bucket in most
// cases, whose keys are then collected while they are counted: one pass over
// the scores, and two to four where the sample errs. Linear time, and no more
// memory than for half of the keys. All counts are integers, so the answer does
// not depend on the number of threads. Small tensors, for which a histogram
// would be most of the work, are collected at once.
//
//===----------------------------------------------------------------------===//

#include "RadixSelect.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

using namespace mlir::prune;
using llvm::ArrayRef;

/// Bits of a key that are counted at a time.
static constexpr unsigned kBits = 16;
/// Up to this many keys are collected without counting.
static constexpr int64_t kSmall = int64_t(1) << 15;
/// One of so many keys is few enough to be collected.
static constexpr int64_t kFewShare = 8;
/// Tiles that are looked at to guess the bucket of the k-th.
static constexpr size_t kSampledTiles = 64;
static constexpr uint64_t kNoBucket = std::numeric_limits<uint64_t>::max();

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

namespace {
/// A growing list of keys that is filled without branches.
class KeyList {
public:
  /// Appends the keys of `run` for which `isWanted(key)`.
  template <typename Predicate>
  void append(ArrayRef<double> run, Predicate isWanted) {
    if (keys.size() < length + run.size())
      keys.resize(std::max(2 * length, length + run.size()));
    // Every key is written, and only those that are wanted move the end on.
    for (double score : run) {
      uint64_t key = toKey(score);
      keys[length] = key;
      length += isWanted(key);
    }
  }

  size_t size() const { return length; }

  std::vector<uint64_t> take() {
    keys.resize(length);
    return std::move(keys);
  }

private:
  std::vector<uint64_t> keys;
  size_t length = 0;
};
} // namespace

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
  return std::upper_bound(starts.begin(), starts.end(), tile) - starts.begin() -
         1;
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

bool RadixSelect::read(int64_t numUnits, int64_t rank, size_t &nanOperand) {
  if (numUnits <= kSmall)
    return readAll(nanOperand);
  return countHighBits(guessBucket(numUnits, rank), numUnits, nanOperand);
}

bool RadixSelect::readAll(size_t &nanOperand) {
  allKeys.resize(tiles.numChunks());
  std::vector<size_t> nans(allKeys.size(), kNone);
  parallelFor(allKeys.size(), [&](size_t chunk) {
    tiles.forChunk(chunk, [&](size_t operand, int64_t, ArrayRef<double> run) {
      for (double score : run) {
        if (std::isnan(score) && nans[chunk] == kNone)
          nans[chunk] = operand;
        allKeys[chunk].push_back(toKey(score));
      }
    });
  });
  for (const std::vector<uint64_t> &keys : allKeys)
    isInfiniteFound |=
        std::find(keys.begin(), keys.end(), toKey(INFINITY)) != keys.end();
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

uint64_t RadixSelect::guessBucket(int64_t numUnits, int64_t rank) const {
  if (rank <= 0 || tiles.size() < kSampledTiles * 16)
    return kNoBucket;
  Histogram histogram(size_t(1) << kBits, 0);
  int64_t seen = 0;
  for (size_t i = 0; i != kSampledTiles; ++i)
    tiles.forTiles(tiles.size() * i / kSampledTiles, 1,
                   [&](size_t, int64_t, ArrayRef<double> run) {
                     for (double score : run)
                       ++histogram[toKey(score) >> (64 - kBits)];
                     seen += run.size();
                   });
  double left = double(rank) * seen / numUnits;
  for (uint64_t bucket = 0; bucket != histogram.size(); ++bucket) {
    if (left > histogram[bucket]) {
      left -= histogram[bucket];
      continue;
    }
    return histogram[bucket] <= seen / kFewShare ? bucket : kNoBucket;
  }
  return kNoBucket;
}

bool RadixSelect::countHighBits(uint64_t guess, int64_t numUnits,
                                size_t &nanOperand) {
  size_t chunks = tiles.numChunks();
  std::vector<Histogram> perChunk(chunks);
  std::vector<size_t> nans(chunks, kNone);
  std::vector<uint8_t> isComplete(chunks, guess != kNoBucket);
  size_t limit = 2 * (numUnits / kFewShare / chunks);
  allKeys.resize(chunks);
  parallelFor(chunks, [&](size_t chunk) {
    Histogram &histogram = perChunk[chunk];
    histogram.assign(size_t(1) << kBits, 0);
    KeyList keys;
    tiles.forChunk(chunk, [&](size_t operand, int64_t, ArrayRef<double> run) {
      isComplete[chunk] &= keys.size() <= limit;
      if (isComplete[chunk])
        keys.append(run, [&](uint64_t key) {
          ++histogram[key >> (64 - kBits)];
          return key >> (64 - kBits) == guess;
        });
      else
        for (double score : run)
          ++histogram[toKey(score) >> (64 - kBits)];
      if (nans[chunk] == kNone &&
          llvm::any_of(run, [](double score) { return std::isnan(score); }))
        nans[chunk] = operand;
    });
    allKeys[chunk] = keys.take();
  });
  if (llvm::all_of(isComplete, [](uint8_t complete) { return complete; }))
    collectedBucket = guess;
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

/// The keys with the given high bits, by chunk, in order.
RadixSelect::KeysPerChunk RadixSelect::collect(uint64_t prefix,
                                               unsigned shift) {
  KeysPerChunk perChunk(tiles.numChunks());
  parallelFor(perChunk.size(), [&](size_t chunk) {
    KeyList keys;
    tiles.forChunk(chunk, [&](size_t, int64_t, ArrayRef<double> run) {
      keys.append(run, [&](uint64_t key) { return key >> shift == prefix; });
    });
    perChunk[chunk] = keys.take();
  });
  return perChunk;
}

/// How many units equal `key` in each chunk.
std::vector<int64_t> RadixSelect::countTies(uint64_t key) {
  std::vector<int64_t> ties(tiles.numChunks());
  parallelFor(ties.size(), [&](size_t chunk) {
    tiles.forChunk(chunk, [&](size_t, int64_t, ArrayRef<double> run) {
      for (double score : run)
        ties[chunk] += toKey(score) == key;
    });
  });
  return ties;
}

/// Walks the tiles for the unit behind the last of `removedTies` units equal to
/// `key`, of which chunks have `ties`: the position that separates removed from
/// kept ones.
RankingCut RadixSelect::cutAt(uint64_t key, int64_t removedTies,
                              ArrayRef<int64_t> ties) {
  size_t chunk = 0;
  while (removedTies > ties[chunk])
    removedTies -= ties[chunk++];

  RankingCut cut;
  cut.score = fromKey(key);
  tiles.forChunk(chunk,
                 [&](size_t operand, int64_t unit, ArrayRef<double> run) {
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
RankingCut RadixSelect::selectAmong(const KeysPerChunk &perChunk,
                                    int64_t rank) {
  std::vector<uint64_t> keys;
  for (const std::vector<uint64_t> &chunk : perChunk)
    keys.insert(keys.end(), chunk.begin(), chunk.end());
  std::nth_element(keys.begin(), keys.begin() + rank - 1, keys.end());
  uint64_t key = keys[rank - 1];
  // Those before the rank are at most the key.
  int64_t removedTies = std::count(keys.begin(), keys.begin() + rank, key);
  std::vector<int64_t> ties;
  for (const std::vector<uint64_t> &chunk : perChunk)
    ties.push_back(std::count(chunk.begin(), chunk.end(), key));
  int64_t all = std::accumulate(ties.begin(), ties.end(), int64_t(0));
  return removedTies == all ? cutBehind(key) : cutAt(key, removedTies, ties);
}

RankingCut RadixSelect::select(int64_t rank, int64_t numUnits) {
  if (highBits.empty())
    return selectAmong(allKeys, rank);
  Histogram histogram = std::move(highBits);
  int64_t few = std::max<int64_t>(numUnits / kFewShare, 4096);
  uint64_t prefix = 0;
  for (unsigned shift = 64 - kBits;; shift -= kBits) {
    size_t bucket = 0;
    while (rank > histogram[bucket])
      rank -= histogram[bucket++];
    prefix = prefix << kBits | bucket;
    if (shift == 0)
      return cutAt(prefix, rank, countTies(prefix));
    if (prefix == collectedBucket && shift == 64 - kBits)
      return selectAmong(allKeys, rank);
    if (histogram[bucket] <= few)
      return selectAmong(collect(prefix, shift), rank);
    histogram = countBits(prefix, shift - kBits);
  }
}
