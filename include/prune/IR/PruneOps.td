//===- PruneOps.td - Operations of the prune dialect -------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_IR_PRUNEOPS_TD
#define PRUNE_IR_PRUNEOPS_TD

include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "prune/IR/PruneAttrs.td"

class Prune_Op<string mnemonic, list<Trait> traits = []>
    : Op<Prune_Dialect, mnemonic, traits>;

def Prune_FloatTensor : StaticShapeTensorOf<[AnyFloat]>;
def Prune_MaskTensor : StaticShapeTensorOf<[I1]>;

//===----------------------------------------------------------------------===//
// ScoreOp
//===----------------------------------------------------------------------===//

def Prune_ScoreOp : Prune_Op<"score", [Pure]> {
  let summary = "Compute the importance of each element of a weight";
  let description = [{
    Applies `criterion` to each element of `tensor`, in double precision, and
    rounds once to the element type of the result. With `reduce_dims` the scores
    are summed over those dimensions, in double precision and row-major order,
    and the result has the remaining dimensions: one score per row, filter or
    channel. Without an arrow the result has the operand's type.

    `weight` is the name that the random criterion hashes. `stats` are tensors
    that the criterion asks for, as many as it says.

    Example:

    ```mlir
    %s = prune.score %w {criterion = #prune.magnitude<l1>} : tensor<300x784xf32>
    %c = prune.score %k {criterion = #prune.magnitude<l2>, reduce_dims = [1, 2, 3]}
       : tensor<64x32x3x3xf32> -> tensor<64xf64>
    %t = prune.score %w stats(%norms) {criterion = #my.wanda}
       : tensor<300x784xf32>, tensor<300xf64> -> tensor<300x784xf64>
    ```
  }];
  let arguments = (ins
    Prune_FloatTensor:$tensor,
    Variadic<Prune_FloatTensor>:$statistics,
    Prune_CriterionAttrInterface:$criterion,
    OptionalAttr<I64ArrayAttr>:$reduce_dims,
    OptionalAttr<StrAttr>:$weight);
  let results = (outs Prune_FloatTensor:$scores);
  let assemblyFormat = [{
    $tensor (`stats` `(` $statistics^ `)`)? attr-dict `:`
    custom<ScoreTypes>(type($tensor), type($statistics), type($scores))
  }];
  let extraClassDeclaration = [{
    /// The reduced dimensions, empty if there are none.
    ::llvm::SmallVector<int64_t> getReducedDims();
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// MaskOp
//===----------------------------------------------------------------------===//

def Prune_MaskOp : Prune_Op<"mask", [Pure]> {
  let summary = "Rank scores and decide what is kept";
  let description = [{
    Ranks the units of all operands together and marks the lowest as removed
    (false); everything else is kept (true). Exactly one target is given, unless
    the pattern is its own target:

    - `sparsity`: of `n` units, `floor(n * sparsity)` are removed, in [0, 1];
    - `threshold`: units with a score below it are removed;
    - `count`: that many units are removed.

    The dialect description states the order among equal scores. A NaN score is
    an error when the mask is folded. Without an arrow each result has its
    operand's shape with element type `i1`.

    Example:

    ```mlir
    %m:2 = prune.mask %s0, %s1 {pattern = #prune.element, sparsity = 0.9}
         : tensor<300x784xf64>, tensor<100x300xf64> -> tensor<300x784xi1>, tensor<100x300xi1>
    %b = prune.mask %s2 {pattern = #prune.block<[4, 1]>, count = 100 : i64}
       : tensor<64x64xf64> -> tensor<64x64xi1>
    %n = prune.mask %s2 {pattern = #prune.nm<2:4, 1>} : tensor<64x64xf64> -> tensor<64x64xi1>
    ```
  }];
  let arguments = (ins
    Variadic<Prune_FloatTensor>:$scores,
    Prune_PatternAttrInterface:$pattern,
    OptionalAttr<F64Attr>:$sparsity,
    OptionalAttr<F64Attr>:$threshold,
    OptionalAttr<I64Attr>:$count);
  let results = (outs Variadic<Prune_MaskTensor>:$masks);
  let assemblyFormat = [{
    $scores attr-dict `:` custom<MaskTypes>(type($scores), type($masks))
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// ApplyOp
//===----------------------------------------------------------------------===//

def Prune_ApplyOp : Prune_Op<"apply", [Pure,
    AllTypesMatch<["tensor", "result"]>]> {
  let summary = "Keep a tensor where a mask is true, else put zero";
  let description = [{
    Selects: the result is the element of `tensor` where `mask` is true and +0
    where it is false. It never multiplies, so NaN and infinity under a false
    mask do not leak. With `dims`, dimension `i` of the mask runs along dimension
    `dims[i]` of the tensor (strictly increasing) and the mask is broadcast over
    the others.

    `weight` is the name of the weight, where its constant has none, and
    `decision` what a pass decided for it.

    Example:

    ```mlir
    %p = prune.apply %w, %m : tensor<300x784xf32>, tensor<300x784xi1>
    %q = prune.apply %k, %c dims = [0] : tensor<64x32x3x3xf32>, tensor<64xi1>
    ```
  }];
  let arguments = (ins
    StaticShapeTensorOf<[AnyFloat, AnyInteger]>:$tensor,
    Prune_MaskTensor:$mask,
    OptionalAttr<DenseI64ArrayAttr>:$dims,
    OptionalAttr<StrAttr>:$weight,
    OptionalAttr<Prune_DecisionAttr>:$decision);
  let results = (outs StaticShapeTensorOf<[AnyFloat, AnyInteger]>:$result);
  let assemblyFormat = [{
    $tensor `,` $mask (`dims` `=` $dims^)? attr-dict `:` type($tensor) `,` type($mask)
  }];
  let extraClassDeclaration = [{
    /// For each mask dimension the tensor dimension that it runs along.
    ::llvm::SmallVector<int64_t> getMaskDims();
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// ObserveOp
//===----------------------------------------------------------------------===//

def Prune_ObserveOp : Prune_Op<"observe", [
    AllTypesMatch<["input", "result"]>, MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Show a tensor to whoever collects statistics, and pass it on";
  let description = [{
    The result is the operand. While the network runs, the operand is shown to
    the program that runs it, which sums up what `what` names:

    | name | for each feature of the layer's input |
    |---|---|
    | `count` | how many numbers were seen |
    | `mean`, `second_moment` | the means of `x` and of `x * x` |
    | `min`, `max` | the least and the greatest number |
    | `zeros` | the share of zeros, in [0, 1] |
    | `input_norm` | the square root of the sum of `x * x` |
    | `gram` | for each pair of features the sum of their products |

    A feature is one input that an output of the layer sums: a row of the weight
    of a matrix product, or a position in a filter, which sees each window of
    the image, zeros of a padding included. `layer` is the name of the weight,
    and the result the operand of its product. The dialect description says in
    which shape the record `prune.statistics` has the numbers.

    The operation has side effects, so that nothing removes, repeats or reorders
    it. `prune-insert-observers` makes it, `prune-run --statistics` collects, and
    `prune-strip-observers` removes it. It is lowered to a call of a function of
    the program that runs it; without `number`, by which that program knows it,
    it has no lowering to buffers.

    Example:

    ```mlir
    %y = prune.observe %x "fc1" {what = ["mean", "input_norm"]} : tensor<?x784xf32>
    ```
  }];
  let arguments = (ins
    RankedTensorOf<[F64, F32, F16, BF16]>:$input,
    StrAttr:$layer,
    StrArrayAttr:$what,
    OptionalAttr<ConfinedAttr<I64Attr, [IntNonNegative]>>:$number);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$input $layer attr-dict `:` type($input)";
  let hasVerifier = 1;
}

include "prune/IR/PrunePackedOps.td"

#endif // PRUNE_IR_PRUNEOPS_TD
