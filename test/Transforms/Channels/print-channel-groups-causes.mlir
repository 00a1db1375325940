// RUN: prune-opt %s --prune-print-channel-groups --split-input-file --verify-diagnostics -o /dev/null

// A reason names the operation behind which masked channels are no number any
// more, and what they hold before it, not the operation that then sums over them.

#id = affine_map<(n, c, w) -> (n, c, w)>

// One half in the middle of zeros: a weight that sums over it can be masked as
// well.
func.func @names_the_padding_of_a_sigmoid(%x: tensor<1x1x4xf32>) -> (tensor<1x1x4xf32>, tensor<1x6xf32>) {
  // expected-remark @below {{channel group 'weight0': 2 channels, free; on weight0[0] and on inputs weight2[1]}}
  %w1 = arith.constant dense<[[[1.0]], [[2.0]]]> : tensor<2x1x1xf32>
  // expected-remark @below {{channel group 'weight1': 3 channels, kept; on weight1[0]}}
  %w3 = arith.constant dense<[[[1.0]], [[2.0]], [[3.0]]]> : tensor<3x1x1xf32>
  // expected-remark @below {{channel group 'weight2': 1 channels, kept; on weight2[0]}}
  %w2 = arith.constant dense<[[[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]]]> : tensor<1x2x3xf32>
  %z1 = arith.constant dense<0.0> : tensor<1x2x4xf32>
  %z2 = arith.constant dense<0.0> : tensor<1x1x4xf32>
  %z3 = arith.constant dense<0.0> : tensor<1x3x4xf32>
  %z4 = arith.constant dense<0.0> : tensor<1x6xf32>
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %e = tensor.empty() : tensor<1x2x4xf32>
  %f = tensor.empty() : tensor<1x3x4xf32>
  %h = linalg.conv_1d_ncw_fcw ins(%x, %w1 : tensor<1x1x4xf32>, tensor<2x1x1xf32>) outs(%z1 : tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  %s = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%h : tensor<1x2x4xf32>) outs(%e : tensor<1x2x4xf32>) {
  ^bb0(%v: f32, %o: f32):
    %m = arith.negf %v : f32
    %p = math.exp %m : f32
    %d = arith.addf %one, %p : f32
    %q = arith.divf %one, %d : f32
    linalg.yield %q : f32
  } -> tensor<1x2x4xf32>
  %p = tensor.pad %s low[0, 0, 1] high[0, 0, 1] {
  ^bb0(%a: index, %b: index, %c: index):
    tensor.yield %zero : f32
  } : tensor<1x2x4xf32> to tensor<1x2x6xf32>
  %y = linalg.conv_1d_ncw_fcw ins(%p, %w2 : tensor<1x2x6xf32>, tensor<1x2x3xf32>) outs(%z2 : tensor<1x1x4xf32>) -> tensor<1x1x4xf32>
  %g = linalg.conv_1d_ncw_fcw ins(%x, %w3 : tensor<1x1x4xf32>, tensor<3x1x1xf32>) outs(%z3 : tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  %t = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%g : tensor<1x3x4xf32>) outs(%f : tensor<1x3x4xf32>) {
  ^bb0(%v: f32, %o: f32):
    %q = math.exp %v : f32
    linalg.yield %q : f32
  } -> tensor<1x3x4xf32>
  // expected-note @below {{tensor.pad: mixes other numbers into channels even where they are 1}}
  %r = tensor.pad %t low[0, 0, 1] high[0, 0, 1] {
  ^bb0(%a: index, %b: index, %c: index):
    tensor.yield %zero : f32
  } : tensor<1x3x4xf32> to tensor<1x3x6xf32>
  %u = linalg.reduce ins(%r : tensor<1x3x6xf32>) outs(%z4 : tensor<1x6xf32>) dimensions = [1]
    (%v: f32, %o: f32) {
      %q = arith.addf %v, %o : f32
      linalg.yield %q : f32
    }
  // expected-note @below {{func.return: is returned}}
  return %y, %u : tensor<1x1x4xf32>, tensor<1x6xf32>
}

// -----

