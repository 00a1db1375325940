// Where nothing is pruned, a warning says why, and how often. The exit code is 0.

// RUN: prune-opt %s --prune-mask-weights="sparsity=0.5 min-size=100" -o %t 2>&1 | FileCheck %s --check-prefix=SIZE
// RUN: prune-opt %s --prune-mask-weights="sparsity=0.1" -o %t 2>&1 | FileCheck %s --check-prefix=ROUND
// RUN: prune-opt %s --prune-mask-weights="sparsity=0.03 scope=global" -o %t 2>&1 | FileCheck %s --check-prefix=ROUND
// RUN: prune-opt %s --prune-mask-weights="sparsity=0.1 scope=global" -o %t 2>&1 | FileCheck %s --check-prefix=QUIET --allow-empty
// RUN: prune-opt %s --prune-mask-weights="sparsity=0" -o %t 2>&1 | FileCheck %s --check-prefix=ZERO
// RUN: prune-opt %s --prune-mask-weights="count=0" -o %t 2>&1 | FileCheck %s --check-prefix=COUNT
// RUN: prune-opt %s --prune-mask-weights="sparsity=0.1" --remarks-filter=prune-mask-weights -o %t 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: prune-opt %s --prune-weights="sparsity=0.1" --prune-report-weights -o /dev/null 2>/dev/null | FileCheck %s --check-prefix=REPORT
// RUN: prune-opt %s --prune-mask-weights="pattern=block:3x1 sparsity=0.5" -o %t 2>&1 | FileCheck %s --check-prefix=BLOCK
// RUN: prune-opt %s --prune-lower-to-llvm --prune-mask-weights=sparsity=0.5 -o %t 2>&1 | FileCheck %s --check-prefix=LOWERED
// RUN: prune-opt %s --prune-pack-weights --prune-mask-weights=sparsity=0.5 -o %t 2>&1 | FileCheck %s --check-prefix=PACKED
// RUN: prune-opt %s --prune-mask-weights=sparsity=0.5 --prune-mask-weights=sparsity=0.5 -o %t 2>&1 | FileCheck %s --check-prefix=MASKED
// RUN: echo 'module {}' | prune-opt --prune-weights=sparsity=0.5 2>&1 | FileCheck %s --check-prefix=EMPTY

//      SIZE: warning: prune-mask-weights: nothing was pruned
//      SIZE: note: left alone 2 times: has fewer elements than min-size; give a smaller one, or name it with include or targets ('weight0', 'weight1')
// 1 of 8 is not to be had at a tenth, nor of 16 together at 3 in 100.
//      ROUND: warning: prune-mask-weights: nothing was pruned
//      ROUND: note: left alone 2 times: its sparsity rounds to 0 units; give more, or use scope=global ('weight0', 'weight1')
// QUIET-NOT: warning
//      ZERO: note: left alone 2 times: a sparsity of 0 removes nothing; give more
//      COUNT: note: left alone 2 times: a count of 0 removes nothing; give more
//      REMARK: [Missed] LeftAlone | Category:prune-mask-weights | Reason="a sparsity of 0.1 of 8 units rounds to 0", Weight=weight0
//      REPORT: not pruned: weight0 ({{.*}}): a sparsity of 0.1 of 8 units rounds to 0
//      BLOCK: note: left alone 2 times: pattern block:3x1 does not divide its shape; name it with include or targets to prune it
//      LOWERED: warning: prune-mask-weights: nothing was pruned: the module is lowered to buffers or LLVM already; prune it before that
//      PACKED: warning: prune-mask-weights: nothing was pruned: the weights are packed already; prune them before that
//      MASKED: note: left alone 2 times: its weight has a mask already; fold it with prune-fold-masks first
//      EMPTY: warning: prune-mask-weights: nothing was pruned: the module has no contraction or convolution

func.func @main(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]> : tensor<2x4xf32>
  %v = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]> : tensor<4x2xf32>
  %z = arith.constant dense<0.0> : tensor<4x4xf32>
  %z2 = arith.constant dense<0.0> : tensor<4x2xf32>
  %h = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x4xf32>) outs(%z : tensor<4x4xf32>) -> tensor<4x4xf32>
  %y = linalg.matmul ins(%h, %v : tensor<4x4xf32>, tensor<4x2xf32>) outs(%z2 : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}
