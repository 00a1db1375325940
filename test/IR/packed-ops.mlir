// RUN: prune-opt %s | prune-opt | FileCheck %s
// RUN: prune-opt %s --mlir-print-op-generic | prune-opt | FileCheck %s

#dense = #prune.kernel<dense, m = 8, k = 16, lanes = columns, width = 16, tile = 4 x 32, k_block = 8>
#blocks = #prune.kernel<blocks, m = 8, k = 16, lanes = rows, width = 8, tile = 8 x 2, k_block = 16>
#elements = #prune.kernel<elements, m = 8, k = 16, lanes = rows, width = 1, tile = 1 x 1, k_block = 16>

// On tensors, with a bias and a residual, in panels of two tiles.
// CHECK-LABEL: func @tensors
// CHECK: prune.packed_matmul <dense, m = 8, k = 16, lanes = columns, width = 16, tile = 4 x 32, k_block = 8>
// CHECK-SAME: bias(%{{.*}} : tensor<8xf32>) residual(%{{.*}} : tensor<?x8x64xf32>)
// CHECK: prune.yield
func.func @tensors(%v: tensor<128xf32>, %x: tensor<?x16x64xf32>, %b: tensor<8xf32>,
                   %r: tensor<?x8x64xf32>, %init: tensor<?x8x64xf32>) -> tensor<?x8x64xf32> {
  %y = prune.packed_matmul #dense weights(%v : tensor<128xf32>) input(%x : tensor<?x16x64xf32>)
      bias(%b : tensor<8xf32>) residual(%r : tensor<?x8x64xf32>)
      init(%init : tensor<?x8x64xf32>) -> tensor<?x8x64xf32> {
  ^bb0(%e: f32, %bias: f32, %res: f32):
    %0 = arith.addf %e, %bias : f32
    %1 = arith.addf %0, %res : f32
    prune.yield %1 : f32
  }
  return %y : tensor<?x8x64xf32>
}

// On buffers, with listed blocks; the result is init.
// CHECK-LABEL: func @buffers
// CHECK: prune.packed_matmul <blocks,
func.func @buffers(%v: memref<?xf64>, %i: memref<?xi8>, %p: memref<2xi32>, %x: memref<3x16xf64>,
                   %init: memref<3x8xf64>) {
  prune.packed_matmul #blocks weights(%v, %i, %p : memref<?xf64>, memref<?xi8>, memref<2xi32>)
      input(%x : memref<3x16xf64>) init(%init : memref<3x8xf64>) {
  ^bb0(%e: f64):
    prune.yield %e : f64
  }
  return
}

// An op on tensors that nobody uses has no effect.
// CHECK-LABEL: func @elements
// CHECK: prune.packed_matmul <elements,
func.func @elements(%v: tensor<5xf32>, %i: tensor<5xi16>, %p: tensor<9xi32>, %x: tensor<3x16xf32>,
                    %init: tensor<3x8xf32>) -> tensor<3x8xf32> {
  %y = prune.packed_matmul #elements weights(%v, %i, %p : tensor<5xf32>, tensor<5xi16>, tensor<9xi32>)
      input(%x : tensor<3x16xf32>) init(%init : tensor<3x8xf32>) -> tensor<3x8xf32> {
  ^bb0(%e: f32):
    prune.yield %e : f32
  }
  return %y : tensor<3x8xf32>
}

// CHECK-LABEL: func @panels
// CHECK: prune.pack_panels %{{.*}} into %{{.*}} : tensor<100x16xf32> into tensor<2x16x64xf32> -> tensor<2x16x64xf32>
// CHECK: prune.unpack_panels %{{.*}} feature_major into %{{.*}} : memref<?x16x64xf32> into memref<16x?xf32>
func.func @panels(%x: tensor<100x16xf32>, %init: tensor<2x16x64xf32>,
                  %p: memref<?x16x64xf32>, %y: memref<16x?xf32>) -> tensor<2x16x64xf32> {
  %0 = prune.pack_panels %x into %init : tensor<100x16xf32> into tensor<2x16x64xf32> -> tensor<2x16x64xf32>
  prune.unpack_panels %p feature_major into %y : memref<?x16x64xf32> into memref<16x?xf32>
  return %0 : tensor<2x16x64xf32>
}
