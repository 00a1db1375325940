// A weight that is used as W and as its transpose is summed over along both
// dimensions; 2:4 runs along one, and the warning says which use that serves.
// RUN: prune-opt %s --prune-mask-weights=pattern=2:4 --split-input-file --verify-diagnostics
// RUN: prune-opt %s --prune-mask-weights=pattern=2:4 --split-input-file 2>/dev/null | FileCheck %s
// RUN: prune-opt %s --prune-mask-weights=pattern=2:4@1 --split-input-file 2>&1 | FileCheck %s --check-prefix=OTHER

// CHECK-LABEL: func.func @tied
// CHECK: #prune.nm<2:4, 0>
// OTHER: warning: prune-mask-weights: weight 'tied' is summed over along several dimensions; 2:4@1 along dimension 1 serves some uses only
// OTHER: note: this use is not; pattern=2:4@0 would serve it instead
func.func @tied(%x: tensor<3x4xf32>, %o: tensor<3x4xf32>) -> (tensor<3x4xf32>, tensor<3x4xf32>) {
  // expected-warning @below {{prune-mask-weights: weight 'tied' is summed over along several dimensions; 2:4 along dimension 0 serves some uses only}}
  %w = arith.constant dense_resource<tied> : tensor<4x4xf32>
  %e = tensor.empty() : tensor<4x4xf32>
  %t = linalg.transpose ins(%w : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) permutation = [1, 0]
  // expected-note @below {{this use is served}}
  %0 = linalg.matmul ins(%x, %w : tensor<3x4xf32>, tensor<4x4xf32>) outs(%o : tensor<3x4xf32>) -> tensor<3x4xf32>
  // expected-note @below {{this use is not; pattern=2:4@1 would serve it instead}}
  %1 = linalg.matmul ins(%x, %t : tensor<3x4xf32>, tensor<4x4xf32>) outs(%o : tensor<3x4xf32>) -> tensor<3x4xf32>
  return %0, %1 : tensor<3x4xf32>, tensor<3x4xf32>
}
{-#
dialect_resources: { builtin: { tied: "0x040000000000803F000000400000404000008040000080400000803F00000040000040400000803F00000040000040400000803F0000803F000000400000404000008040" } }
#-}
