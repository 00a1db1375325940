// RUN: split-file %s %t
// RUN: not prune-opt %t/net.mlir --prune-mask-channels=ratio=1.5 2>&1 | FileCheck %s --check-prefix=RATIO
// RUN: not prune-opt %t/net.mlir --prune-mask-channels=max-ratio=-1 2>&1 | FileCheck %s --check-prefix=MAX
// RUN: not prune-opt %t/net.mlir --prune-mask-channels=min-channels=0 2>&1 | FileCheck %s --check-prefix=MIN
// RUN: not prune-opt %t/net.mlir --prune-mask-channels=round-to=0 2>&1 | FileCheck %s --check-prefix=ROUND
// RUN: not prune-opt %t/net.mlir --prune-mask-channels=scope=all 2>&1 | FileCheck %s --check-prefix=SCOPE
// RUN: not prune-opt %t/net.mlir --prune-mask-channels=granularity=layer 2>&1 | FileCheck %s --check-prefix=GRANULARITY
// RUN: not prune-opt %t/net.mlir --prune-mask-channels="granularity=head reshape=inner" 2>&1 | FileCheck %s --check-prefix=INNER
// RUN: not prune-opt %t/net.mlir --prune-mask-channels="merge merge-threshold=nan" 2>&1 | FileCheck %s --check-prefix=COSINE
// RUN: not prune-opt %t/net.mlir --prune-mask-channels="ratio=0.5 granularity=block" 2>&1 | FileCheck %s --check-prefix=NOBLOCK
// RUN: not prune-opt %t/net.mlir --prune-mask-channels="granularity=block merge" 2>&1 | FileCheck %s --check-prefix=MERGEBLOCK
// RUN: not prune-opt %t/net.mlir --prune-mask-channels="granularity=block targets=weight0:0.5" 2>&1 | FileCheck %s --check-prefix=TARGETBLOCK
// RUN: not prune-opt %t/net.mlir --prune-mask-channels="granularity=block criterion=scale" 2>&1 | FileCheck %s --check-prefix=SCALEBLOCK
// RUN: not prune-opt %t/net.mlir --prune-mask-channels=ratio=nan 2>&1 | FileCheck %s --check-prefix=RATIONAN
// RUN: not prune-opt %t/net.mlir --prune-mask-channels=criterion=most 2>&1 | FileCheck %s --check-prefix=CRITERION
// RUN: not prune-opt %t/net.mlir --prune-mask-channels=reshape=both 2>&1 | FileCheck %s --check-prefix=RESHAPE
// RUN: not prune-opt %t/net.mlir --prune-print-channel-groups=reshape=both 2>&1 | FileCheck %s --check-prefix=RESHAPE
// RUN: not prune-opt %t/net.mlir --prune-mask-channels="ratio=0.5 include=conv" 2>&1 | FileCheck %s --check-prefix=INCLUDE
// RUN: not prune-opt %t/net.mlir --prune-mask-channels=targets=weight0:2 2>&1 | FileCheck %s --check-prefix=TARGET
// RUN: not prune-opt %t/net.mlir --prune-mask-channels=ratio=1 2>&1 | FileCheck %s --check-prefix=EMPTY
// RUN: not prune-opt %t/net.mlir --prune-mask-channels="ratio=1 scope=global" 2>&1 | FileCheck %s --check-prefix=GLOBAL
// RUN: not prune-opt %t/nan.mlir --prune-mask-channels=ratio=0.5 2>&1 | FileCheck %s --check-prefix=NAN

// RATIO: error: prune-mask-channels: option 'ratio' expects a number in [0, 1] but got 1.5
// MAX: error: prune-mask-channels: option 'max-ratio' expects a number in [0, 1] but got -1
// MIN: error: prune-mask-channels: option 'min-channels' expects at least 1 but got 0
// ROUND: error: prune-mask-channels: option 'round-to' expects at least 1 but got 0
// SCOPE: error: prune-mask-channels: option 'scope' expects local, global or isomorphic but got 'all'
// GRANULARITY: error: prune-mask-channels: option 'granularity' expects channel, head or block but got 'layer'
// INNER: error: prune-mask-channels: option 'reshape': inner removes features within each head; with granularity=head use outer
// COSINE: error: prune-mask-channels: option 'merge-threshold' expects a cosine in [-1, 1] but got nan
// NOBLOCK: error: prune-mask-channels: option 'granularity': there is no residual sum with a branch that could be removed; use channel
// MERGEBLOCK: error: prune-mask-channels: option 'merge' folds channels; it does not go with granularity=block
// TARGETBLOCK: error: prune-mask-channels: option 'targets' gives ratios of channel groups; with granularity=block use include and exclude
// SCALEBLOCK: error: prune-mask-channels: option 'criterion': scale scores channels; with granularity=block use l1, l2 or random
// RATIONAN: error: prune-mask-channels: option 'ratio' expects a number in [0, 1] but got nan
// CRITERION: 'most'
// RESHAPE: option 'reshape' expects outer or inner but got 'both'
// INCLUDE: error: prune-mask-channels: option 'include': 'conv' matches no weight; the weights are 'weight0' 'weight1'
// TARGET: error: prune-mask-channels: option 'targets' expects a number in [0, 1] but got '2'
// EMPTY: error: prune-mask-channels: a ratio of 1 would remove all 2 channels of group 'weight0'; at most 1 can go
// GLOBAL: error: prune-mask-channels: option 'ratio': 1 would remove all channels
// NAN: error: prune-mask-channels: a weight of group 'weight0' has a NaN; repair it, or leave the group out with exclude

//--- net.mlir
func.func @net(%x: tensor<1x2xf32>) -> tensor<1x1xf32> {
  %w1 = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %w2 = arith.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32>
  %z1 = arith.constant dense<0.0> : tensor<1x2xf32>
  %z2 = arith.constant dense<0.0> : tensor<1x1xf32>
  %h = linalg.matmul ins(%x, %w1 : tensor<1x2xf32>, tensor<2x2xf32>) outs(%z1 : tensor<1x2xf32>) -> tensor<1x2xf32>
  %y = linalg.matmul ins(%h, %w2 : tensor<1x2xf32>, tensor<2x1xf32>) outs(%z2 : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

//--- nan.mlir
func.func @net(%x: tensor<1x2xf32>) -> tensor<1x1xf32> {
  %w1 = arith.constant dense<[[1.0, 0x7FC00000], [3.0, 4.0]]> : tensor<2x2xf32>
  %w2 = arith.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32>
  %z1 = arith.constant dense<0.0> : tensor<1x2xf32>
  %z2 = arith.constant dense<0.0> : tensor<1x1xf32>
  %h = linalg.matmul ins(%x, %w1 : tensor<1x2xf32>, tensor<2x2xf32>) outs(%z1 : tensor<1x2xf32>) -> tensor<1x2xf32>
  %y = linalg.matmul ins(%h, %w2 : tensor<1x2xf32>, tensor<2x1xf32>) outs(%z2 : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}
