//===- MaskSelection.cpp - Ranking units and choosing a mask --------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tensor is cut into tiles whose scores fit the first-level cache. They are
// computed as often as they are needed: to find the cut (RadixSelect.cpp), and
// to decide for each unit. Nothing of the tensor's size is stored.
//
//===----------------------------------------------------------------------===//

#include "RadixSelect.h"

#include "prune/Core/MaskSelection.h"
#include "prune/Core/TensorView.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

using namespace mlir::prune;
using llvm::ArrayRef;
using llvm::MutableArrayRef;
using llvm::SmallVector;

/// Elements per tile: scores of a tile stay in the first-level cache.
static constexpr int64_t kTileElements = 2048;

//===----------------------------------------------------------------------===//
// RankedTensorScores
//===----------------------------------------------------------------------===//

RankedTensorScores::RankedTensorScores(ScoreSource scoreSource,
                                       const UnitPattern &pattern)
    : source(std::move(scoreSource)) {
  ArrayRef<int64_t> sizes = source.shape;
  if (countElements(sizes) == 0)
    return;
  if (pattern.map) {
    map = pattern.map;
    units = map->numUnits();
    tiles = 1;
    scoreMapped();
    return;
  }
  assert(pattern.block.size() == sizes.size() && "one block size a dimension");

  if (pattern.groupSize) {
    groupSize = pattern.groupSize;
    groupKeep = pattern.groupKeep;
    outer = countElements(sizes.take_front(pattern.groupDim));
    dim = sizes[pattern.groupDim];
    inner = countElements(sizes.drop_front(pattern.groupDim + 1));
    if (dim % groupSize == 0) {
      dim *= outer;
      outer = 1;
    }
    groupsPerTile = std::max<int64_t>(
        1, kTileElements / std::max<int64_t>(1, groupSize * inner));
    innerPerTile = groupSize * inner <= kTileElements
                       ? inner
                       : std::max<int64_t>(1, kTileElements / groupSize);
    int64_t groups = (dim + groupSize - 1) / groupSize;
    tilesPerRow = ((groups + groupsPerTile - 1) / groupsPerTile) *
                  ((inner + innerPerTile - 1) / innerPerTile);
    tiles = outer * tilesPerRow;
    units = countElements(sizes);
    return;
  }

  // Merge neighbouring dimensions where that keeps units and their order.
  shape = {1};
  block = {1};
  for (size_t i = 0, e = sizes.size(); i != e; ++i) {
    int64_t size = sizes[i], extent = std::min(pattern.block[i], size);
    if (extent == size) {
      shape.back() *= size;
      block.back() *= size;
    } else if (block.back() == 1 && size % extent == 0) {
      shape.back() *= size;
      block.back() = extent;
    } else {
      shape.push_back(size);
      block.push_back(extent);
    }
  }
  for (size_t i = 0, e = shape.size(); i != e; ++i)
    grid.push_back((shape[i] + block[i] - 1) / block[i]);
  units = countElements(grid);
  unitsPerTile = std::max<int64_t>(1, kTileElements / block.back());
  tilesPerRow = (grid.back() + unitsPerTile - 1) / unitsPerTile;
  tiles = units / grid.back() * tilesPerRow;
}

void RankedTensorScores::scoreMapped() {
  mapped.assign(units, 0.0);
  double run[kTileElements];
  for (int64_t begin = 0, e = countElements(source.shape); begin < e;
       begin += kTileElements) {
    int64_t n = std::min(kTileElements, e - begin);
    source.read(begin, MutableArrayRef<double>(run, n));
    for (int64_t i = 0; i < n; ++i)
      mapped[map->unitOf(begin + i)] += run[i];
  }
}

void RankedTensorScores::visitUnits(
    ArrayRef<uint8_t> kept,
    llvm::function_ref<void(int64_t, ArrayRef<uint8_t>)> sink) const {
  uint8_t keep[kTileElements];
  for (int64_t begin = 0, e = countElements(source.shape); begin < e;
       begin += kTileElements) {
    int64_t n = std::min(kTileElements, e - begin);
    for (int64_t i = 0; i < n; ++i)
      keep[i] = kept[map->unitOf(begin + i)];
    sink(begin, ArrayRef<uint8_t>(keep, n));
  }
}

