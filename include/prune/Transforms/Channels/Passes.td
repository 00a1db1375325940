//===- Passes.td - Structured pruning --------------------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_TRANSFORMS_CHANNELS_PASSES_TD
#define PRUNE_TRANSFORMS_CHANNELS_PASSES_TD

include "mlir/Pass/PassBase.td"

/// For all passes that look at what channels can do.
defvar exportSafeOption = [
  Option<"exportSafe", "export-safe", "std::string", /*default=*/"\"auto\"",
         "Lose only what the ONNX file that the module came from could: true, "
         "false, or auto: true if it came from one">,
];

/// Options shared by the passes that look at channel groups.
defvar channelGroupOptions = [
  Option<"reshape", "reshape", "std::string", /*default=*/"\"outer\"",
         "Which dimension of a reshape carries channels where several could: "
         "outer (attention heads) or inner (features within each head)">,
] # exportSafeOption;

def PrintChannelGroupsPass
    : Pass<"prune-print-channel-groups", "::mlir::ModuleOp"> {
  let summary = "Say which channels belong together and which could leave";
  let description = [{
    Emits a remark for each group of channels that weights produce: its size,
    the weights, biases and parameters that a mask is put on, with the dimension
    (and the length of each channel's run of indices, if not 1; `in part` if
    other groups share the dimension), and whether masked channels could be
    removed. If not, a note at the operation in the way says why. With
    `dimensions`, also says of each dimension of each result whether its indices
    are free, of which group, or have to stay, and because of which operation.
    Changes nothing.

    ```mlir
    // remark: channel group 'fc1': 300 channels, free; on fc1[1] fc1.bias[0]
    %w = arith.constant dense_resource<fc1> : tensor<784x300xf32>
    ```
  }];
  let options = channelGroupOptions # [
    Option<"dimensions", "dimensions", "bool", /*default=*/"false",
           "Say of each dimension of each result what it is coupled with">,
  ];
}

def MaskChannelsPass : Pass<"prune-mask-channels", "::mlir::ModuleOp"> {
  let summary = "Decide which channels are removed, group by group";
  let description = [{
    Finds the groups of channels that can only leave together (the filters of
    all convolutions that a residual chain ties, the projections of an attention
    head), scores each channel by the sum over all weights that produce it, and
    masks the lowest in every weight, bias and normalisation parameter of the
    group, so that a masked channel is zero from where it is produced to where
    it is used. Where it would not stay one number (one half among zeros, behind
    a sigmoid and a padding), the weights that sum over it are masked as well.
    The uses of one weight lose the same channels. `prune-fold-masks` computes
    the masks and `prune-remove-channels` then removes the channels.

    Criteria score single elements of the weights that produce a channel (l1, l2,
    random), its normalisation scales (`scale`: Liu et al., *Network Slimming*,
    ICCV 2017), the distances of its filter to the others of the group
    (`geometric-median`: He et al., CVPR 2019), or what the weights that read the
    channel were observed to read (`mean-activation`: Molchanov et al., ICLR 2017;
    `zero-share`: Hu et al., 2016), or from what layers lose without each
    (`removal-cost`, by `prune-score-channels`), which the record
    `prune.statistics` has.

    Local scope removes `floor(n * ratio)` of the `n` channels of each group.
    Global scope ranks all channels together, each by its score per weight
    element; groups with an entry in `targets` are decided alone. Isomorphic
    scope ranks together what is built alike: groups whose channels go through
    the same operations, whatever their sizes. (Fang et al., *Isomorphic
    Pruning*, ECCV 2024.) In every scope a group keeps at least `min-channels`,
    loses at most `max-ratio`, and keeps a multiple of `round-to`, the next one
    up, if it loses any.

    `granularity=head` decides attention heads only. `granularity=block` removes
    whole branches of residual sums instead: `floor(n * ratio)` of the `n`
    branches that their last weights, biases and shifts can make zero, by the
    mean score of all weights inside.

    With `merge`, each removed channel is folded into the kept one with the most
    similar weights, bias and normalisation included: the weights of its
    consumers, scaled, are added to the other's. That needs no data and is exact
    for parallel weights and an activation that commutes with positive factors;
    where a group has another one, it is not merged and a remark says why. (Kim
    et al., *Neuron Merging*, NeurIPS 2020.)

    With `export-safe`, channels that the original file could not lose are left
    alone: those of a GroupNormalization leave in whole groups, and those that a
    ReduceMean runs over stay.

    A group that could not be removed afterwards (its channels are returned, a
    softmax runs over them, ...) is left alone with a `missed` remark that names
    the operation in the way, not what merely consumes them, and the option that
    takes other dimensions; `prune-print-channel-groups` shows all.

    Fails on options out of range, names that match nothing, ratios that would
    empty a group, and NaN weights.

    ```mlir
    // Before
    %k = arith.constant dense_resource<conv1> : tensor<64x32x3x3xf32>
    %b = arith.constant dense_resource<bias1> : tensor<64xf32>
    // After, with ratio=0.5
    %s = prune.score %k {criterion = #prune.magnitude<l2>, reduce_dims = [1, 2, 3], weight = "conv1"} : tensor<64x32x3x3xf32> -> tensor<64xf64>
    %m = prune.mask %s {pattern = #prune.element, count = 32 : i64} : tensor<64xf64> -> tensor<64xi1>
    %k1 = prune.apply %k, %m dims = [0] {weight = "conv1"} : tensor<64x32x3x3xf32>, tensor<64xi1>
    %b1 = prune.apply %b, %m {weight = "bias1"} : tensor<64xf32>, tensor<64xi1>
    ```
  }];
  let dependentDialects = ["::mlir::prune::PruneDialect",
                           "::mlir::arith::ArithDialect"];
  let options = [
    Option<"criterion", "criterion", "std::string", /*default=*/"\"l2\"",
           "l1, l2, random, scale, geometric-median, mean-activation, "
           "zero-share, removal-cost, or an attribute that implements a "
           "criterion">,
    Option<"seed", "seed", "uint64_t", /*default=*/"0",
           "Seed of the random criterion">,
    Option<"granularity", "granularity", "std::string",
           /*default=*/"\"channel\"",
           "channel; head: groups of attention heads only; block: whole "
           "branches of residual sums">,
    Option<"ratio", "ratio", "double", /*default=*/"0.0",
           "Fraction of the channels to remove, in [0, 1)">,
    Option<"scope", "scope", "std::string", /*default=*/"\"local\"",
           "local: rank each group alone; global: all together; isomorphic: "
           "together what is built alike">,
    ListOption<"targets", "targets", "std::string",
               "Ratios of single groups, by a weight that produces them: "
               "layer:ratio,...">,
    Option<"minChannels", "min-channels", "int64_t", /*default=*/"1",
           "Channels that each group keeps at least">,
    Option<"maxRatio", "max-ratio", "double", /*default=*/"1.0",
           "The largest fraction that any group loses, in [0, 1]">,
    Option<"roundTo", "round-to", "int64_t", /*default=*/"1",
           "Keep a multiple of this many channels">,
    Option<"merge", "merge", "bool", /*default=*/"false",
           "Fold removed channels into the most similar kept ones">,
    Option<"mergeThreshold", "merge-threshold", "double", /*default=*/"0.0",
           "The least cosine of the weights for which channels are folded, in "
           "[-1, 1]">,
    Option<"include", "include", "std::string", /*default=*/"",
           "Only groups with a weight that this expression matches">,
    Option<"exclude", "exclude", "std::string", /*default=*/"",
           "No groups with a weight that this expression matches">,
  ] # channelGroupOptions;
}

