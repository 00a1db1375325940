// A module that was printed without its data can be looked at: weights listed,
// groups printed, decisions written down. What computes with it is refused.

// RUN: prune-opt %s --prune-report-weights -o /dev/null | FileCheck %s --check-prefix=REPORT
// RUN: prune-opt %s --prune-print-channel-groups -o %t 2>&1 | FileCheck %s --check-prefix=GROUPS
// RUN: prune-opt %s --prune-mask-weights=sparsity=0.5 | FileCheck %s --check-prefix=MASK
// RUN: prune-opt %s --prune-prepare -o %t.prepared && prune-opt %t.prepared -o /dev/null

// RUN: not prune-opt %s --prune-weights=sparsity=0.5 -o %t.out 2>&1 | FileCheck %s --check-prefix=ERROR
// RUN: not prune-opt %s --prune-mask-channels=ratio=0.5 -o %t.out 2>&1 | FileCheck %s --check-prefix=ERROR
// RUN: not prune-opt %s --prune-remove-channels -o %t.out 2>&1 | FileCheck %s --check-prefix=ERROR
// RUN: not prune-opt %s --prune-fold-batch-norms -o %t.out 2>&1 | FileCheck %s --check-prefix=ERROR
// RUN: not prune-opt %s --prune-pack-weights -o %t.out 2>&1 | FileCheck %s --check-prefix=ERROR
// RUN: not prune-opt %s --prune-sparsify-weights -o %t.out 2>&1 | FileCheck %s --check-prefix=ERROR
// RUN: not prune-opt %s --prune-lower-to-llvm -o %t.out 2>&1 | FileCheck %s --check-prefix=ERROR
// RUN: not prune-opt %s --prune-verify-resources -o %t.out 2>&1 | FileCheck %s --check-prefix=ERROR
// RUN: not prune-run %s 2>&1 | FileCheck %s --check-prefix=ERROR
// RUN: not ls %t.out

// Two constants without data are two weights; all of their elements may count.
// REPORT: {{^weight0 +2x4xf32 +8 +8 +0.00% +- +- +- +- +- +- +elided +32 +32$}}
// REPORT: {{^weight1 +4x2xf32 +8 +8 +0.00% +- +- +- +- +- +- +elided +32 +32$}}
// GROUPS: remark: channel group 'weight0': 4 channels, free; on weight0[1]
// MASK: prune.apply %{{.*}} {decision = #prune.decision<{{.*}}>, weight = "weight0"}
// MASK: prune.apply %{{.*}} {decision = #prune.decision<{{.*}}>, weight = "weight1"}
// ERROR: elided-constants.mlir:{{[0-9]+}}:{{[0-9]+}}: error: its data was left out when the module was printed (dense_resource<__elided__>): weights can be listed and channel groups printed, but nothing computed; print it without an option that elides elements or resources, or write bytecode

func.func @main(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %w = arith.constant dense_resource<__elided__> : tensor<2x4xf32>
  %v = arith.constant dense_resource<__elided__> : tensor<4x2xf32>
  %z = arith.constant dense<0.0> : tensor<4x4xf32>
  %z2 = arith.constant dense<0.0> : tensor<4x2xf32>
  %h = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x4xf32>) outs(%z : tensor<4x4xf32>) -> tensor<4x4xf32>
  %y = linalg.matmul ins(%h, %v : tensor<4x4xf32>, tensor<4x2xf32>) outs(%z2 : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}
