//===- SweepState.h - What a sweep holds ------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_CALIBRATION_SWEEP_SWEEPSTATE_H
#define PRUNE_LIB_CALIBRATION_SWEEP_SWEEPSTATE_H

#include "ActivationStore.h"

#include "prune/Calibration/Sweep.h"
#include "prune/IR/ConstantView.h"

namespace mlir::prune {

/// Blocks of samples that are summed apart.
constexpr size_t kSweepBlocks = 4;

/// A layer that is looked at, and the uses of its weight whose inputs are known
/// when its turn comes.
struct Sweep::Layer {
  size_t weight;
  std::string name;
  unsigned stage = 0;
  RankedTensorType type;
  struct Use {
    LayerView view;
    unsigned input;
  };
  std::vector<Use> uses;
  Operation *constant;
};

/// What crosses a cut.
struct Sweep::Tensor {
  std::shared_ptr<ScratchTensor> stored;
  ElementType element;
};

/// The tensors of some samples in both networks, by the numbers of values.
struct Sweep::Batch {
  int64_t begin = 0, size = 0;
  std::vector<Tensor> dense, pruned;
};

} // namespace mlir::prune

#endif // PRUNE_LIB_CALIBRATION_SWEEP_SWEEPSTATE_H
