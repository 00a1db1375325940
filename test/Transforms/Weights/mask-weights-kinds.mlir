// RUN: prune-opt %s --prune-mask-weights="sparsity=0.5 min-size=0" --split-input-file | FileCheck %s

// What counts as a contraction is decided by the body and the indexing maps.

// CHECK-LABEL: func @generic_contraction
func.func @generic_contraction(%x: tensor<5x4xf32>, %o: tensor<5x3xf32>) -> tensor<5x3xf32> {
  %w = arith.constant dense<1.0> : tensor<3x4xf32>
  // CHECK: prune.apply
  %0 = linalg.generic {
    indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>],
    iterator_types = ["parallel", "parallel", "reduction"]
  } ins(%x, %w : tensor<5x4xf32>, tensor<3x4xf32>) outs(%o : tensor<5x3xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  } -> tensor<5x3xf32>
  return %0 : tensor<5x3xf32>
}

// -----

// The weight may be the left operand.
// CHECK-LABEL: func @weight_on_the_left
func.func @weight_on_the_left(%x: tensor<4x5xf32>, %o: tensor<3x5xf32>) -> tensor<3x5xf32> {
  %w = arith.constant dense<1.0> : tensor<3x4xf32>
  // CHECK: %[[P:.*]] = prune.apply
  // CHECK: linalg.matmul ins(%[[P]],
  %0 = linalg.matmul ins(%w, %x : tensor<3x4xf32>, tensor<4x5xf32>) outs(%o : tensor<3x5xf32>) -> tensor<3x5xf32>
  return %0 : tensor<3x5xf32>
}

// -----

// CHECK-LABEL: func @convolution_behind_reshape
func.func @convolution_behind_reshape(%x: tensor<1x2x5x5xf32>, %o: tensor<1x3x3x3xf32>) -> tensor<1x3x3x3xf32> {
  %w = arith.constant dense<1.0> : tensor<3x18xf32>
  // CHECK: prune.apply %{{.*}} : tensor<3x18xf32>
  %k = tensor.expand_shape %w [[0], [1, 2, 3]] output_shape [3, 2, 3, 3] : tensor<3x18xf32> into tensor<3x2x3x3xf32>
  %0 = linalg.conv_2d_nchw_fchw ins(%x, %k : tensor<1x2x5x5xf32>, tensor<3x2x3x3xf32>) outs(%o : tensor<1x3x3x3xf32>) -> tensor<1x3x3x3xf32>
  return %0 : tensor<1x3x3x3xf32>
}

// -----

// Half-precision weights that are widened, and broadcast over a batch.
// CHECK-LABEL: func @cast_and_broadcast
func.func @cast_and_broadcast(%x: tensor<2x5x4xf32>, %o: tensor<2x5x3xf32>, %e: tensor<2x4x3xf32>) -> tensor<2x5x3xf32> {
  %w = arith.constant dense<1.0> : tensor<4x3xbf16>
  // CHECK: prune.apply %{{.*}} : tensor<4x3xbf16>
  %f = arith.extf %w : tensor<4x3xbf16> to tensor<4x3xf32>
  %b = linalg.broadcast ins(%f : tensor<4x3xf32>) outs(%e : tensor<2x4x3xf32>) dimensions = [0]
  %0 = linalg.batch_matmul ins(%x, %b : tensor<2x5x4xf32>, tensor<2x4x3xf32>) outs(%o : tensor<2x5x3xf32>) -> tensor<2x5x3xf32>
  return %0 : tensor<2x5x3xf32>
}

// -----

// One constant, two contractions: one weight, one mask.
// CHECK-LABEL: func @shared_weight
func.func @shared_weight(%x: tensor<5x4xf32>, %o: tensor<5x4xf32>) -> tensor<5x4xf32> {
  %w = arith.constant dense<1.0> : tensor<4x4xf32>
  // CHECK: %[[P:.*]] = prune.apply
  // CHECK-NOT: prune.apply
  // CHECK: linalg.matmul ins(%{{.*}}, %[[P]] :
  // CHECK: linalg.matmul ins(%{{.*}}, %[[P]] :
  %0 = linalg.matmul ins(%x, %w : tensor<5x4xf32>, tensor<4x4xf32>) outs(%o : tensor<5x4xf32>) -> tensor<5x4xf32>
  %1 = linalg.matmul ins(%0, %w : tensor<5x4xf32>, tensor<4x4xf32>) outs(%o : tensor<5x4xf32>) -> tensor<5x4xf32>
  return %1 : tensor<5x4xf32>
}

// -----

// The same resource in two functions is one weight; in a global ranking it
// counts once.
// CHECK-LABEL: func @resource_a
func.func @resource_a(%x: tensor<1x1xf32>, %o: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = arith.constant dense_resource<tied> : tensor<1x2xf32>
  // CHECK: prune.apply
  %0 = linalg.matmul ins(%x, %w : tensor<1x1xf32>, tensor<1x2xf32>) outs(%o : tensor<1x2xf32>) -> tensor<1x2xf32>
  return %0 : tensor<1x2xf32>
}
// CHECK-LABEL: func @resource_b
func.func @resource_b(%x: tensor<1x1xf32>, %o: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = arith.constant dense_resource<tied> : tensor<1x2xf32>
  // CHECK: prune.apply
  %0 = linalg.matmul ins(%x, %w : tensor<1x1xf32>, tensor<1x2xf32>) outs(%o : tensor<1x2xf32>) -> tensor<1x2xf32>
  return %0 : tensor<1x2xf32>
}

{-#
  dialect_resources: {
    builtin: {
      tied: "0x040000000000803F00000040"
    }
  }
#-}

// -----

// Elementwise products, pooling windows and biases are no weights.
// CHECK-LABEL: func @not_weights
// CHECK-NOT: prune.
func.func @not_weights(%x: tensor<1x1x4x4xf32>, %o: tensor<1x1x3x3xf32>, %w: tensor<3x3xf32>) -> tensor<1x1x3x3xf32> {
  %window = arith.constant dense<1.0> : tensor<2x2xf32>
  %scale = arith.constant dense<2.0> : tensor<1x1x3x3xf32>
  %0 = linalg.pooling_nchw_sum ins(%x, %window : tensor<1x1x4x4xf32>, tensor<2x2xf32>) outs(%o : tensor<1x1x3x3xf32>) -> tensor<1x1x3x3xf32>
  %1 = arith.mulf %0, %scale : tensor<1x1x3x3xf32>
  return %1 : tensor<1x1x3x3xf32>
}
