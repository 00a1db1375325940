// RUN: prune-opt %s --prune-remove-channels --split-input-file | FileCheck %s

// A filter of zeros makes a channel of zeros. A maximum over windows that all
// reach into the image leaves it one, whatever minus infinity lies around it.
// CHECK-LABEL: @keeps_zero_through_a_padded_maximum
// CHECK: linalg.conv_2d_nchw_fchw {{.*}} -> tensor<1x2x5x5xf32>
// CHECK: tensor.pad {{.*}} low[0, 0, 1, 1] high[0, 0, 1, 1]
// CHECK: : tensor<1x2x5x5xf32> to tensor<1x2x7x7xf32>
// CHECK: linalg.pooling_nchw_max {{.*}} -> tensor<1x2x3x3xf32>
// CHECK: linalg.conv_2d_nchw_fchw {{.*}}tensor<1x2x3x3xf32>, tensor<1x2x1x1xf32>
func.func @keeps_zero_through_a_padded_maximum(%x: tensor<1x1x5x5xf32>) -> tensor<1x1x3x3xf32> {
  %w1 = arith.constant dense<[[[[1.0]]], [[[0.0]]], [[[2.0]]]]> : tensor<3x1x1x1xf32>
  %w2 = arith.constant dense<[[[[1.0]], [[2.0]], [[3.0]]]]> : tensor<1x3x1x1xf32>
  %z1 = arith.constant dense<0.0> : tensor<1x3x5x5xf32>
  %z2 = arith.constant dense<0.0> : tensor<1x1x3x3xf32>
  %low = arith.constant 0xFF800000 : f32
  %m = arith.constant dense<0xFF800000> : tensor<1x3x3x3xf32>
  %k = tensor.empty() : tensor<3x3xf32>
  %h = linalg.conv_2d_nchw_fchw ins(%x, %w1 : tensor<1x1x5x5xf32>, tensor<3x1x1x1xf32>) outs(%z1 : tensor<1x3x5x5xf32>) -> tensor<1x3x5x5xf32>
  %p = tensor.pad %h low[0, 0, 1, 1] high[0, 0, 1, 1] {
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %low : f32
  } : tensor<1x3x5x5xf32> to tensor<1x3x7x7xf32>
  %g = linalg.pooling_nchw_max {strides = dense<2> : vector<2xi64>} ins(%p, %k : tensor<1x3x7x7xf32>, tensor<3x3xf32>) outs(%m : tensor<1x3x3x3xf32>) -> tensor<1x3x3x3xf32>
  %y = linalg.conv_2d_nchw_fchw ins(%g, %w2 : tensor<1x3x3x3xf32>, tensor<1x3x1x1xf32>) outs(%z2 : tensor<1x1x3x3xf32>) -> tensor<1x1x3x3xf32>
  return %y : tensor<1x1x3x3xf32>
}

// -----

