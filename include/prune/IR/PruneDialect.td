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
    `#`; the number behind `#` counts how often it was rewritten.

    What was decided survives its folding in *records*: discardable attributes of
    the module and of arguments, made of builtin attributes only, so that tools
    that do not know this dialect read a pruned module. `prune-strip-records`
    drops them, and so does lowering to LLVM.

    | record | on | what it is |
    |---|---|---|
    | `prune.weights` | modules | a dictionary from names of weights to dictionaries of what was decided for them, see below |
    | `prune.kept` | modules | a dictionary from resource keys to lists with an entry per dimension: the indices of the original that are left, increasing, or unit for all of them. For a weight that is gone, the number that it held throughout, or unit if it held several |
    | `prune.kept` | arguments | such a list |
    | `prune.onnx` | modules that came from ONNX | a dictionary from names of weights that the file cannot lose just any index of to arrays with an entry per dimension: unit if any can go, the node that needs all of them, or a number for each, the same for those that leave together and -1 for those that stay, or two such lists of which one has to hold; or to the node that has the weight inside |
    | `prune.folded` | modules that came from ONNX | a dictionary from names of weights to the names of constants that were folded into each, `after` its contraction and `before` it |
    | `prune.statistics` | modules | a dictionary from names of weights to dictionaries of what was observed of each: tensors of numbers, by the names that criteria ask for, see below |
    | `prune.type_before` | arguments | the type of an argument that is taken flat since, a tensor type |
    | `prune.multiplications` | modules | multiplications with weights in one call, before channels were removed and since: two integers |
    | `prune.weight` | packed operands | the name of the weight, a string |

    | key in `prune.weights` | what it is |
    |---|---|
    | `by` | a string: the pass that decided |
    | `criterion`, `pattern` | strings, as options take them: `"#prune.magnitude<l1>"`; `"channel"`, `"head"` and `"branch"` are patterns, too |
    | `scope` | the string `local`, `global` or `isomorphic` |
    | `sparsity`, `threshold`, `count`, `ratio` | the target: at most one of them, floats and an integer |
    | `group` | a string: the channel group that lost channels |
    | `unit`, `kept`, `removed` | a string, `element`, `channel`, `head` or `branch`, and how many of them were kept and removed: integers |
    | `cut` | a float: the score at which the ranking was cut; all that score less were removed |
    | `reduce_dims` | a list of the dimensions that scores were summed over, of masks that no pass of ours made |
    | `earlier` | a list of such dictionaries: what other passes decided before |
    | `left_alone` | a string: why nothing was decided |
    | `type`, `nonzeros` | of a weight that was packed or is gone, before: a tensor type and an integer |
    | `type_before` | a tensor type: that of a weight before it lost channels |
    | `gone` | unit: no operation reads the weight any more |

    `prune-run --statistics` writes what `prune.observe` names, in one shape: that
    of the weight's constant, whatever its layout, but 1 along each dimension that
    makes no difference to the input that an element multiplies. So a statistic
    broadcasts to the weight. For a weight `[in, out]` it is `[in, 1]`, for
    `[out, in]` it is `[1, in]`, for a filter `[f, c, h, w]` it is `[1, c, h, w]`, for
    a depthwise one `[c, h, w]` all of it; where groups of filters read channels
    of their own it varies along the filters, too. Beside these are `input_index`
    and `output_index`, which number the inputs and the outputs of a layer, group
    by group: elements of equal number belong together. The Gram matrix is
    `[groups, inputs of a group, inputs of a group]`, inputs in the row-major order
    of the constant. All are `f64`; an element that no product reads has 0, and
    -1 as its indices.

    `prune.name` is the name that the model gives an argument or a result of a
    function. It is not a record, and stays.

    Out of scope: training. The `sparse_tensor` dialect and the `prune.packed_*`
    operations lower sparse operands.
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
