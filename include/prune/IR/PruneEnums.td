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

#endif // PRUNE_IR_PRUNEENUMS_TD
