// RUN: prune-opt %s --prune-mask-channels="ratio=0.5 criterion=l1" --split-input-file | FileCheck %s
// RUN: prune-opt %s --prune-mask-channels="ratio=0.5 criterion=l1" --prune-fold-masks --prune-remove-channels --split-input-file | FileCheck %s --check-prefix=SHRUNK
// RUN: prune-opt %s --prune-mask-channels="ratio=0.5 criterion=l1 round-to=4" --split-input-file | FileCheck %s --check-prefix=ROUNDED

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d1)>

// The neurons' weights are scored; weights and bias get the mask; the consumer
// needs none. The bias of the output layer stays.
// CHECK-LABEL: @masks_weights_and_biases
// CHECK: %[[W:.*]] = arith.constant dense<{{.*}}> : tensor<2x4xf32>
// CHECK: %[[S:.*]] = prune.score %[[W]] {criterion = #prune.magnitude<l1>, reduce_dims = [0], weight = "weight0"} : tensor<2x4xf32> -> tensor<4xf64>
// CHECK: %[[M:.*]] = prune.mask %[[S]] {count = 2 : i64, pattern = #prune.element} : tensor<4xf64> -> tensor<4xi1>
// CHECK-DAG: prune.apply %{{.*}}, %[[M]] dims = [1] {decision = #prune.decision<{{.*}}>, weight = "weight0"} : tensor<2x4xf32>, tensor<4xi1>
// CHECK-DAG: prune.apply %{{.*}}, %[[M]] {decision = #prune.decision<{{.*}}>} : tensor<4xf32>, tensor<4xi1>
// CHECK-NOT: prune.apply
// CHECK: return
// SHRUNK-LABEL: @masks_weights_and_biases
// SHRUNK-DAG: arith.constant dense_resource<"weight0#2"> : tensor<2x2xf32>
// SHRUNK-DAG: arith.constant dense_resource<"weight#2"> : tensor<2xf32>
// SHRUNK-DAG: arith.constant dense<{{\[\[}}3.000000e+00], [4.000000e+00]]> : tensor<2x1xf32>
// SHRUNK: return
// SHRUNK-DAG: "weight#2": "0x400000000000E04000000041"
// SHRUNK-DAG: "weight0#2": "0x40000000000040C0000080400000404000008040"
// ROUNDED-LABEL: @masks_weights_and_biases
// ROUNDED-NOT: prune.mask
// ROUNDED: return
func.func @masks_weights_and_biases(%x: tensor<1x2xf32>) -> tensor<1x1xf32> {
  %w1 = arith.constant dense<[[1.0, 2.0, -3.0, 4.0], [1.0, 2.0, 3.0, 4.0]]> : tensor<2x4xf32>
  %b1 = arith.constant dense<[5.0, 6.0, 7.0, 8.0]> : tensor<4xf32>
  %w2 = arith.constant dense<[[1.0], [2.0], [3.0], [4.0]]> : tensor<4x1xf32>
  %z1 = arith.constant dense<0.0> : tensor<1x4xf32>
  %z2 = arith.constant dense<0.0> : tensor<1x1xf32>
  %h = linalg.matmul ins(%x, %w1 : tensor<1x2xf32>, tensor<2x4xf32>) outs(%z1 : tensor<1x4xf32>) -> tensor<1x4xf32>
  %r = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
    ins(%h, %b1 : tensor<1x4xf32>, tensor<4xf32>) outs(%z1 : tensor<1x4xf32>) {
    ^bb0(%v: f32, %b: f32, %o: f32):
      %s = arith.addf %v, %b : f32
      linalg.yield %s : f32
    } -> tensor<1x4xf32>
  %y = linalg.matmul ins(%r, %w2 : tensor<1x4xf32>, tensor<4x1xf32>) outs(%z2 : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

// Both branches of a residual sum produce the channels: their scores add up,
// and one mask serves both.
// CHECK-LABEL: @adds_the_scores_of_a_residual_sum
// CHECK: %[[S0:.*]] = prune.score %{{.*}} {{.*}}weight = "weight0"
// CHECK: %[[S1:.*]] = prune.score %{{.*}} {{.*}}weight = "weight1"
// CHECK: %[[SUM:.*]] = arith.addf %[[S0]], %[[S1]] : tensor<2xf64>
// CHECK: %[[M:.*]] = prune.mask %[[SUM]] {count = 1 : i64
// CHECK-DAG: prune.apply %{{.*}}, %[[M]] dims = [1] {decision = #prune.decision<{{.*}}>, weight = "weight0"}
// CHECK-DAG: prune.apply %{{.*}}, %[[M]] dims = [1] {decision = #prune.decision<{{.*}}>, weight = "weight1"}
// SHRUNK-LABEL: @adds_the_scores_of_a_residual_sum
// SHRUNK-COUNT-2: linalg.matmul {{.*}} -> tensor<1x1xf32>
func.func @adds_the_scores_of_a_residual_sum(%x: tensor<1x2xf32>) -> tensor<1x1xf32> {
  %w1 = arith.constant dense<[[1.0, 2.0], [1.0, 2.0]]> : tensor<2x2xf32>
  %w2 = arith.constant dense<[[5.0, 1.0], [5.0, 1.0]]> : tensor<2x2xf32>
  %w3 = arith.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32>
  %z = arith.constant dense<0.0> : tensor<1x2xf32>
  %z3 = arith.constant dense<0.0> : tensor<1x1xf32>
  %a = linalg.matmul ins(%x, %w1 : tensor<1x2xf32>, tensor<2x2xf32>) outs(%z : tensor<1x2xf32>) -> tensor<1x2xf32>
  %b = linalg.matmul ins(%x, %w2 : tensor<1x2xf32>, tensor<2x2xf32>) outs(%z : tensor<1x2xf32>) -> tensor<1x2xf32>
  %s = arith.addf %a, %b : tensor<1x2xf32>
  %y = linalg.matmul ins(%s, %w3 : tensor<1x2xf32>, tensor<2x1xf32>) outs(%z3 : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

// A head is scored and removed as a block of columns.
// CHECK-LABEL: @masks_heads_as_blocks
// CHECK: prune.mask %{{.*}} {count = 1 : i64, pattern = #prune.block<[3]>} : tensor<6xf64> -> tensor<6xi1>
// SHRUNK-LABEL: @masks_heads_as_blocks
// SHRUNK: linalg.matmul {{.*}} -> tensor<5x3xf32>
// SHRUNK: tensor.expand_shape {{.*}} output_shape [5, 1, 3] : tensor<5x3xf32> into tensor<5x1x3xf32>
func.func @masks_heads_as_blocks(%x: tensor<5x1xf32>) -> tensor<5x1xf32> {
  %v = arith.constant dense<[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]]> : tensor<1x6xf32>
  %o = arith.constant dense<[[[1.0], [2.0], [3.0]], [[4.0], [5.0], [6.0]]]> : tensor<2x3x1xf32>
  %z1 = arith.constant dense<0.0> : tensor<5x6xf32>
  %z2 = arith.constant dense<0.0> : tensor<5x1xf32>
  %a = linalg.matmul ins(%x, %v : tensor<5x1xf32>, tensor<1x6xf32>) outs(%z1 : tensor<5x6xf32>) -> tensor<5x6xf32>
  %e = tensor.expand_shape %a [[0], [1, 2]] output_shape [5, 2, 3] : tensor<5x6xf32> into tensor<5x2x3xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(t, f, h, e) -> (t, h, e)>, affine_map<(t, f, h, e) -> (h, e, f)>, affine_map<(t, f, h, e) -> (t, f)>], iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
    ins(%e, %o : tensor<5x2x3xf32>, tensor<2x3x1xf32>) outs(%z2 : tensor<5x1xf32>) {
    ^bb0(%p: f32, %q: f32, %s: f32):
      %m = arith.mulf %p, %q : f32
      %n = arith.addf %s, %m : f32
      linalg.yield %n : f32
    } -> tensor<5x1xf32>
  return %y : tensor<5x1xf32>
}