RankedTensorScores::TileElements
RankedTensorScores::locateTile(size_t tile) const {
  TileElements result;
  int64_t row = tile / tilesPerRow, part = tile % tilesPerRow;
  int64_t firstColumn = part * unitsPerTile;
  result.numUnits = std::min(unitsPerTile, grid.back() - firstColumn);
  result.firstUnit = row * grid.back() + firstColumn;
  result.begin = firstColumn * block.back();
  result.end =
      std::min(shape.back(), (firstColumn + result.numUnits) * block.back());

  // The element rows of this row of units, in row-major order.
  result.rowOffsets = {0};
  int64_t stride = shape.back();
  SmallVector<int64_t> starts, ends, strides;
  for (int64_t i = int64_t(shape.size()) - 2; i >= 0; --i) {
    int64_t coordinate = row % grid[i];
    row /= grid[i];
    starts.push_back(coordinate * block[i]);
    ends.push_back(std::min(shape[i], (coordinate + 1) * block[i]));
    strides.push_back(stride);
    stride *= shape[i];
  }
  for (int64_t i = int64_t(starts.size()) - 1; i >= 0; --i) {
    SmallVector<int64_t> next;
    for (int64_t offset : result.rowOffsets)
      for (int64_t c = starts[i]; c < ends[i]; ++c)
        next.push_back(offset + c * strides[i]);
    result.rowOffsets = std::move(next);
  }
  return result;
}

int64_t RankedTensorScores::scoreTile(size_t tile,
                                      std::vector<double> &out) const {
  assert(!hasGroups() && "groups have no units that are ranked together");
  if (map) {
    out = mapped;
    return 0;
  }
  TileElements elements = locateTile(tile);
  out.resize(elements.numUnits);
  scoreUnits(elements, out.data());
  return elements.firstUnit;
}

void RankedTensorScores::scoreUnits(const TileElements &elements,
                                    double *out) const {
  int64_t width = block.back();
  if (width == 1 && elements.rowOffsets.size() == 1)
    return source.read(elements.rowOffsets.front() + elements.begin,
                       MutableArrayRef<double>(out, elements.numUnits));
  std::fill_n(out, elements.numUnits, 0.0);
  double run[kTileElements];
  for (int64_t offset : elements.rowOffsets) {
    for (int64_t c = elements.begin; c < elements.end; c += kTileElements) {
      int64_t n = std::min(kTileElements, elements.end - c);
      source.read(offset + c, MutableArrayRef<double>(run, n));
      if (width == 1) {
        for (int64_t i = 0; i < n; ++i)
          out[i] += run[i];
        continue;
      }
      // `c` starts a unit unless a single unit is longer than a run.
      int64_t unit = (c - elements.begin) / width;
      int64_t left = width - (c - elements.begin) % width;
      for (int64_t i = 0; i < n; ++i) {
        out[unit] += run[i];
        if (--left == 0) {
          left = width;
          ++unit;
        }
      }
    }
  }
}

/// Decides for `scores.size()` units from `firstUnit` on.
static void decide(ArrayRef<double> scores, int64_t firstUnit, double cutScore,
                   int64_t firstKeptTie, uint8_t *keep) {
  int64_t firstKept = firstKeptTie - firstUnit;
  for (int64_t i = 0, e = scores.size(); i != e; ++i)
    keep[i] = scores[i] > cutScore || (scores[i] == cutScore && i >= firstKept);
}

void RankedTensorScores::visitTile(
    size_t tile, const RankingCut &cut, size_t operand,
    llvm::function_ref<void(int64_t, ArrayRef<uint8_t>)> sink) const {
  if (hasGroups())
    return visitGroupTile(tile, sink);
  if (map) {
    std::vector<uint8_t> kept(units);
    decide(mapped, 0, cut.score, cut.firstKeptTie(operand), kept.data());
    return visitUnits(kept, sink);
  }
  TileElements elements = locateTile(tile);
  int64_t width = block.back(), n = elements.numUnits;
  double scores[kTileElements];
  uint8_t kept[kTileElements], keep[kTileElements];
  scoreUnits(elements, scores);
  decide(ArrayRef<double>(scores, n), elements.firstUnit, cut.score,
         cut.firstKeptTie(operand), kept);
  for (int64_t offset : elements.rowOffsets) {
    if (width == 1) {
      sink(offset + elements.begin, ArrayRef<uint8_t>(kept, n));
      continue;
    }
    for (int64_t c = elements.begin; c < elements.end; c += kTileElements) {
      int64_t length = std::min(kTileElements, elements.end - c);
      int64_t unit = (c - elements.begin) / width;
      int64_t left = width - (c - elements.begin) % width;
      for (int64_t i = 0; i < length; ++unit, left = width) {
        int64_t run = std::min(left, length - i);
        std::fill_n(keep + i, run, kept[unit]);
        i += run;
      }
      sink(offset + c, ArrayRef<uint8_t>(keep, length));
    }
  }
}

