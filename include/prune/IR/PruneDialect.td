//===- PruneDialect.td - The prune dialect -----------------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_IR_PRUNEDIALECT_TD
#define PRUNE_IR_PRUNEDIALECT_TD

include "mlir/IR/OpBase.td"

def Prune_Dialect : Dialect {
  let name = "prune";
  let cppNamespace = "::mlir::prune";
  let summary = "Pruning of neural networks as tensor algebra";
  let description = [{
    Pruning removes weights of a trained network. This dialect writes down
    *what is removed and why* as ordinary operations on tensors, so that a
    network in the middle of being pruned can be printed, verified, tested and
    run.

    Terms, used the same way everywhere:

    - a *weight* is a constant tensor that reaches the weight operand of a
      contraction or convolution;
    - a *criterion* says how important an element is; applied to a weight it
      gives a *score*, and the lowest scores go first;
    - a *pattern* says which elements of one tensor stay or go together: single
      elements, blocks, or N of every M. Whole rows, filters and channels are
      scores reduced over the other dimensions plus a mask of rank one;
    - a *target* says how much goes: a sparsity, a threshold or a count. N:M
      takes none, since the pattern is the target. A target is *local* when one
      mask ranks one weight and *global* when one mask ranks several together;
    - a *mask* is a tensor of `i1`: true is kept, false is removed.

    ```mlir
    // One ranking over two layers.
    %s0 = prune.score %w0 {criterion = #prune.magnitude<l1>} : tensor<300x784xf32> -> tensor<300x784xf64>
    %s1 = prune.score %w1 {criterion = #prune.magnitude<l1>} : tensor<100x300xf32> -> tensor<100x300xf64>
    %m:2 = prune.mask %s0, %s1 {pattern = #prune.element, sparsity = 0.9}
         : tensor<300x784xf64>, tensor<100x300xf64> -> tensor<300x784xi1>, tensor<100x300xi1>
    %p0 = prune.apply %w0, %m#0 : tensor<300x784xf32>, tensor<300x784xi1>
    %p1 = prune.apply %w1, %m#1 : tensor<100x300xf32>, tensor<100x300xi1>
    ```

    The semantics are exact, so that masks folded at compile time, masks
    computed at run time and an independent implementation agree bit for bit:

    - scores are computed in double precision and rounded once to the element
      type of the score tensor;
    - of `n` units, `floor(n * sparsity)` are removed, computed in double
      precision;
    - the lowest score is removed first; among equal scores the one that comes
      first: operands in order, then row-major index of the unit;
    - the score of a block is the sum of its elements' scores, accumulated in
      double precision in row-major order;
    - a NaN score is an error.

    The name of a weight is the key of its `dense_resource`, up to the first
    `#`; what stands behind `#` counts the times it was rewritten.

    What was decided for a weight survives its folding as an entry of the
    module's `prune.weights`, a dictionary from names to dictionaries
    (`criterion`, `pattern`, `sparsity`, ...), which reports read. A weight that
    lost channels has the type it had before there, `type_before`; how many
    multiplications with weights one call had before channels were removed, and
    has since, is the module's `prune.multiplications`.

    Arguments and results of a function carry the names that the model's author
    gave them as `prune.name`.

    Out of scope: training, and the lowering of sparse operands, which is the
    business of the `sparse_tensor` dialect and of `prune.packed_*` ops.
  }];
  let useDefaultAttributePrinterParser = 1;
  let discardableAttrs = (ins
    "::mlir::StringAttr":$weight,
    "::mlir::DictionaryAttr":$weights,
    "::mlir::StringAttr":$name,
    "::mlir::DenseI64ArrayAttr":$multiplications
  );
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let hasRegionResultAttrVerify = 1;
  let extraClassDeclaration = [{
    void registerAttributes();
  }];
}

#endif // PRUNE_IR_PRUNEDIALECT_TD
