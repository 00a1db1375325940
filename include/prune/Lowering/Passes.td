//===- Passes.td - From tensors to loops, for any network *- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LOWERING_PASSES_TD
#define PRUNE_LOWERING_PASSES_TD

include "mlir/Pass/PassBase.td"

def VerifyDensePass : Pass<"prune-verify-dense"> {
  let summary = "Check that nothing uses sparse tensors";
  let description = [{
    Runs first in the lowerings that cannot compile sparse tensors, which only
    the upstream sparsifier can (`prune-lower-to-llvm="kernels=reference"`).
    Reports the first operation of the dialect or on a tensor with a sparse
    encoding, and changes nothing.

    ```mlir
    // error: uses sparse tensors ...
    %s = sparse_tensor.convert %w : tensor<2x3xf32> to tensor<2x3xf32, #CSR>
    ```
  }];
}

def DecomposeOperationsPass : Pass<"prune-decompose-operations"> {
  let summary = "Rewrite composite tensor operations as structured ones";
  let description = [{
    Loops are generated from operations with indexing maps. Some operations on
    tensors have none, and no upstream pass gives them any: softmax, winograd
    transforms and the other aggregates of linalg, `linalg.pack` and
    `linalg.unpack`, `tensor.concat`, `tensor.gather`, `tensor.scatter`,
    `tensor.bitcast`. This pass rewrites them as linalg structured operations,
    loops, slices and reshapes. It leaves all other operations alone.

    Softmax of f16 and bf16 is computed in f32 and rounded once.

    A `tensor.expand_shape` that leaves two sizes of a run open becomes a
    `tensor.reshape`, because upstream cannot lower it.

    It also rewrites `scf.index_switch` as a chain of `scf.if`, because
    bufferization of a switch on tensors is unsound.

    ```mlir
    %s = linalg.softmax dimension(1) ins(%x : tensor<4x8xf32>)
                                     outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
    // becomes: the row's maximum, exp(x - maximum), the sum, the quotient
    %m = linalg.generic ... iterator_types = ["parallel", "reduction"] ...
    ```
  }];
  let dependentDialects = [
    "arith::ArithDialect", "linalg::LinalgDialect", "math::MathDialect",
    "scf::SCFDialect", "tensor::TensorDialect"
  ];
}

