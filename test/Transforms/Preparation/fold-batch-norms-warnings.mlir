// RUN: prune-opt %s --prune-fold-batch-norms --split-input-file --verify-diagnostics

// expected-warning @below {{prune-fold-batch-norms: nothing was folded: nothing next to a weight is scaled or shifted by constants}}
module {
  func.func @none(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
    %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
    %z = arith.constant dense<0.0> : tensor<1x2xf32>
    %y = linalg.matmul ins(%x, %w : tensor<1x2xf32>, tensor<2x2xf32>) outs(%z : tensor<1x2xf32>) -> tensor<1x2xf32>
    return %y : tensor<1x2xf32>
  }
}

// -----

// The reason that keeps a scale is the one that a remark has.
// expected-warning @below {{prune-fold-batch-norms: nothing was folded}}
module {
  func.func @kept(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
    %s = arith.constant dense_resource<scale> : tensor<2xf32>
    %e = tensor.empty() : tensor<1x2xf32>
    // expected-note @below {{left alone once: no contraction with a constant weight is next to it ('scale')}}
    %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
        ins(%x, %s : tensor<1x2xf32>, tensor<2xf32>) outs(%e : tensor<1x2xf32>) {
    ^bb0(%a: f32, %b: f32, %out: f32):
      %m = arith.mulf %a, %b : f32
      linalg.yield %m : f32
    } -> tensor<1x2xf32>
    return %y : tensor<1x2xf32>
  }
}
{-#
dialect_resources: { builtin: { scale: "0x040000000000004000004040" } }
#-}
