// RUN: prune-opt %s --prune-fold-transposes --cse | FileCheck %s

// CHECK-LABEL: func @dense
func.func @dense(%e: tensor<3x2xi32>) -> tensor<3x2xi32> {
  %w = arith.constant dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi32>
  // CHECK: %[[T:.*]] = arith.constant dense<{{\[\[}}1, 4], [2, 5], [3, 6]]> : tensor<3x2xi32>
  // CHECK-NEXT: return %[[T]]
  %t = linalg.transpose ins(%w : tensor<2x3xi32>) outs(%e : tensor<3x2xi32>) permutation = [1, 0]
  return %t : tensor<3x2xi32>
}

// Any rank, and elements that repeat.
// CHECK-LABEL: func @rank_three
func.func @rank_three(%e: tensor<2x1x2xf16>, %f: tensor<2x2xf32>) -> (tensor<2x1x2xf16>, tensor<2x2xf32>) {
  %w = arith.constant dense<[[[1.0], [2.0]], [[3.0], [4.0]]]> : tensor<2x2x1xf16>
  // CHECK-DAG: dense<{{\[\[\[}}1.000000e+00, 3.000000e+00]], {{\[\[}}2.000000e+00, 4.000000e+00]]]> : tensor<2x1x2xf16>
  %t = linalg.transpose ins(%w : tensor<2x2x1xf16>) outs(%e : tensor<2x1x2xf16>) permutation = [1, 2, 0]
  %v = arith.constant dense<3.0> : tensor<2x2xf32>
  // CHECK-DAG: dense<3.000000e+00> : tensor<2x2xf32>
  %u = linalg.transpose ins(%v : tensor<2x2xf32>) outs(%f : tensor<2x2xf32>) permutation = [1, 0]
  return %t, %u : tensor<2x1x2xf16>, tensor<2x2xf32>
}

// A resource gets a copy under a new name; the original has other users.
// CHECK-LABEL: func @resource
func.func @resource(%e: tensor<2x1xi64>) -> (tensor<1x2xi64>, tensor<2x1xi64>) {
  // CHECK-DAG: dense_resource<w> : tensor<1x2xi64>
  %w = arith.constant dense_resource<w> : tensor<1x2xi64>
  // CHECK-DAG: dense_resource<w_1> : tensor<2x1xi64>
  %t = linalg.transpose ins(%w : tensor<1x2xi64>) outs(%e : tensor<2x1xi64>) permutation = [1, 0]
  return %w, %t : tensor<1x2xi64>, tensor<2x1xi64>
}

// Not a constant, or not of whole bytes.
// CHECK-LABEL: func @keeps_others
func.func @keeps_others(%x: tensor<2x3xf32>, %e: tensor<3x2xf32>, %f: tensor<2x1xi1>) -> (tensor<3x2xf32>, tensor<2x1xi1>) {
  // CHECK: linalg.transpose
  %t = linalg.transpose ins(%x : tensor<2x3xf32>) outs(%e : tensor<3x2xf32>) permutation = [1, 0]
  // CHECK: linalg.transpose
  %b = arith.constant dense<[[true, false]]> : tensor<1x2xi1>
  %u = linalg.transpose ins(%b : tensor<1x2xi1>) outs(%f : tensor<2x1xi1>) permutation = [1, 0]
  return %t, %u : tensor<3x2xf32>, tensor<2x1xi1>
}

// CHECK: w: "0x4000000001000000000000000200000000000000"
// CHECK: w_1: "0x4000000001000000000000000200000000000000"
{-# dialect_resources: { builtin: { w: "0x4000000001000000000000000200000000000000" } } #-}
