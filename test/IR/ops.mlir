// RUN: prune-opt %s | prune-opt | FileCheck %s

// Without an arrow the scores have the weight's type.
// CHECK-LABEL: func @score_in_the_weights_type
func.func @score_in_the_weights_type(%w: tensor<8x4xf32>) -> tensor<8x4xf32> {
  // CHECK: prune.score %{{.*}} {criterion = #prune.magnitude<l1>} : tensor<8x4xf32>{{$}}
  %s = prune.score %w {criterion = #prune.magnitude<l1>} : tensor<8x4xf32>
  return %s : tensor<8x4xf32>
}

// Scores summed over dimensions: one for each filter.
// CHECK-LABEL: func @score_reduced
func.func @score_reduced(%k: tensor<8x4x3x3xf32>) -> tensor<8xf64> {
  // CHECK: prune.score %{{.*}} {criterion = #prune.random<seed = 4>, reduce_dims = [1, 2, 3], weight = "conv1"} : tensor<8x4x3x3xf32> -> tensor<8xf64>
  %s = prune.score %k {criterion = #prune.random<seed = 4>, reduce_dims = [1, 2, 3], weight = "conv1"} : tensor<8x4x3x3xf32> -> tensor<8xf64>
  return %s : tensor<8xf64>
}

// Each pattern, each target.
// CHECK-LABEL: func @patterns_and_targets
func.func @patterns_and_targets(%s: tensor<8x4xf32>) -> tensor<8x4xi1> {
  // CHECK: prune.mask %{{.*}} {pattern = #prune.element, sparsity = 9.000000e-01 : f64} : tensor<8x4xf32> -> tensor<8x4xi1>
  %a = prune.mask %s {pattern = #prune.element, sparsity = 0.9} : tensor<8x4xf32>
  // CHECK: prune.mask %{{.*}} {count = 3 : i64, pattern = #prune.block<[4, 1]>} : tensor<8x4xf32> -> tensor<8x4xi1>
  %b = prune.mask %s {pattern = #prune.block<[4, 1]>, count = 3} : tensor<8x4xf32> -> tensor<8x4xi1>
  // CHECK: prune.mask %{{.*}} {pattern = #prune.nm<2:4, 1>} : tensor<8x4xf32> -> tensor<8x4xi1>
  %c = prune.mask %s {pattern = #prune.nm<2:4, 1>} : tensor<8x4xf32> -> tensor<8x4xi1>
  // CHECK: prune.mask %{{.*}}, %{{.*}} {pattern = #prune.element, threshold = 5.000000e-01 : f64} : tensor<8x4xf32>, tensor<8x4xf32> -> tensor<8x4xi1>, tensor<8x4xi1>
  %d:2 = prune.mask %s, %s {pattern = #prune.element, threshold = 0.5} : tensor<8x4xf32>, tensor<8x4xf32>
  return %b : tensor<8x4xi1>
}

// CHECK-LABEL: func @apply
func.func @apply(%w: tensor<8x4xf32>, %k: tensor<8x4x3x3xi8>, %m: tensor<8x4xi1>, %c: tensor<4xi1>) -> (tensor<8x4xf32>, tensor<8x4x3x3xi8>) {
  // CHECK: prune.apply %{{.*}}, %{{.*}} : tensor<8x4xf32>, tensor<8x4xi1>
  %p = prune.apply %w, %m : tensor<8x4xf32>, tensor<8x4xi1>
  // CHECK: prune.apply %{{.*}}, %{{.*}} dims = [1] {weight = "conv1"} : tensor<8x4x3x3xi8>, tensor<4xi1>
  %q = prune.apply %k, %c dims = [1] {weight = "conv1"} : tensor<8x4x3x3xi8>, tensor<4xi1>
  return %p, %q : tensor<8x4xf32>, tensor<8x4x3x3xi8>
}
