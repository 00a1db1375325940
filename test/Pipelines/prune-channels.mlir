// The pipeline is the passes that it says, one by one.
// RUN: prune-opt %s --prune-channels="ratio=0.5 criterion=l1" -o %t.one 2>&1 | count 0
// RUN: prune-opt %s --prune-prepare --prune-mask-channels="ratio=0.5 criterion=l1" --prune-fold-masks=quiet \
// RUN:   --prune-remove-channels --prune-fold-batch-norms=quiet --canonicalize -o %t.many
// RUN: diff %t.one %t.many
// RUN: FileCheck %s --input-file=%t.one

// Every option reaches its pass.
// RUN: prune-opt %s --prune-channels="targets=weight0:0.25 min-channels=3 criterion=random seed=3" | FileCheck %s --check-prefix=THREE
// RUN: not prune-opt %s --prune-channels="ratio=2" 2>&1 | FileCheck %s --check-prefix=RATIO
// RUN: not prune-opt %s --prune-channels="export-safe=true" 2>&1 | FileCheck %s --check-prefix=SAFE
// RUN: not prune-opt %s --prune-channels="granularity=house" 2>&1 | FileCheck %s --check-prefix=UNIT
// RUN: prune-opt %s --prune-channels="ratio=0.5 exclude=weight0" 2>&1 | FileCheck %s --check-prefix=NONE
// RATIO: prune-mask-channels: option 'ratio' expects a number in [0, 1]
// SAFE: option 'export-safe': the module has no 'prune.onnx'
// UNIT: prune-mask-channels: option 'granularity'
// NONE-NOT: prune.kept

// Half of the four neurons leave, those of the smaller weights.
// CHECK: module attributes {prune.kept = {"weight0#2" = [unit, array<i64: 1, 3>], "weight1#1" = [array<i64: 1, 3>, unit]}
// CHECK: arith.constant dense_resource<"weight0#{{[0-9]+}}"> : tensor<2x2xf32>
// CHECK: arith.constant dense_resource<"weight1#{{[0-9]+}}"> : tensor<2x3xf32>
// THREE: dense_resource<"weight0#{{[0-9]+}}"> : tensor<2x3xf32>
func.func @main(%x: tensor<1x2xf32>) -> tensor<1x3xf32> {
  %w0 = arith.constant dense<[[1.0, 20.0, 3.0, 40.0], [1.0, 20.0, 3.0, 40.0]]> : tensor<2x4xf32>
  %w1 = arith.constant dense<1.0> : tensor<4x3xf32>
  %z0 = arith.constant dense<0.0> : tensor<1x4xf32>
  %z1 = arith.constant dense<0.0> : tensor<1x3xf32>
  %h = linalg.matmul ins(%x, %w0 : tensor<1x2xf32>, tensor<2x4xf32>) outs(%z0 : tensor<1x4xf32>) -> tensor<1x4xf32>
  %y = linalg.matmul ins(%h, %w1 : tensor<1x4xf32>, tensor<4x3xf32>) outs(%z1 : tensor<1x3xf32>) -> tensor<1x3xf32>
  return %y : tensor<1x3xf32>
}
