//===- PatternSelection.cpp - What solvers keep of a tensor ---------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Solvers/PatternSelection.h"

#include "prune/Core/TensorView.h"

#include "llvm/ADT/STLExtras.h"

#include <cassert>
#include <cmath>
#include <numeric>

using namespace mlir::prune;
using llvm::ArrayRef;
using llvm::MutableArrayRef;
using llvm::SmallVector;

namespace {
/// Some units of a map, as elements of a list.
struct ListedUnits final : UnitMap {
  ListedUnits(std::shared_ptr<const UnitMap> map, ArrayRef<int64_t> units)
      : map(std::move(map)), units(units) {}
  int64_t numUnits() const override { return units.size(); }
  int64_t unitOf(int64_t element) const override { return element; }
  int64_t numBanks() const override { return map->numBanks(); }
  int64_t bankOf(int64_t unit) const override {
    return map->bankOf(units[unit]);
  }

  std::shared_ptr<const UnitMap> map;
  ArrayRef<int64_t> units;
};
} // namespace

static void inTurn(size_t n, llvm::function_ref<void(size_t)> body) {
  for (size_t i = 0; i != n; ++i)
    body(i);
}

static double orZero(double score) { return std::isnan(score) ? 0 : score; }

PatternSelection::PatternSelection(ArrayRef<int64_t> shape, UnitPattern pattern,
                                   Target target, ArrayRef<int64_t> elementOf)
    : shape(shape), pattern(std::move(pattern)), target(target),
      size(countElements(shape)) {
  if (!elementOf.empty()) {
    assert(int64_t(elementOf.size()) == size && "sizes differ");
    elements.emplace(elementOf.begin(), elementOf.end());
    solverOf.resize(size);
    for (int64_t i = 0; i < size; ++i)
      solverOf[elementOf[i]] = i;
  }
  findUnits();
}

/// Numbers the units, or the groups of an N:M pattern, in row-major order.
void PatternSelection::findUnits() {
  SmallVector<int64_t> block(pattern.block);
  if (pattern.groupSize) {
    block.assign(shape.size(), 1);
    block[pattern.groupDim] = pattern.groupSize;
  }
  bool isElement = !pattern.map && llvm::all_of(block, [](int64_t extent) {
    return extent == 1;
  });
  if (isElement) {
    if (elements)
      unitOf = *elements;
    unitSizes.assign(size, 1);
    return;
  }
  SmallVector<int64_t> grid;
  if (!pattern.map)
    for (size_t d = 0, e = shape.size(); d != e; ++d)
      grid.push_back((shape[d] + block[d] - 1) / block[d]);
  unitSizes.assign(pattern.map ? pattern.map->numUnits() : countElements(grid),
                   0);
  unitOf.resize(size);
  SmallVector<int64_t> position(shape.size());
  for (int64_t element = 0; element < size; ++element) {
    int64_t unit = 0;
    if (pattern.map)
      unit = pattern.map->unitOf(element);
    else
      for (size_t d = 0, e = shape.size(); d != e; ++d)
        unit = unit * grid[d] + position[d] / block[d];
    unitOf[elements ? solverOf[element] : element] = unit;
    ++unitSizes[unit];
    for (size_t d = shape.size(); d-- && ++position[d] == shape[d];)
      position[d] = 0;
  }
}

/// The fates of all elements of the tensor, row-major.
std::vector<uint8_t>
PatternSelection::selectAll(ArrayRef<double> scores) const {
  ScoreSource source;
  source.shape = shape;
  source.read = [&](int64_t begin, MutableArrayRef<double> out) {
    for (size_t i = 0, e = out.size(); i != e; ++i)
      out[i] = orZero(scores[elements ? solverOf[begin + i] : begin + i]);
  };
  RankedTensorScores ranked(std::move(source), pattern);
  size_t nanOperand = 0;
  auto selection = MaskSelection::choose(ranked, target, inTurn, nanOperand);
  if (!selection)
    return std::vector<uint8_t>(size, 1);
  return selection->getKept(ranked, 0, size, inTurn);
}

/// The fates of some units.
std::vector<uint8_t>
PatternSelection::selectUnits(ArrayRef<int64_t> units,
                              ArrayRef<double> scores) const {
  ScoreSource source;
  source.shape = {int64_t(units.size())};
  source.read = [&](int64_t begin, MutableArrayRef<double> out) {
    llvm::copy(scores.slice(begin, out.size()), out.begin());
  };
  UnitPattern listed;
  listed.block = {1};
  if (pattern.map)
    listed.map = std::make_shared<ListedUnits>(pattern.map, units);
  Target part = target;
  if (part.count)
    part.count = std::floor(double(*part.count) * double(units.size()) /
                            double(unitSizes.size()));
  RankedTensorScores ranked(std::move(source), listed);
  size_t nanOperand = 0;
  auto selection = MaskSelection::choose(ranked, part, inTurn, nanOperand);
  if (!selection)
    return std::vector<uint8_t>(units.size(), 1);
  return selection->getKept(ranked, 0, units.size(), inTurn);
}

void PatternSelection::operator()(ArrayRef<double> scores,
                                  ArrayRef<uint8_t> candidates,
                                  MutableArrayRef<uint8_t> keep) const {
  assert(int64_t(scores.size()) == size && int64_t(keep.size()) == size &&
         "sizes differ");
  if (size == 0)
    return;
  if (candidates.empty()) {
    std::vector<uint8_t> kept = selectAll(scores);
    for (int64_t i = 0; i < size; ++i)
      keep[i] = kept[elementAt(i)];
    return;
  }

  std::vector<int64_t> present(unitSizes.size());
  std::vector<double> sums(unitSizes.size());
  for (int64_t i = 0; i < size; ++i)
    if (candidates[i]) {
      ++present[unitAt(i)];
      sums[unitAt(i)] += orZero(scores[i]);
    }
  auto isListed = [&](int64_t unit) {
    return present[unit] && present[unit] == unitSizes[unit];
  };
  if (pattern.groupSize) {
    std::vector<uint8_t> kept = selectAll(scores);
    for (int64_t i = 0; i < size; ++i)
      if (candidates[i] && isListed(unitAt(i)))
        keep[i] = kept[elementAt(i)];
    return;
  }
  std::vector<int64_t> units;
  std::vector<double> unitScores;
  for (int64_t unit = 0, e = unitSizes.size(); unit != e; ++unit)
    if (isListed(unit)) {
      units.push_back(unit);
      unitScores.push_back(sums[unit]);
    }
  if (units.empty())
    return;
  std::vector<uint8_t> kept = selectUnits(units, unitScores);
  // From here on, the fate of a unit.
  for (size_t i = 0, e = units.size(); i != e; ++i)
    sums[units[i]] = kept[i];
  for (int64_t i = 0; i < size; ++i)
    if (candidates[i] && isListed(unitAt(i)))
      keep[i] = sums[unitAt(i)] != 0;
}
