//===- KernelChoice.cpp - Which kernel suits a weight ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Constants that are not in KernelTarget are properties of the kernels, the
// same on every machine: how many cycles a chain of dependent multiply-adds
// takes, how tiles are cut to fit the registers.
//
//===----------------------------------------------------------------------===//

#include "prune/Core/KernelChoice.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <tuple>

using namespace mlir::prune;

/// Cycles before the sum of a multiply-add can be added to.
static constexpr int64_t kLatency = 4;

/// The row groups that weights are looked at in.
static constexpr int64_t kGroups[] = {1, 2, 4, 8, 16, 32, 64};

KernelTarget KernelTarget::get(int64_t vectorBits) {
  KernelTarget target;
  target.vectorBits = vectorBits;
  // AVX2 has 16 vector registers; AVX-512 and NEON have 32.
  target.registers = vectorBits == 256 ? 16 : 32;
  return target;
}

MatrixStatistics MatrixStatistics::get(int64_t m, int64_t k,
                                       llvm::ArrayRef<char> elements,
                                       unsigned elementBytes) {
  MatrixStatistics matrix{m, k, elementBytes, 0, {}};
  for (int64_t rows : kGroups) {
    PackedCounts counts = countNonzeros(m, k, rows, elements, elementBytes);
    matrix.nonzeros = counts.nonzeros;
    matrix.groupColumns[rows] = counts.groupColumns;
  }
  return matrix;
}

namespace {
class Ranking {
public:
  Ranking(const MatrixStatistics &matrix, int64_t columns,
          const KernelTarget &target)
      : matrix(matrix), columns(columns), target(target),
        width(std::max<int64_t>(
            1, target.vectorBits / 8 / matrix.elementBytes)) {}

  std::vector<KernelPlan> run() {
    addAlongColumns();
    // Lanes along rows need no panels, but broadcast every activation.
    if (columns > 0 && columns <= 4 * width)
      addAlongRows();
    llvm::sort(plans, [](const KernelPlan &a, const KernelPlan &b) {
      auto key = [](const KernelPlan &plan) {
        return std::tuple(plan.cycles, plan.form, plan.lanesAlongRows,
                          plan.tileRows);
      };
      return key(a) < key(b);
    });
    return std::move(plans);
  }

private:
  int64_t numGroups(int64_t rows) const {
    return llvm::divideCeil(matrix.m, rows);
  }
  void addAlongColumns();
  void addColumnsPlan(PackedForm form, int64_t rows, int64_t vectors,
                      int64_t panel, int64_t numPanels);
  void addAlongRows();
  void addRowsPlan(PackedForm form, int64_t vectors);
  int64_t chooseKBlock(PackedForm form, int64_t panel) const;
  double streamCycles(double bytes) const;

  const MatrixStatistics &matrix;
  int64_t columns;
  const KernelTarget &target;
  int64_t width;
  std::vector<KernelPlan> plans;
};
} // namespace

/// Cycles to read that many bytes of weights once.
double Ranking::streamCycles(double bytes) const {
  if (bytes <= target.l2Bytes)
    return bytes / target.l2Rate;
  if (bytes <= target.l3Bytes)
    return bytes / target.l3Rate;
  return bytes / target.memoryRate;
}

/// Blocks of columns whose activations stay close while all rows use them.
int64_t Ranking::chooseKBlock(PackedForm form, int64_t panel) const {
  int64_t rowBytes = panel * matrix.elementBytes;
  int64_t inL1 = std::max<int64_t>(16, target.l1Bytes / rowBytes);
  int64_t block = matrix.k;
  if (form == PackedForm::Dense) {
    // Half of the first cache is left to the weights.
    if (matrix.k * rowBytes > target.l2Bytes / 4)
      block = inL1 / 2;
  } else if (form == PackedForm::Blocks) {
    if (matrix.k * rowBytes > target.l2Bytes / 2)
      block = target.l2Bytes / 8 / rowBytes;
  } else if (form == PackedForm::Patterns) {
    // The sparser, the more columns: a run should not be over at once.
    double density =
        double(matrix.nonzeros) / (double(matrix.m) * double(matrix.k));
    block = density > 0.15 ? inL1 : 2 * inL1;
  }
  return std::min(block, matrix.k);
}

