//===- PruneAttrs.td - Criteria and patterns ---------------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_IR_PRUNEATTRS_TD
#define PRUNE_IR_PRUNEATTRS_TD

include "mlir/IR/AttrTypeBase.td"
include "prune/IR/PruneDialect.td"
include "prune/IR/PruneEnums.td"
include "prune/IR/PruneInterfaces.td"

class Prune_Attr<string name, string attrMnemonic, list<Trait> traits = []>
    : AttrDef<Prune_Dialect, name, traits> {
  let mnemonic = attrMnemonic;
}

class Prune_Criterion<string name, string attrMnemonic>
    : Prune_Attr<name, attrMnemonic,
        [DeclareAttrInterfaceMethods<Prune_CriterionAttrInterface,
                                     ["buildScore"]>]>;

class Prune_Pattern<string name, string attrMnemonic,
                    list<string> methods = []>
    : Prune_Attr<name, attrMnemonic,
        [DeclareAttrInterfaceMethods<Prune_PatternAttrInterface, methods>]>;

//===----------------------------------------------------------------------===//
// Criteria
//===----------------------------------------------------------------------===//

def Prune_MagnitudeAttr : Prune_Criterion<"Magnitude", "magnitude"> {
  let summary = "Score by magnitude";
  let description = [{
    `l1` scores an element `w` as `|w|`, `l2` as `w * w`, in double precision.
    For single elements both rank alike unless the square leaves the range of a
    double; for blocks and reduced scores they differ. (Han et al., *Learning
    both Weights and Connections for Efficient Neural Networks*, NeurIPS 2015.)

    Example: `#prune.magnitude<l1>`
  }];
  let parameters = (ins EnumParameter<Prune_Norm>:$norm);
  let assemblyFormat = "`<` $norm `>`";
}

def Prune_RandomAttr : Prune_Criterion<"Random", "random"> {
  let summary = "Score at random: the control of every experiment";
  let description = [{
    The score is a hash of the seed, the weight's name and the row-major index,
    uniform in [0, 1), so that it needs no state and any element can be computed
    alone. In 64-bit unsigned arithmetic that wraps around:

    ```
    mix(x):  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9
             x = (x ^ (x >> 27)) * 0x94d049bb133111eb
             return x ^ (x >> 31)
    fnv(s):  h = 0xcbf29ce484222325; for each byte b: h = (h ^ b) * 0x100000001b3
    score  = (mix(mix(seed + fnv(name)) + (index + 1) * 0x9e3779b97f4a7c15) >> 11) * 2^-53
    ```

    (The mixer is SplitMix64: Steele, Lea and Flood, OOPSLA 2014. The string
    hash is FNV-1a.)

    Example: `#prune.random<seed = 7>`
  }];
  let parameters = (ins DefaultValuedParameter<"uint64_t", "0">:$seed);
  let assemblyFormat = "(`<` `seed` `=` $seed^ `>`)?";
}

class Prune_ChannelCriterion<string name, string attrMnemonic,
                             list<string> methods>
    : Prune_Attr<name, attrMnemonic,
        [DeclareAttrInterfaceMethods<Prune_ChannelCriterionAttrInterface,
                                     methods>]>;

def Prune_ScaleAttr : Prune_ChannelCriterion<"Scale", "scale",
    ["reads", "whyNot", "getElements"]> {
  let summary = "Score a channel by the magnitude of its normalisation scales";
  let description = [{
    The sum of `|g|` over the factors that a channel is multiplied by. Groups
    without one are left alone. (Liu et al., *Learning Efficient Convolutional
    Networks through Network Slimming*, ICCV 2017.)

    Example: `#prune.scale`
  }];
}

def Prune_GeometricMedianAttr
    : Prune_ChannelCriterion<"GeometricMedian", "geometric_median",
                             ["addScores"]> {
  let summary = "Score a channel by the distances of its filter to all others";
  let description = [{
    The sum of Euclidean distances: a filter that is near all others can be
    replaced by them. (He et al., *Filter Pruning via Geometric Median for Deep
    Convolutional Neural Networks Acceleration*, CVPR 2019.)

    Example: `#prune.geometric_median`
  }];
}

include "prune/IR/PruneInputCriteria.td"

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

def Prune_ElementAttr : Prune_Pattern<"Element", "element"> {
  let summary = "Single elements (unstructured)";
  let description = [{
    Every element is a unit of its own.

    Example: `#prune.element`
  }];
}

