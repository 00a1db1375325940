// RUN: prune-opt %s --prune-mask-weights="sparsity=0.5" --split-input-file | FileCheck %s
// RUN: prune-opt %s --prune-mask-weights="sparsity=0.5 scope=global criterion=l2" --split-input-file | FileCheck %s --check-prefix=GLOBAL
// RUN: prune-opt %s --prune-mask-weights="pattern=2:4 include=.*" --split-input-file | FileCheck %s --check-prefix=NM
// RUN: prune-opt %s --prune-mask-weights="pattern=block:2x1 count=1 exclude=^fc2" --split-input-file | FileCheck %s --check-prefix=BLOCK
// RUN: prune-opt %s --prune-mask-weights="criterion=random seed=7 threshold=0.25 include=^fc1$" --split-input-file | FileCheck %s --check-prefix=RANDOM

// Each weight is ranked alone, and the name goes along. The second weight
// reaches its contraction through a transpose; its sum runs over dimension 1.
// CHECK-LABEL: func @two_layers
// CHECK: %[[W:.*]] = arith.constant dense_resource<fc1> : tensor<4x8xf32>
// CHECK: %[[S:.*]] = prune.score %[[W]] {criterion = #prune.magnitude<l1>, weight = "fc1"} : tensor<4x8xf32> -> tensor<4x8xf64>
// CHECK: %[[M:.*]] = prune.mask %[[S]] {pattern = #prune.element, sparsity = 5.000000e-01 : f64} : tensor<4x8xf64> -> tensor<4x8xi1>
// CHECK: %[[P:.*]] = prune.apply %[[W]], %[[M]] {decision = #prune.decision<{{.*}}>, weight = "fc1"} : tensor<4x8xf32>, tensor<4x8xi1>
// CHECK: linalg.matmul ins(%{{.*}}, %[[P]] :

// A global ranking is one mask over all scores.
// GLOBAL-LABEL: func @two_layers
// GLOBAL: %[[S1:.*]] = prune.score {{.*}} {criterion = #prune.magnitude<l2>, weight = "fc1"}
// GLOBAL: %[[S2:.*]] = prune.score {{.*}} {criterion = #prune.magnitude<l2>, weight = "fc2"}
// GLOBAL-NOT: prune.mask
// GLOBAL: %[[M:.*]]:2 = prune.mask %[[S1]], %[[S2]] {pattern = #prune.element, sparsity = 5.000000e-01 : f64}
// GLOBAL: prune.apply %{{.*}}, %[[M]]#0 {decision = #prune.decision<{{.*}}>, weight = "fc1"}
// GLOBAL: prune.apply %{{.*}}, %[[M]]#1 {decision = #prune.decision<{{.*}}>, weight = "fc2"}

// N:M runs along the dimension that is summed over.
// NM-LABEL: func @two_layers
// NM: prune.mask {{.*}} {pattern = #prune.nm<2:4, 0>} : tensor<4x8xf64>
// NM: prune.mask {{.*}} {pattern = #prune.nm<2:4, 1>} : tensor<3x8xf64>

// BLOCK-LABEL: func @two_layers
// BLOCK: prune.mask {{.*}} {count = 1 : i64, pattern = #prune.block<[2, 1]>} : tensor<4x8xf64>
// BLOCK-NOT: prune.mask

// RANDOM-LABEL: func @two_layers
// RANDOM: prune.score {{.*}} {criterion = #prune.random<seed = 7>, weight = "fc1"}
// RANDOM: prune.mask {{.*}} {pattern = #prune.element, threshold = 2.500000e-01 : f64}
// RANDOM-NOT: prune.mask
func.func @two_layers(%x: tensor<1x4xf32>, %h: tensor<1x8xf32>, %o: tensor<1x3xf32>, %e: tensor<8x3xf32>) -> tensor<1x3xf32> {
  %w1 = arith.constant dense_resource<fc1> : tensor<4x8xf32>
  %w2 = arith.constant dense_resource<"fc2#3"> : tensor<3x8xf32>
  %0 = linalg.matmul ins(%x, %w1 : tensor<1x4xf32>, tensor<4x8xf32>) outs(%h : tensor<1x8xf32>) -> tensor<1x8xf32>
  %t = linalg.transpose ins(%w2 : tensor<3x8xf32>) outs(%e : tensor<8x3xf32>) permutation = [1, 0]
  %1 = linalg.matmul ins(%0, %t : tensor<1x8xf32>, tensor<8x3xf32>) outs(%o : tensor<1x3xf32>) -> tensor<1x3xf32>
  return %1 : tensor<1x3xf32>
}

{-#
  dialect_resources: {
    builtin: {
      fc1: "0x040000000000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F",
      "fc2#3": "0x040000000000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F"
    }
  }
#-}
