//===- CollectStatistics.h - What observers see -----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CALIBRATION_COLLECTSTATISTICS_H
#define PRUNE_CALIBRATION_COLLECTSTATISTICS_H

#include "prune/Analysis/LayerView.h"
#include "prune/Core/Statistics.h"
#include "prune/Execution/Observer.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"

namespace mlir::prune {

struct ObservedPart;

/// Sums up what the observers of one module see, layer by layer, and gives the
/// module the record `prune.statistics`. Use: create, compile the module with
/// `add` as the observer, run it on all samples, finish.
class StatisticsCollector {
public:
  /// Gives the observers of `module` numbers, in their order. Fails, in words
  /// for people, if there is none, or one that is not in front of the product
  /// with the weight that it names.
  static llvm::Expected<std::unique_ptr<StatisticsCollector>>
  create(ModuleOp module);

  /// Takes in one tensor. Not for several threads at once.
  void add(const ShownTensor &tensor);

  /// Adds to the record what was seen and removes the observers. Fails, and
  /// changes nothing, if a layer read NaN or an infinity, if nothing was seen
  /// at all, or if there is no one Gram matrix for a weight.
  llvm::Error finish(ModuleOp module);

private:
  /// What one observer sees.
  struct Input {
    std::string layer;
    LayerView view;
    FeatureStatistics statistics;
  };
  /// A weight, with the observers in front of its products.
  struct ObservedWeight {
    std::string name;
    RankedTensorType type;
    SmallVector<unsigned> inputs;
    SmallVector<Statistic> what;
  };

  StatisticsCollector() = default;
  void addWeight(const Weight &weight);
  llvm::Expected<std::vector<ObservedPart>>
  collectParts(const ObservedWeight &weight) const;
  llvm::Expected<DictionaryAttr> makeRecord(const ObservedWeight &weight) const;

  std::vector<Input> inputs;
  std::vector<ObservedWeight> weights;
  /// The first layer that read NaN or an infinity.
  std::string bad;
};

} // namespace mlir::prune

#endif // PRUNE_CALIBRATION_COLLECTSTATISTICS_H