/// Marks the `removed` lowest of `n` scores that are `stride` apart.
static void maskGroup(const double *scores, int64_t n, int64_t stride,
                      int64_t removed, uint8_t *keep,
                      std::vector<int64_t> &order) {
  auto isBefore = [&](int64_t a, int64_t b) {
    double x = scores[a * stride], y = scores[b * stride];
    return x != y ? x < y : a < b;
  };
  if (n <= 16) {
    for (int64_t i = 0; i < n; ++i) {
      int64_t rank = 0;
      for (int64_t j = 0; j < n; ++j)
        rank += isBefore(j, i);
      keep[i * stride] = rank >= removed;
    }
    return;
  }
  order.resize(n);
  std::iota(order.begin(), order.end(), 0);
  if (removed < n)
    std::nth_element(order.begin(), order.begin() + removed, order.end(),
                     isBefore);
  for (int64_t i = 0; i < n; ++i)
    keep[order[i] * stride] = i >= removed;
}

std::optional<std::vector<uint8_t>>
RankedTensorScores::decideBanks(const Target &target) const {
  std::vector<std::vector<int64_t>> banks(map->numBanks());
  for (int64_t unit = 0; unit != units; ++unit) {
    if (std::isnan(mapped[unit]))
      return std::nullopt;
    banks[map->bankOf(unit)].push_back(unit);
  }
  std::vector<uint8_t> kept(units, 1), keep;
  std::vector<double> scores;
  std::vector<int64_t> order;
  for (const std::vector<int64_t> &bank : banks) {
    if (target.threshold) {
      for (int64_t unit : bank)
        kept[unit] = mapped[unit] >= *target.threshold;
      continue;
    }
    int64_t size = bank.size();
    int64_t removed =
        target.count ? *target.count
                     : std::floor(double(size) * target.sparsity.value_or(0));
    scores.clear();
    for (int64_t unit : bank)
      scores.push_back(mapped[unit]);
    keep.resize(size);
    maskGroup(scores.data(), size, 1, std::min(removed, size), keep.data(),
              order);
    for (int64_t i = 0; i < size; ++i)
      kept[bank[i]] = keep[i];
  }
  return kept;
}

RankedTensorScores::GroupTile
RankedTensorScores::readGroupTile(size_t tile,
                                  std::vector<double> &scores) const {
  int64_t row = tile / tilesPerRow, part = tile % tilesPerRow;
  int64_t innerTiles = (inner + innerPerTile - 1) / innerPerTile;
  int64_t firstInner = part % innerTiles * innerPerTile;
  int64_t first = part / innerTiles * groupsPerTile * groupSize;
  GroupTile result;
  result.height = std::min(dim, first + groupsPerTile * groupSize) - first;
  result.width = std::min(innerPerTile, inner - firstInner);
  result.begin = (row * dim + first) * inner + firstInner;
  scores.resize(result.height * result.width);
  if (result.width == inner) {
    source.read(result.begin, scores);
    return result;
  }
  MutableArrayRef<double> rows(scores);
  for (int64_t d = 0; d < result.height; ++d)
    source.read(result.begin + d * inner,
                rows.slice(d * result.width, result.width));
  return result;
}

bool RankedTensorScores::groupTileHasNan(size_t tile) const {
  std::vector<double> scores;
  readGroupTile(tile, scores);
  return llvm::any_of(scores, [](double score) { return std::isnan(score); });
}

void RankedTensorScores::visitGroupTile(
    size_t tile,
    llvm::function_ref<void(int64_t, ArrayRef<uint8_t>)> sink) const {
  std::vector<double> scores;
  GroupTile extent = readGroupTile(tile, scores);
  std::vector<uint8_t> keep(scores.size());
  std::vector<int64_t> order;
  int64_t width = extent.width;
  for (int64_t d = 0; d < extent.height; d += groupSize) {
    int64_t n = std::min(groupSize, extent.height - d);
    int64_t removed = std::max<int64_t>(0, n - groupKeep);
    for (int64_t c = 0; c < width; ++c)
      maskGroup(&scores[d * width + c], n, width, removed, &keep[d * width + c],
                order);
  }
  if (width == inner)
    return sink(extent.begin, keep);
  for (int64_t d = 0; d < extent.height; ++d)
    sink(extent.begin + d * inner,
         ArrayRef<uint8_t>(keep).slice(d * width, width));
}

