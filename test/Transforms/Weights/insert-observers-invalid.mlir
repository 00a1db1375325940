// RUN: not prune-opt %s --prune-insert-observers="what=mean,median" 2>&1 | FileCheck %s --check-prefix=WHAT
// RUN: not prune-opt %s --prune-insert-observers="include=^fc9" 2>&1 | FileCheck %s --check-prefix=INCLUDE
// RUN: prune-opt %s --prune-insert-observers="exclude=weight" 2>&1 | FileCheck %s --check-prefix=ALONE

// WHAT: error: prune-insert-observers: option 'what' knows no statistic 'median'; known are count, mean, second_moment, min, max, zeros, input_norm, gram
// INCLUDE: error: prune-insert-observers: option 'include': '^fc9' matches no weight; the weights are 'weight0'
// ALONE: warning: prune-insert-observers: nothing was observed
// ALONE: note: left alone once: matched by exclude ('weight0')
func.func @main(%x: tensor<1x2xf32>, %o: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %y = linalg.matmul ins(%x, %w : tensor<1x2xf32>, tensor<2x2xf32>) outs(%o : tensor<1x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}
