//===- Passes.td - Passes within the tensor level ----------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_TRANSFORMS_PASSES_TD
#define PRUNE_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def VerifyResourcesPass : Pass<"prune-verify-resources"> {
  let summary = "Check that the resource of every constant exists and fits";
  let description = [{
    A `dense_resource` constant whose data is missing or has the wrong size
    passes the parser and the verifier, and would fail much later or read
    outside of its buffer. This pass reports every such constant, with the
    resource's name and the sizes, and changes nothing. `prune-opt` runs it
    right after parsing, with `allow-elided`: printing groups and listing
    weights need no data, and passes that need data check again.

    ```mlir
    // error: resource 'fc1' holds 12 bytes, but tensor<2x2xf32> needs 16 ...
    %w = arith.constant dense_resource<fc1> : tensor<2x2xf32>
    ```
  }];
  let options =
      [Option<
           "allowElided", "allow-elided", "bool", /*default=*/"false",
           "Accept dense_resource<__elided__>, which stands for data that was "
           "left out when the module was printed">,
  ];
}

//===----------------------------------------------------------------------===//
// Choosing weights
//===----------------------------------------------------------------------===//

/// Options shared by the passes that work weight by weight.
defvar weightFilterOptions = [
  Option<"include", "include", "std::string", /*default=*/"",
         "Only weights whose name this regular expression matches; empty: all">,
  Option<"exclude", "exclude", "std::string", /*default=*/"",
         "No weights whose name this regular expression matches; empty: none">,
];

//===----------------------------------------------------------------------===//
// NameWeights
//===----------------------------------------------------------------------===//

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

//===----------------------------------------------------------------------===//
// MaskWeights
//===----------------------------------------------------------------------===//

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
           "l1, l2, random, or an attribute that implements a criterion">,
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

//===----------------------------------------------------------------------===//
// FoldMasks
//===----------------------------------------------------------------------===//

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

//===----------------------------------------------------------------------===//
// StripRecords
//===----------------------------------------------------------------------===//

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

//===----------------------------------------------------------------------===//
// Lowering
//===----------------------------------------------------------------------===//

def DecomposeOperationsPass : Pass<"prune-decompose-operations"> {
  let summary = "Rewrite composite tensor operations as structured ones";
  let description = [{
    Loops are generated from operations with indexing maps. Some operations on
    tensors have none, and no upstream pass gives them any: softmax, winograd
    transforms and the other aggregates of linalg, `linalg.pack` and
    `linalg.unpack`, `tensor.concat`, `tensor.gather`, `tensor.scatter`,
    `tensor.bitcast`. This pass rewrites them as linalg structured operations,
    loops, slices and reshapes. It leaves all other operations alone.

    Softmax of f16 and bf16 is computed in f32 and rounded once.

    A `tensor.expand_shape` that leaves two sizes of a run open becomes a
    `tensor.reshape`, because upstream cannot lower it.

    It also rewrites `scf.index_switch` as a chain of `scf.if`, because
    bufferization of a switch on tensors is unsound.

    ```mlir
    %s = linalg.softmax dimension(1) ins(%x : tensor<4x8xf32>)
                                     outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
    // becomes: the row's maximum, exp(x - maximum), the sum, the quotient
    %m = linalg.generic ... iterator_types = ["parallel", "reduction"] ...
    ```
  }];
  let dependentDialects = [
    "arith::ArithDialect", "linalg::LinalgDialect", "math::MathDialect",
    "scf::SCFDialect", "tensor::TensorDialect"
  ];
}

def ExportFunctionsPass
    : Pass<"prune-export-functions", "::mlir::ModuleOp"> {
  let summary = "Settle who owns the buffers of public functions";
  let description = [{
    Run before bufferization. A compiled function never modifies its arguments;
    the caller owns the results:

    - tensor arguments are marked `bufferization.writable = false`;
    - of several results, those that might share a buffer are copied, because
      the caller frees each;
    - the function gets `llvm.emit_c_interface`;
    - names of arguments and results (`prune.name`) are dropped.

    Private functions and declarations are left alone.

    ```mlir
    func.func @main(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
      %y = linalg.exp ...
      return %y, %y : tensor<4xf32>, tensor<4xf32>
    }
    // becomes
    func.func @main(%x: tensor<4xf32> {bufferization.writable = false})
        -> (tensor<4xf32>, tensor<4xf32>)
        attributes {llvm.emit_c_interface} {
      %y = linalg.exp ...
      %z = bufferization.alloc_tensor() copy(%y) : tensor<4xf32>
      return %y, %z : tensor<4xf32>, tensor<4xf32>
    }
    ```
  }];
  let dependentDialects = ["bufferization::BufferizationDialect"];
}

def ExpandCopiesPass : Pass<"prune-expand-copies"> {
  let summary = "Turn copies between strided buffers into loops";
  let description = [{
    A `memref.copy` of buffers that are not contiguous lowers to a call of a
    run-time library, which copies element by element. This pass rewrites such
    copies as `linalg.copy`, so that they become loops that can be vectorised,
    and compiled code needs no library. Copies between contiguous buffers, which
    become `memcpy`, are left alone.

    ```mlir
    memref.copy %a, %b : memref<4x4xf32, strided<[8, 1]>> to memref<4x4xf32>
    // becomes
    linalg.copy ins(%a : memref<4x4xf32, strided<[8, 1]>>) outs(%b : memref<4x4xf32>)
    ```
  }];
  let dependentDialects = ["linalg::LinalgDialect"];
}