//===----------------------------------------------------------------------===//
// MaskSelection
//===----------------------------------------------------------------------===//

static bool hasNanScore(const RankedTensorScores &scores,
                        ParallelFor parallelFor) {
  std::vector<uint8_t> found(scores.numTiles());
  parallelFor(found.size(),
              [&](size_t tile) { found[tile] = scores.groupTileHasNan(tile); });
  return std::find(found.begin(), found.end(), 1) != found.end();
}

std::optional<MaskSelection>
MaskSelection::choose(ArrayRef<RankedTensorScores> operands,
                      const Target &target, ParallelFor parallelFor,
                      size_t &nanOperand) {
  MaskSelection selection;
  int64_t numUnits = 0;
  for (size_t i = 0, e = operands.size(); i != e; ++i) {
    numUnits += operands[i].numUnits();
    if (operands[i].hasGroups() && hasNanScore(operands[i], parallelFor)) {
      nanOperand = i;
      return std::nullopt;
    }
    if (!operands[i].hasBanks())
      continue;
    selection.banks.resize(e);
    auto kept = operands[i].decideBanks(target);
    if (!kept) {
      nanOperand = i;
      return std::nullopt;
    }
    selection.banks[i] = std::move(*kept);
  }
  if (numUnits == 0 || operands.front().hasGroups() ||
      operands.front().hasBanks())
    return selection;

  int64_t rank = 0;
  if (target.count)
    rank = *target.count;
  else if (!target.threshold)
    rank = std::floor(double(numUnits) * target.sparsity.value_or(0));
  rank = std::min(rank, numUnits);
  TileSequence tiles(operands);
  RadixSelect select(tiles, parallelFor);
  if (!select.read(numUnits, rank, nanOperand))
    return std::nullopt;
  selection.hasInfinite = select.hasInfinite();
  if (target.threshold) {
    selection.cut.score = *target.threshold;
    return selection;
  }
  if (rank <= 0) {
    selection.cut.score = -std::numeric_limits<double>::infinity();
    return selection;
  }
  selection.cut = select.select(rank, numUnits);
  return selection;
}

void MaskSelection::visit(
    const RankedTensorScores &scores, size_t operand, ParallelFor parallelFor,
    llvm::function_ref<void(int64_t, ArrayRef<uint8_t>)> sink) const {
  if (operand < banks.size() && !banks[operand].empty())
    return scores.visitUnits(banks[operand], sink);
  // Tiles are small; hand them out in batches.
  constexpr size_t kBatch = 64;
  size_t tiles = scores.numTiles();
  parallelFor((tiles + kBatch - 1) / kBatch, [&](size_t batch) {
    size_t end = std::min(tiles, (batch + 1) * kBatch);
    for (size_t tile = batch * kBatch; tile < end; ++tile)
      scores.visitTile(tile, cut, operand, sink);
  });
}

std::vector<uint8_t> MaskSelection::getKept(const RankedTensorScores &scores,
                                            size_t operand, int64_t size,
                                            ParallelFor parallelFor) const {
  std::vector<uint8_t> kept(size);
  visit(scores, operand, parallelFor,
        [&](int64_t begin, ArrayRef<uint8_t> run) {
          llvm::copy(run, kept.begin() + begin);
        });
  return kept;
}

std::vector<double> mlir::prune::reduceScores(const ScoreSource &source,
                                              ArrayRef<int64_t> reducedDims,
                                              ParallelFor parallelFor) {
  UnitPattern pattern;
  pattern.block.assign(source.shape.size(), 1);
  for (int64_t d : reducedDims)
    pattern.block[d] = std::max<int64_t>(1, source.shape[d]);
  RankedTensorScores ranked(source, pattern);
  std::vector<double> reduced(ranked.numUnits());
  parallelFor(ranked.numTiles(), [&](size_t tile) {
    std::vector<double> scores;
    int64_t first = ranked.scoreTile(tile, scores);
    std::copy(scores.begin(), scores.end(), reduced.begin() + first);
  });
  return reduced;
}
