//===- KernelChoice.cpp - Which kernel suits a weight ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Constants that are not in KernelTarget are properties of the kernels or of
// all processors alike: how many cycles a chain of dependent multiply-adds
// takes, how tiles are cut to fit the registers.
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Packing/KernelChoice.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <cstring>
#include <tuple>

using namespace mlir::prune;

/// Cycles before the sum of a multiply-add can be added to.
static constexpr double kLatency = 4;
/// Multiply-adds and loads that start in a cycle.
static constexpr double kPerCycle = 2;
/// Vectors that arrive from the second cache in a cycle.
static constexpr double kFarPerCycle = 1;
/// Starts of loops whose lengths a branch predictor remembers.
static constexpr double kRemembered = 8192;

/// The row groups that weights are looked at in.
static constexpr int64_t kGroups[] = {1, 2, 3, 4, 6, 8, 12, 16, 32, 64};

//===----------------------------------------------------------------------===//
// MatrixStatistics
//===----------------------------------------------------------------------===//

namespace {
/// Which elements of a matrix are nonzero, a bit for each.
class NonzeroBits {
public:
  NonzeroBits(int64_t m, int64_t k, llvm::ArrayRef<char> elements,
              unsigned elementBytes)
      : m(m), words(llvm::divideCeil(k, 64)), bits(m * words) {
    for (int64_t row = 0; row != m; ++row) {
      const char *begin = elements.data() + row * k * elementBytes;
      if (elementBytes == 2)
        mark<uint16_t>(row, k, begin);
      else if (elementBytes == 4)
        mark<uint32_t>(row, k, begin);
      else
        mark<uint64_t>(row, k, begin);
    }
  }

  /// Columns with a nonzero, summed over groups of that many rows.
  int64_t countColumns(int64_t groupRows) const {
    int64_t count = 0;
    for (int64_t row = 0; row < m; row += groupRows)
      for (int64_t word = 0; word != words; ++word) {
        uint64_t any = 0;
        for (int64_t i = row, e = std::min(m, row + groupRows); i != e; ++i)
          any |= bits[i * words + word];
        count += llvm::popcount(any);
      }
    return count;
  }

private:
  template <typename T> void mark(int64_t row, int64_t k, const char *begin) {
    for (int64_t c = 0; c != k; ++c) {
      T element;
      std::memcpy(&element, begin + c * sizeof(T), sizeof(T));
      // Zero has two signs.
      uint64_t isNonzero = T(element << 1) != 0;
      bits[row * words + c / 64] |= isNonzero << (c % 64);
    }
  }

  int64_t m, words;
  std::vector<uint64_t> bits;
};
} // namespace

MatrixStatistics MatrixStatistics::get(int64_t m, int64_t k,
                                       llvm::ArrayRef<char> elements,
                                       unsigned elementBytes) {
  MatrixStatistics matrix;
  matrix.m = m;
  matrix.k = k;
  matrix.elementBytes = matrix.storedBytes = elementBytes;
  NonzeroBits bits(m, k, elements, elementBytes);
  for (int64_t rows : kGroups)
    matrix.groupColumns[rows] = bits.countColumns(rows);
  matrix.nonzeros = matrix.groupColumns[1];
  return matrix;
}

//===----------------------------------------------------------------------===//
// Ranking
//===----------------------------------------------------------------------===//

namespace {
class Ranking {
public:
  Ranking(const MatrixStatistics &matrix, int64_t columns,
          const KernelTarget &target)
      : matrix(matrix), columns(columns), target(target),
        width(std::max<int64_t>(1,
                                target.vectorBits / 8 / matrix.elementBytes)) {}

  std::vector<KernelPlan> run() {
    addAlongColumns();
    // Lanes along rows need no panels, but broadcast every activation.
    if (columns > 0 && columns <= 4 * width)
      addAlongRows();
    llvm::sort(plans, [](const KernelPlan &a, const KernelPlan &b) {
      auto key = [](const KernelPlan &plan) {
        return std::tuple(plan.cycles, plan.form, plan.lanesAlongRows,
                          plan.tileRows, plan.tileColumns, plan.kBlock);
      };
      return key(a) < key(b);
    });
    return std::move(plans);
  }

private:
  int64_t numGroups(int64_t rows) const {
    return llvm::divideCeil(matrix.m, rows);
  }
  /// Listed columns, over all groups.
  double getListed(PackedForm form, int64_t rows) const {
    return form == PackedForm::Dense
               ? double(numGroups(rows)) * double(matrix.k)
               : double(matrix.groupColumns.at(rows));
  }
  /// Whether a tile's sums fit the registers beside the vectors of a column,
  /// which are kept where several rows use them, and a weight.
  bool fits(int64_t rows, int64_t vectors) const {
    return rows * vectors + (rows > 1 ? vectors : 0) < target.registers;
  }

  void addAlongColumns();
  void addColumnsPlans(PackedForm form, int64_t rows, int64_t vectors);
  void addAlongRows();
  void addRowsPlan(PackedForm form, int64_t vectors);
  llvm::SmallVector<int64_t> getKBlocks(PackedForm form, int64_t vectors) const;
  void countColumnsWork(KernelPlan &plan) const;
  void countRowsWork(KernelPlan &plan) const;
  void countBytes(KernelPlan &plan, double bytes, double times) const;
  void add(KernelPlan plan);

