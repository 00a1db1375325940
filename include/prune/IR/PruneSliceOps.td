//===- PruneSliceOps.td - Operations on many slices --------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_IR_PRUNESLICEOPS_TD
#define PRUNE_IR_PRUNESLICEOPS_TD

include "mlir/IR/OpBase.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "prune/IR/PruneDialect.td"

//===----------------------------------------------------------------------===//
// InsertSlicesOp
//===----------------------------------------------------------------------===//

def Prune_InsertSlicesOp : Op<Prune_Dialect, "insert_slices", [
    Pure, AttrSizedOperandSegments, DestinationStyleOpInterface,
    AllTypesMatch<["dest", "result"]>]> {
  let summary = "Insert many tensors into slices of one";
  let description = [{
    The same as one `tensor.insert_slice` after another, in the order of
    `sources`: where slices overlap, the later one wins. Offsets, sizes and
    strides are listed source by source, one for each dimension of `dest`. As
    with `tensor.insert_slice`, a source may leave out dimensions of size one.

    It exists for bufferization, whose analysis takes cubic time in the length of
    a chain of insertions and linear time in the number of operands.

    Example:

    ```mlir
    %r = prune.insert_slices %a, %b into %d offsets [0, 0, %o, 0] sizes [1, 4, 2, 4] strides [1, 1, 1, 1]
       : tensor<4xf32>, tensor<2x4xf32> into tensor<8x4xf32>
    ```
  }];
  let arguments = (ins
    Variadic<AnyRankedTensor>:$sources,
    AnyRankedTensor:$dest,
    Variadic<Index>:$offsets,
    Variadic<Index>:$sizes,
    Variadic<Index>:$strides,
    DenseI64ArrayAttr:$static_offsets,
    DenseI64ArrayAttr:$static_sizes,
    DenseI64ArrayAttr:$static_strides);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $sources `into` $dest
    `offsets` custom<DynamicIndexList>($offsets, $static_offsets)
    `sizes` custom<DynamicIndexList>($sizes, $static_sizes)
    `strides` custom<DynamicIndexList>($strides, $static_strides)
    attr-dict `:` type($sources) `into` type($dest)
  }];
  let builders = [
    OpBuilder<(ins "::mlir::ValueRange":$sources, "::mlir::Value":$dest,
        "::llvm::ArrayRef<::mlir::OpFoldResult>":$offsets,
        "::llvm::ArrayRef<::mlir::OpFoldResult>":$sizes,
        "::llvm::ArrayRef<::mlir::OpFoldResult>":$strides)>
  ];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getDestMutable(); }

    /// Those of all sources, one after the other.
    ::llvm::SmallVector<::mlir::OpFoldResult> getMixedOffsets();
    ::llvm::SmallVector<::mlir::OpFoldResult> getMixedSizes();
    ::llvm::SmallVector<::mlir::OpFoldResult> getMixedStrides();
  }];
  let hasVerifier = 1;
}

#endif // PRUNE_IR_PRUNESLICEOPS_TD