def RemoveChannelsPass : Pass<"prune-remove-channels", "::mlir::ModuleOp"> {
  let summary = "Remove channels that provably do not change the outputs";
  let description = [{
    Makes the network smaller without changing what it computes. A channel (a
    neuron, a filter, an attention head) leaves every value, weight, bias and
    parameter that it reaches, if it can be proved that the outputs do not need
    it:

    - every operation that sums over it reads zeros there, or has zero weights
      for it; or reads one other number throughout, which then goes into the
      bias behind the sum;
    - nothing else reads it: it is not returned, not an argument, and not used
      by an operation that does not say how channels move through it.

    The pass does not look at masks. It also removes channels that were dead
    before, for instance neurons that element-wise pruning left without inputs.
    A value that holds one number throughout becomes a constant, and an addition
    of zero disappears, so that a residual block of zeros is removed as a whole;
    of a branch whose channels are constants, one addition remains. An axis
    keeps at least one index.

    The signatures of functions stay, unless `allow-signature-change` is given:
    then dead inputs leave the arguments of functions that nothing in the module
    calls. The argument's attribute `prune.kept` has the indices that remain, in
    the order of the original, for each dimension, or unit where all do. An
    argument that is only flattened is taken as it is after flattening, with the
    type before in `prune.type_before`.

    The outputs are the same up to the order of floating-point additions, with
    one deviation: zero times NaN or infinity counts as zero, and the sign of
    zeros is not kept. An image of open size is taken to have an element where a
    padded maximum goes over it.

    Run it after `prune-fold-masks`; a `prune.apply` that is still there keeps
    its channels. Smaller weights are new resources. The module's `prune.kept` has,
    for the key of each, a list with an entry per dimension: the kept indices of
    the original, over several runs as well, or unit if all were kept. For a
    weight that is gone it has the number that the weight held throughout, or
    unit if it held several. What removed constants add behind a sum that no bias
    follows is a constant of the weight's name and `.shift`.

    A module that came from an ONNX file loses only channels that the file's
    operators could lose too, so that `prune-translate --export-onnx` can write
    it: a mean over channels (GroupNormalization, ReduceMean) would divide by
    another number, whereas the module's own division stays. `export-safe=false`
    removes these as well.

    ```mlir
    // Before, with a second neuron that fc1 makes zero
    %w1 = arith.constant dense<[[1.0, 0.0, 2.0], [3.0, 0.0, 4.0]]> : tensor<2x3xf32>
    %h = linalg.matmul ins(%x, %w1 : tensor<1x2xf32>, tensor<2x3xf32>) outs(%z1 : tensor<1x3xf32>) -> tensor<1x3xf32>
    %y = linalg.matmul ins(%h, %w2 : tensor<1x3xf32>, tensor<3x5xf32>) outs(%z2 : tensor<1x5xf32>) -> tensor<1x5xf32>
    // After
    %w1 = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
    %h = linalg.matmul ins(%x, %w1 : tensor<1x2xf32>, tensor<2x2xf32>) outs(%z1 : tensor<1x2xf32>) -> tensor<1x2xf32>
    %y = linalg.matmul ins(%h, %w2 : tensor<1x2xf32>, tensor<2x5xf32>) outs(%z2 : tensor<1x5xf32>) -> tensor<1x5xf32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
  let options = [
    Option<"allowSignatureChange", "allow-signature-change", "bool",
           /*default=*/"false",
           "Remove the dead indices of arguments of functions that no function "
           "of the module calls">,
  ] # exportSafeOption;
}

#endif // PRUNE_TRANSFORMS_CHANNELS_PASSES_TD