void Ranking::addColumnsPlan(PackedForm form, int64_t rows, int64_t vectors,
                             int64_t panel, int64_t numPanels) {
  KernelPlan plan;
  plan.form = form;
  plan.width = width;
  plan.tileRows = rows;
  plan.tileColumns = vectors * width;
  plan.panel = panel;
  plan.kBlock = chooseKBlock(form, panel);
  double listed = form == PackedForm::Dense
                      ? double(numGroups(rows)) * matrix.k
                      : double(matrix.groupColumns.at(rows));
  double products = form == PackedForm::Patterns ? double(matrix.nonzeros)
                                                 : listed * rows;
  double segments =
      double(numGroups(rows)) * llvm::divideCeil(matrix.k, plan.kBlock);
  double runs = segments;
  if (form == PackedForm::Patterns)
    runs *= (1 << rows) - 1;
  double tiles = double(numPanels) * (panel / plan.tileColumns);
  double perTile = std::max(products * vectors, listed * kLatency);
  perTile += segments * target.tileStart + runs * target.loopStart;
  if (form == PackedForm::Patterns) {
    bool isFar = plan.kBlock * panel * matrix.elementBytes > target.l1Bytes;
    perTile +=
        listed * vectors * (target.load + (isFar ? target.farLoad : 0));
  }
  if (plan.kBlock < matrix.k)
    perTile += double(numGroups(rows)) * rows * vectors * 2 *
               (llvm::divideCeil(matrix.k, plan.kBlock) - 1);
  double features = double(matrix.m + matrix.k);
  plan.cycles = tiles * perTile +
                features * numPanels * panel * target.panelElement;
  plans.push_back(plan);
}

void Ranking::addAlongColumns() {
  int64_t maxVectors = target.registers >= 32 ? 4 : 2;
  int64_t needed =
      columns > 0 ? int64_t(llvm::divideCeil(columns, width)) : maxVectors;
  int64_t numPanels = llvm::divideCeil(needed, maxVectors);
  // Panels of equal size waste less than full ones and a rest.
  int64_t vectors = llvm::divideCeil(needed, numPanels);
  int64_t panel = vectors * width;
  int64_t maxTile = target.registers * 3 / 4;
  for (int64_t rows : {2, 4, 8}) {
    int64_t fitting = vectors;
    while (fitting * rows > maxTile || vectors % fitting != 0)
      --fitting;
    addColumnsPlan(PackedForm::Dense, rows, fitting, panel, numPanels);
    addColumnsPlan(PackedForm::Blocks, rows, fitting, panel, numPanels);
    if (rows <= kMaxPatternRows)
      addColumnsPlan(PackedForm::Patterns, rows, fitting, panel, numPanels);
  }
}

void Ranking::addRowsPlan(PackedForm form, int64_t vectors) {
  KernelPlan plan;
  plan.form = form;
  plan.lanesAlongRows = true;
  plan.kBlock = matrix.k;
  double perTile, bytes, tiles = double(columns);
  double indexBytes = form == PackedForm::Dense ? 0 : 2;
  if (form == PackedForm::Elements) {
    perTile = matrix.nonzeros * target.element + matrix.m * target.loopStart;
    bytes = matrix.nonzeros * (matrix.elementBytes + indexBytes);
  } else {
    int64_t rows = vectors * width;
    int64_t maxColumns =
        std::max<int64_t>(1, (target.registers * 3 / 4 - vectors) / vectors);
    int64_t chunks = llvm::divideCeil(columns, maxColumns);
    plan.width = width;
    plan.tileRows = rows;
    plan.tileColumns = llvm::divideCeil(columns, chunks);
    double listed = form == PackedForm::Dense
                        ? double(numGroups(rows)) * matrix.k
                        : double(matrix.groupColumns.at(rows));
    tiles = double(chunks);
    double loads = 0.75 * double(vectors + plan.tileColumns);
    perTile = listed * std::max(double(vectors * plan.tileColumns), loads) +
              numGroups(rows) * (target.tileStart + target.loopStart);
    bytes = listed * (rows * matrix.elementBytes + indexBytes);
  }
  // The first tile waits for the weights, the others find them close by.
  plan.cycles = std::max(perTile, streamCycles(bytes)) + (tiles - 1) * perTile;
  plans.push_back(plan);
}

void Ranking::addAlongRows() {
  addRowsPlan(PackedForm::Elements, 1);
  for (int64_t vectors : {4, 2, 1}) {
    addRowsPlan(PackedForm::Dense, vectors);
    // Groups are counted for powers of two up to 64.
    if (matrix.groupColumns.count(vectors * width))
      addRowsPlan(PackedForm::Blocks, vectors);
  }
}

std::vector<KernelPlan>
mlir::prune::rankKernels(const MatrixStatistics &matrix, int64_t columns,
                         const KernelTarget &target) {
  return Ranking(matrix, columns, target).run();
}
