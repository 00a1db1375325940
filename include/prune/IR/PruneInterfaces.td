//===- PruneInterfaces.td - Criteria and patterns ----------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_IR_PRUNEINTERFACES_TD
#define PRUNE_IR_PRUNEINTERFACES_TD

include "mlir/IR/OpBase.td"

def Prune_CriterionAttrInterface : AttrInterface<"CriterionAttrInterface"> {
  let cppNamespace = "::mlir::prune";
  let description = [{
    A pruning criterion: how important one element of a weight is. A new
    criterion is one attribute that implements this interface; no pass changes.
  }];
  let methods = [
    InterfaceMethod<[{
        The statistics that scores need besides the weight, by the names that
        `prune.statistics` has them under; none by default.
      }],
      "::llvm::SmallVector<::llvm::StringRef>", "getStatistics", (ins), "",
      [{ return {}; }]>,
    InterfaceMethod<[{
        Checks that a statistic of this type says something of a weight of this
        shape; by default any does.
      }],
      "::llvm::LogicalResult", "verifyStatistic",
      (ins "::llvm::StringRef":$name, "::mlir::RankedTensorType":$type,
           "::llvm::ArrayRef<int64_t>":$shape,
           "::llvm::function_ref<::mlir::InFlightDiagnostic()>":$emitError), "",
      [{
        (void)name, (void)type, (void)shape, (void)emitError;
        return ::llvm::success();
      }]>,
    InterfaceMethod<[{
        Computes once what the scores of all elements need. `score` gets it back.
        Null by default.
      }],
      "std::shared_ptr<const ::mlir::prune::PreparedScores>", "prepare",
      (ins "const ::mlir::prune::ScoreInputs &":$inputs), "",
      [{ return nullptr; }]>,
    InterfaceMethod<[{
        Writes the scores of the elements `[begin, begin + out.size())` of the
        weight, counted in row-major order, to `out`. Called from several
        threads at once on disjoint ranges.
      }],
      "void", "score",
      (ins "const ::mlir::prune::ScoreInputs &":$inputs, "int64_t":$begin,
           "::llvm::MutableArrayRef<double>":$out)>,
    InterfaceMethod<[{
        Builds the `f64` score of one element at run time.
        Must equal what `score` computes, bit for bit. A null value says that
        the criterion works on constants only.
      }],
      "::mlir::Value", "buildScore",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "const ::mlir::prune::ScoreValues &":$values), "",
      [{ return {}; }]>,
  ];
}

def Prune_ChannelCriterionAttrInterface
    : AttrInterface<"ChannelCriterionAttrInterface"> {
  let cppNamespace = "::mlir::prune";
  let description = [{
    A criterion for whole channels: how important each channel of a group is,
    from the constants that the channels run through. A new one is one attribute
    that implements this interface; no pass changes.
  }];
  let methods = [
    InterfaceMethod<[{
        Whether scores come from this constant; by default from weights whose
        outputs the channels are.
      }],
      "bool", "reads", (ins "const ::mlir::prune::ChannelMember &":$member), "",
      [{ return member.isWeight; }]>,
    InterfaceMethod<[{
        Why a group without any such constant has no scores.
      }],
      "::llvm::StringRef", "whyNot", (ins), "",
      [{ return "has no constant that the criterion reads"; }]>,
    InterfaceMethod<[{
        If a channel's score is the sum of its elements' scores in these
        constants, the criterion of elements; `addScores` is not asked then, and
        the decision can be made at run time. Null by default.
      }],
      "::mlir::prune::CriterionAttrInterface", "getElements", (ins), "",
      [{ return {}; }]>,
    InterfaceMethod<[{
        The statistic of weights that read the channels which scores come from:
        `addScores` then gets it, in the place of constants. Empty by default.
      }],
      "::llvm::StringRef", "getStatistic", (ins), "", [{ return {}; }]>,
    InterfaceMethod<[{
        Adds to `scores`, one for each channel, what this constant says of it.
      }],
      "void", "addScores",
      (ins "const ::mlir::prune::ChannelMember &":$member,
           "::llvm::MutableArrayRef<double>":$scores), "",
      [{ (void)member; }]>,
  ];
}

def Prune_PatternAttrInterface : AttrInterface<"PatternAttrInterface"> {
  let cppNamespace = "::mlir::prune";
  let description = [{
    A sparsity pattern: which elements of one tensor are kept or removed
    together, and among which the ranking takes place. A new pattern is one
    attribute that implements this interface; no pass changes.
  }];
  let methods = [
    InterfaceMethod<[{
        The pattern spelled out for a tensor of the given shape: blocks, groups,
        or a map of its own, which works on constants only. Called only when
        `verifyFor` succeeded.
      }],
      "::mlir::prune::UnitPattern", "getUnits",
      (ins "::llvm::ArrayRef<int64_t>":$shape)>,
    InterfaceMethod<[{
        Checks that the pattern means something for a tensor of the given shape.
      }],
      "::llvm::LogicalResult", "verifyFor",
      (ins "::llvm::ArrayRef<int64_t>":$shape,
           "::llvm::function_ref<::mlir::InFlightDiagnostic()>":$emitError)>,
    InterfaceMethod<[{
        Whether the pattern itself says how much is removed, as N:M does.
      }],
      "bool", "isTarget", (ins), "", [{ return false; }]>,
  ];
}

#endif // PRUNE_IR_PRUNEINTERFACES_TD
