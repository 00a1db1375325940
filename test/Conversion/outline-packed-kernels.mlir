// RUN: prune-opt %s --prune-outline-packed-kernels --split-input-file | FileCheck %s

#k = #prune.kernel<blocks, m = 4, k = 16, lanes = columns, width = 16, tile = 4 x 16, k_block = 16>

// Layers of one shape share a function, whatever they list; the name of a weight
// is not the function's.
// CHECK-LABEL: func @shared
// CHECK-DAG: %[[V0:.*]] = memref.cast %arg0 : memref<8xf32> to memref<?xf32>
// CHECK: call @packed_kernel(%[[V0]], {{.*}}) : (memref<?xf32>, memref<?xi8>, memref<?xi32>, memref<1x16x16xf32>, memref<1x4x16xf32>) -> ()
// CHECK: call @packed_kernel(
// CHECK-NOT: call @packed_kernel(
// A layer with another epilogue does not.
// CHECK: call @packed_kernel_0(
// CHECK: func private @packed_kernel(%{{.*}}: memref<?xf32>
// CHECK-NEXT: prune.packed_matmul
// CHECK-NOT: prune.weight
// CHECK: return
// CHECK: func private @packed_kernel_0(
// CHECK: arith.maximumf
func.func @shared(%v0: memref<8xf32>, %i0: memref<2xi8>, %v1: memref<16xf32>, %i1: memref<4xi8>,
                  %p: memref<2xi32>, %x: memref<1x16x16xf32>, %y: memref<1x4x16xf32>) {
  prune.packed_matmul #k weights(%v0, %i0, %p : memref<8xf32>, memref<2xi8>, memref<2xi32>) input(%x : memref<1x16x16xf32>)
      init(%y : memref<1x4x16xf32>) attributes {prune.weight = "first"} {
  ^bb0(%e: f32):
    prune.yield %e : f32
  }
  prune.packed_matmul #k weights(%v1, %i1, %p : memref<16xf32>, memref<4xi8>, memref<2xi32>) input(%x : memref<1x16x16xf32>)
      init(%y : memref<1x4x16xf32>) attributes {prune.weight = "second"} {
  ^bb0(%e: f32):
    prune.yield %e : f32
  }
  prune.packed_matmul #k weights(%v1, %i1, %p : memref<16xf32>, memref<4xi8>, memref<2xi32>) input(%x : memref<1x16x16xf32>)
      init(%y : memref<1x4x16xf32>) {
  ^bb0(%e: f32):
    %zero = arith.constant 0.0 : f32
    %r = arith.maximumf %e, %zero : f32
    prune.yield %r : f32
  }
  return
}

// -----

#k = #prune.kernel<blocks, m = 8, k = 16, lanes = columns, width = 16, tile = 4 x 16, k_block = 16>

// Scalars from outside are arguments, constants from outside move along, and
// parts for threads keep their weight's sizes.
// CHECK-LABEL: func @scalars
// CHECK: call @packed_kernel(%arg0, %arg1, %arg2, %arg3, %arg4, %arg5) : (memref<8xf32>, {{.*}}, f32) -> ()
// CHECK: func private @packed_kernel({{.*}}, %[[SCALE:.*]]: f32)
// CHECK: %[[TWO:.*]] = arith.constant 2.0
// CHECK: row_chunks = array<i64: 0, 1, 2>
// CHECK: arith.mulf %{{.*}}, %[[SCALE]]
// CHECK: arith.mulf %{{.*}}, %[[TWO]]
func.func @scalars(%v: memref<8xf32>, %i: memref<2xi8>, %p: memref<3xi32>, %x: memref<1x16x16xf32>, %y: memref<1x8x16xf32>, %scale: f32) {
  %two = arith.constant 2.0 : f32
  prune.packed_matmul #k weights(%v, %i, %p : memref<8xf32>, memref<2xi8>, memref<3xi32>) input(%x : memref<1x16x16xf32>)
      init(%y : memref<1x8x16xf32>) attributes {row_chunks = array<i64: 0, 1, 2>} {
  ^bb0(%e: f32):
    %r = arith.mulf %e, %scale : f32
    %s = arith.mulf %r, %two : f32
    prune.yield %s : f32
  }
  return
}

// -----

#k = #prune.kernel<blocks, m = 4, k = 16, lanes = columns, width = 16, tile = 4 x 16, k_block = 16>

// On tensors nothing happens.
// CHECK-LABEL: func @tensors
// CHECK-NOT: call
// CHECK: prune.packed_matmul
// CHECK-NOT: func private
func.func @tensors(%v: tensor<8xf32>, %i: tensor<2xi8>, %p: tensor<2xi32>, %x: tensor<1x16x16xf32>, %y: tensor<1x4x16xf32>) -> tensor<1x4x16xf32> {
  %r = prune.packed_matmul #k weights(%v, %i, %p : tensor<8xf32>, tensor<2xi8>, tensor<2xi32>) input(%x : tensor<1x16x16xf32>)
      init(%y : tensor<1x4x16xf32>) -> tensor<1x4x16xf32> {
  ^bb0(%e: f32):
    prune.yield %e : f32
  }
  return %r : tensor<1x4x16xf32>
}
