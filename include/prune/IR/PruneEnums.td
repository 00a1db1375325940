//===- PruneEnums.td - Enumerations of the prune dialect ---*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_IR_PRUNEENUMS_TD
#define PRUNE_IR_PRUNEENUMS_TD

include "mlir/IR/EnumAttr.td"

def Prune_Norm : I32EnumAttr<"Norm", "norm of a magnitude score", [
    I32EnumAttrCase<"L1", 0, "l1">,
    I32EnumAttrCase<"L2", 1, "l2">
  ]> {
  let cppNamespace = "::mlir::prune";
  let genSpecializedAttr = 0;
}

def Prune_KernelForm : I32EnumAttr<"KernelForm", "what a packed weight lists", [
    I32EnumAttrCase<"Dense", 0, "dense">,
    I32EnumAttrCase<"Blocks", 1, "blocks">,
    I32EnumAttrCase<"Patterns", 2, "patterns">,
    I32EnumAttrCase<"Elements", 3, "elements">
  ]> {
  // The cases and their values are those of PackedForm in Core.
  let cppNamespace = "::mlir::prune";
  let genSpecializedAttr = 0;
}

def Prune_LaneDim : I32EnumAttr<"LaneDim", "what runs along vector lanes", [
    I32EnumAttrCase<"Columns", 0, "columns">,
    I32EnumAttrCase<"Rows", 1, "rows">
  ]> {
  let cppNamespace = "::mlir::prune";
  let genSpecializedAttr = 0;
}

#endif // PRUNE_IR_PRUNEENUMS_TD
