//===- Passes.td - Passes that look at data ---------------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CALIBRATION_PASSES_TD
#define PRUNE_CALIBRATION_PASSES_TD

include "mlir/Pass/PassBase.td"

/// What all passes on data take.
defvar dataOptions = [
  ListOption<"data", "data", "std::string",
             "Calibration data: a .npy file for each argument, in order">,
  Option<"samples", "samples", "int64_t", /*default=*/"1024",
         "Samples of the data that are used, the first ones">,
  Option<"batch", "batch", "int64_t", /*default=*/"32",
         "Samples in one call where the network leaves it open">,
  Option<"maxMemory", "max-memory", "int64_t", /*default=*/"0",
         "MiB that tensors at cuts of the network may take before they go to a "
         "temporary file; 0: no limit">,
  Option<"function", "function", "std::string", /*default=*/"\"\"",
         "The function that is calibrated; empty: main, or the only public "
         "one">,
  Option<"damping", "damping", "double", /*default=*/"0.01",
         "Weight of staying at the dense values, relative to the mean square "
         "of the inputs">,
];

/// What those take that prune.
defvar solverOptions = [
  Option<"method", "method", "std::string", /*default=*/"\"best\"",
         "best, admm, magnitude, sparsegpt or obs">,
  Option<"refit", "refit", "bool", /*default=*/"true",
         "New values for weights that lose nothing, where samples kept apart "
         "say that they help">,
  Option<"normalize", "normalize", "bool", /*default=*/"true",
         "New statistics for batch normalisations, new biases for layers "
         "without">,
  Option<"include", "include", "std::string", /*default=*/"\"\"",
         "Only weights whose name this regular expression matches; empty: all">,
  Option<"exclude", "exclude", "std::string", /*default=*/"\"\"",
         "No weights whose name this regular expression matches; empty: none">,
  Option<"minSize", "min-size", "int64_t", /*default=*/"0",
         "Leave weights with fewer elements alone">,
];

/// What passes take that try levels of sparsity.
defvar levelOptions = [
  ListOption<"labels", "labels", "std::string",
             "A .npy file of integers: the classes of the calibration data">,
  ListOption<"patterns", "patterns", "std::string",
             "Patterns to try, as prune-mask-weights takes them; element "
             "unless given">,
  ListOption<"levels", "levels", "double",
             "Sparsities to try; 0.3 to 0.975 in eleven steps unless given">,
  Option<"loss", "loss", "std::string", /*default=*/"\"kl\"",
         "What a network loses: kl, the divergence of the first result's "
         "softmax from the dense network's; or error, the relative squared "
         "error of all results">,
];

