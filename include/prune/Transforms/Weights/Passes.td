//===- Passes.td - Masks of single weights ---------------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_TRANSFORMS_WEIGHTS_PASSES_TD
#define PRUNE_TRANSFORMS_WEIGHTS_PASSES_TD

include "mlir/Pass/PassBase.td"

/// Options shared by the passes that work weight by weight.
defvar weightFilterOptions = [
  Option<"include", "include", "std::string", /*default=*/"",
         "Only weights whose name this regular expression matches; empty: all">,
  Option<"exclude", "exclude", "std::string", /*default=*/"",
         "No weights whose name this regular expression matches; empty: none">,
];

def NameWeightsPass : Pass<"prune-name-weights", "::mlir::ModuleOp"> {
  let summary = "Turn constant weights into named resources";
  let description = [{
    Upstream passes merge equal `dense` constants and drop discardable
    attributes of constants, so neither can carry a weight's name; a
    `dense_resource` with a key of its own survives both. This pass turns every
    prunable weight that is a `dense` constant into a resource and names it
    `weight0`, `weight1`, ... in module order, skipping names that are taken.
    Run it after lowering to linalg and before any canonicalisation.

    Weights that are resources already keep their keys. Uses of the constant
    other than as a weight keep the old constant.

    ```mlir
    // Before
    %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
    // After
    %w = arith.constant dense_resource<weight0> : tensor<2x2xf32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def MaskWeightsPass : Pass<"prune-mask-weights", "::mlir::ModuleOp"> {
  let summary = "Decide which elements of each weight are removed";
  let description = [{
    Inserts `prune.score`, `prune.mask` and `prune.apply` on every weight, so
    that the IR holds the decision and can be read, run and folded
    (`prune-fold-masks`). A weight is a constant that reaches the weight operand
    of a contraction or convolution, also through transposes, reshapes, casts
    and broadcasts. All uses of the constant see the masked weight.

    Exactly one of `sparsity`, `threshold` and `count` is given, unless the
    pattern is N:M, which takes none, or every layer is given by `targets`.

    - `pattern=element` removes single elements;
    - `pattern=2:4` keeps at most 2 of every 4 consecutive elements along the
      dimension that the contraction sums over; `2:4@1` names the dimension;
    - `pattern=block:4x1` removes blocks of 4 along the weight's dimension 0;
      missing trailing sizes are 1. Dimensions are those of the constant.

    With `scope=global` all weights are ranked together; a weight with a target
    of its own in `targets` is ranked alone.

    Left alone, with a `missed` remark that says why: weights that `include` and
    `exclude` filter out; and, unless `include` or `targets` names them, weights
    smaller than `min-size`, depthwise filters, and weights whose shape the
    pattern does not divide, and those of which the target removes nothing, since
    a fraction of their units rounds to 0. Contractions without a constant
    operand and constants of other than floating-point type are reported as
    well. If all are left alone, a warning counts the reasons.

    A weight that is summed over along several dimensions (as W and as its
    transpose) gets N:M along one of them; a warning says which use that serves.

    Fails on options out of range, on regular expressions that do not compile or
    match nothing, and on layer names that do not exist.

    ```mlir
    // Before
    %w = arith.constant dense_resource<fc1> : tensor<64x64xf32>
    // After, with sparsity=0.9
    %w = arith.constant dense_resource<fc1> : tensor<64x64xf32>
    %s = prune.score %w {criterion = #prune.magnitude<l1>, weight = "fc1"} : tensor<64x64xf32> -> tensor<64x64xf64>
    %m = prune.mask %s {pattern = #prune.element, sparsity = 0.9 : f64} : tensor<64x64xf64> -> tensor<64x64xi1>
    %p = prune.apply %w, %m {weight = "fc1"} : tensor<64x64xf32>, tensor<64x64xi1>
    ```
  }];
  let dependentDialects = ["::mlir::prune::PruneDialect"];
  let options = [
    Option<"criterion", "criterion", "std::string", /*default=*/"\"l1\"",
           "l1, l2, random, wanda, ria, or an attribute that implements a "
           "criterion">,
    Option<"seed", "seed", "uint64_t", /*default=*/"0",
           "Seed of the random criterion">,
    Option<"pattern", "pattern", "std::string", /*default=*/"\"element\"",
           "element, N:M, N:M@dim, block:AxB..., or an attribute that "
           "implements a pattern">,
    Option<"sparsity", "sparsity", "std::string", /*default=*/"",
           "Fraction of the units to remove, in [0, 1]">,
    Option<"threshold", "threshold", "std::string", /*default=*/"",
           "Remove units with a score below this">,
    Option<"count", "count", "std::string", /*default=*/"",
           "Number of units to remove">,
    Option<"scope", "scope", "std::string", /*default=*/"\"local\"",
           "local: rank each weight alone; global: all together">,
    ListOption<"targets", "targets", "std::string",
               "Targets of single layers, layer:value,...; the values are "
               "sparsities unless threshold or count is given; the first entry "
               "that matches a weight counts">,
    Option<"minSize", "min-size", "int64_t", /*default=*/"0",
           "Leave weights with fewer elements alone">,
  ] # weightFilterOptions;
}

def FoldMasksPass : Pass<"prune-fold-masks", "::mlir::ModuleOp"> {
  let summary = "Compute the masks of constants and apply them";
  let description = [{
    Replaces every `prune.apply` of a constant, whose mask comes from scores of
    constants, by the masked constant. Scoring, selection and application are
    fused: no score or mask of full size exists at any time, selection takes
    linear time, and runs on all threads of the context. The result does not
    depend on their number.

    The masked weight becomes a resource named `name#n`, where `name` is the key
    up to the first `#`, or the `prune.weight` attribute for constants without a
    key. A weight that the mask does not change keeps its constant. Masks and
    scores with other users become constants themselves. Operations on values
    that are not constant are left alone; `convert-prune-to-linalg` lowers them.

    A NaN score is an error that names the weight and the element. Infinite
    scores rank highest, with a warning. A warning names weights of which
    nothing is left; another one says that nothing was removed at all.

    ```mlir
    // Before
    %w = arith.constant dense_resource<fc1> : tensor<64x64xf32>
    %s = prune.score %w {criterion = #prune.magnitude<l1>} : tensor<64x64xf32> -> tensor<64x64xf64>
    %m = prune.mask %s {pattern = #prune.element, sparsity = 0.9 : f64} : tensor<64x64xf64> -> tensor<64x64xi1>
    %p = prune.apply %w, %m : tensor<64x64xf32>, tensor<64x64xi1>
    // After
    %p = arith.constant dense_resource<"fc1#1"> : tensor<64x64xf32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
  let options = [Option<"quiet", "quiet", "bool", /*default=*/"false",
                        "Say nothing if there are no masks">,
  ];
}

def ExternalizeWeightsPass
    : Pass<"prune-externalize-weights", "::mlir::ModuleOp"> {
  let summary = "Make arguments of the weights";
  let description = [{
    Turns the named constants of every public function with a body into arguments
    behind its own ones, in the order of their first use, so that the compiled
    function computes with whatever numbers it is given. The attribute
    `prune.name` of such an argument is the weight's name; of several versions of
    one weight the first has the name, and each of the others its whole key.

    Constants of integers stay: they are indices and shapes. So do constants
    without a name (run `prune-name-weights` before) and those of functions that
    are called (run `inline` before). Packed and sparse kernels need constants:
    products with arguments are dense.

    Fails for a function that is called itself, and for a weight whose data was
    left out or which lies inside of an operation that is isolated.

    ```mlir
    // Before
    func.func @main(%x: tensor<4x8xf32>) -> tensor<4x2xf32> {
      %w = arith.constant dense_resource<fc1> : tensor<8x2xf32>
      ...
    // After
    func.func @main(%x: tensor<4x8xf32>,
                    %w: tensor<8x2xf32> {prune.name = "fc1"}) -> tensor<4x2xf32> {
      ...
    ```
  }];
}

def StripRecordsPass : Pass<"prune-strip-records", "::mlir::ModuleOp"> {
  let summary = "Drop what the module records of its pruning";
  let description = [{
    A pruned module says what was decided for its weights (`prune.weights`),
    which indices are left of them (`prune.kept`, on arguments with
    `prune.type_before`) and how many multiplications a call had
    (`prune.multiplications`). Reports and the export to ONNX read that. This
    pass drops it, and the names that packed weights have (`prune.weight`), also
    in nested modules. Names of arguments and results (`prune.name`) stay.

    The records consist of builtin attributes: tools that do not know the dialect
    read them, and can pass them on. Lowering to LLVM drops them.

    ```mlir
    // Before
    module attributes {prune.weights = {fc1 = {pattern = "#prune.element", ...}}} { ... }
    // After
    module { ... }
    ```
  }];
}

def InsertObserversPass
    : Pass<"prune-insert-observers", "::mlir::ModuleOp"> {
  let summary = "Observe the inputs of layers";
  let description = [{
    Puts a `prune.observe` in front of every contraction and convolution with a
    weight that can be pruned, on the operand that the weight is multiplied by:
    what the layer reads, with the zeros of a padding. Other users of the operand
    stay. `prune-run --statistics` runs the module on data and writes it without
    observers and with the record `prune.statistics`.

    A weight that is used twice has two observers, whose statistics are put
    together. Layers that are observed already stay as they are.

    Left alone, with a `missed` remark that says why: weights that `include` and
    `exclude` filter out, and products whose input is not of floats or cannot be
    seen as rows of features. If all are left alone, a warning counts the
    reasons.

    Fails on unknown statistics and on regular expressions that do not compile
    or match nothing.

    ```mlir
    // Before
    %y = linalg.matmul ins(%x, %fc1 : tensor<?x784xf32>, tensor<784x300xf32>) ...
    // After, with what=input_norm
    %o = prune.observe %x "fc1" {what = ["input_norm"]} : tensor<?x784xf32>
    %y = linalg.matmul ins(%o, %fc1 : tensor<?x784xf32>, tensor<784x300xf32>) ...
    ```
  }];
  let dependentDialects = ["::mlir::prune::PruneDialect"];
  let options = [
    ListOption<"what", "what", "std::string",
               "Statistics: count, mean, second_moment, min, max, zeros, "
               "input_norm, gram; none: all but gram, which takes memory for "
               "the square of the inputs">,
  ] # weightFilterOptions;
}

def StripObserversPass : Pass<"prune-strip-observers", "::mlir::ModuleOp"> {
  let summary = "Remove observers";
  let description = [{
    Replaces every `prune.observe` by its operand, also in nested modules. A
    module with observers can be lowered only by a program that collects what
    they see.

    ```mlir
    // Before
    %o = prune.observe %x "fc1" {what = ["input_norm"]} : tensor<4x784xf32>
    %y = linalg.matmul ins(%o, %fc1 : tensor<4x784xf32>, tensor<784x300xf32>) ...
    // After
    %y = linalg.matmul ins(%x, %fc1 : tensor<4x784xf32>, tensor<784x300xf32>) ...
    ```
  }];
}

#endif // PRUNE_TRANSFORMS_WEIGHTS_PASSES_TD
