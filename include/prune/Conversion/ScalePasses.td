//===- ScalePasses.td - Passes for long functions ----------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Upstream's bufferization and LLVM take more than linear time for what grows
// with a network. These passes cut it to pieces before.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CONVERSION_SCALEPASSES_TD
#define PRUNE_CONVERSION_SCALEPASSES_TD

include "mlir/Pass/PassBase.td"

//===----------------------------------------------------------------------===//
// BoundAliases
//===----------------------------------------------------------------------===//

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

//===----------------------------------------------------------------------===//
// FreeBuffers
//===----------------------------------------------------------------------===//

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

//===----------------------------------------------------------------------===//
// OutlineLoops
//===----------------------------------------------------------------------===//

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

#endif // PRUNE_CONVERSION_SCALEPASSES_TD
