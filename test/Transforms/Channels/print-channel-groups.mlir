// RUN: prune-opt %s --prune-print-channel-groups --split-input-file --verify-diagnostics -o /dev/null
// RUN: prune-opt %s --prune-print-channel-groups=reshape=inner --split-input-file -o /dev/null 2>&1 | FileCheck %s --check-prefix=INNER

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d1)>

// Hidden neurons are free, with their bias; what is returned stays.
func.func @hidden_and_returned(%x: tensor<1x2xf32>) -> tensor<1x4xf32> {
  // expected-remark @below {{channel group 'weight0': 3 channels, free; on weight0[1] constant[0]}}
  %w1 = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %b1 = arith.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  // expected-remark @below {{channel group 'weight1': 4 channels, kept; on weight1[1]}}
  %w2 = arith.constant dense<1.0> : tensor<3x4xf32>
  %z1 = arith.constant dense<0.0> : tensor<1x3xf32>
  %z2 = arith.constant dense<0.0> : tensor<1x4xf32>
  %h = linalg.matmul ins(%x, %w1 : tensor<1x2xf32>, tensor<2x3xf32>) outs(%z1 : tensor<1x3xf32>) -> tensor<1x3xf32>
  %r = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
    ins(%h, %b1 : tensor<1x3xf32>, tensor<3xf32>) outs(%z1 : tensor<1x3xf32>) {
    ^bb0(%v: f32, %b: f32, %o: f32):
      %s = arith.addf %v, %b : f32
      linalg.yield %s : f32
    } -> tensor<1x3xf32>
  %y = linalg.matmul ins(%r, %w2 : tensor<1x3xf32>, tensor<3x4xf32>) outs(%z2 : tensor<1x4xf32>) -> tensor<1x4xf32>
  // expected-note @below {{func.return: is returned}}
  return %y : tensor<1x4xf32>
}

// -----

// A residual sum ties its branches; a maximum over channels keeps them.
func.func @tied_and_needed(%x: tensor<1x2xf32>) -> tensor<1xf32> {
  // expected-remark @below {{channel group 'weight0': 2 channels, kept; on weight0[1] weight1[1]}}
  %w1 = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %w2 = arith.constant dense<[[5.0, 6.0], [7.0, 8.0]]> : tensor<2x2xf32>
  %z = arith.constant dense<0.0> : tensor<1x2xf32>
  %low = arith.constant dense<0xFF800000> : tensor<1xf32>
  %a = linalg.matmul ins(%x, %w1 : tensor<1x2xf32>, tensor<2x2xf32>) outs(%z : tensor<1x2xf32>) -> tensor<1x2xf32>
  %b = linalg.matmul ins(%x, %w2 : tensor<1x2xf32>, tensor<2x2xf32>) outs(%z : tensor<1x2xf32>) -> tensor<1x2xf32>
  %s = arith.addf %a, %b : tensor<1x2xf32>
  // expected-note @below {{linalg.reduce: needs the channels even where they are zero}}
  %m = linalg.reduce ins(%s : tensor<1x2xf32>) outs(%low : tensor<1xf32>) dimensions = [1]
    (%v: f32, %o: f32) {
      %g = arith.maximumf %v, %o : f32
      linalg.yield %g : f32
    }
  return %m : tensor<1xf32>
}

// -----

// A head is a run of columns; within the heads, a feature of each.
// INNER: channel group 'weight0': 3 channels, free; on weight0[1] in part
func.func @heads(%x: tensor<5x4xf32>) -> tensor<5x1xf32> {
  // expected-remark @below {{channel group 'weight0': 2 channels, free; on weight0[1] by 3}}
  %v = arith.constant dense<1.0> : tensor<4x6xf32>
  // expected-remark @below {{channel group 'weight1': 1 channels, kept; on weight1[2]}}
  %o = arith.constant dense<[[[1.0], [2.0], [3.0]], [[4.0], [5.0], [6.0]]]> : tensor<2x3x1xf32>
  %z1 = arith.constant dense<0.0> : tensor<5x6xf32>
  %z2 = arith.constant dense<0.0> : tensor<5x1xf32>
  %a = linalg.matmul ins(%x, %v : tensor<5x4xf32>, tensor<4x6xf32>) outs(%z1 : tensor<5x6xf32>) -> tensor<5x6xf32>
  %e = tensor.expand_shape %a [[0], [1, 2]] output_shape [5, 2, 3] : tensor<5x6xf32> into tensor<5x2x3xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(t, f, h, e) -> (t, h, e)>, affine_map<(t, f, h, e) -> (h, e, f)>, affine_map<(t, f, h, e) -> (t, f)>], iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
    ins(%e, %o : tensor<5x2x3xf32>, tensor<2x3x1xf32>) outs(%z2 : tensor<5x1xf32>) {
    ^bb0(%p: f32, %q: f32, %s: f32):
      %m = arith.mulf %p, %q : f32
      %n = arith.addf %s, %m : f32
      linalg.yield %n : f32
    } -> tensor<5x1xf32>
  // expected-note @below {{func.return: is returned}}
  return %y : tensor<5x1xf32>
}

// -----

// Heads stay the channels where they are collapsed with the batch, and expanded
// from it again.
func.func @heads_beside_a_batch(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  // expected-remark @below {{channel group 'weight0': 2 channels, free; on weight0[1] by 3}}
  %w1 = arith.constant dense<[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0]]> : tensor<2x6xf32>
  // expected-remark @below {{channel group 'weight1': 2 channels, kept; on weight1[1]}}
  %w2 = arith.constant dense<2.0> : tensor<6x2xf32>
  %z1 = arith.constant dense<0.0> : tensor<4x6xf32>
  %z2 = arith.constant dense<0.0> : tensor<4x2xf32>
  %h = linalg.matmul ins(%x, %w1 : tensor<4x2xf32>, tensor<2x6xf32>) outs(%z1 : tensor<4x6xf32>) -> tensor<4x6xf32>
  %e = tensor.expand_shape %h [[0, 1], [2, 3]] output_shape [2, 2, 2, 3] : tensor<4x6xf32> into tensor<2x2x2x3xf32>
  %t0 = tensor.empty() : tensor<2x2x2x3xf32>
  %t = linalg.transpose ins(%e : tensor<2x2x2x3xf32>) outs(%t0 : tensor<2x2x2x3xf32>) permutation = [0, 2, 1, 3]
  %c = tensor.collapse_shape %t [[0, 1], [2], [3]] : tensor<2x2x2x3xf32> into tensor<4x2x3xf32>
  %d = tensor.expand_shape %c [[0, 1], [2], [3]] output_shape [2, 2, 2, 3] : tensor<4x2x3xf32> into tensor<2x2x2x3xf32>
  %u = linalg.transpose ins(%d : tensor<2x2x2x3xf32>) outs(%t0 : tensor<2x2x2x3xf32>) permutation = [0, 2, 1, 3]
  %f = tensor.collapse_shape %u [[0, 1], [2, 3]] : tensor<2x2x2x3xf32> into tensor<4x6xf32>
  %y = linalg.matmul ins(%f, %w2 : tensor<4x6xf32>, tensor<6x2xf32>) outs(%z2 : tensor<4x2xf32>) -> tensor<4x2xf32>
  // expected-note @below {{func.return: is returned}}
  return %y : tensor<4x2xf32>
}