def ReconstructWeightsPass
    : Pass<"prune-reconstruct-weights", "::mlir::ModuleOp"> {
  let summary = "Prune weights so that layers keep their outputs on data";
  let description = [{
    Runs the network on calibration data, layer after layer, beside the dense
    one. For each weight it chooses the elements that stay and new values for
    them, so that the layer's outputs on what the pruned layers in front give it
    are as close as possible to those of the dense network: least squares with
    the support fixed. A batch normalisation by stored statistics behind the
    layer gets those of the pruned outputs; a layer with a bias and no
    normalisation gets a bias that keeps the means of its outputs.

    - `method=best` tries the masks of ADMM (ALPS: Meng et al., NeurIPS 2024), of
      magnitudes and of SparseGPT (Frantar and Alistarh, ICML 2023) and takes the
      one that leaves the least error;
    - `method=admm`, `magnitude` and `sparsegpt` take one of them;
    - `method=obs` removes one element after the other, exactly (Optimal Brain
      Compression: Frantar, Singh and Alistarh, NeurIPS 2022); for layers of up
      to 1,024 inputs.

    Patterns, targets and filters are those of `prune-mask-weights`. Data is one
    .npy file for each argument, with samples along dimension 0; as many of them
    are used as `samples` says. They must come from training data: accuracies on
    samples that were used for calibration are worth nothing. The order of the
    samples, and not the number of threads, decides about the last bits.

    Run it on a network with its batch normalisations, before
    `prune-fold-batch-norms`. Layers in loops, branches and called functions are
    left alone with a remark.

    ```mlir
    // Before
    %w = arith.constant dense_resource<fc1> : tensor<64x64xf32>
    // After, with data=x.npy sparsity=0.9
    %w = arith.constant dense_resource<"fc1#1"> : tensor<64x64xf32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::func::FuncDialect",
                           "::mlir::prune::PruneDialect"];
  let options = [
    Option<"pattern", "pattern", "std::string", /*default=*/"\"element\"",
           "element, N:M, N:M@dim, block:AxB..., or an attribute that "
           "implements a pattern">,
    Option<"sparsity", "sparsity", "std::string", /*default=*/"\"\"",
           "Fraction of the units to remove, in [0, 1]">,
    ListOption<"targets", "targets", "std::string",
               "Sparsities of single layers, layer:value,...; the first entry "
               "that matches a weight counts">,
  ] # solverOptions # dataOptions;
}

def MeasureSensitivityPass
    : Pass<"prune-measure-sensitivity", "::mlir::ModuleOp"> {
  let summary = "Measure what the network loses by each layer's sparsity";
  let description = [{
    For each weight, pattern and sparsity: prunes this layer alone, as
    `prune-reconstruct-weights` does, and runs the network from there on. Writes
    a table: elements that are left, the relative output error of the layer, the
    loss of the network, and with `latency` the time of a call of the layer's
    product alone on this machine, compiled with packed kernels. The module
    stays as it is.

    `prune-compress-weights` reads the table and allocates sparsity by it. A
    file whose name ends in .csv is a table with a header; others are JSON.

    ```
    prune-opt net.mlir --prune-measure-sensitivity="data=x.npy output=table.json"
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::func::FuncDialect",
                           "::mlir::prune::PruneDialect"];
  let options = [
    Option<"output", "output", "std::string", /*default=*/"\"-\"",
           "The file to write; - is standard output">,
    Option<"latency", "latency", "bool", /*default=*/"false",
           "Time the product of each level">,
  ] # levelOptions # solverOptions # dataOptions;
}

def CompressWeightsPass : Pass<"prune-compress-weights", "::mlir::ModuleOp"> {
  let summary = "Prune as far as a budget or a bound on the loss says";
  let description = [{
    Measures the sensitivity of the layers, or reads it from `table`, and finds
    the levels that lose least within the budget, by dynamic programming over
    layers; then prunes as `prune-reconstruct-weights` does. With `evolve`,
    networks put together from the measured layers are compared by their loss
    and mutated so many times (EvoPress: Sieberling et al., 2024).

    `budget=params:0.2` leaves a fifth of the elements of the weights in the
    table, `macs:0.2` a fifth of the multiplications with them, `latency:0.5`
    half of the measured times of their products. Without a budget, it is the
    least that levels allow, and `max-drop` decides.

    `max-drop` bounds what the network may lose, measured on `eval-data` and
    `eval-labels`, or on the calibration data if there is none: percentage points
    of accuracy, or with `metric` the growth of the cross-entropy, the
    divergence (`kl`) or the relative squared `error` of the outputs. If the
    budget loses more, bisection backs off along the allocations. If nothing can
    go, the pass fails and says what the least cost.

    Patterns may be given several: each layer takes the one that pays.

    ```mlir
    // Before
    %w = arith.constant dense_resource<fc1> : tensor<64x64xf32>
    // After, with data=x.npy labels=y.npy budget=params:0.1 max-drop=1
    %w = arith.constant dense_resource<"fc1#1"> : tensor<64x64xf32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::func::FuncDialect",
                           "::mlir::prune::PruneDialect"];
  let options = [
    Option<"budget", "budget", "std::string", /*default=*/"\"\"",
           "params, macs or latency, and the fraction that is left: params:0.2">,
    Option<"table", "table", "std::string", /*default=*/"\"\"",
           "A table of prune-measure-sensitivity, in JSON; else it is measured">,
    Option<"evolve", "evolve", "unsigned", /*default=*/"0",
           "Generations of evolution, for a table that is measured">,
    Option<"seed", "seed", "uint64_t", /*default=*/"0",
           "Seed of the evolution">,
    Option<"maxDrop", "max-drop", "std::string", /*default=*/"\"\"",
           "The most that the network may lose">,
    Option<"metric", "metric", "std::string", /*default=*/"\"accuracy\"",
           "What max-drop bounds: accuracy, cross-entropy, kl or error">,
    ListOption<"evalData", "eval-data", "std::string",
               "Data that max-drop is measured on, as data">,
    ListOption<"evalLabels", "eval-labels", "std::string",
               "Classes of eval-data, as labels">,
  ] # levelOptions # solverOptions # dataOptions;
}

def ScoreChannelsPass : Pass<"prune-score-channels", "::mlir::ModuleOp"> {
  let summary = "Observe what layers miss without each channel";
  let description = [{
    For each group of channels that could leave, removes them one after the
    other from the weights that read them, always the one that is missed least
    once the other weights have made up for it (Optimal Brain Surgeon in blocks,
    on the Gram matrices of the layers' inputs). The error after each removal
    becomes the statistic `removal_cost` of the weights that read the group, by
    which the criterion `removal-cost` of `prune-mask-channels` ranks.

    Groups without a weight that reads them, or one that cannot be looked at,
    get none, with a remark.

    ```mlir
    // Before
    module { ... }
    // After, with data=x.npy
    module attributes {prune.statistics = {conv2 = {removal_cost = dense<[[0.3, 0.001, 0.02]]> : tensor<1x3xf64>}}} { ... }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::func::FuncDialect",
                           "::mlir::prune::PruneDialect"];
  let options = dataOptions;
}

def RefitWeightsPass : Pass<"prune-refit-weights", "::mlir::ModuleOp"> {
  let summary = "Give what is left of a pruned network new values";
  let description = [{
    Runs a pruned network and the dense one that it came from side by side on
    calibration data, layer after layer. Elements that are zero in the pruned
    one stay zero; all others get the values that reproduce the dense layer's
    outputs best, if samples kept apart say that they help. Statistics of batch
    normalisations and biases follow, as in `prune-reconstruct-weights`; those
    of channels that are gone stay.

    `reference` is the dense network: the same module before it was masked, so
    that constants of the same name have the same shape. Run the pass behind
    `prune-fold-masks` and before `prune-remove-channels`.

    ```mlir
    // Before
    %w = arith.constant dense_resource<"fc1#1"> : tensor<64x64xf32>
    // After, with data=x.npy reference=dense.mlir
    %w = arith.constant dense_resource<"fc1#2"> : tensor<64x64xf32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::func::FuncDialect",
                           "::mlir::prune::PruneDialect"];
  let options = [
    Option<"reference", "reference", "std::string", /*default=*/"\"\"",
           "The dense network, in MLIR">,
  ] # dataOptions;
}

#endif // PRUNE_CALIBRATION_PASSES_TD