  const MatrixStatistics &matrix;
  int64_t columns;
  const KernelTarget &target;
  int64_t width;
  int64_t panel = 0, numPanels = 0;
  std::vector<KernelPlan> plans;
};
} // namespace

static double &getWork(KernelPlan &plan, Work work) {
  return plan.work[unsigned(work)];
}

void Ranking::add(KernelPlan plan) {
  if (plan.lanesAlongRows)
    countRowsWork(plan);
  else
    countColumnsWork(plan);
  for (auto [work, cycles] : llvm::zip_equal(plan.work, target.cycles))
    plan.cycles += work * cycles;
  plans.push_back(plan);
}

/// Reading that many bytes of weights, so many times.
void Ranking::countBytes(KernelPlan &plan, double bytes, double times) const {
  Work level = bytes <= double(target.l2Bytes) * 0.75   ? Work::L2Bytes
               : bytes <= double(target.l3Bytes) * 0.75 ? Work::L3Bytes
                                                        : Work::MemoryBytes;
  getWork(plan, level) += bytes * times;
}

/// Blocks of columns whose activations stay in the first cache, or nearly, or
/// in the second.
llvm::SmallVector<int64_t> Ranking::getKBlocks(PackedForm form,
                                               int64_t vectors) const {
  int64_t rowBytes = std::max<int64_t>(
      1, vectors * width * matrix.elementBytes / matrix.overlap);
  llvm::SmallVector<int64_t> blocks;
  auto addBytes = [&](int64_t bytes) {
    int64_t block = std::max<int64_t>(16, bytes / rowBytes / 16 * 16);
    block = std::min(block, matrix.k);
    if (!llvm::is_contained(blocks, block))
      blocks.push_back(block);
  };
  if (form == PackedForm::Dense || form == PackedForm::Blocks)
    addBytes(target.l2Bytes / 4);
  addBytes(target.l1Bytes * 5 / 6);
  if (form != PackedForm::Dense)
    addBytes(target.l1Bytes * 5 / 3);
  if (!llvm::is_contained(blocks, matrix.k) &&
      matrix.k * rowBytes <= target.l2Bytes)
    blocks.push_back(matrix.k);
  return blocks;
}

void Ranking::countColumnsWork(KernelPlan &plan) const {
  double vectors = double(plan.tileColumns / width);
  double rows = double(plan.tileRows);
  double blocks = double(llvm::divideCeil(matrix.k, plan.kBlock));
  double listed = getListed(plan.form, plan.tileRows);
  double values = plan.form == PackedForm::Patterns ? double(matrix.nonzeros)
                                                    : listed * rows;
  double segments = double(numGroups(plan.tileRows)) * blocks;
  double runs = segments;
  if (plan.form == PackedForm::Patterns)
    runs *= (1 << plan.tileRows) - 1;
  double tiles = double(llvm::divideCeil(numPanels * panel, plan.tileColumns));

  double products = values * vectors;
  double loads = listed * vectors + values;
  // A row of the tile alone is summed twice over, `patterns` often once.
  double inFlight = plan.form == PackedForm::Patterns
                        ? values / listed * vectors
                        : std::max(8.0, rows * vectors);
  double chains = products * kLatency / std::max(inFlight, 1.0);
  // What of a block does not fit the first cache is read from the second.
  double blockBytes = double(plan.kBlock) * vectors *
                      double(target.vectorBits / 8) / double(matrix.overlap);
  double missed = std::max(0.0, 1 - double(target.l1Bytes) / blockBytes);
  double far = double(matrix.k) / double(matrix.overlap) * vectors +
               missed * listed * vectors;
  double sums = (blocks - 1) * double(matrix.m) * vectors;
  double sumBytes = double(matrix.m) * vectors * double(target.vectorBits / 8);

  getWork(plan, Work::Issue) =
      tiles * std::max({products / kPerCycle, loads / kPerCycle, chains,
                        far / kFarPerCycle});
  getWork(plan, Work::Products) = tiles * products;
  getWork(plan, Work::Loads) = tiles * loads;
  if (plan.form != PackedForm::Dense) {
    getWork(plan, Work::Listed) = tiles * listed;
    getWork(plan, Work::Runs) = tiles * runs;
    if (plan.form == PackedForm::Patterns)
      getWork(plan, Work::MispredictedExits) =
          tiles * std::max(0.0, runs - kRemembered);
  }
  getWork(plan, Work::Tiles) = tiles * segments;
  getWork(plan, Work::Sums) = tiles * sums;
  // Columns in order arrive before they are needed.
  if (plan.form != PackedForm::Dense)
    getWork(plan, Work::L2Vectors) = tiles * far;
  if (sumBytes > double(target.l2Bytes) / 2)
    getWork(plan, Work::L3Vectors) = tiles * sums;
  double index = plan.form == PackedForm::Dense ? 0 : matrix.k > 256 ? 2 : 1;
  countBytes(plan, values * matrix.storedBytes + listed * index, tiles);
  getWork(plan, Work::PanelElements) =
      double(matrix.m + matrix.k) * double(numPanels * panel);
}

