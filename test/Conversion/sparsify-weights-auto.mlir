// RUN: prune-opt %s --prune-sparsify-weights --remarks-filter=prune-sparsify-weights --remark-format=emitRemark 2>&1 >/dev/null | FileCheck %s

// The smallest form wins: full blocks of rows as row blocks, two of four as
// groups, what has no structure as rows. Nothing is padded unless asked for.

// CHECK: BytesAfter=36, BytesBefore=128, {{.*}} Format=4x1, Nonzeros=8
func.func @blocks(%x: tensor<8xf32>, %init: tensor<4xf32>) -> tensor<4xf32> {
  %w = arith.constant dense<[[1.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0],
                             [1.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0]]> : tensor<4x8xf32>
  %r = linalg.matvec ins(%w, %x : tensor<4x8xf32>, tensor<8xf32>) outs(%init : tensor<4xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// CHECK: BytesAfter=40, BytesBefore=64, {{.*}} Format=2of4, Nonzeros=8
func.func @groups(%x: tensor<8xf32>, %init: tensor<2xf32>) -> tensor<2xf32> {
  %w = arith.constant dense<[[1.0, 0.0, 0.0, 2.0, 0.0, 3.0, 4.0, 0.0], [0.0, 1.0, 2.0, 0.0, 0.0, 3.0, 0.0, 4.0]]> : tensor<2x8xf32>
  %r = linalg.matvec ins(%w, %x : tensor<2x8xf32>, tensor<8xf32>) outs(%init : tensor<2xf32>) -> tensor<2xf32>
  return %r : tensor<2xf32>
}

// CHECK: BytesAfter=38, BytesBefore=56, {{.*}} Format=csr, Nonzeros=7
func.func @indivisible(%x: tensor<7xf32>, %init: tensor<2xf32>) -> tensor<2xf32> {
  %w = arith.constant dense<[[1.0, 0.0, 0.0, 2.0, 0.0, 3.0, 4.0], [0.0, 1.0, 2.0, 0.0, 0.0, 3.0, 0.0]]> : tensor<2x7xf32>
  %r = linalg.matvec ins(%w, %x : tensor<2x7xf32>, tensor<7xf32>) outs(%init : tensor<2xf32>) -> tensor<2xf32>
  return %r : tensor<2xf32>
}

// Three in a group do not fit in two.
// CHECK: BytesAfter=17, BytesBefore=32, {{.*}} Format=csr, Nonzeros=3
func.func @overfull(%x: tensor<8xf32>, %init: tensor<1xf32>) -> tensor<1xf32> {
  %w = arith.constant dense<[[1.0, 2.0, 0.0, 3.0, 0.0, 0.0, 0.0, 0.0]]> : tensor<1x8xf32>
  %r = linalg.matvec ins(%w, %x : tensor<1x8xf32>, tensor<8xf32>) outs(%init : tensor<1xf32>) -> tensor<1xf32>
  return %r : tensor<1xf32>
}
