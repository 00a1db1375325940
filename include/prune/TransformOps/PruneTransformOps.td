//===- PruneTransformOps.td - Pruning in transform scripts -*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_TRANSFORMOPS_PRUNETRANSFORMOPS_TD
#define PRUNE_TRANSFORMOPS_PRUNETRANSFORMOPS_TD

include "mlir/Dialect/Transform/IR/TransformDialect.td"
include "mlir/Dialect/Transform/Interfaces/TransformInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Prune_TransformOp<string mnemonic, list<Trait> traits = []>
    : Op<Transform_Dialect, "prune." # mnemonic, traits # [
        DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
        DeclareOpInterfaceMethods<TransformOpInterface>]> {
  let cppNamespace = "::mlir::prune";
}

//===----------------------------------------------------------------------===//
// MaskOp
//===----------------------------------------------------------------------===//

def Prune_TransformMaskOp : Prune_TransformOp<"mask"> {
  let summary = "Mask the weights of chosen operations";
  let description = [{
    Inserts `prune.score`, `prune.mask` and `prune.apply` on the weights of the
    target: a contraction or convolution, or an operation around them such as a
    function, which stands for all weights that are used in it. The pass
    `prune-mask-weights` describes the attributes, and which weights are left
    alone; a contraction that is itself a target counts as named. `criterion`
    (default "l1") and `pattern` (default "element") are attributes such as
    `#prune.block<[4, 1]>`, or the texts of the pass's options, such as "2:4".
    With `scope = "global"` all weights of all operations of the handle are
    ranked together, otherwise each alone.

    A weight with several uses is one weight: it is masked for all of them.

    #### Return modes

    Reads the handle, which stays valid, and modifies the payload. Fails
    silenceably if an operation of the handle has no weight that can be masked.
    Fails definitely if an attribute is out of range.

    Example:

    ```mlir
    %fc = transform.structured.match ops{["linalg.matmul"]} in %root
        : (!transform.any_op) -> !transform.any_op
    transform.prune.mask %fc {pattern = "block:4x1", sparsity = 0.8 : f64}
        : !transform.any_op
    ```
  }];
  let arguments = (ins
    TransformHandleTypeInterface:$target,
    OptionalAttr<AnyAttr>:$criterion,
    OptionalAttr<AnyAttr>:$pattern,
    OptionalAttr<F64Attr>:$sparsity,
    OptionalAttr<F64Attr>:$threshold,
    OptionalAttr<I64Attr>:$count,
    DefaultValuedOptionalAttr<StrAttr, "\"local\"">:$scope,
    DefaultValuedOptionalAttr<I64Attr, "0">:$seed);
  let assemblyFormat = "$target attr-dict `:` type($target)";
}

//===----------------------------------------------------------------------===//
// FoldOp
//===----------------------------------------------------------------------===//

def Prune_TransformFoldOp : Prune_TransformOp<"fold"> {
  let summary = "Compute the masks of constants and apply them";
  let description = [{
    Does in each function or module of the target what `prune-fold-masks` does
    in a module: masks of constants become masked constants.

    #### Return modes

    Consumes the handle, and with it all handles to operations inside, since
    folding erases operations; returns a handle to the same functions or
    modules. Fails definitely if the target is something else, or if a score is
    NaN.

    Example:

    ```mlir
    %folded = transform.prune.fold %function
        : (!transform.any_op) -> !transform.any_op
    ```
  }];
  let arguments = (ins TransformHandleTypeInterface:$target);
  let results = (outs TransformHandleTypeInterface:$folded);
  let assemblyFormat =
      "$target attr-dict `:` functional-type($target, results)";
}

#endif // PRUNE_TRANSFORMOPS_PRUNETRANSFORMOPS_TD