void Ranking::addColumnsPlans(PackedForm form, int64_t rows, int64_t vectors) {
  for (int64_t kBlock : getKBlocks(form, vectors)) {
    KernelPlan plan;
    plan.form = form;
    plan.width = width;
    plan.tileRows = rows;
    plan.tileColumns = vectors * width;
    plan.panel = panel;
    plan.kBlock = kBlock;
    add(plan);
  }
}

void Ranking::addAlongColumns() {
  int64_t maxVectors = target.registers >= 32 ? 4 : 2;
  int64_t needed =
      columns > 0 ? int64_t(llvm::divideCeil(columns, width)) : maxVectors;
  numPanels = llvm::divideCeil(needed, maxVectors);
  // Panels of equal size waste less than full ones and a rest.
  int64_t vectors = llvm::divideCeil(needed, numPanels);
  panel = vectors * width;
  auto addTile = [&](int64_t rows, int64_t tile) {
    if (!fits(rows, tile))
      return;
    addColumnsPlans(PackedForm::Blocks, rows, tile);
    if (rows == 1)
      return;
    addColumnsPlans(PackedForm::Dense, rows, tile);
    if (rows <= kMaxPatternRows)
      addColumnsPlans(PackedForm::Patterns, rows, tile);
  };
  for (int64_t rows : {1, 2, 3, 4, 6, 8, 12}) {
    // The widest tile within a panel, and one of two panels.
    int64_t tile = vectors;
    while (tile > 1 && (!fits(rows, tile) || vectors % tile != 0))
      --tile;
    addTile(rows, tile);
    if (numPanels > 1 || columns <= 0)
      addTile(rows, 2 * vectors);
  }
}

void Ranking::countRowsWork(KernelPlan &plan) const {
  double indexBytes = matrix.k > 256 ? 2 : 1;
  if (plan.form == PackedForm::Elements) {
    double nonzeros = double(matrix.nonzeros);
    getWork(plan, Work::Elements) = nonzeros * double(columns);
    getWork(plan, Work::Runs) = double(matrix.m * columns);
    countBytes(plan, nonzeros * (matrix.storedBytes + indexBytes),
               double(columns));
    return;
  }
  double vectors = double(plan.tileRows / width);
  double tileColumns = double(plan.tileColumns);
  double chunks = double(llvm::divideCeil(columns, plan.tileColumns));
  double listed = getListed(plan.form, plan.tileRows);
  double groups = double(numGroups(plan.tileRows));
  double products = listed * vectors * tileColumns;
  double loads = listed * (vectors + tileColumns);
  double inFlight = std::max(4.0, vectors * tileColumns);
  getWork(plan, Work::Issue) =
      chunks * std::max({products / kPerCycle, loads / kPerCycle,
                         products * kLatency / inFlight});
  // Many columns are as many places in memory: measured, it is that bad.
  if (columns > width)
    getWork(plan, Work::Issue) *= 2;
  getWork(plan, Work::Products) = chunks * products;
  getWork(plan, Work::Loads) = chunks * loads;
  getWork(plan, Work::Tiles) = chunks * groups;
  if (plan.form != PackedForm::Dense) {
    getWork(plan, Work::Listed) = chunks * listed;
    getWork(plan, Work::Runs) = chunks * groups;
  } else {
    indexBytes = 0;
  }
  double perGroup = listed / groups *
                    (double(plan.tileRows) * matrix.storedBytes + indexBytes);
  // The first chunk waits for the weights; the others find them close by.
  countBytes(plan, perGroup * groups, 1);
  getWork(plan, Work::L2Bytes) += perGroup * groups * (chunks - 1);
}

void Ranking::addRowsPlan(PackedForm form, int64_t vectors) {
  KernelPlan plan;
  plan.form = form;
  plan.lanesAlongRows = true;
  plan.kBlock = matrix.k;
  if (form != PackedForm::Elements) {
    int64_t maxColumns =
        std::max<int64_t>(1, (target.registers * 3 / 4 - vectors) / vectors);
    int64_t chunks = llvm::divideCeil(columns, maxColumns);
    plan.width = width;
    plan.tileRows = vectors * width;
    plan.tileColumns = llvm::divideCeil(columns, chunks);
  }
  add(plan);
}

void Ranking::addAlongRows() {
  addRowsPlan(PackedForm::Elements, 1);
  for (int64_t vectors : {4, 2, 1}) {
    addRowsPlan(PackedForm::Dense, vectors);
    // Groups are counted up to some size.
    if (matrix.groupColumns.count(vectors * width))
      addRowsPlan(PackedForm::Blocks, vectors);
  }
}

std::vector<KernelPlan> mlir::prune::rankKernels(const MatrixStatistics &matrix,
                                                 int64_t columns,
                                                 const KernelTarget &target) {
  return Ranking(matrix, columns, target).run();
}