def Prune_NMAttr : Prune_Pattern<"NM", "nm", ["isTarget"]> {
  let summary = "At most N of every M consecutive elements along a dimension";
  let description = [{
    Along dimension `dim`, of every `m` consecutive elements the `n` with the
    highest scores are kept. Where `m` does not divide the dimension, the last,
    shorter group keeps at most `n` as well. The pattern is its own target.
    (Mishra et al., *Accelerating Sparse Deep Neural Networks*, 2021.)

    Example: `#prune.nm<2:4, 1>`
  }];
  let parameters = (ins "int64_t":$n, "int64_t":$m, "int64_t":$dim);
  let assemblyFormat = "`<` $n `` `:` `` $m `,` $dim `>`";
  let genVerifyDecl = 1;
}

def Prune_BlockAttr : Prune_Pattern<"Block", "block"> {
  let summary = "Blocks of a given shape";
  let description = [{
    The tensor is tiled with blocks from the origin; a block is a unit. Blocks
    at the upper edges are clipped where the shape is not divided. If the block
    has fewer dimensions than the tensor, the missing trailing ones are 1.
    (Gray et al., *GPU Kernels for Block-Sparse Weights*, 2017.)

    Example: `#prune.block<[4, 1]>`
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape);
  let assemblyFormat = "`<` `[` $shape `]` `>`";
  let genVerifyDecl = 1;
}

//===----------------------------------------------------------------------===//
// Decisions
//===----------------------------------------------------------------------===//

def Prune_DecisionAttr : Prune_Attr<"Decision", "decision"> {
  let summary = "What a pass decided for a weight, and how";
  let description = [{
    Written by the pass that decides, on the `prune.apply` that carries the
    decision out. Folding copies it into the module's record, so that no reader
    has to infer it from the IR.

    - `by`: the pass;
    - `criterion`, `pattern`: the attributes, or strings where there are none,
      such as `"channel"` for whole channels;
    - `scope`: `local`, `global`, or `isomorphic` for groups that are built alike;
    - `target`: one of `sparsity`, `threshold` (floats), `count` (an integer) and
      `ratio` (a float: the part of a group's channels that was asked for); empty
      where the pattern is the target;
    - `outcome`, where it is known before the mask is folded: `unit`, a string,
      `kept` and `removed`, how many of them, and `cut`, the score at which the
      ranking was cut: all that score less are removed;
    - `group`: of a channel, the name of its group.

    Example:

    ```mlir
    #prune.decision<by = "prune-mask-channels", criterion = #prune.magnitude<l2>,
                    pattern = "channel", scope = "global", target = {ratio = 0.5},
                    outcome = {cut = 0.25, kept = 10 : i64, removed = 6 : i64, unit = "channel"},
                    group = "conv1">
    ```
  }];
  let parameters = (ins
    "::mlir::StringAttr":$by,
    OptionalParameter<"::mlir::Attribute">:$criterion,
    OptionalParameter<"::mlir::Attribute">:$pattern,
    "::mlir::StringAttr":$scope,
    OptionalParameter<"::mlir::DictionaryAttr">:$target,
    OptionalParameter<"::mlir::DictionaryAttr">:$outcome,
    OptionalParameter<"::mlir::StringAttr">:$group);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The entries of `prune.weights` that say the same in builtin attributes.
    ::llvm::SmallVector<::mlir::NamedAttribute> toRecord() const;
  }];
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

def Prune_KernelAttr : Prune_Attr<"Kernel", "kernel"> {
  let summary = "A member of the family of packed kernels";
  let description = [{
    The kernel multiplies a weight of `m` rows and `k` columns. It computes a
    tile of the result at a time, kept in registers while it walks over the
    packed weight, in blocks of `k_block` columns:

    - `form`: `dense` lists every column of the weight; `blocks` the columns with
      a nonzero in the tile's rows; `patterns` the same, sorted by the set of
      rows that are nonzero, so that zeros cost nothing; `elements` single
      nonzeros;
    - `lanes` and `width`: whether vectors, of that many elements, run along the
      columns or the rows of the result;
    - `tile`: rows and columns of the result.

    `patterns` has lanes along columns and 1 to 4 rows in a tile, `elements` is
    scalar (width 1, tile 1 by 1).

    Example: `#prune.kernel<blocks, m = 300, k = 784, lanes = columns, width = 16, tile = 4 x 64, k_block = 512>`
  }];
  let parameters = (ins EnumParameter<Prune_KernelForm>:$form,
    "int64_t":$m, "int64_t":$k, EnumParameter<Prune_LaneDim>:$lanes,
    "int64_t":$width, "int64_t":$tileRows, "int64_t":$tileColumns,
    "int64_t":$kBlock);
  let assemblyFormat = [{
    `<` $form `,` `m` `=` $m `,` `k` `=` $k `,` `lanes` `=` $lanes `,`
    `width` `=` $width `,` `tile` `=` $tileRows `x` $tileColumns `,`
    `k_block` `=` $kBlock `>`
  }];
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// How the weight is packed for this kernel.
    ::mlir::prune::PackedLayout getLayout() const;
  }];
}

#endif // PRUNE_IR_PRUNEATTRS_TD
