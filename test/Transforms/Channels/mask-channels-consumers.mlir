// RUN: prune-opt %s --prune-mask-channels=ratio=0.5 | FileCheck %s
// RUN: prune-opt %s --prune-mask-channels=ratio=0.5 --prune-fold-masks --prune-remove-channels | FileCheck %s --check-prefix=REMOVED

// A masked channel is one half behind the sigmoid, and one half among zeros
// behind the padding: no bias can take that. So the weight that sums over the
// channels is masked as well, with the same mask, and they leave.
// CHECK-LABEL: @masks_what_sums_over_the_channels
// CHECK: %[[M:.*]] = prune.mask
// CHECK: %[[W1:.*]] = arith.constant {{.*}} : tensor<2x1x1xf32>
// CHECK: prune.apply %[[W1]], %[[M]] dims = [0]
// CHECK: %[[W2:.*]] = arith.constant {{.*}} : tensor<1x2x3xf32>
// CHECK: prune.apply %[[W2]], %[[M]] dims = [1]
// REMOVED-LABEL: @masks_what_sums_over_the_channels
// REMOVED: linalg.conv_1d_ncw_fcw {{.*}} -> tensor<1x1x4xf32>
// REMOVED: tensor.pad {{.*}} low[0, 0, 1] high[0, 0, 1]
// REMOVED: : tensor<1x1x4xf32> to tensor<1x1x6xf32>
// REMOVED: linalg.conv_1d_ncw_fcw {{.*}} tensor<1x1x6xf32>, tensor<1x1x3xf32>
func.func @masks_what_sums_over_the_channels(%x: tensor<1x1x4xf32>) -> tensor<1x1x4xf32> {
  %w1 = arith.constant dense<[[[1.0]], [[2.0]]]> : tensor<2x1x1xf32>
  %w2 = arith.constant dense<[[[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]]]> : tensor<1x2x3xf32>
  %z1 = arith.constant dense<0.0> : tensor<1x2x4xf32>
  %z2 = arith.constant dense<0.0> : tensor<1x1x4xf32>
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %e = tensor.empty() : tensor<1x2x4xf32>
  %h = linalg.conv_1d_ncw_fcw ins(%x, %w1 : tensor<1x1x4xf32>, tensor<2x1x1xf32>) outs(%z1 : tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  %s = linalg.generic {indexing_maps = [affine_map<(n, c, w) -> (n, c, w)>, affine_map<(n, c, w) -> (n, c, w)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%h : tensor<1x2x4xf32>) outs(%e : tensor<1x2x4xf32>) {
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
  return %y : tensor<1x1x4xf32>
}