def WidenSumsPass : Pass<"prune-widen-sums", "::mlir::ModuleOp"> {
  let summary = "Keep sums of f16 and bf16 in f32 and round them once";
  let description = [{
    Rewrites each `linalg.generic` on tensors that sums in f16 or bf16: the
    accumulator and all arithmetic of the body become f32. Operands keep their
    type and are extended when they are read. The result is rounded once, behind
    the elementwise operations that follow, as long as each is the only user of
    the one before. Maxima and minima stay as they are. Generalise named
    operations first.

    ```mlir
    // Before
    linalg.generic {...} ins(%x, %w : tensor<4x8xf16>, tensor<8x4xf16>) outs(%zero : tensor<4x4xf16>) {
      %p = arith.mulf %a, %b : f16
      %s = arith.addf %c, %p : f16
      linalg.yield %s : f16
    } -> tensor<4x4xf16>
    // After, and an operation that rounds it to tensor<4x4xf16>
    linalg.generic {...} ins(%x, %w : tensor<4x8xf16>, tensor<8x4xf16>) outs(%zero : tensor<4x4xf32>) {
      %0 = arith.extf %a : f16 to f32
      %1 = arith.extf %b : f16 to f32
      %p = arith.mulf %0, %1 : f32
      %s = arith.addf %c, %p : f32
      linalg.yield %s : f32
    } -> tensor<4x4xf32>
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::tensor::TensorDialect"
  ];
}

def FuseElementwisePass : Pass<"prune-fuse-elementwise"> {
  let summary = "Fuse elementwise operations that cost nothing to fuse";
  let description = [{
    Fuses a `linalg.generic` without reductions into its only user, if that has
    none either and the same number of loops: nothing is computed twice. Unlike
    `linalg-fuse-elementwise-ops`, an activation is never moved into the loops
    of a contraction, nor a small operation into one that broadcasts it.

    ```mlir
    %a = linalg.generic ... { arith.addf }       // x + bias
    %b = linalg.generic ... ins(%a) { arith.maximumf }
    // becomes one linalg.generic { arith.addf; arith.maximumf }
    ```
  }];
  let dependentDialects = ["affine::AffineDialect", "linalg::LinalgDialect"];
}

def ScheduleReductionsPass : Pass<"prune-schedule-reductions"> {
  let summary = "Order the loops of reductions for the vectoriser";
  let description = [{
    A sum over the innermost loop is a chain of dependent additions, which no
    compiler may reorder. This pass makes a parallel loop innermost where
    that gives adjacent accesses, so that the lanes of a vector are different
    results. The order in which any one result is summed up does not change.

    It applies to a `linalg.generic` with reductions whose result's last
    dimension is one loop. An operand in which that loop is not the last
    dimension is transposed first, if it is a constant (then nothing is left to
    do at run time), or if each of its elements is used often. Multiplications
    and additions of f32 and f64 in such a body may be contracted to fused ones,
    which round once instead of twice.

    ```mlir
    // x * transposed(w): loops (m, n, k)
    linalg.generic {iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<4x8xf32>, tensor<16x8xf32>) outs(%y : tensor<4x16xf32>)
    // becomes: loops (m, k, n)
    linalg.generic {iterator_types = ["parallel", "reduction", "parallel"]}
      ins(%x, %t : tensor<4x8xf32>, tensor<8x16xf32>) outs(%y : tensor<4x16xf32>)
    ```
  }];
  let dependentDialects = ["linalg::LinalgDialect", "tensor::TensorDialect"];
}

def FoldTransposesPass : Pass<"prune-fold-transposes"> {
  let summary = "Transpose constants at compile time";
  let description = [{
    Replaces a `linalg.transpose` of a constant by the transposed constant,
    `dense` or `dense_resource`, of any rank and any element type of whole
    bytes. A resource's transposed copy has a new name. Upstream folds element
    by element and does not know resources.

    ```mlir
    %w = arith.constant dense<[[1, 2]]> : tensor<1x2xi32>
    %t = linalg.transpose ins(%w : tensor<1x2xi32>) outs(%e : tensor<2x1xi32>)
           permutation = [1, 0]
    // becomes
    %t = arith.constant dense<[[1], [2]]> : tensor<2x1xi32>
    ```
  }];
  let dependentDialects = ["arith::ArithDialect"];
}

def OwnResultsPass
    : Pass<"prune-own-results", "::mlir::ModuleOp"> {
  let summary = "Settle who owns the buffers of public functions";
  let description = [{
    Run before bufferization. A compiled function never modifies its arguments;
    the caller owns the results:

    - tensor arguments are marked `bufferization.writable = false`;
    - of several results, those that might share a buffer are copied, because
      the caller frees each;
    - the function gets `llvm.emit_c_interface`;
    - names of arguments and results (`prune.name`) are dropped.

    Private functions and declarations are left alone.

    ```mlir
    func.func @main(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
      %y = linalg.exp ...
      return %y, %y : tensor<4xf32>, tensor<4xf32>
    }
    // becomes
    func.func @main(%x: tensor<4xf32> {bufferization.writable = false})
        -> (tensor<4xf32>, tensor<4xf32>)
        attributes {llvm.emit_c_interface} {
      %y = linalg.exp ...
      %z = bufferization.alloc_tensor() copy(%y) : tensor<4xf32>
      return %y, %z : tensor<4xf32>, tensor<4xf32>
    }
    ```
  }];
  let dependentDialects = ["bufferization::BufferizationDialect"];
}

def BoundAliasesPass : Pass<"prune-bound-aliases"> {
  let summary = "Keep the number of tensors that may share a buffer small";
  let description = [{
    One-shot bufferization takes cubic time in the number of tensors that may
    share a buffer. This pass runs before it and cuts what grows:

    - a chain of more than `limit` `tensor.insert_slice`, each of which only the
      next one reads, becomes one `prune.insert_slices`. Concatenations are
      decomposed to such chains;
    - where more than `limit` operations write one after the other into a tensor
      whose states in between are read, too, every `limit`-th writes into a copy;
    - every `limit` uses of a `tensor.empty`, a constant, or an empty tensor
      that is filled with a scalar get a copy of it. Fewer uses share one, so
      that its buffer is reused.

    Shorter chains stay as they are, because bufferization can compute the parts
    of a short chain in place.

    ```mlir
    // Before, with limit=1
    %0 = tensor.insert_slice %a into %d[0, 0] [1, 4] [1, 1] : tensor<1x4xf32> into tensor<2x4xf32>
    %1 = tensor.insert_slice %b into %0[1, 0] [1, 4] [1, 1] : tensor<1x4xf32> into tensor<2x4xf32>
    // After
    %1 = prune.insert_slices %a, %b into %d offsets [0, 0, 1, 0] sizes [1, 4, 1, 4] strides [1, 1, 1, 1]
       : tensor<1x4xf32>, tensor<1x4xf32> into tensor<2x4xf32>
    ```
  }];
  let options = [
    Option<"limit", "limit", "unsigned", /*default=*/"16",
           "How many tensors may share a buffer in each of the three ways, at "
           "least 1">
  ];
  let dependentDialects = [
    "::mlir::bufferization::BufferizationDialect", "::mlir::prune::PruneDialect",
    "::mlir::tensor::TensorDialect"
  ];
}

def FreeBuffersPass : Pass<"prune-free-buffers"> {
  let summary = "Free buffers behind their last use where they never leave a block";
  let description = [{
    Upstream's buffer deallocation takes quadratic time in the number of buffers
    of a block, and frees all of them at its end. This pass runs before it: it
    frees a buffer behind its last use if the buffer and its views are only
    read, written, or passed to functions that return no buffers. Allocation and
    deallocation are marked `bufferization.manual_deallocation`, so that
    upstream leaves them alone. Upstream frees all other buffers.

    ```mlir
    // Before
    %a = memref.alloc() : memref<8xf32>
    linalg.copy ins(%x : memref<8xf32>) outs(%a : memref<8xf32>)
    linalg.exp ins(%a : memref<8xf32>) outs(%b : memref<8xf32>)
    ...
    // After
    %a = memref.alloc() {bufferization.manual_deallocation} : memref<8xf32>
    linalg.copy ins(%x : memref<8xf32>) outs(%a : memref<8xf32>)
    linalg.exp ins(%a : memref<8xf32>) outs(%b : memref<8xf32>)
    memref.dealloc %a {bufferization.manual_deallocation} : memref<8xf32>
    ...
    ```
  }];
  let dependentDialects = [
    "::mlir::bufferization::BufferizationDialect",
    "::mlir::memref::MemRefDialect"
  ];
}

def OrderConstantsPass : Pass<"prune-order-constants", "::mlir::ModuleOp"> {
  let summary = "Number the globals of constants in the order of their use";
  let description = [{
    One-shot bufferization visits the functions of a module in an order that
    differs from run to run, and numbers the globals that constants become as it
    meets them. This pass numbers them again, in the order in which the module
    reads them, and puts them at its beginning in that order. Then equal modules
    become equal text, whatever the number of threads.

    Only private constant globals called `__constant_...` that are read change.

    ```mlir
    // Before
    memref.global "private" constant @__constant_2xf32 : memref<2xf32> = dense<2.0>
    memref.global "private" constant @__constant_2xf32_0 : memref<2xf32> = dense<1.0>
    func.func @main() {
      %a = memref.get_global @__constant_2xf32_0 : memref<2xf32>
      %b = memref.get_global @__constant_2xf32 : memref<2xf32>
    // After
    memref.global "private" constant @__constant_2xf32 : memref<2xf32> = dense<1.0>
    memref.global "private" constant @__constant_2xf32_0 : memref<2xf32> = dense<2.0>
    func.func @main() {
      %a = memref.get_global @__constant_2xf32 : memref<2xf32>
      %b = memref.get_global @__constant_2xf32_0 : memref<2xf32>
    ```
  }];
}

def DropReturnedArgumentsPass
    : Pass<"prune-drop-returned-arguments", "::mlir::ModuleOp"> {
  let summary = "Drop results of private functions that are their own arguments";
  let description = [{
    A kernel that updates a buffer in place returns the buffer that it was given.
    Buffer deallocation would have to copy it, or to compare pointers at run time
    to find out whose it is. This pass, between bufferization and deallocation,
    lets callers use their own buffer and drops the result. Public functions keep
    their signatures, and so do functions that are used other than by calls.

    ```mlir
    // Before
    %r = call @kernel(%x, %y) : (memref<4xf32>, memref<2xf32>) -> memref<2xf32>
    // After
    call @kernel(%x, %y) : (memref<4xf32>, memref<2xf32>) -> ()
    ```
  }];
  let dependentDialects = ["::mlir::func::FuncDialect"];
}

def ExpandCopiesPass : Pass<"prune-expand-copies"> {
  let summary = "Turn copies between strided buffers into loops";
  let description = [{
    A `memref.copy` of buffers that are not contiguous lowers to a call of a
    run-time library, which copies element by element. This pass rewrites such
    copies as `linalg.copy`, so that they become loops that can be vectorised,
    and compiled code needs no library. Copies between contiguous buffers, which
    become `memcpy`, are left alone.

    ```mlir
    memref.copy %a, %b : memref<4x4xf32, strided<[8, 1]>> to memref<4x4xf32>
    // becomes
    linalg.copy ins(%a : memref<4x4xf32, strided<[8, 1]>>) outs(%b : memref<4x4xf32>)
    ```
  }];
  let dependentDialects = ["linalg::LinalgDialect"];
}

def OutlineLoopsPass : Pass<"prune-outline-loops", "::mlir::ModuleOp"> {
  let summary = "Move the loops of long functions to shared functions";
  let description = [{
    LLVM takes more than linear time for a function. In a function of at least
    `min-nests` structured operations and loops on buffers, each of them moves
    to a private function; nests that differ only in their operands share one. A
    nest that allocates, frees, calls or yields values stays; the pass then
    looks at the nests inside of it.

    A buffer is passed as one pointer, followed by what its type leaves open. A
    pointer that aliases no other operand is marked `llvm.noalias`.

    ```mlir
    // Before
    linalg.generic {...} ins(%x : memref<4x8xf32>) outs(%y : memref<4x8xf32>) { ... }
    linalg.generic {...} ins(%y : memref<4x8xf32>) outs(%z : memref<4x8xf32>) { ... }
    // After, with min-nests=1
    call @loops(%x, %y) : (memref<4x8xf32>, memref<4x8xf32>) -> ()
    call @loops(%y, %z) : (memref<4x8xf32>, memref<4x8xf32>) -> ()
    ```
  }];
  let options = [
    Option<"minNests", "min-nests", "unsigned", /*default=*/"24",
           "Leave functions with fewer nests alone">
  ];
  let dependentDialects = [
    "::mlir::func::FuncDialect", "::mlir::memref::MemRefDialect",
    "::mlir::LLVM::LLVMDialect"
  ];
}

def LegalizeScalarsPass
    : Pass<"prune-legalize-scalars", "::mlir::ModuleOp"> {
  let summary = "Keep scalar arithmetic exact on its way to LLVM";
  let description = [{
    Run on scalars, after `math-extend-to-supported-types` and
    `arith-emulate-unsupported-floats`. The pass prevents four errors of the
    upstream lowering:

    - the two passes above mark the roundings they insert as contractible, so
      that results of bf16 or f16 operations keep excess precision where they
      happen to be combined. The mark is removed: each operation rounds;
    - `math.expm1` and `math.log1p` become `exp(x) - 1` and `log(1 + x)`, which
      lose all digits near zero. They become calls of the C library instead;
    - `math.clampf` becomes max(min(x, low), high), which is never below high.
      It becomes min(max(x, low), high) instead;
    - `math.isinf` is not lowered at all. It becomes a comparison.

    ```mlir
    %y = math.expm1 %x : f32
    // becomes
    %y = call @expm1f(%x) : (f32) -> f32
    ```
  }];
  let dependentDialects = [
    "arith::ArithDialect", "func::FuncDialect", "math::MathDialect",
    "vector::VectorDialect"
  ];
}

def ExpandNarrowFloatsPass : Pass<"prune-expand-narrow-floats"> {
  let summary = "Convert f16 and bf16 by integer arithmetic";
  let description = [{
    Rewrites `arith.extf` and `arith.truncf` from and to bf16, and from and to
    f16 unless `native-half` says that the processor converts between f16 and
    f32, as operations on integers. Otherwise LLVM would call functions of a
    compiler's run-time library. Scalars and vectors are rounded to nearest,
    ties to even; denormal numbers, infinities and signs of NaN are kept, and
    signalling NaN become quiet. f64 is rounded once, not first to f32.

    Run on scalars, after `arith-emulate-unsupported-floats`.

    ```mlir
    %y = arith.extf %x : bf16 to f32
    // becomes
    %0 = arith.bitcast %x : bf16 to i16
    %1 = arith.extui %0 : i16 to i32
    %2 = arith.shli %1, %c16 : i32
    %y = arith.bitcast %2 : i32 to f32
    ```
  }];
  let options = [
    Option<"nativeHalf", "native-half", "bool", "true",
           "The processor converts between f16 and f32">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def StoreNarrowFloatsPass : Pass<"prune-store-narrow-floats", "::mlir::ModuleOp"> {
  let summary = "Move f16 and bf16 as integers of 16 bits";
  let description = [{
    Run on the LLVM dialect. Numbers of f16 and bf16 that are only moved become
    integers: types of values and blocks, constants, globals. LLVM calls its
    run-time library for a `select` of bf16 on most processors, and for a return.
    Only scalars of f16 that a function takes and returns, and the processor's
    own conversions between f16 and f32, keep their types, behind a bit cast. In
    signatures bf16 is an integer, too. Arithmetic on numbers of 16 bits is an
    error.

    ```mlir
    %s = llvm.select %c, %x, %y : i1, bf16
    // becomes
    %s = llvm.select %c, %x, %y : i1, i16
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def FlattenConstantsPass : Pass<"prune-flatten-constants", "::mlir::ModuleOp"> {
  let summary = "Turn constants of the LLVM dialect to arrays of bytes";
  let description = [{
    Globals with a resource of numbers become arrays of bytes in the same
    resource, which LLVM prints a hundred times faster. Loads stay as they are:
    pointers have no element type. So do splats, inline constants, booleans and
    numbers of odd widths. The bytes are those of a little-endian machine, as
    they are in all resources.

    ```mlir
    // Before
    llvm.mlir.global private constant @w(dense_resource<w> : tensor<64xf32>) : !llvm.array<64 x f32>
    // After
    llvm.mlir.global private constant @w(dense_resource<w> : tensor<256xi8>) : !llvm.array<256 x i8>
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def VerifyLoweredPass : Pass<"prune-verify-lowered"> {
  let summary = "Check that nothing is left to lower";
  let description = [{
    Run last in a lowering to LLVM. Reports the first operation that is neither
    of the LLVM dialect nor of OpenMP, and changes nothing.

    ```mlir
    // error: has no lowering to LLVM ...
    %i = gpu.thread_id x
    ```
  }];
}

#endif // PRUNE_LOWERING_PASSES_TD
