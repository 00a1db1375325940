//===- PrunePackedOps.td - Products with packed weights ----*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_IR_PRUNEPACKEDOPS_TD
#define PRUNE_IR_PRUNEPACKEDOPS_TD

include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "prune/IR/PruneAttrs.td"

def Prune_PackedFloat : AnyTypeOf<[F32, F64]>;
def Prune_PackedShaped : AnyTypeOf<[
    RankedTensorOf<[Prune_PackedFloat]>, MemRefOf<[Prune_PackedFloat]>]>;
def Prune_PackedBuffer : AnyTypeOf<[
    1DTensorOf<[Prune_PackedFloat]>, MemRefRankOf<[Prune_PackedFloat], [1]>]>;
def Prune_PackedValues : AnyTypeOf<[
    1DTensorOf<[F16, BF16, F32, F64]>,
    MemRefRankOf<[F16, BF16, F32, F64], [1]>]>;
def Prune_PackedIndices : AnyTypeOf<[
    1DTensorOf<[I8, I16, I32]>, MemRefRankOf<[I8, I16, I32], [1]>]>;
def Prune_PackedPositions : AnyTypeOf<[
    1DTensorOf<[I32]>, MemRefRankOf<[I32], [1]>]>;

/// An op on tensors or on buffers that writes all of its last operand.
class Prune_PackedOp<string mnemonic, list<Trait> traits = []>
    : Prune_Op<mnemonic, !listconcat(traits, [
        DestinationStyleOpInterface,
        DeclareOpInterfaceMethods<MemoryEffectsOpInterface>])> {
  code packedDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
  }];
}

//===----------------------------------------------------------------------===//
// PackedMatmulOp
//===----------------------------------------------------------------------===//

