// RUN: prune-opt %s --prune-remove-channels | FileCheck %s
// RUN: prune-opt %s --prune-remove-channels --canonicalize --cse --prune-report-weights -o /dev/null | FileCheck %s --check-prefix=REPORT

// Weights of equal numbers keep their names behind a transpose, are not merged
// with their like, and are not reported as gone.
// CHECK: prune.weights = {
// CHECK-NOT: removed
// CHECK-LABEL: @keeps_the_names_of_equal_numbers
// CHECK: arith.constant dense_resource<"w2#1"> : tensor<3x2xf32>
// CHECK: arith.constant dense_resource<w3> : tensor<3x3xf32>
// REPORT: w2 {{ *}}3x3->3x2xf32 {{ *}}6 {{ *}}6 
// REPORT: w3 {{ *}}3x3xf32 {{ *}}9 {{ *}}9 
func.func @keeps_the_names_of_equal_numbers(%x: tensor<1x2xf32>) -> tensor<1x3xf32> {
  %w1 = arith.constant dense<[[1.0, 0.0, 2.0], [3.0, 0.0, 4.0]]> : tensor<2x3xf32>
  %w2 = arith.constant dense_resource<w2> : tensor<3x3xf32>
  %w3 = arith.constant dense_resource<w3> : tensor<3x3xf32>
  %z = arith.constant dense<0.0> : tensor<1x3xf32>
  %e = tensor.empty() : tensor<3x3xf32>
  %h = linalg.matmul ins(%x, %w1 : tensor<1x2xf32>, tensor<2x3xf32>) outs(%z : tensor<1x3xf32>) -> tensor<1x3xf32>
  %t = linalg.transpose ins(%w2 : tensor<3x3xf32>) outs(%e : tensor<3x3xf32>) permutation = [1, 0]
  %g = linalg.matmul ins(%h, %t : tensor<1x3xf32>, tensor<3x3xf32>) outs(%z : tensor<1x3xf32>) -> tensor<1x3xf32>
  %u = linalg.transpose ins(%w3 : tensor<3x3xf32>) outs(%e : tensor<3x3xf32>) permutation = [1, 0]
  %y = linalg.matmul ins(%g, %u : tensor<1x3xf32>, tensor<3x3xf32>) outs(%z : tensor<1x3xf32>) -> tensor<1x3xf32>
  return %y : tensor<1x3xf32>
}
{-#
  dialect_resources: {
    builtin: {
      w2: "0x400000000000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F",
      w3: "0x400000000000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F"
    }
  }
#-}
