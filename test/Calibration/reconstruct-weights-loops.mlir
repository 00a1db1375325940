// RUN: %python -c "import numpy; numpy.save('%t.npy', numpy.random.default_rng(0).random(size=(8, 4)).astype('f'))"
// RUN: prune-opt %s --prune-reconstruct-weights="data=%t.npy sparsity=0.5" 2>/dev/null | FileCheck %s

// Nobody knows what a loop multiplies a weight with; that it is read in front of
// the loop, too, is not enough.

// CHECK: prune.weights = {w = {left_alone = "lies in a loop, a branch or another function"}}
// CHECK: dense_resource<w>

func.func @main(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %w = arith.constant dense_resource<w> : tensor<4x4xf32>
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %e = tensor.empty() : tensor<4x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %y = linalg.matmul ins(%x, %w : tensor<4x4xf32>, tensor<4x4xf32>) outs(%f : tensor<4x4xf32>) -> tensor<4x4xf32>
  %z = scf.for %i = %c0 to %c3 step %c1 iter_args(%h = %y) -> tensor<4x4xf32> {
    %next = linalg.matmul ins(%h, %w : tensor<4x4xf32>, tensor<4x4xf32>) outs(%f : tensor<4x4xf32>) -> tensor<4x4xf32>
    scf.yield %next : tensor<4x4xf32>
  }
  return %z : tensor<4x4xf32>
}
{-# dialect_resources: { builtin: { w: "0x040000000000803F0000004000004040000080400000A0400000C0400000E040000000410000803F0000004000004040000080400000A0400000C0400000E04000000041" } } #-}
