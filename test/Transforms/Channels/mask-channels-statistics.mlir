// RUN: prune-opt %s --prune-mask-channels="ratio=0.34 criterion=mean-activation" | FileCheck %s --check-prefix=MEAN
// RUN: prune-opt %s --prune-mask-channels="ratio=0.34 criterion=zero-share" | FileCheck %s --check-prefix=ZEROS
// RUN: not prune-opt %s --prune-strip-records --prune-mask-channels="ratio=0.34 criterion=zero-share" 2>&1 | FileCheck %s --check-prefix=MISSING
// RUN: not prune-opt %s --prune-mask-channels="ratio=0.34 criterion=wanda" 2>&1 | FileCheck %s --check-prefix=ELEMENTS

// Scores come from what the weight that reads the channels was observed to read.
// MEAN-LABEL: @three_neurons
// MEAN: %[[S:.*]] = arith.constant dense<[5.000000e-01, 2.000000e+00, 2.500000e-01]> : tensor<3xf64>
// MEAN: prune.mask %[[S]] {count = 1 : i64, pattern = #prune.element}
// ZEROS-LABEL: @three_neurons
// ZEROS: %[[S:.*]] = arith.constant dense<[2.500000e-01, 5.000000e-01, 1.000000e+00]> : tensor<3xf64>
// MISSING: error: criterion #prune.zero_share reads the statistic 'zeros' of weight 'weight1', which the module's 'prune.statistics' does not have; prune-insert-observers and then prune-run --statistics put it there
// ELEMENTS: error: prune-mask-channels: option 'criterion': wanda reads statistics of single weights; give a criterion of channels
module attributes {prune.statistics = {weight1 = {
    mean = dense<[[-0.5], [2.0], [0.25]]> : tensor<3x1xf64>,
    zeros = dense<[[0.75], [0.5], [0.0]]> : tensor<3x1xf64>}}} {
  func.func @three_neurons(%x: tensor<1x2xf32>) -> tensor<1x1xf32> {
    %w1 = arith.constant dense<[[0.0, 3.0, 6.0], [0.0, 4.0, 8.0]]> : tensor<2x3xf32>
    %w2 = arith.constant dense<[[1.0], [2.0], [3.0]]> : tensor<3x1xf32>
    %z1 = arith.constant dense<0.0> : tensor<1x3xf32>
    %z2 = arith.constant dense<0.0> : tensor<1x1xf32>
    %h = linalg.matmul ins(%x, %w1 : tensor<1x2xf32>, tensor<2x3xf32>) outs(%z1 : tensor<1x3xf32>) -> tensor<1x3xf32>
    %y = linalg.matmul ins(%h, %w2 : tensor<1x3xf32>, tensor<3x1xf32>) outs(%z2 : tensor<1x1xf32>) -> tensor<1x1xf32>
    return %y : tensor<1x1xf32>
  }
}
