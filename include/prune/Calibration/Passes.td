//===- Passes.td - Passes that look at data ---------------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CALIBRATION_PASSES_TD
#define PRUNE_CALIBRATION_PASSES_TD

include "mlir/Pass/PassBase.td"

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
    ListOption<"data", "data", "std::string",
               "Calibration data: a .npy file for each argument, in order">,
    Option<"samples", "samples", "int64_t", /*default=*/"1024",
           "Samples of the data that are used, the first ones">,
    Option<"batch", "batch", "int64_t", /*default=*/"32",
           "Samples in one call where the network leaves it open">,
    Option<"function", "function", "std::string", /*default=*/"\"\"",
           "The function that is calibrated; empty: main, or the only public "
           "one">,
    Option<"method", "method", "std::string", /*default=*/"\"best\"",
           "best, admm, magnitude, sparsegpt or obs">,
    Option<"damping", "damping", "double", /*default=*/"0.01",
           "Weight of staying at the dense values, relative to the mean "
           "square of the inputs">,
    Option<"refit", "refit", "bool", /*default=*/"true",
           "New values for weights that lose nothing, where samples kept apart "
           "say that they help">,
    Option<"normalize", "normalize", "bool", /*default=*/"true",
           "New statistics for batch normalisations, new biases for layers "
           "without">,
    Option<"pattern", "pattern", "std::string", /*default=*/"\"element\"",
           "element, N:M, N:M@dim, block:AxB..., or an attribute that "
           "implements a pattern">,
    Option<"sparsity", "sparsity", "std::string", /*default=*/"\"\"",
           "Fraction of the units to remove, in [0, 1]">,
    ListOption<"targets", "targets", "std::string",
               "Sparsities of single layers, layer:value,...; the first entry "
               "that matches a weight counts">,
    Option<"include", "include", "std::string", /*default=*/"\"\"",
           "Only weights whose name this regular expression matches; empty: "
           "all">,
    Option<"exclude", "exclude", "std::string", /*default=*/"\"\"",
           "No weights whose name this regular expression matches; empty: "
           "none">,
    Option<"minSize", "min-size", "int64_t", /*default=*/"0",
           "Leave weights with fewer elements alone">,
  ];
}

#endif // PRUNE_CALIBRATION_PASSES_TD
