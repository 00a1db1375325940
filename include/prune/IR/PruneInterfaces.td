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
        Writes the scores of the elements `[begin, begin + out.size())` of
        `weight`, counted in row-major order, to `out`. Called from several
        threads at once on disjoint ranges. `name` is the weight's name, empty
        if it has none.
      }],
      "void", "score",
      (ins "const ::mlir::prune::TensorView &":$weight,
           "::llvm::StringRef":$name, "int64_t":$begin,
           "::llvm::MutableArrayRef<double>":$out)>,
    InterfaceMethod<[{
        Builds the `f64` score of one element at run time. `element` is the
        element extended to `f64`, `index` its row-major index (`index` type).
        Must equal what `score` computes, bit for bit. A null value says that
        the criterion works on constants only.
      }],
      "::mlir::Value", "buildScore",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::mlir::Value":$element, "::llvm::StringRef":$name,
           "::mlir::Value":$index), "", [{ return {}; }]>,
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
        The pattern spelled out for a tensor of the given shape. Called only
        when `verifyFor` succeeded.
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