def Prune_PackedMatmulOp : Prune_PackedOp<"packed_matmul", [
    AttrSizedOperandSegments, SingleBlock]> {
  let summary = "Multiply with a weight that was packed for one kernel";
  let description = [{
    Computes `Y = epilogue(W * X)` for a weight `W` of `m` rows and `k` columns
    that was packed at compile time in the order in which `kernel` reads it. All
    of `init` is written and none of it is read: it must not overlap `input` or
    `residual`.

    `weights` are the values and, unless every column is listed, the columns'
    indices (unsigned, in the narrowest type that holds `k - 1`) and positions.
    The kernel trusts them: it reads `input` at each index without a check.
    `prune/Core/PackedMatrix.h` defines their order. Values of f16 and bf16 are
    multiplied as f32, the type that all other operands then have.

    With lanes along columns, `input` is `panels x k x panel` and `init` is
    `panels x m x panel`: the columns of X, in panels, features outermost
    within a panel (see `prune.pack_panels`). The panel is a multiple of the
    tile's columns, or a tile is several panels wide. With lanes along rows, `input` is `n x k` and `init` is
    `n x m`: the usual layout of a fully connected layer.

    With lanes along columns, `input` may be rank 1. X is then the matrix of its
    sliding windows: row `i` is `input[i : i + n]`. `init` is `m x n`, and `n`
    is a multiple of the tile's columns. An index is the start of a window, and
    the weight has `k` columns, one for each window. This is a convolution: each
    element of the filter reads the padded, flattened image at its own offset.

    `row_chunks` cuts the groups of rows into parts that may be computed in
    parallel: ascending numbers of groups, from 0 to the number of groups. With
    `parallel_panels` each panel is a part as well. The parts do not change how
    an element is computed.

    The region is applied to each element before it is stored. Its arguments
    are the element, then `bias` of the element's row if there is one, then the
    element of `residual`, which has the shape of `init`, if there is one.
    It may hold elementwise operations of `arith` and `math`, and use scalars from
    outside.

    Example:

    ```mlir
    #kernel = #prune.kernel<blocks, m = 8, k = 16, lanes = columns, width = 16, tile = 4 x 64, k_block = 16>
    %y = prune.packed_matmul #kernel
        weights(%values, %indices, %positions : tensor<40xf32>, tensor<10xi8>, tensor<3xi32>)
        input(%x : tensor<2x16x64xf32>) bias(%b : tensor<8xf32>)
        init(%init : tensor<2x8x64xf32>) -> tensor<2x8x64xf32> {
    ^bb0(%element: f32, %bias: f32):
      %sum = arith.addf %element, %bias : f32
      %zero = arith.constant 0.0 : f32
      %relu = arith.maximumf %sum, %zero : f32
      prune.yield %relu : f32
    }
    ```
  }];
  let arguments = (ins
    Prune_KernelAttr:$kernel,
    Prune_PackedValues:$values,
    Optional<Prune_PackedIndices>:$indices,
    Optional<Prune_PackedPositions>:$positions,
    Prune_PackedShaped:$input,
    Optional<Prune_PackedBuffer>:$bias,
    Optional<Prune_PackedShaped>:$residual,
    Prune_PackedShaped:$init,
    OptionalAttr<DenseI64ArrayAttr>:$row_chunks,
    UnitAttr:$parallel_panels);
  let results = (outs Optional<Prune_PackedShaped>:$result);
  let regions = (region SizedRegion<1>:$epilogue);
  let assemblyFormat = [{
    $kernel `weights` `(` $values (`,` $indices^ `,` $positions)? `:`
    type($values) (`,` type($indices)^ `,` type($positions))? `)`
    `input` `(` $input `:` type($input) `)`
    (`bias` `(` $bias^ `:` type($bias) `)`)?
    (`residual` `(` $residual^ `:` type($residual) `)`)?
    `init` `(` $init `:` type($init) `)`
    (`->` type($result)^)? attr-dict-with-keyword $epilogue
  }];
  let extraClassDeclaration = packedDeclaration # [{
    ::mlir::Type getElementType() {
      return ::llvm::cast<::mlir::ShapedType>(getInput().getType())
          .getElementType();
    }
    /// Whether the input is a vector whose windows are multiplied.
    bool readsWindows() {
      return ::llvm::cast<::mlir::ShapedType>(getInput().getType())
                 .getRank() == 1;
    }
    /// Columns in a panel, with lanes along columns. Windows have panels as wide
    /// as tiles.
    int64_t getPanelSize() {
      auto input = ::llvm::cast<::mlir::ShapedType>(getInput().getType());
      return input.getRank() == 3 ? input.getDimSize(2)
                                  : getKernel().getTileColumns();
    }
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def Prune_YieldOp : Prune_Op<"yield", [Pure, Terminator,
    ParentOneOf<["PackedMatmulOp"]>]> {
  let summary = "End an epilogue with the element to store";
  let description = [{
    Example: `prune.yield %relu : f32`
  }];
  let arguments = (ins Prune_PackedFloat:$value);
  let assemblyFormat = "$value attr-dict `:` type($value)";
}

//===----------------------------------------------------------------------===//
// PackPanelsOp, UnpackPanelsOp
//===----------------------------------------------------------------------===//

class Prune_PanelsOp<string mnemonic>
    : Prune_PackedOp<mnemonic, []> {
  let arguments = (ins
    Prune_PackedShaped:$source,
    Prune_PackedShaped:$init,
    UnitAttr:$feature_major);
  let results = (outs Optional<Prune_PackedShaped>:$result);
  let assemblyFormat = [{
    $source (`feature_major` $feature_major^)? `into` $init attr-dict
    `:` type($source) `into` type($init) (`->` type($result)^)?
  }];
  let hasVerifier = 1;
}

def Prune_PackPanelsOp : Prune_PanelsOp<"pack_panels"> {
  let summary = "Bring activations into panels";
  let description = [{
    Writes the `n` columns of an activation with `k` features, given as `n x k`,
    or as `k x n` with `feature_major`, to panels:
    `init[i / panel][f][i % panel]` is feature `f` of column `i`. `init` is
    `ceil(n / panel) x k x panel`. Columns beyond `n` are unspecified (the
    lowering writes zeros): no column of a product depends on another.

    Inside a chain of layers activations stay in panels; the op appears only at
    the ends of the chain.

    Example:

    ```mlir
    %p = prune.pack_panels %x into %init
       : tensor<100x784xf32> into tensor<2x784x64xf32> -> tensor<2x784x64xf32>
    ```
  }];
  let extraClassDeclaration = packedDeclaration;
  let hasFolder = 1;
}

def Prune_UnpackPanelsOp : Prune_PanelsOp<"unpack_panels"> {
  let summary = "Bring activations from panels back";
  let description = [{
    The inverse of `prune.pack_panels`: writes the panels in `source` to `init`,
    which is `n x k`, or `k x n` with `feature_major`, and drops columns beyond
    `n`.

    Example:

    ```mlir
    %y = prune.unpack_panels %p into %init
       : tensor<2x10x64xf32> into tensor<100x10xf32> -> tensor<100x10xf32>
    ```
  }];
  let extraClassDeclaration = packedDeclaration;
}

#endif // PRUNE_IR_PRUNEPACKEDOPS_TD