def FuseElementwisePass : Pass<"prune-fuse-elementwise"> {
  let summary = "Fuse elementwise operations that cost nothing to fuse";
  let description = [{
    Fuses a `linalg.generic` without reductions into its only user, if that has
    none either and the same number of loops: nothing is computed twice. Unlike
    `linalg-fuse-elementwise-ops`, an activation is never moved into the loops
    of a contraction, nor a small operation into one that broadcasts it.

    ```mlir
    %a = linalg.generic ... { arith.addf }       // x + bias
    %b = linalg.generic ... ins(%a) { arith.maximumf }
    // becomes one linalg.generic { arith.addf; arith.maximumf }
    ```
  }];
  let dependentDialects = ["affine::AffineDialect", "linalg::LinalgDialect"];
}

def ScheduleReductionsPass : Pass<"prune-schedule-reductions"> {
  let summary = "Order the loops of reductions for the vectoriser";
  let description = [{
    A sum over the innermost loop is a chain of dependent additions, which no
    compiler may reorder. This pass makes a parallel loop innermost where
    that gives adjacent accesses, so that the lanes of a vector are different
    results. The order in which any one result is summed up does not change.

    It applies to a `linalg.generic` with reductions whose result's last
    dimension is one loop. An operand in which that loop is not the last
    dimension is transposed first, if it is a constant (then nothing is left to
    do at run time), or if each of its elements is used often. Multiplications
    and additions of f32 and f64 in such a body may be contracted to fused ones,
    which round once instead of twice.

    ```mlir
    // x * transposed(w): loops (m, n, k)
    linalg.generic {iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<4x8xf32>, tensor<16x8xf32>) outs(%y : tensor<4x16xf32>)
    // becomes: loops (m, k, n)
    linalg.generic {iterator_types = ["parallel", "reduction", "parallel"]}
      ins(%x, %t : tensor<4x8xf32>, tensor<8x16xf32>) outs(%y : tensor<4x16xf32>)
    ```
  }];
  let dependentDialects = ["linalg::LinalgDialect", "tensor::TensorDialect"];
}

def FoldTransposesPass : Pass<"prune-fold-transposes"> {
  let summary = "Transpose constants at compile time";
  let description = [{
    Replaces a `linalg.transpose` of a constant by the transposed constant,
    `dense` or `dense_resource`, of any rank and any element type of whole
    bytes. A resource's transposed copy has a new name. Upstream folds element
    by element and does not know resources.

    ```mlir
    %w = arith.constant dense<[[1, 2]]> : tensor<1x2xi32>
    %t = linalg.transpose ins(%w : tensor<1x2xi32>) outs(%e : tensor<2x1xi32>)
           permutation = [1, 0]
    // becomes
    %t = arith.constant dense<[[1], [2]]> : tensor<2x1xi32>
    ```
  }];
  let dependentDialects = ["arith::ArithDialect"];
}

def LegalizeScalarsPass
    : Pass<"prune-legalize-scalars", "::mlir::ModuleOp"> {
  let summary = "Keep scalar arithmetic exact on its way to LLVM";
  let description = [{
    Run on scalars, after `math-extend-to-supported-types` and
    `arith-emulate-unsupported-floats`. The pass prevents four errors of the
    upstream lowering:

    - the two passes above mark the roundings they insert as contractible, so
      that results of bf16 or f16 operations keep excess precision where they
      happen to be combined. The mark is removed: each operation rounds;
    - `math.expm1` and `math.log1p` become `exp(x) - 1` and `log(1 + x)`, which
      lose all digits near zero. They become calls of the C library instead;
    - `math.clampf` becomes max(min(x, low), high), which is never below high.
      It becomes min(max(x, low), high) instead;
    - `math.isinf` is not lowered at all. It becomes a comparison.

    ```mlir
    %y = math.expm1 %x : f32
    // becomes
    %y = call @expm1f(%x) : (f32) -> f32
    ```
  }];
  let dependentDialects = [
    "arith::ArithDialect", "func::FuncDialect", "math::MathDialect",
    "vector::VectorDialect"
  ];
}
include "prune/Transforms/ChannelPasses.td"
include "prune/Transforms/SimplificationPasses.td"

def VerifyLoweredPass : Pass<"prune-verify-lowered"> {
  let summary = "Check that nothing is left to lower";
  let description = [{
    Run last in a lowering to LLVM. Reports the first operation that is neither
    of the LLVM dialect nor of OpenMP, and changes nothing.

    ```mlir
    // error: has no lowering to LLVM ...
    %i = gpu.thread_id x
    ```
  }];
}

def VerifyDensePass : Pass<"prune-verify-dense"> {
  let summary = "Check that nothing uses sparse tensors";
  let description = [{
    Runs first in the lowerings that cannot compile sparse tensors, which only
    the upstream sparsifier can (`prune-lower-to-llvm="kernels=reference"`).
    Reports the first operation of the dialect or on a tensor with a sparse
    encoding, and changes nothing.

    ```mlir
    // error: uses sparse tensors ...
    %s = sparse_tensor.convert %w : tensor<2x3xf32> to tensor<2x3xf32, #CSR>
    ```
  }];
}

#endif // PRUNE_TRANSFORMS_PASSES_TD
