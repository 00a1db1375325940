// RUN: prune-opt %s --prune-mask-channels="ratio=0.5 criterion=scale" --split-input-file | FileCheck %s --check-prefix=SCALE
// RUN: prune-opt %s --prune-mask-channels="ratio=0.34 criterion=geometric-median" --split-input-file | FileCheck %s --check-prefix=MEDIAN
// RUN: prune-opt %s --prune-mask-channels="ratio=0.5 criterion=scale" --split-input-file --remarks-filter="prune-mask-channels" -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d1)>

// The scale is what a normalisation multiplies with, not its mean or shift; the
// variance divides and gets no mask of its own accord.
// SCALE-LABEL: @normalised
// SCALE: %[[G:.*]] = arith.constant dense<[-2.000000e+00, 1.000000e+00]> : tensor<2xf32>
// SCALE: %[[S:.*]] = prune.score %[[G]] {criterion = #prune.magnitude<l1>} : tensor<2xf32> -> tensor<2xf64>
// SCALE: prune.mask %[[S]] {count = 1 : i64, pattern = #prune.element}
// SCALE-COUNT-4: prune.apply
func.func @normalised(%x: tensor<1x2xf32>) -> tensor<1x1xf32> {
  %w1 = arith.constant dense<[[1.0, 5.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %w2 = arith.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32>
  %mean = arith.constant dense<[3.0, 4.0]> : tensor<2xf32>
  %scale = arith.constant dense<[-2.0, 1.0]> : tensor<2xf32>
  %shift = arith.constant dense<[6.0, 7.0]> : tensor<2xf32>
  %z1 = arith.constant dense<0.0> : tensor<1x2xf32>
  %z2 = arith.constant dense<0.0> : tensor<1x1xf32>
  %h = linalg.matmul ins(%x, %w1 : tensor<1x2xf32>, tensor<2x2xf32>) outs(%z1 : tensor<1x2xf32>) -> tensor<1x2xf32>
  %n = linalg.generic {indexing_maps = [#id, #row, #row, #row, #id], iterator_types = ["parallel", "parallel"]}
    ins(%h, %mean, %scale, %shift : tensor<1x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) outs(%z1 : tensor<1x2xf32>) {
    ^bb0(%v: f32, %m: f32, %g: f32, %b: f32, %o: f32):
      %c = arith.subf %v, %m : f32
      %p = arith.mulf %c, %g : f32
      %s = arith.addf %p, %b : f32
      linalg.yield %s : f32
    } -> tensor<1x2xf32>
  %y = linalg.matmul ins(%n, %w2 : tensor<1x2xf32>, tensor<2x1xf32>) outs(%z2 : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

// Of the filters (0, 0), (3, 4) and (6, 8) the middle one is nearest to all: the
// sums of distances are 15, 10 and 15. Without a normalisation there is no scale.
// MEDIAN-LABEL: @three_filters
// MEDIAN: %[[S:.*]] = arith.constant dense<[1.500000e+01, 1.000000e+01, 1.500000e+01]> : tensor<3xf64>
// MEDIAN: prune.mask %[[S]] {count = 1 : i64, pattern = #prune.element}
// REMARK: [Missed] LeftAlone | Category:prune-mask-channels | Channels=3, Group=weight0, Reason="has no normalisation scale"
func.func @three_filters(%x: tensor<1x2xf32>) -> tensor<1x1xf32> {
  %w1 = arith.constant dense<[[0.0, 3.0, 6.0], [0.0, 4.0, 8.0]]> : tensor<2x3xf32>
  %w2 = arith.constant dense<[[1.0], [2.0], [3.0]]> : tensor<3x1xf32>
  %z1 = arith.constant dense<0.0> : tensor<1x3xf32>
  %z2 = arith.constant dense<0.0> : tensor<1x1xf32>
  %h = linalg.matmul ins(%x, %w1 : tensor<1x2xf32>, tensor<2x3xf32>) outs(%z1 : tensor<1x3xf32>) -> tensor<1x3xf32>
  %y = linalg.matmul ins(%h, %w2 : tensor<1x3xf32>, tensor<3x1xf32>) outs(%z2 : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}
