// RUN: prune-opt %s --prune-pack-weights --remarks-filter="prune-pack-weights" 2>&1 | FileCheck %s
// RUN: prune-opt %s --prune-pack-weights="form=elements lanes=columns" --remarks-filter="prune-pack-weights" 2>&1 | FileCheck %s --check-prefix=FORCED

// What was chosen, and what the dense kernel would cost.
// CHECK-DAG: Packed |{{.*}}Cycles={{[0-9]+}}, DenseCycles={{[0-9]+}}, Form=blocks, Nonzeros=8, Weight=weight0
// FORCED: NotPacked |{{.*}}no kernel is as the options ask for
func.func @packed(%x: tensor<64x8xf32>, %init: tensor<64x4xf32>) -> tensor<64x4xf32> {
  %w = arith.constant dense<[[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0],
                             [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]> : tensor<8x4xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<64x8xf32>, tensor<8x4xf32>) outs(%init : tensor<64x4xf32>) -> tensor<64x4xf32>
  return %0 : tensor<64x4xf32>
}

// CHECK-DAG: NotPacked |{{.*}}its sums are neither f32 nor f64; prune-widen-sums makes them so
func.func @half(%x: tensor<64x8xf16>, %init: tensor<64x4xf16>) -> tensor<64x4xf16> {
  %w = arith.constant dense<1.0> : tensor<8x4xf16>
  %0 = linalg.matmul ins(%x, %w : tensor<64x8xf16>, tensor<8x4xf16>) outs(%init : tensor<64x4xf16>) -> tensor<64x4xf16>
  return %0 : tensor<64x4xf16>
}
