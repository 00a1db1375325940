// RUN: prune-opt %s --prune-lower-to-llvm | FileCheck %s
// RUN: prune-opt %s --prune-lower-to-llvm=kernels=dense | FileCheck %s
// RUN: prune-opt %s --prune-lower-to-llvm=runtime-checks=true | FileCheck %s --check-prefix=CHECKED
// RUN: not prune-opt %s --prune-lower-to-llvm=kernels=quick 2>&1 | FileCheck %s --check-prefix=KERNELS
// RUN: not prune-opt %s --prune-lower-to-llvm=speed=3 2>&1 | FileCheck %s --check-prefix=OPTION

// Nothing is left but LLVM, and nothing is called but the allocator.
// CHECK-NOT: func.func
// CHECK-NOT: unrealized_conversion_cast
// CHECK-DAG: llvm.func @aligned_alloc(i64, i64) -> !llvm.ptr
// CHECK: llvm.func @main(
// CHECK: llvm.func @_mlir_ciface_main(
// CHECK-NOT: memrefCopy

// CHECKED-DAG: llvm.func @abort()

// KERNELS: error: unknown kernels 'quick'; expected
// OPTION: no such option speed

func.func @main(%x: tensor<?x8xf32>, %w: tensor<8x16xf32>, %b: tensor<?x16xf32>) -> (tensor<?x16xf32>, tensor<2x4xf32>) {
  %y = linalg.matmul ins(%x, %w : tensor<?x8xf32>, tensor<8x16xf32>) outs(%b : tensor<?x16xf32>) -> tensor<?x16xf32>
  %s = tensor.extract_slice %w[0, 2] [2, 4] [1, 1] : tensor<8x16xf32> to tensor<2x4xf32>
  return %y, %s : tensor<?x16xf32>, tensor<2x4xf32>
}
