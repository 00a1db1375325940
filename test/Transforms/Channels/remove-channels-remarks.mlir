// RUN: prune-opt %s --prune-remove-channels --remarks-filter="prune-remove-channels" -o /dev/null 2>&1 | FileCheck %s

// The widths of each weight, and what all weights have and cost, before and
// after.

// CHECK-DAG: [Passed] Shrunk | Category:prune-remove-channels | After=tensor<2x2xf32>, Before=tensor<2x3xf32>, Weight=weight0
// CHECK-DAG: [Passed] Shrunk | Category:prune-remove-channels | After=tensor<2x5xf32>, Before=tensor<3x5xf32>, Weight=weight1
// CHECK-DAG: [Analysis] Parameters | Category:prune-remove-channels | After=14, Before=21
// CHECK-DAG: [Analysis] Multiplications | Category:prune-remove-channels | After=56, Before=84
func.func @net(%x: tensor<4x2xf32>) -> tensor<4x5xf32> {
  %w1 = arith.constant dense<[[1.0, 0.0, 2.0], [3.0, 0.0, 4.0]]> : tensor<2x3xf32>
  %w2 = arith.constant dense<2.0> : tensor<3x5xf32>
  %z1 = arith.constant dense<0.0> : tensor<4x3xf32>
  %z2 = arith.constant dense<0.0> : tensor<4x5xf32>
  %h = linalg.matmul ins(%x, %w1 : tensor<4x2xf32>, tensor<2x3xf32>) outs(%z1 : tensor<4x3xf32>) -> tensor<4x3xf32>
  %y = linalg.matmul ins(%h, %w2 : tensor<4x3xf32>, tensor<3x5xf32>) outs(%z2 : tensor<4x5xf32>) -> tensor<4x5xf32>
  return %y : tensor<4x5xf32>
}
