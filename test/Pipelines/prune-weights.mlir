// RUN: prune-opt %s --prune-weights="sparsity=0.5" | FileCheck %s
// RUN: prune-opt %s --prune-weights="pattern=block:2x1 targets=weight0:1" | FileCheck %s --check-prefix=ALL
// Pruning twice equals pruning once, byte for byte.
// RUN: prune-opt %s --prune-weights="sparsity=0.5" -o %t.once
// RUN: prune-opt %t.once --prune-weights="sparsity=0.5" -o %t.twice
// RUN: cmp %t.once %t.twice

// CHECK-LABEL: func @main
// CHECK-NOT: prune.
// CHECK: arith.constant dense_resource<"weight0#1"> : tensor<2x2xf32>
// CHECK: "weight0#1": "0x40000000000000000000000000004040000080C0"
// ALL: "weight0#1": "0x4000000000000000000000000000000000000000"

// The pipeline is for modules.
// RUN: not prune-opt %s --pass-pipeline='builtin.module(func.func(prune-weights{sparsity=0.5}))' 2>&1 | FileCheck %s --check-prefix=NESTED
// NESTED: is a pipeline for builtin.module, not for func.func

func.func @main(%x: tensor<1x2xf32>, %o: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, -4.0]]> : tensor<2x2xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<1x2xf32>, tensor<2x2xf32>) outs(%o : tensor<1x2xf32>) -> tensor<1x2xf32>
  return %0 : tensor<1x2xf32>
}
