//===- PassInputs.h - What passes on data have in common --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_CALIBRATION_PASSINPUTS_H
#define PRUNE_LIB_CALIBRATION_PASSINPUTS_H

#include "prune/Calibration/Sensitivity.h"

namespace mlir::prune {

/// What the options that passes on data share say.
struct DataOptions {
  std::vector<std::string> files;
  int64_t samples = 1024, batch = 32;
  std::string function, method = "best";
  double damping = 0.01;
  bool refit = true, normalize = true;

  int64_t maxMemory = 0;

  /// Those that all passes have.
  template <typename PassT> static DataOptions ofData(const PassT &pass) {
    DataOptions options;
    options.files.assign(pass.data.begin(), pass.data.end());
    options.samples = pass.samples;
    options.batch = pass.batch;
    options.function = pass.function;
    options.damping = pass.damping;
    options.maxMemory = pass.maxMemory;
    return options;
  }

  /// Those of passes that prune.
  template <typename PassT> static DataOptions of(const PassT &pass) {
    DataOptions options = ofData(pass);
    options.method = pass.method;
    options.refit = pass.refit;
    options.normalize = pass.normalize;
    return options;
  }

  /// The filters of these.
  template <typename PassT> static MaskOptions filtersOf(const PassT &pass) {
    MaskOptions masks;
    masks.include = pass.include;
    masks.exclude = pass.exclude;
    masks.minSize = pass.minSize;
    return masks;
  }
};

/// The network of a pass: a copy of the module with everything inlined, whose
/// constants are those of the module.
struct PassNetwork {
  OwningOpRef<ModuleOp> module;
  func::FuncOp entry;
  std::unique_ptr<WeightUses> uses;

  ArrayRef<Weight> weights() const { return uses->getWeights(); }

  static FailureOr<PassNetwork> create(ModuleOp module, StringRef function,
                                       StringRef by);
};

/// Fails after an error that begins with `by`; one without words has been said.
LogicalResult failWith(ModuleOp module, StringRef by, llvm::Error error);

/// The first samples of .npy files, one for each argument.
llvm::Expected<std::vector<Input>> readSamples(ArrayRef<std::string> files,
                                               int64_t samples);

/// Checks the options; errors name them.
FailureOr<NetworkOptions> readNetworkOptions(ModuleOp module, StringRef by,
                                             const DataOptions &data);

/// A sweep over the network on the first samples of the data. Weights that
/// cannot be looked at are in `left`, with a reason each.
FailureOr<std::unique_ptr<Sweep>>
makeSweep(ModuleOp module, StringRef by, const PassNetwork &network,
          const DataOptions &data, const NetworkOptions &options,
          SmallVectorImpl<std::pair<size_t, std::string>> &left);

/// The levels that options name. `masks` has the filters.
struct LevelNames {
  std::vector<std::string> patterns;
  std::vector<double> levels;
};
FailureOr<std::vector<PlannedLevel>>
planLevels(ModuleOp module, StringRef by, const PassNetwork &network,
           const LevelNames &names, MaskOptions masks,
           ArrayRef<std::pair<size_t, std::string>> left);

/// Replaces constants by ones like them with other bytes, wherever the module
/// has them.
void replaceConstants(
    ModuleOp module, ArrayRef<std::pair<Attribute, std::vector<char>>> changes);

/// Gives the module the constants of the network that changed.
void writeChanges(ModuleOp module, Sweep &sweep);

/// Records what was decided for the weights that lost elements.
void recordLayers(ModuleOp module, StringRef by, ArrayRef<Weight> weights,
                  ArrayRef<WeightPlan> plan,
                  ArrayRef<ReconstructedLayer> layers);

/// Says of the weights without a plan why they are left alone, and records it;
/// warns if all are.
void reportLeftAlone(ModuleOp module, StringRef by, ArrayRef<Weight> weights,
                     ArrayRef<WeightPlan> plan);

/// Fails after an error if a loss is none that levels are judged by.
LogicalResult checkLoss(ModuleOp module, StringRef by, StringRef loss);

/// Measures networks on the samples of a sweep, with the classes of a file if
/// one is named.
FailureOr<std::unique_ptr<LossMeter>>
makeMeter(ModuleOp module, StringRef by, Sweep &sweep,
          std::vector<std::string> labels);

/// The dialects of the compilation, which runs inside of the passes.
void insertLoweringDialects(DialectRegistry &registry);

/// A pass on data: `DerivedT::run` does the work. `BaseT` is what TableGen made
/// of it.
template <typename DerivedT, typename BaseT> struct DataPass : BaseT {
  using BaseT::BaseT;

  void getDependentDialects(DialectRegistry &registry) const override {
    BaseT::getDependentDialects(registry);
    insertLoweringDialects(registry);
  }

  void runOnOperation() override {
    if (failed(static_cast<DerivedT *>(this)->run()))
      this->signalPassFailure();
  }
};

} // namespace mlir::prune

#endif // PRUNE_LIB_CALIBRATION_PASSINPUTS_H
