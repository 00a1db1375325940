// RUN: prune-opt %s --prune-pack-weights | FileCheck %s
// RUN: prune-opt %s --prune-pack-weights | prune-opt | FileCheck %s
// RUN: prune-opt %s --prune-pack-weights="form=elements" | FileCheck %s --check-prefix=ELEMENTS
// RUN: not prune-opt %s --prune-pack-weights="form=round" 2>&1 | FileCheck %s --check-prefix=FORM
// The packed network computes what the dense one does, and leaks nothing.
// RUN: prune-run %s --entry=constant_weight --kernels=packed --compare=%s --rtol=1e-6 --atol=1e-6
// RUN: prune-run %s --entry=constant_weight --kernels=packed --repeat=10000 --json | FileCheck %s --check-prefix=LEAK
// RUN: prune-run %s --entry=constant_weight --kernels=reference --repeat=10000 --json | FileCheck %s --check-prefix=LEAK
// Weights are packed at compile time: nothing converts at run time.
// RUN: prune-opt %s --prune-lower-to-llvm=kernels=reference | FileCheck %s --check-prefix=LOWERED

// FORM: 'round'
// LEAK: "leaked_allocations":0,"leaked_bytes":0
// LOWERED-NOT: sparse_tensor
// LOWERED-NOT: newSparseTensor

// The weight becomes a constant in the order in which the kernel reads it, and
// what the product is added to enters the epilogue.
// CHECK-LABEL: func @constant_weight
// CHECK: %[[W:.*]] = arith.constant dense_resource<"weight0#1"> : tensor<8xf32>
// CHECK: %[[X:.*]] = prune.pack_panels %{{.*}} : tensor<64x4xf32>
// CHECK: %[[Y:.*]] = prune.packed_matmul <dense, m = 2, k = 4, {{.*}}> weights(%[[W]] : tensor<8xf32>) input(%[[X]] :
// CHECK: prune.unpack_panels %[[Y]]
// ELEMENTS-LABEL: func @constant_weight
// ELEMENTS: prune.packed_matmul <elements,
func.func @constant_weight(%x: tensor<64x4xf32>, %init: tensor<64x2xf32>) -> tensor<64x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]> : tensor<4x2xf32>
  %r = linalg.matmul ins(%x, %w : tensor<64x4xf32>, tensor<4x2xf32>) outs(%init : tensor<64x2xf32>) -> tensor<64x2xf32>
  return %r : tensor<64x2xf32>
}

// A weight that is known at run time only cannot be packed.
// CHECK-LABEL: func @run_time_weight
// CHECK-NOT: prune.
func.func @run_time_weight(%x: tensor<16x4xf32>, %w: tensor<4x2xf32>, %init: tensor<16x2xf32>) -> tensor<16x2xf32> {
  %r = linalg.matmul ins(%x, %w : tensor<16x4xf32>, tensor<4x2xf32>) outs(%init : tensor<16x2xf32>) -> tensor<16x2xf32>
  return %r : tensor<16x2xf32>
}