// The same with the least finite number and channels last, as TOSA is lowered,
// windows with holes, and an image of open size.
// CHECK-LABEL: @keeps_zero_through_a_maximum_with_holes
// CHECK: linalg.pooling_nhwc_max {{.*}} tensor<1x?x7x2xf32>
func.func @keeps_zero_through_a_maximum_with_holes(%x: tensor<1x?x3x1xf32>) -> tensor<1x?x3x1xf32> {
  %w1 = arith.constant dense<[[[[1.0, 0.0, 2.0]]]]> : tensor<1x1x1x3xf32>
  %w2 = arith.constant dense<[[[[1.0], [2.0], [3.0]]]]> : tensor<1x1x3x1xf32>
  %zero = arith.constant 0.0 : f32
  %low = arith.constant -3.40282347E+38 : f32
  %i1 = arith.constant 1 : index
  %d = tensor.dim %x, %i1 : tensor<1x?x3x1xf32>
  %s1 = tensor.empty(%d) : tensor<1x?x3x3xf32>
  %s2 = tensor.empty(%d) : tensor<1x?x3x1xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%s1 : tensor<1x?x3x3xf32>) -> tensor<1x?x3x3xf32>
  %z2 = linalg.fill ins(%zero : f32) outs(%s2 : tensor<1x?x3x1xf32>) -> tensor<1x?x3x1xf32>
  %l = linalg.fill ins(%low : f32) outs(%s1 : tensor<1x?x3x3xf32>) -> tensor<1x?x3x3xf32>
  %k = tensor.empty() : tensor<3x3xf32>
  %h = linalg.conv_2d_nhwc_hwcf ins(%x, %w1 : tensor<1x?x3x1xf32>, tensor<1x1x1x3xf32>) outs(%z1 : tensor<1x?x3x3xf32>) -> tensor<1x?x3x3xf32>
  %p = tensor.pad %h low[0, 1, 2, 0] high[0, 1, 2, 0] {
  ^bb0(%a: index, %b: index, %c: index, %e: index):
    tensor.yield %low : f32
  } : tensor<1x?x3x3xf32> to tensor<1x?x7x3xf32>
  %g = linalg.pooling_nhwc_max {dilations = dense<[1, 2]> : vector<2xi64>} ins(%p, %k : tensor<1x?x7x3xf32>, tensor<3x3xf32>) outs(%l : tensor<1x?x3x3xf32>) -> tensor<1x?x3x3xf32>
  %y = linalg.conv_2d_nhwc_hwcf ins(%g, %w2 : tensor<1x?x3x3xf32>, tensor<1x1x3x1xf32>) outs(%z2 : tensor<1x?x3x1xf32>) -> tensor<1x?x3x1xf32>
  return %y : tensor<1x?x3x1xf32>
}

// -----

