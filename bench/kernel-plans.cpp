//===- kernel-plans.cpp - The cost model for a program in Python ----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A shared library with which calibrate.py asks for the plans of a product and
// packs weights for them, as prune-pack-weights would, without a detour over
// IR: a calibration looks at thousands of plans for weights of many megabytes.
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Packing/KernelChoice.h"

#include <algorithm>
#include <cstring>

using namespace mlir::prune;

namespace {
struct Plan {
  int64_t form, alongRows, width, tileRows, tileColumns, kBlock, panel;
  double cycles;
  double work[kNumWorks];
};

struct Buffers {
  ByteBuffer values;
  std::vector<char> indices, positions;
};
} // namespace

static llvm::ArrayRef<char> getBytes(const float *elements, int64_t count) {
  return {reinterpret_cast<const char *>(elements), size_t(count) * 4};
}

/// As buffers are passed: one after another in the given number of bytes.
static std::vector<char> narrow(llvm::ArrayRef<uint32_t> numbers,
                                unsigned bytes) {
  std::vector<char> result((numbers.size() + 1) * bytes);
  for (size_t i = 0; i != numbers.size(); ++i)
    std::memcpy(&result[i * bytes], &numbers[i], bytes);
  return result;
}

extern "C" {
/// The number of kinds of work, and their names.
int64_t pruneWorks() { return kNumWorks; }
const char *pruneWorkName(int64_t work) { return getName(Work(work)).data(); }

/// Writes at most `max` plans, cheapest first, and returns how many; -1 if the
/// description of the machine is wrong.
int64_t prunePlans(const float *elements, int64_t m, int64_t k, int64_t n,
                   const char *machine, Plan *plans, int64_t max) {
  llvm::Expected<KernelTarget> target = KernelTarget::parse(machine);
  if (!target) {
    llvm::consumeError(target.takeError());
    return -1;
  }
  auto matrix = MatrixStatistics::get(m, k, getBytes(elements, m * k), 4);
  std::vector<KernelPlan> ranked = rankKernels(matrix, n, *target);
  max = std::min<int64_t>(max, ranked.size());
  for (int64_t i = 0; i != max; ++i) {
    const KernelPlan &plan = ranked[i];
    plans[i] = {int64_t(plan.form), plan.lanesAlongRows, plan.width,
                plan.tileRows,      plan.tileColumns,    plan.kBlock,
                plan.panel,         plan.cycles,         {}};
    std::copy(plan.work.begin(), plan.work.end(), plans[i].work);
  }
  return max;
}

/// Packs for a plan; null if the matrix is too large. The result is freed by
/// pruneFree.
Buffers *prunePack(const float *elements, int64_t m, int64_t k,
                   const Plan *plan) {
  PackedLayout layout{PackedForm(plan->form), m, k, plan->tileRows,
                      plan->kBlock};
  auto packed = packMatrix(layout, getBytes(elements, m * k), 4);
  if (!packed)
    return nullptr;
  packed->values.resize(packed->values.size() + 64, 0);
  return new Buffers{std::move(packed->values),
                     narrow(packed->indices, k <= 256     ? 1
                                             : k <= 65536 ? 2
                                                          : 4),
                     narrow(packed->positions, 4)};
}
const void *pruneBuffer(const Buffers *buffers, int64_t number) {
  return number == 0   ? buffers->values.data()
         : number == 1 ? buffers->indices.data()
                       : buffers->positions.data();
}
void pruneFree(Buffers *buffers) { delete buffers; }
}
