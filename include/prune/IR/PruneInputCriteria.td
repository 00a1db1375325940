//===- PruneInputCriteria.td - Criteria of what layers read -*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_IR_PRUNEINPUTCRITERIA_TD
#define PRUNE_IR_PRUNEINPUTCRITERIA_TD

class Prune_InputCriterion<string name, string attrMnemonic,
                           list<string> methods>
    : Prune_Attr<name, attrMnemonic,
        [DeclareAttrInterfaceMethods<Prune_CriterionAttrInterface,
            ["getStatistics", "verifyStatistic", "prepare"] # methods>]>;

def Prune_WandaAttr : Prune_InputCriterion<"Wanda", "wanda", ["buildScore"]> {
  let summary = "Score by magnitude times the norm of the input";
  let description = [{
    The score of `w` is `|w| * n`, in double precision, where `n` is the norm of
    the input that `w` multiplies: the statistic `input_norm`. (Sun et al., *A
    Simple and Effective Pruning Approach for Large Language Models*, 2023. The
    paper ranks the weights of each output alone: that is the pattern N:M with M
    the number of inputs, such as `392:784` for half of 784.)

    Example: `#prune.wanda`
  }];
}

def Prune_RIAAttr : Prune_InputCriterion<"RIA", "ria", []> {
  let summary = "Score by relative magnitude times a power of the input's norm";
  let description = [{
    The score of `w` is `(|w| / r + |w| / c) * n^power`, where `r` is the sum of
    the magnitudes of all weights of the same output and `c` of all weights of
    the same input; 0 where `w` is 0. Reads the statistics `input_norm`,
    `input_index` and `output_index`, which say what belongs together. It works
    on constants only. (Zhang et al., *Plug-and-Play: An Efficient Post-training
    Pruning Method for Large Language Models*, ICLR 2024.)

    Example: `#prune.ria<power = 0.5>`
  }];
  let parameters = (ins DefaultValuedParameter<"::mlir::FloatAttr",
      "::mlir::FloatAttr::get(::mlir::Float64Type::get($_ctxt), 0.5)">:$power);
  let assemblyFormat = "(`<` `power` `=` $power^ `>`)?";
  let genVerifyDecl = 1;
}

class Prune_ActivationCriterion<string name, string attrMnemonic>
    : Prune_ChannelCriterion<name, attrMnemonic,
                             ["getStatistic", "whyNot", "addScores"]>;

def Prune_MeanActivationAttr
    : Prune_ActivationCriterion<"MeanActivation", "mean_activation"> {
  let summary = "Score a channel by the mean of what it is";
  let description = [{
    The magnitude of the mean of the channel, as the weights that read it see
    it: the statistic `mean` of their inputs, over all places of a filter, added
    up over these weights. Made for channels behind a ReLU. (Molchanov et al.,
    *Pruning Convolutional Neural Networks for Resource Efficient Inference*,
    ICLR 2017.)

    Example: `#prune.mean_activation`
  }];
}

def Prune_ZeroShareAttr
    : Prune_ActivationCriterion<"ZeroShare", "zero_share"> {
  let summary = "Score a channel by how often it is not zero";
  let description = [{
    One minus the share of zeros in the channel, as the weights that read it see
    it: the statistic `zeros` of their inputs, over all places of a filter, added
    up over these weights. Zeros of a padding count, the same for all channels.
    (Hu et al., *Network Trimming*, 2016.)

    Example: `#prune.zero_share`
  }];
}

def Prune_RemovalCostAttr
    : Prune_ActivationCriterion<"RemovalCost", "removal_cost"> {
  let summary = "Score a channel by what layers lose without it";
  let description = [{
    The error of the weights that read the channels after all channels up to this
    one have left and the other weights have made up for them: the statistic
    `removal_cost`, which `prune-score-channels` computes by Optimal Brain
    Surgeon on blocks. (Hassibi and Stork, NIPS 1992; Kurtic et al., EMNLP 2022.)

    Example: `#prune.removal_cost`
  }];
}

#endif // PRUNE_IR_PRUNEINPUTCRITERIA_TD
