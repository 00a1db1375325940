// Where nothing leaves, a warning says why.
// RUN: prune-opt %s --prune-remove-channels -o %t 2>&1 | FileCheck %s --check-prefix=LIVE
// RUN: prune-opt %s --prune-mask-channels="ratio=0.5" --prune-remove-channels -o %t 2>&1 | FileCheck %s --check-prefix=MASKED
// RUN: prune-opt %s --prune-mask-channels="ratio=0.5" --prune-fold-masks --prune-remove-channels -o %t 2>&1 | FileCheck %s --check-prefix=DONE --allow-empty
// RUN: prune-opt %s --prune-lower-to-llvm --prune-remove-channels -o %t 2>&1 | FileCheck %s --check-prefix=LOWERED

// LIVE: warning: prune-remove-channels: nothing was removed: the outputs may depend on every channel; mask some with prune-mask-channels, and fold the masks
// MASKED: warning: prune-remove-channels: nothing was removed
// MASKED: note: left alone 2 times: its mask is not folded; run prune-fold-masks before ('fc1', 'bias')
// DONE-NOT: warning
// LOWERED: warning: prune-remove-channels: nothing was removed: the module is lowered to buffers or LLVM already
func.func @net(%x: tensor<1x1xf32>) -> tensor<1x1xf32> {
  %fc1 = arith.constant dense_resource<fc1> : tensor<1x4xf32>
  %bias = arith.constant dense_resource<bias> : tensor<1x4xf32>
  %fc3 = arith.constant dense_resource<fc3> : tensor<4x1xf32>
  %z = arith.constant dense<0.0> : tensor<1x4xf32>
  %z1 = arith.constant dense<0.0> : tensor<1x1xf32>
  %a = linalg.matmul ins(%x, %fc1 : tensor<1x1xf32>, tensor<1x4xf32>) outs(%z : tensor<1x4xf32>) -> tensor<1x4xf32>
  %b = linalg.add ins(%a, %bias : tensor<1x4xf32>, tensor<1x4xf32>) outs(%z : tensor<1x4xf32>) -> tensor<1x4xf32>
  %c = linalg.matmul ins(%b, %fc3 : tensor<1x4xf32>, tensor<4x1xf32>) outs(%z1 : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %c : tensor<1x1xf32>
}
{-#
  dialect_resources: { builtin: {
    fc1: "0x0400000000008040000080400000803F0000803F",
    bias: "0x0400000000008040000080400000803F0000803F",
    fc3: "0x040000000000803F0000803F0000803F0000803F"
  } }
#-}
