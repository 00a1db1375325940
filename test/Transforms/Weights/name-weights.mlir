// RUN: prune-opt %s --prune-name-weights --split-input-file | FileCheck %s

// A dense weight becomes a resource; the name taken by another is skipped.
// CHECK-LABEL: func @names_dense_weights
func.func @names_dense_weights(%x: tensor<1x2xf32>, %o: tensor<1x2xf32>) -> tensor<1x2xf32> {
  // CHECK-DAG: dense_resource<weight0> : tensor<2x2xf32>
  %a = arith.constant dense_resource<weight0> : tensor<2x2xf32>
  // CHECK-DAG: dense_resource<weight1> : tensor<2x2xf32>
  %b = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %0 = linalg.matmul ins(%x, %a : tensor<1x2xf32>, tensor<2x2xf32>) outs(%o : tensor<1x2xf32>) -> tensor<1x2xf32>
  %1 = linalg.matmul ins(%0, %b : tensor<1x2xf32>, tensor<2x2xf32>) outs(%o : tensor<1x2xf32>) -> tensor<1x2xf32>
  return %1 : tensor<1x2xf32>
}
// CHECK: weight1: "0x400000000000803F000000400000404000008040"

{-#
  dialect_resources: {
    builtin: {
      weight0: "0x040000000000803F000000400000803F00000040"
    }
  }
#-}

// -----

// A splat is written out. The bias, which is no weight, keeps its constant.
// CHECK-LABEL: func @splits_a_splat_from_its_other_uses
func.func @splits_a_splat_from_its_other_uses(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  // CHECK-DAG: %[[BIAS:.*]] = arith.constant dense<1.000000e+00> : tensor<2x2xf32>
  // CHECK-DAG: %[[WEIGHT:.*]] = arith.constant dense_resource<weight0> : tensor<2x2xf32>
  %c = arith.constant dense<1.0> : tensor<2x2xf32>
  // CHECK: linalg.matmul ins(%{{.*}}, %[[WEIGHT]] : {{.*}}) outs(%[[BIAS]]
  %0 = linalg.matmul ins(%x, %c : tensor<2x2xf32>, tensor<2x2xf32>) outs(%c : tensor<2x2xf32>) -> tensor<2x2xf32>
  return %0 : tensor<2x2xf32>
}
// CHECK: weight0: "0x400000000000803F0000803F0000803F0000803F"

// -----

// The constant may stand behind a transpose; what is not a weight stays.
// CHECK-LABEL: func @follows_transposes
func.func @follows_transposes(%x: tensor<1x2xf16>, %o: tensor<1x3xf16>, %e: tensor<2x3xf16>) -> tensor<1x3xf16> {
  // CHECK: dense_resource<weight0> : tensor<3x2xf16>
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf16>
  // CHECK: arith.constant dense<{{.*}}> : tensor<1x3xf16>
  %b = arith.constant dense<[[1.0, 2.0, 3.0]]> : tensor<1x3xf16>
  %t = linalg.transpose ins(%w : tensor<3x2xf16>) outs(%e : tensor<2x3xf16>) permutation = [1, 0]
  %0 = linalg.matmul ins(%x, %t : tensor<1x2xf16>, tensor<2x3xf16>) outs(%b : tensor<1x3xf16>) -> tensor<1x3xf16>
  return %0 : tensor<1x3xf16>
}

// -----

// Integer weights are not pruned and keep their form.
// CHECK-LABEL: func @leaves_integers
func.func @leaves_integers(%x: tensor<1x2xi8>, %o: tensor<1x2xi32>) -> tensor<1x2xi32> {
  // CHECK: arith.constant dense<{{.*}}> : tensor<2x2xi8>
  %w = arith.constant dense<[[1, 2], [3, 4]]> : tensor<2x2xi8>
  %0 = linalg.matmul ins(%x, %w : tensor<1x2xi8>, tensor<2x2xi8>) outs(%o : tensor<1x2xi32>) -> tensor<1x2xi32>
  return %0 : tensor<1x2xi32>
}