// What is summed without weights cannot go into a bias.
func.func @names_what_they_hold_where_they_are_summed(%x: tensor<2x2xf32>) -> tensor<2xf32> {
  // expected-remark @below {{channel group 'weight0': 3 channels, kept; on weight0[1]}}
  %w1 = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %z1 = arith.constant dense<0.0> : tensor<2x3xf32>
  %z2 = arith.constant dense<0.0> : tensor<2xf32>
  %h = linalg.matmul ins(%x, %w1 : tensor<2x2xf32>, tensor<2x3xf32>) outs(%z1 : tensor<2x3xf32>) -> tensor<2x3xf32>
  %s = math.exp %h : tensor<2x3xf32>
  // expected-note @below {{linalg.reduce: needs the channels even where they are 1}}
  %y = linalg.reduce ins(%s : tensor<2x3xf32>) outs(%z2 : tensor<2xf32>) dimensions = [1]
    (%v: f32, %o: f32) {
      %g = arith.addf %v, %o : f32
      linalg.yield %g : f32
    }
  return %y : tensor<2xf32>
}

// -----

// Elements that are read at the loop's own index pass; the others name the read.
func.func @names_what_is_read(%x: tensor<4x2xf32>, %table: tensor<2xi64>) -> tensor<4x2xf32> {
  // expected-remark @below {{channel group 'weight0': 3 channels, kept; on weight0[1]}}
  %w1 = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %z1 = arith.constant dense<0.0> : tensor<4x3xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  %h = linalg.matmul ins(%x, %w1 : tensor<4x2xf32>, tensor<2x3xf32>) outs(%z1 : tensor<4x3xf32>) -> tensor<4x3xf32>
  // expected-note @below {{linalg.generic: reads it element by element at positions that it computes}}
  %g = linalg.generic {indexing_maps = [affine_map<(i, c) -> (i, c)>], iterator_types = ["parallel", "parallel"]} outs(%e : tensor<4x2xf32>) {
  ^bb0(%o: f32):
    %i = linalg.index 0 : index
    %c = linalg.index 1 : index
    %t = tensor.extract %table[%c] : tensor<2xi64>
    %k = arith.index_cast %t : i64 to index
    %v = tensor.extract %h[%i, %k] : tensor<4x3xf32>
    linalg.yield %v : f32
  } -> tensor<4x2xf32>
  return %g : tensor<4x2xf32>
}

// -----

// One weight on two inputs is one group.
func.func @shares_a_weight(%x: tensor<2x2xf32>, %z: tensor<5x2xf32>) -> (tensor<2x1xf32>, tensor<5x1xf32>) {
  // expected-remark @below {{channel group 'weight0': 3 channels, free; on weight0[1]}}
  %w1 = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  // expected-remark @below {{channel group 'weight1': 1 channels, kept; on weight1[1]}}
  %w2 = arith.constant dense<[[1.0], [2.0], [3.0]]> : tensor<3x1xf32>
  // expected-remark @below {{channel group 'weight2': 1 channels, kept; on weight2[1]}}
  %w3 = arith.constant dense<[[4.0], [5.0], [6.0]]> : tensor<3x1xf32>
  %z1 = arith.constant dense<0.0> : tensor<2x3xf32>
  %z2 = arith.constant dense<0.0> : tensor<5x3xf32>
  %z3 = arith.constant dense<0.0> : tensor<2x1xf32>
  %z4 = arith.constant dense<0.0> : tensor<5x1xf32>
  %a = linalg.matmul ins(%x, %w1 : tensor<2x2xf32>, tensor<2x3xf32>) outs(%z1 : tensor<2x3xf32>) -> tensor<2x3xf32>
  %b = linalg.matmul ins(%z, %w1 : tensor<5x2xf32>, tensor<2x3xf32>) outs(%z2 : tensor<5x3xf32>) -> tensor<5x3xf32>
  %c = linalg.matmul ins(%a, %w2 : tensor<2x3xf32>, tensor<3x1xf32>) outs(%z3 : tensor<2x1xf32>) -> tensor<2x1xf32>
  %d = linalg.matmul ins(%b, %w3 : tensor<5x3xf32>, tensor<3x1xf32>) outs(%z4 : tensor<5x1xf32>) -> tensor<5x1xf32>
  // expected-note @below {{func.return: is returned}}
  return %c, %d : tensor<2x1xf32>, tensor<5x1xf32>
}
