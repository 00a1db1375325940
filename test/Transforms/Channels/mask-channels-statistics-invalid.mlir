// RUN: prune-opt %s --prune-mask-channels="ratio=0.34 criterion=mean-activation" --verify-diagnostics

// The statistic is of a weight with other inputs.
module attributes {prune.statistics = {weight1 = {mean = dense<[[-0.5], [2.0]]> : tensor<2x1xf64>}}} {
  func.func @other_shape(%x: tensor<1x2xf32>) -> tensor<1x1xf32> {
    %w1 = arith.constant dense<[[0.0, 3.0, 6.0], [0.0, 4.0, 8.0]]> : tensor<2x3xf32>
    // expected-error @+1 {{weight 'weight1' expects the statistic 'mean' to have 3 numbers along dimension 0 but got 'tensor<2x1xf64>'}}
    %w2 = arith.constant dense<[[1.0], [2.0], [3.0]]> : tensor<3x1xf32>
    %z1 = arith.constant dense<0.0> : tensor<1x3xf32>
    %z2 = arith.constant dense<0.0> : tensor<1x1xf32>
    %h = linalg.matmul ins(%x, %w1 : tensor<1x2xf32>, tensor<2x3xf32>) outs(%z1 : tensor<1x3xf32>) -> tensor<1x3xf32>
    %y = linalg.matmul ins(%h, %w2 : tensor<1x3xf32>, tensor<3x1xf32>) outs(%z2 : tensor<1x1xf32>) -> tensor<1x1xf32>
    return %y : tensor<1x1xf32>
  }
}
