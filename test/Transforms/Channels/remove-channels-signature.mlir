// RUN: prune-opt %s --prune-remove-channels=allow-signature-change --split-input-file | FileCheck %s
// RUN: prune-opt %s --prune-remove-channels --split-input-file | FileCheck %s --check-prefix=SAME
// RUN: prune-opt %s --prune-remove-channels=allow-signature-change --prune-remove-channels=allow-signature-change --split-input-file | FileCheck %s

// Input 1 has no weights. Inputs that stay are numbered as before.
// CHECK-LABEL: func.func @drops_a_dead_input
// CHECK-SAME: (%{{.*}}: tensor<?x2xf32> {prune.kept = [unit, array<i64: 0, 2>]}, %{{.*}}: index) -> tensor<?x2xf32>
// SAME-LABEL: func.func @drops_a_dead_input
// SAME-SAME: (%{{.*}}: tensor<?x3xf32>, %{{.*}}: index)
func.func @drops_a_dead_input(%x: tensor<?x3xf32>, %n: index) -> tensor<?x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [0.0, 0.0], [3.0, 4.0]]> : tensor<3x2xf32>
  %c = arith.constant 0.0 : f32
  %e = tensor.empty(%n) : tensor<?x2xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<?x2xf32>) -> tensor<?x2xf32>
  %y = linalg.matmul ins(%x, %w : tensor<?x3xf32>, tensor<3x2xf32>) outs(%z : tensor<?x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// An image that is only flattened is taken flat: pixels are no rows or columns.
// CHECK-LABEL: func.func @flattens_an_image
// CHECK-SAME: (%[[X:.*]]: tensor<1x2xf32> {prune.kept = [unit, array<i64: 0, 3>], prune.type_before = tensor<1x2x2xf32>})
// CHECK-NOT: tensor.collapse_shape
// CHECK: linalg.matmul ins(%[[X]]
// SAME-LABEL: func.func @flattens_an_image
// SAME: tensor.collapse_shape
func.func @flattens_an_image(%x: tensor<1x2x2xf32>) -> tensor<1x1xf32> {
  %w = arith.constant dense<[[1.0], [0.0], [0.0], [2.0]]> : tensor<4x1xf32>
  %z = arith.constant dense<0.0> : tensor<1x1xf32>
  %f = tensor.collapse_shape %x [[0], [1, 2]] : tensor<1x2x2xf32> into tensor<1x4xf32>
  %y = linalg.matmul ins(%f, %w : tensor<1x4xf32>, tensor<4x1xf32>) outs(%z : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

// Nothing to drop: the shape stays as it was.
// CHECK-LABEL: func.func @keeps_a_live_image
// CHECK-SAME: (%{{.*}}: tensor<1x2x2xf32>)
// CHECK: tensor.collapse_shape
func.func @keeps_a_live_image(%x: tensor<1x2x2xf32>) -> tensor<1x1xf32> {
  %w = arith.constant dense<[[1.0], [3.0], [4.0], [2.0]]> : tensor<4x1xf32>
  %z = arith.constant dense<0.0> : tensor<1x1xf32>
  %f = tensor.collapse_shape %x [[0], [1, 2]] : tensor<1x2x2xf32> into tensor<1x4xf32>
  %y = linalg.matmul ins(%f, %w : tensor<1x4xf32>, tensor<4x1xf32>) outs(%z : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

// The module calls @inner with two inputs, and goes on to do so. What is passed
// to a call is looked at.
// CHECK-LABEL: func.func private @inner
// CHECK-SAME: (%{{.*}}: tensor<1x2xf32>) -> tensor<1x1xf32>
// CHECK-LABEL: func.func @outer
// CHECK-SAME: (%{{.*}}: tensor<1x2xf32>) -> tensor<1x1xf32>
func.func private @inner(%x: tensor<1x2xf32>) -> tensor<1x1xf32> {
  %w = arith.constant dense<[[1.0], [0.0]]> : tensor<2x1xf32>
  %z = arith.constant dense<0.0> : tensor<1x1xf32>
  %y = linalg.matmul ins(%x, %w : tensor<1x2xf32>, tensor<2x1xf32>) outs(%z : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}
func.func @outer(%x: tensor<1x2xf32>) -> tensor<1x1xf32> {
  %y = func.call @inner(%x) : (tensor<1x2xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}
