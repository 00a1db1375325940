// RUN: prune-opt %s --convert-prune-to-linalg | FileCheck %s

// A score is elementwise in f64 and rounded once.
// CHECK-LABEL: func @score
func.func @score(%w: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: linalg.generic
  // CHECK: arith.extf %{{.*}} : f32 to f64
  // CHECK: arith.mulf
  // CHECK: arith.truncf %{{.*}} : f64 to f32
  // CHECK-NOT: prune.
  %s = prune.score %w {criterion = #prune.magnitude<l2>} : tensor<4xf32>
  return %s : tensor<4xf32>
}

// Dimensions that are summed over become reduction loops.
// CHECK-LABEL: func @reduced_score
func.func @reduced_score(%w: tensor<4x3xf32>) -> tensor<4xf64> {
  // CHECK: iterator_types = ["parallel", "reduction"]
  %s = prune.score %w {criterion = #prune.magnitude<l1>, reduce_dims = [1]} : tensor<4x3xf32> -> tensor<4xf64>
  return %s : tensor<4xf64>
}

// A mask is selected from, never multiplied with.
// CHECK-LABEL: func @apply
func.func @apply(%w: tensor<4x3xf32>, %m: tensor<3xi1>) -> tensor<4x3xf32> {
  // CHECK: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
  // CHECK: arith.select %{{.*}}, %{{.*}}, %[[ZERO]] : f32
  // CHECK-NOT: mul
  // CHECK: return
  %p = prune.apply %w, %m dims = [1] : tensor<4x3xf32>, tensor<3xi1>
  return %p : tensor<4x3xf32>
}

// The ranking is a loop over the bits of the scores, then over positions.
// CHECK-LABEL: func @mask
func.func @mask(%s: tensor<4xf64>) -> tensor<4xi1> {
  // CHECK: scf.for
  // CHECK: scf.for
  %m = prune.mask %s {pattern = #prune.element, sparsity = 0.5} : tensor<4xf64>
  return %m : tensor<4xi1>
}

// Where nothing can be removed nothing is computed.
// CHECK-LABEL: func @nothing_to_remove
func.func @nothing_to_remove(%s: tensor<4xf64>) -> tensor<4xi1> {
  // CHECK: %[[ALL:.*]] = arith.constant dense<true> : tensor<4xi1>
  // CHECK: return %[[ALL]]
  %m = prune.mask %s {pattern = #prune.element, sparsity = 0.2} : tensor<4xf64>
  return %m : tensor<4xi1>
}
