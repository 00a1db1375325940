// Activations whose innermost dimension is not dense are copied for the kernel,
// at its inputs and at its result.
// RUN: prune-opt %s --prune-pack-weights="form=elements" --one-shot-bufferize="bufferize-function-boundaries" | FileCheck %s
// RUN: prune-run %s --kernels=packed --compare=%s --rtol=1e-6 --atol=1e-6 --repeat=3 --json | FileCheck %s --check-prefix=LEAK

// LEAK: "leaked_allocations":0
// CHECK-LABEL: func @main
// CHECK: %[[SOURCE:.*]] = memref.subview
// CHECK: %[[COPY:.*]] = memref.alloc() {{.*}} : memref<3x4xf32>
// CHECK: memref.copy %[[SOURCE]], %[[COPY]]
// CHECK: prune.packed_matmul <elements, {{.*}} input(%[[COPY]] : memref<3x4xf32>)
func.func @main(%x: tensor<3x8xf32>) -> tensor<3x5xf32> {
  %w = arith.constant dense<[[1.0, 0.0, 2.0, 3.0], [0.0, 1.0, 0.0, 0.5], [2.0, 2.0, 0.0, 0.0],
                             [0.0, 0.0, 0.0, 1.0], [4.0, 0.0, 1.0, 0.0]]> : tensor<5x4xf32>
  %zero = arith.constant 0.0 : f32
  %s = tensor.extract_slice %x[0, 1] [3, 4] [1, 2] : tensor<3x8xf32> to tensor<3x4xf32>
  %e = tensor.empty() : tensor<3x5xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<3x5xf32>) -> tensor<3x5xf32>
  %y = linalg.matmul indexing_maps = [affine_map<(n, m, k) -> (n, k)>, affine_map<(n, m, k) -> (m, k)>, affine_map<(n, m, k) -> (n, m)>]
      ins(%s, %w : tensor<3x4xf32>, tensor<5x4xf32>) outs(%f : tensor<3x5xf32>) -> tensor<3x5xf32>
  return %y : tensor<3x5xf32>
}

// What is written is copied back.
// CHECK-LABEL: func @result
// CHECK: %[[DENSE:.*]] = memref.alloc() {{.*}} : memref<3x5xf32>
// CHECK: prune.packed_matmul {{.*}} init(%[[DENSE]] : memref<3x5xf32>)
// CHECK: memref.copy %[[DENSE]], %arg1
func.func @result(%x: tensor<3x4xf32>, %y: memref<3x5xf32, strided<[10, 2]>>) {
  %values = arith.constant dense<2.0> : tensor<1xf32>
  %indices = arith.constant dense<3> : tensor<1xi8>
  %positions = arith.constant dense<[0, 1, 1, 1, 1, 1]> : tensor<6xi32>
  %init = bufferization.to_tensor %y restrict writable : memref<3x5xf32, strided<[10, 2]>> to tensor<3x5xf32>
  %r = prune.packed_matmul <elements, m = 5, k = 4, lanes = rows, width = 1, tile = 1 x 1, k_block = 4>
      weights(%values, %indices, %positions : tensor<1xf32>, tensor<1xi8>, tensor<6xi32>)
      input(%x : tensor<3x4xf32>) init(%init : tensor<3x5xf32>) -> tensor<3x5xf32> {
  ^bb0(%e: f32):
    prune.yield %e : f32
  }
  bufferization.materialize_in_destination %r in restrict writable %y
      : (tensor<3x5xf32>, memref<3x5xf32, strided<[10, 2]>>) -> ()
  return
}
