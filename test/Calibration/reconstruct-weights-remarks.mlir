// RUN: %python -c "import numpy; numpy.save('%t.npy', numpy.random.default_rng(0).random(size=(8, 4)).astype('f'))"
// RUN: prune-opt %s --prune-reconstruct-weights="data=%t.npy sparsity=0.5" 2>&1 | FileCheck %s
// RUN: prune-opt %s --prune-reconstruct-weights="data=%t.npy sparsity=0.5" --remarks-filter-missed="prune-.*" 2>&1 -o /dev/null | FileCheck %s --check-prefix=REMARK

// A weight that the network reads again behind its first product sees inputs that
// nobody knows when its turn comes.

// CHECK: warning: prune-reconstruct-weights: nothing was pruned
// CHECK: prune.weights = {w = {left_alone = "is read several times, one after the other"}}
// CHECK: dense_resource<w>
// REMARK: Category:prune-reconstruct-weights | Reason="is read several times, one after the other"

func.func @main(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %w = arith.constant dense_resource<w> : tensor<4x4xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %y = linalg.matmul ins(%x, %w : tensor<4x4xf32>, tensor<4x4xf32>) outs(%f : tensor<4x4xf32>) -> tensor<4x4xf32>
  %z = linalg.matmul ins(%y, %w : tensor<4x4xf32>, tensor<4x4xf32>) outs(%f : tensor<4x4xf32>) -> tensor<4x4xf32>
  return %z : tensor<4x4xf32>
}
{-# dialect_resources: { builtin: { w: "0x040000000000803F0000004000004040000080400000A0400000C0400000E040000000410000803F0000004000004040000080400000A0400000C0400000E04000000041" } } #-}
