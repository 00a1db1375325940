//===- Sweep.h - Visit the layers of a network on data ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Two networks run side by side on all samples, layer after layer: the dense
// one, and one whose layers in front have changed already. Of each layer is
// summed what solvers need; then whoever visits may change it.
//
// Sums are taken over fixed blocks of samples and put together in their order,
// so that results have the same bits whatever the number of threads is.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CALIBRATION_SWEEP_H
#define PRUNE_CALIBRATION_SWEEP_H

#include "prune/Analysis/Evaluation/LayerOutput.h"
#include "prune/Calibration/SegmentedNetwork.h"
#include "prune/Core/Solvers/LayerStatistics.h"
#include "prune/Execution/Batches.h"

namespace mlir::prune {

struct SweepOptions {
  /// Samples in one call where the network leaves it open, at least 1.
  int64_t batch = 32;
  /// How much memory tensors at cuts may take before they go to a file; 0
  /// stands for all there is.
  uint64_t maxBytes = 0;
  /// Called before each layer with its name, its number and how many there are.
  std::function<void(StringRef, size_t, size_t)> progress;
};

/// Rows of a weight that read the same inputs, with the sums over all uses
/// that read them.
struct LayerPart {
  LayerView view;
  /// Of all samples, and of the last quarter of the batches, by which choices
  /// are judged.
  LayerStatistics statistics, heldOut;
};

class ActivationStore;

/// A weight, when its turn has come.
struct SweptLayer {
  /// Its position in the list that the sweep was made for.
  size_t weight;
  /// The segment behind which its inputs are known.
  unsigned stage;
  std::vector<LayerPart> parts;
};

/// Takes the results of the network for samples [begin, begin + count). Called
/// from several threads.
using TakeResults = llvm::function_ref<llvm::Error(
    size_t batch, int64_t begin, llvm::ArrayRef<const NpyArray *> results)>;

/// New bytes of a constant, by its number in the network.
struct ConstantChange {
  unsigned constant;
  std::vector<char> bytes;
};

class Sweep {
public:
  /// For the layers of `weights`, which `function` uses; those that cannot be
  /// looked at are left out, with a reason each in `left`. `data` has an array
  /// for each argument, with samples along dimension 0.
  static llvm::Expected<std::unique_ptr<Sweep>>
  create(func::FuncOp function, ArrayRef<Weight> weights,
         std::vector<Input> data, const SweepOptions &options,
         SmallVectorImpl<std::pair<size_t, std::string>> &left);
  ~Sweep();

  /// The same network, with the same code, on other data.
  llvm::Expected<std::unique_ptr<Sweep>> onData(func::FuncOp function,
                                                std::vector<Input> data) const;

  /// Visits the layers in the order of execution; with `wants`, those of the
  /// weights that it is true for.
  llvm::Error run(llvm::function_ref<llvm::Error(const SweptLayer &)> visit,
                  llvm::function_ref<bool(size_t weight)> wants = nullptr);

  /// The number of samples, and of the batches that they are cut into.
  int64_t numSamples() const { return samples; }
  size_t numBatches() const;
  /// From this batch on, samples are kept apart: a quarter of the batches.
  size_t firstHeldOut() const;

  /// Which samples a network is run on: all, or those kept apart.
  enum class Samples { All, HeldOut };
  /// Runs the whole network, the dense one or the one that changes.
  llvm::Error evaluate(bool isDense, Samples which, TakeResults take);
  /// The same from where a visit is: what stands in front is the dense network.
  llvm::Error evaluateBehind(unsigned stage, Samples which, TakeResults take);

  /// Whether an operation holds a constant that the network reads.
  bool has(Operation *constant) const {
    return network->constantOf(constant).has_value();
  }
  /// Gives a constant of the network other numbers, of its type, for all that
  /// runs from now on.
  void set(Operation *constant, ArrayRef<double> values);
  /// The numbers of a constant in the network that changes.
  std::vector<double> get(Operation *constant) const;
  /// Its numbers in the dense network.
  std::vector<double> getDense(Operation *constant) const;
  /// The bytes of a constant in the network that changes; all of them.
  std::vector<char> getBytes(Operation *constant) const;
  /// Makes all constants those of the dense network again.
  void reset();
  /// What differs from the dense network, and how to have it again.
  std::vector<ConstantChange> changes() const;
  void apply(ArrayRef<ConstantChange> changes);

  /// Calls `visit` with each constant that changed and its new bytes.
  void visitChanged(
      llvm::function_ref<void(DenseResourceElementsAttr, ArrayRef<char>)>
          visit);

private:
  struct Layer;
  struct Tensor;
  struct Batch;

  Sweep() = default;
  llvm::Error cut(func::FuncOp function, ArrayRef<Weight> weights,
                  SmallVectorImpl<std::pair<size_t, std::string>> &left);
  llvm::Error takeData(func::FuncOp function);
  void makeRoom();
  llvm::Error giveArguments(const Batch &batch,
                            std::vector<Tensor> &values) const;
  llvm::Error forEachBatch(size_t begin,
                           llvm::function_ref<llvm::Error(size_t)> body);
  llvm::Error runSegment(const NetworkSegment &segment, Batch &batch);
  llvm::Expected<std::vector<Tensor>> call(const NetworkSegment &segment,
                                           const std::vector<Tensor> &values,
                                           bool isDense);
  llvm::Error evaluateFrom(unsigned stage, bool isDense, Samples which,
                           TakeResults take);
  llvm::Expected<SweptLayer> summarize(const Layer &layer);
  llvm::Error addTo(LayerPart &part, const Layer &layer, size_t use,
                    LayerStatistics &statistics, const Batch &batch) const;

  MLIRContext *context = nullptr;
  std::shared_ptr<SegmentedNetwork> network;
  std::shared_ptr<ActivationStore> store;
  std::vector<Layer> layers;
  std::vector<Batch> batches;
  std::vector<Input> data;
  /// By argument, what it takes, and whether it takes slices.
  std::vector<ElementType> elements;
  std::vector<bool> isSliced;
  int64_t samples = 0;
  SweepOptions options;
  /// By constant; empty if it is as it was.
  std::vector<std::vector<char>> changed;
};

} // namespace mlir::prune

#endif // PRUNE_CALIBRATION_SWEEP_H
