//===- ChannelOpInterface.td - Channels through operations -*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_IR_CHANNELOPINTERFACE_TD
#define PRUNE_IR_CHANNELOPINTERFACE_TD

include "mlir/IR/OpBase.td"

def Prune_ChannelOpInterface : OpInterface<"ChannelOpInterface"> {
  let cppNamespace = "::mlir::prune";
  let description = [{
    How channels move through an operation without indexing maps: a reshape, a
    concatenation, a slice. Structured linalg operations do not need it. A model
    for an operation of another dialect is attached as an external model; an
    operation without one keeps every channel that reaches it.
  }];
  let methods = [
    InterfaceMethod<[{
        Which dimensions of operands and results move together. A dimension that
        appears neither in a link nor among the frozen ones can lose any index
        by itself.
      }],
      "::mlir::prune::ChannelLinks", "getChannelLinks", (ins)>,
    InterfaceMethod<[{
        Writes what is known of the results' slices, given the operands'. The
        results' lists come filled with nulls; leaving one null is always right.
      }],
      "void", "propagateConstants",
      (ins "::mlir::prune::OperandConstants":$operands,
           "::mlir::prune::ResultConstants":$results), "", [{ return; }]>,
    InterfaceMethod<[{
        Adjusts attributes after channels were removed. The types of operands
        and results are the new ones already; `isKept` takes old indices and
        `sizes` old sizes.
      }],
      "void", "removeChannels",
      (ins "::mlir::prune::IsKept":$isKept,
           "::llvm::function_ref<int64_t(::mlir::prune::ChannelPort)>":$sizes),
      "", [{ return; }]>,
  ];
}

#endif // PRUNE_IR_CHANNELOPINTERFACE_TD
