// The pass looks at whole modules, and says so.
// RUN: not prune-opt %s --pass-pipeline="builtin.module(func.func(prune-fold-batch-norms))" -o %t 2>&1 | FileCheck %s
// CHECK: Can't add pass 'FoldBatchNormsPass' restricted to 'builtin.module' on a PassManager intended to run on 'func.func'
// RUN: not ls %t

func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  return %x : tensor<2xf32>
}