// Windows of two that lie in a border of two hold no zero: the channel stays.
// CHECK-LABEL: @keeps_a_channel_of_which_windows_see_nothing
// CHECK: linalg.pooling_nchw_max {{.*}} -> tensor<1x3x4x4xf32>
func.func @keeps_a_channel_of_which_windows_see_nothing(%x: tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32> {
  %w1 = arith.constant dense<[[[[1.0]]], [[[0.0]]], [[[2.0]]]]> : tensor<3x1x1x1xf32>
  %w2 = arith.constant dense<[[[[1.0]], [[2.0]], [[3.0]]]]> : tensor<1x3x1x1xf32>
  %z1 = arith.constant dense<0.0> : tensor<1x3x4x4xf32>
  %z2 = arith.constant dense<0.0> : tensor<1x1x4x4xf32>
  %low = arith.constant 0xFF800000 : f32
  %m = arith.constant dense<0xFF800000> : tensor<1x3x4x4xf32>
  %k = tensor.empty() : tensor<2x2xf32>
  %h = linalg.conv_2d_nchw_fchw ins(%x, %w1 : tensor<1x1x4x4xf32>, tensor<3x1x1x1xf32>) outs(%z1 : tensor<1x3x4x4xf32>) -> tensor<1x3x4x4xf32>
  %p = tensor.pad %h low[0, 0, 2, 2] high[0, 0, 2, 2] {
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %low : f32
  } : tensor<1x3x4x4xf32> to tensor<1x3x8x8xf32>
  %g = linalg.pooling_nchw_max {strides = dense<2> : vector<2xi64>} ins(%p, %k : tensor<1x3x8x8xf32>, tensor<2x2xf32>) outs(%m : tensor<1x3x4x4xf32>) -> tensor<1x3x4x4xf32>
  %y = linalg.conv_2d_nchw_fchw ins(%g, %w2 : tensor<1x3x4x4xf32>, tensor<1x3x1x1xf32>) outs(%z2 : tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32>
  return %y : tensor<1x1x4x4xf32>
}

// -----

// A dilation of three steps over an image of two.
// CHECK-LABEL: @keeps_a_channel_that_windows_step_over
// CHECK: linalg.pooling_ncw_max {{.*}} -> tensor<1x3x3xf32>
func.func @keeps_a_channel_that_windows_step_over(%x: tensor<1x1x2xf32>) -> tensor<1x1x3xf32> {
  %w1 = arith.constant dense<[[[1.0]], [[0.0]], [[2.0]]]> : tensor<3x1x1xf32>
  %w2 = arith.constant dense<[[[1.0], [2.0], [3.0]]]> : tensor<1x3x1xf32>
  %z1 = arith.constant dense<0.0> : tensor<1x3x2xf32>
  %z2 = arith.constant dense<0.0> : tensor<1x1x3xf32>
  %low = arith.constant 0xFF800000 : f32
  %m = arith.constant dense<0xFF800000> : tensor<1x3x3xf32>
  %k = tensor.empty() : tensor<2xf32>
  %h = linalg.conv_1d_ncw_fcw ins(%x, %w1 : tensor<1x1x2xf32>, tensor<3x1x1xf32>) outs(%z1 : tensor<1x3x2xf32>) -> tensor<1x3x2xf32>
  %p = tensor.pad %h low[0, 0, 2] high[0, 0, 2] {
  ^bb0(%a: index, %b: index, %c: index):
    tensor.yield %low : f32
  } : tensor<1x3x2xf32> to tensor<1x3x6xf32>
  %g = linalg.pooling_ncw_max {dilations = dense<3> : vector<1xi64>} ins(%p, %k : tensor<1x3x6xf32>, tensor<2xf32>) outs(%m : tensor<1x3x3xf32>) -> tensor<1x3x3xf32>
  %y = linalg.conv_1d_ncw_fcw ins(%g, %w2 : tensor<1x3x3xf32>, tensor<1x3x1xf32>) outs(%z2 : tensor<1x1x3xf32>) -> tensor<1x1x3xf32>
  return %y : tensor<1x1x3xf32>
}

// -----

// A sum of ones, padded with zeros, is more inside than at the border.
// CHECK-LABEL: @keeps_a_channel_of_ones_before_a_padded_sum
// CHECK: linalg.pooling_ncw_sum {{.*}} -> tensor<1x2x4xf32>
func.func @keeps_a_channel_of_ones_before_a_padded_sum(%x: tensor<1x1x4xf32>) -> tensor<1x1x4xf32> {
  %w1 = arith.constant dense<[[[1.0]], [[0.0]]]> : tensor<2x1x1xf32>
  %b1 = arith.constant dense<[0.0, 1.0]> : tensor<2xf32>
  %w2 = arith.constant dense<[[[1.0], [2.0]]]> : tensor<1x2x1xf32>
  %z1 = arith.constant dense<0.0> : tensor<1x2x4xf32>
  %z2 = arith.constant dense<0.0> : tensor<1x1x4xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x2x4xf32>
  %k = tensor.empty() : tensor<3xf32>
  %h = linalg.conv_1d_ncw_fcw ins(%x, %w1 : tensor<1x1x4xf32>, tensor<2x1x1xf32>) outs(%z1 : tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(n, c, w) -> (n, c, w)>, affine_map<(n, c, w) -> (c)>, affine_map<(n, c, w) -> (n, c, w)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%h, %b1 : tensor<1x2x4xf32>, tensor<2xf32>) outs(%e : tensor<1x2x4xf32>) {
  ^bb0(%v: f32, %b: f32, %o: f32):
    %s = arith.addf %v, %b : f32
    linalg.yield %s : f32
  } -> tensor<1x2x4xf32>
  %p = tensor.pad %r low[0, 0, 1] high[0, 0, 1] {
  ^bb0(%a: index, %b: index, %c: index):
    tensor.yield %zero : f32
  } : tensor<1x2x4xf32> to tensor<1x2x6xf32>
  %g = linalg.pooling_ncw_sum ins(%p, %k : tensor<1x2x6xf32>, tensor<3xf32>) outs(%z1 : tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  %y = linalg.conv_1d_ncw_fcw ins(%g, %w2 : tensor<1x2x4xf32>, tensor<1x2x1xf32>) outs(%z2 : tensor<1x1x4xf32>) -> tensor<1x1x4xf32>
  return %y : tensor<1x1x4xf32>
}

// -----

// Zero over numbers of which none is zero is zero: the average of a window, of
// which as many elements count as lie in the image.
// CHECK-LABEL: @keeps_zero_over_counts
// CHECK: arith.divf
// CHECK: tensor<1x1x4xf32>
func.func @keeps_zero_over_counts(%x: tensor<1x1x4xf32>) -> tensor<1x1x4xf32> {
  %w1 = arith.constant dense<[[[1.0]], [[0.0]]]> : tensor<2x1x1xf32>
  %w2 = arith.constant dense<[[[1.0], [2.0]]]> : tensor<1x2x1xf32>
  %counts = arith.constant dense<[2.0, 3.0, 3.0, 2.0]> : tensor<4xf32>
  %z1 = arith.constant dense<0.0> : tensor<1x2x4xf32>
  %z2 = arith.constant dense<0.0> : tensor<1x1x4xf32>
  %e = tensor.empty() : tensor<1x2x4xf32>
  %h = linalg.conv_1d_ncw_fcw ins(%x, %w1 : tensor<1x1x4xf32>, tensor<2x1x1xf32>) outs(%z1 : tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  %g = linalg.generic {indexing_maps = [affine_map<(n, c, w) -> (n, c, w)>, affine_map<(n, c, w) -> (w)>, affine_map<(n, c, w) -> (n, c, w)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%h, %counts : tensor<1x2x4xf32>, tensor<4xf32>) outs(%e : tensor<1x2x4xf32>) {
  ^bb0(%v: f32, %n: f32, %o: f32):
    %q = arith.divf %v, %n : f32
    linalg.yield %q : f32
  } -> tensor<1x2x4xf32>
  %y = linalg.conv_1d_ncw_fcw ins(%g, %w2 : tensor<1x2x4xf32>, tensor<1x2x1xf32>) outs(%z2 : tensor<1x1x4xf32>) -> tensor<1x1x4xf32>
  return %y : tensor<1x1x4xf32>
}

// -----

// Zero over zero is no number.
// CHECK-LABEL: @keeps_zero_over_zero
// CHECK: arith.divf
// CHECK: tensor<1x2x4xf32>
func.func @keeps_zero_over_zero(%x: tensor<1x1x4xf32>) -> tensor<1x1x4xf32> {
  %w1 = arith.constant dense<[[[1.0]], [[0.0]]]> : tensor<2x1x1xf32>
  %w2 = arith.constant dense<[[[1.0], [2.0]]]> : tensor<1x2x1xf32>
  %counts = arith.constant dense<[0.0, 3.0, 3.0, 2.0]> : tensor<4xf32>
  %z1 = arith.constant dense<0.0> : tensor<1x2x4xf32>
  %z2 = arith.constant dense<0.0> : tensor<1x1x4xf32>
  %e = tensor.empty() : tensor<1x2x4xf32>
  %h = linalg.conv_1d_ncw_fcw ins(%x, %w1 : tensor<1x1x4xf32>, tensor<2x1x1xf32>) outs(%z1 : tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  %g = linalg.generic {indexing_maps = [affine_map<(n, c, w) -> (n, c, w)>, affine_map<(n, c, w) -> (w)>, affine_map<(n, c, w) -> (n, c, w)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%h, %counts : tensor<1x2x4xf32>, tensor<4xf32>) outs(%e : tensor<1x2x4xf32>) {
  ^bb0(%v: f32, %n: f32, %o: f32):
    %q = arith.divf %v, %n : f32
    linalg.yield %q : f32
  } -> tensor<1x2x4xf32>
  %y = linalg.conv_1d_ncw_fcw ins(%g, %w2 : tensor<1x2x4xf32>, tensor<1x2x1xf32>) outs(%z2 : tensor<1x1x4xf32>) -> tensor<1x1x4xf32>
  return %y : tensor<1x1x4xf32>
}
