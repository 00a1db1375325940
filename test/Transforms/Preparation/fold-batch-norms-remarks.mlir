// What cannot be folded stays, and is remarked with the reason.
// RUN: prune-opt %s --prune-fold-batch-norms --remarks-filter=prune-fold-batch-norms -o %t 2>&1 | FileCheck %s
// RUN: FileCheck %s --check-prefix=IR < %t

// CHECK-DAG: [Passed] Folded | Category:prune-fold-batch-norms | After=1, Before=0, Weight=good
// CHECK-DAG: [Missed] Kept | Category:prune-fold-batch-norms | Reason="what it scales has other users too", Scale=used_twice
// CHECK-DAG: [Missed] Kept | Category:prune-fold-batch-norms | Reason="weight 'shared' has several users", Scale=of_shared
// CHECK-DAG: [Missed] Kept | Category:prune-fold-batch-norms | Reason="its numbers differ along a dimension that weight 'w' does not have", Scale=per_row
// CHECK-DAG: [Missed] Kept | Category:prune-fold-batch-norms | Reason="its shift is missing where zeros are padded", Scale=padded
// CHECK-DAG: [Missed] Kept | Category:prune-fold-batch-norms | Reason="its scale or shift is not finite in channel 1", Scale=infinite
// CHECK-DAG: [Missed] Kept | Category:prune-fold-batch-norms | Reason="weight 'large' would overflow when scaled", Scale=enlarging
// CHECK-DAG: [Missed] Kept | Category:prune-fold-batch-norms | Reason="the sum with weight 'summed' starts from other than zero or a bias", Scale=of_summed
// CHECK-DAG: [Missed] Kept | Category:prune-fold-batch-norms | Reason="its shift would overflow as a bias", Scale=of_far
// CHECK-DAG: [Missed] Kept | Category:prune-fold-batch-norms | Reason="its numbers differ along a dimension of unknown size", Scale=of_open
// CHECK-DAG: [Missed] Kept | Category:prune-fold-batch-norms | Reason="its numbers differ along a dimension that weight 'tall' does not have", Scale=leading
// CHECK-DAG: [Missed] Kept | Category:prune-fold-batch-norms | Reason="no contraction with a constant weight is next to it", Scale=alone

#mk = affine_map<(m, k) -> (m, k)>
#k = affine_map<(m, k) -> (k)>
#m = affine_map<(m, k) -> (m)>
#nchw = affine_map<(n, c, h, w) -> (n, c, h, w)>
#channel = affine_map<(n, c, h, w) -> (c)>

// IR: linalg.generic
func.func @main(%x: tensor<2x2xf32>, %e: tensor<2x2xf32>, %image: tensor<1x2x2x2xf32>, %out: tensor<1x2x2x2xf32>) -> (tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<1x2x2x2xf32>, tensor<2x2xf32>) {
  %zero = arith.constant 0.0 : f32
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2x2xf32>) -> tensor<2x2xf32>
  %good = arith.constant dense_resource<good> : tensor<2x2xf32>
  %good_scale = arith.constant dense_resource<good_scale> : tensor<2xf32>
  %0 = linalg.matmul ins(%x, %good : tensor<2x2xf32>, tensor<2x2xf32>) outs(%f : tensor<2x2xf32>) -> tensor<2x2xf32>
  %1 = linalg.generic {indexing_maps = [#mk, #k, #mk], iterator_types = ["parallel", "parallel"]} ins(%0, %good_scale : tensor<2x2xf32>, tensor<2xf32>) outs(%e : tensor<2x2xf32>) {
  ^bb0(%in: f32, %g: f32, %o: f32):
    %s = arith.mulf %in, %g : f32
    linalg.yield %s : f32
  } -> tensor<2x2xf32>

  %twice = arith.constant dense_resource<twice> : tensor<2x2xf32>
  %used_twice = arith.constant dense_resource<used_twice> : tensor<2xf32>
  %2 = linalg.matmul ins(%x, %twice : tensor<2x2xf32>, tensor<2x2xf32>) outs(%f : tensor<2x2xf32>) -> tensor<2x2xf32>
  %3 = linalg.generic {indexing_maps = [#mk, #k, #mk], iterator_types = ["parallel", "parallel"]} ins(%2, %used_twice : tensor<2x2xf32>, tensor<2xf32>) outs(%e : tensor<2x2xf32>) {
  ^bb0(%in: f32, %g: f32, %o: f32):
    %s = arith.mulf %in, %g : f32
    linalg.yield %s : f32
  } -> tensor<2x2xf32>

  %shared = arith.constant dense_resource<shared> : tensor<2x2xf32>
  %of_shared = arith.constant dense_resource<of_shared> : tensor<2xf32>
  %4 = linalg.matmul ins(%x, %shared : tensor<2x2xf32>, tensor<2x2xf32>) outs(%f : tensor<2x2xf32>) -> tensor<2x2xf32>
  %5 = linalg.generic {indexing_maps = [#mk, #k, #mk], iterator_types = ["parallel", "parallel"]} ins(%4, %of_shared : tensor<2x2xf32>, tensor<2xf32>) outs(%e : tensor<2x2xf32>) {
  ^bb0(%in: f32, %g: f32, %o: f32):
    %s = arith.mulf %in, %g : f32
    linalg.yield %s : f32
  } -> tensor<2x2xf32>
  %6 = linalg.matmul ins(%5, %shared : tensor<2x2xf32>, tensor<2x2xf32>) outs(%f : tensor<2x2xf32>) -> tensor<2x2xf32>

  %w = arith.constant dense_resource<w> : tensor<2x2xf32>
  %per_row = arith.constant dense_resource<per_row> : tensor<2xf32>
  %7 = linalg.matmul ins(%x, %w : tensor<2x2xf32>, tensor<2x2xf32>) outs(%f : tensor<2x2xf32>) -> tensor<2x2xf32>
  %8 = linalg.generic {indexing_maps = [#mk, #m, #mk], iterator_types = ["parallel", "parallel"]} ins(%7, %per_row : tensor<2x2xf32>, tensor<2xf32>) outs(%e : tensor<2x2xf32>) {
  ^bb0(%in: f32, %g: f32, %o: f32):
    %s = arith.mulf %in, %g : f32
    linalg.yield %s : f32
  } -> tensor<2x2xf32>

  %v = arith.constant dense_resource<v> : tensor<2x2xf32>
  %infinite = arith.constant dense_resource<infinite> : tensor<2xf32>
  %9 = linalg.matmul ins(%x, %v : tensor<2x2xf32>, tensor<2x2xf32>) outs(%f : tensor<2x2xf32>) -> tensor<2x2xf32>
  %10 = linalg.generic {indexing_maps = [#mk, #k, #mk], iterator_types = ["parallel", "parallel"]} ins(%9, %infinite : tensor<2x2xf32>, tensor<2xf32>) outs(%e : tensor<2x2xf32>) {
  ^bb0(%in: f32, %g: f32, %o: f32):
    %s = arith.mulf %in, %g : f32
    linalg.yield %s : f32
  } -> tensor<2x2xf32>

  %large = arith.constant dense_resource<large> : tensor<2x2xf32>
  %enlarging = arith.constant dense_resource<enlarging> : tensor<2xf32>
  %11 = linalg.matmul ins(%x, %large : tensor<2x2xf32>, tensor<2x2xf32>) outs(%f : tensor<2x2xf32>) -> tensor<2x2xf32>
  %12 = linalg.generic {indexing_maps = [#mk, #k, #mk], iterator_types = ["parallel", "parallel"]} ins(%11, %enlarging : tensor<2x2xf32>, tensor<2xf32>) outs(%e : tensor<2x2xf32>) {
  ^bb0(%in: f32, %g: f32, %o: f32):
    %s = arith.mulf %in, %g : f32
    linalg.yield %s : f32
  } -> tensor<2x2xf32>

  %summed = arith.constant dense_resource<summed> : tensor<2x2xf32>
  %of_summed = arith.constant dense_resource<of_summed> : tensor<2xf32>
  %13 = linalg.matmul ins(%x, %summed : tensor<2x2xf32>, tensor<2x2xf32>) outs(%x : tensor<2x2xf32>) -> tensor<2x2xf32>
  %14 = linalg.generic {indexing_maps = [#mk, #k, #mk], iterator_types = ["parallel", "parallel"]} ins(%13, %of_summed : tensor<2x2xf32>, tensor<2xf32>) outs(%e : tensor<2x2xf32>) {
  ^bb0(%in: f32, %g: f32, %o: f32):
    %s = arith.mulf %in, %g : f32
    linalg.yield %s : f32
  } -> tensor<2x2xf32>

  %padded = arith.constant dense_resource<padded> : tensor<2xf32>
  %filter = arith.constant dense_resource<filter> : tensor<2x2x3x3xf32>
  %15 = linalg.generic {indexing_maps = [#nchw, #channel, #nchw], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%image, %padded : tensor<1x2x2x2xf32>, tensor<2xf32>) outs(%out : tensor<1x2x2x2xf32>) {
  ^bb0(%in: f32, %g: f32, %o: f32):
    %s = arith.mulf %in, %g : f32
    %t = arith.addf %s, %g : f32
    linalg.yield %t : f32
  } -> tensor<1x2x2x2xf32>
  %16 = tensor.pad %15 low[0, 0, 1, 1] high[0, 0, 1, 1] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x2x2x2xf32> to tensor<1x2x4x4xf32>
  %17 = linalg.conv_2d_nchw_fchw ins(%16, %filter : tensor<1x2x4x4xf32>, tensor<2x2x3x3xf32>) outs(%out : tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>

  %alone = arith.constant dense_resource<alone> : tensor<2xf32>
  %18 = linalg.generic {indexing_maps = [#mk, #k, #mk], iterator_types = ["parallel", "parallel"]} ins(%x, %alone : tensor<2x2xf32>, tensor<2xf32>) outs(%e : tensor<2x2xf32>) {
  ^bb0(%in: f32, %g: f32, %o: f32):
    %s = arith.mulf %in, %g : f32
    linalg.yield %s : f32
  } -> tensor<2x2xf32>
  return %1, %2, %3, %6, %8, %10, %12, %14, %17, %18 : tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<1x2x2x2xf32>, tensor<2x2xf32>
}

// What a bias of the type cannot hold, and sizes that are not known.
func.func @doubtful(%x: tensor<2x2xf32>, %e: tensor<2x2xf32>, %open: tensor<?x?xf32>, %y: tensor<2x?xf32>, %v: tensor<2xf32>) -> (tensor<2x2xf32>, tensor<?x?xf32>, tensor<2xf32>) {
  %zero = arith.constant 0.0 : f32
  %large = arith.constant 3.0e38 : f32
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2x2xf32>) -> tensor<2x2xf32>
  %far = arith.constant dense_resource<far> : tensor<2x2xf32>
  %of_far = arith.constant dense_resource<of_far> : tensor<2xf32>
  %0 = linalg.matmul ins(%x, %far : tensor<2x2xf32>, tensor<2x2xf32>) outs(%f : tensor<2x2xf32>) -> tensor<2x2xf32>
  %1 = linalg.generic {indexing_maps = [#mk, #k, #mk], iterator_types = ["parallel", "parallel"]} ins(%0, %of_far : tensor<2x2xf32>, tensor<2xf32>) outs(%e : tensor<2x2xf32>) {
  ^bb0(%in: f32, %g: f32, %o: f32):
    %s = arith.addf %in, %large : f32
    %t = arith.mulf %s, %g : f32
    linalg.yield %t : f32
  } -> tensor<2x2xf32>

  %opened = arith.constant dense_resource<opened> : tensor<2x2xf32>
  %of_open = arith.constant dense_resource<of_open> : tensor<2xf32>
  %h = linalg.fill ins(%zero : f32) outs(%open : tensor<?x?xf32>) -> tensor<?x?xf32>
  %2 = linalg.matmul ins(%x, %opened : tensor<2x2xf32>, tensor<2x2xf32>) outs(%h : tensor<?x?xf32>) -> tensor<?x?xf32>
  %3 = linalg.generic {indexing_maps = [#mk, #k, #mk], iterator_types = ["parallel", "parallel"]} ins(%2, %of_open : tensor<?x?xf32>, tensor<2xf32>) outs(%open : tensor<?x?xf32>) {
  ^bb0(%in: f32, %g: f32, %o: f32):
    %s = arith.mulf %in, %g : f32
    linalg.yield %s : f32
  } -> tensor<?x?xf32>

  %tall = arith.constant dense_resource<tall> : tensor<4x2xf32>
  %leading = arith.constant dense_resource<leading> : tensor<2xf32>
  %4 = linalg.generic {indexing_maps = [#mk, #m, #mk], iterator_types = ["parallel", "parallel"]} ins(%y, %leading : tensor<2x?xf32>, tensor<2xf32>) outs(%y : tensor<2x?xf32>) {
  ^bb0(%in: f32, %g: f32, %o: f32):
    %s = arith.mulf %in, %g : f32
    linalg.yield %s : f32
  } -> tensor<2x?xf32>
  %flat = tensor.collapse_shape %4 [[0, 1]] : tensor<2x?xf32> into tensor<?xf32>
  %i = linalg.fill ins(%zero : f32) outs(%v : tensor<2xf32>) -> tensor<2xf32>
  %5 = linalg.vecmat ins(%flat, %tall : tensor<?xf32>, tensor<4x2xf32>) outs(%i : tensor<2xf32>) -> tensor<2xf32>
  return %1, %3, %5 : tensor<2x2xf32>, tensor<?x?xf32>, tensor<2xf32>
}

{-# dialect_resources: { builtin: {
  far: "0x400000000000803f000000400000404000008040",
  of_far: "0x400000000000803f00000040",
  opened: "0x400000000000803f000000400000404000008040",
  of_open: "0x400000000000803f00000040",
  tall: "0x400000000000803f0000004000004040000080400000803f000000400000404000008040",
  leading: "0x400000000000803f00000040",
  good: "0x400000000000803f000000400000404000008040",
  twice: "0x400000000000803f000000400000404000008040",
  shared: "0x400000000000803f000000400000404000008040",
  w: "0x400000000000803f000000400000404000008040",
  v: "0x400000000000803f000000400000404000008040",
  summed: "0x400000000000803f000000400000404000008040",
  large: "0x40000000ffff7f7fffff7f7fffff7f7fffff7f7f",
  filter: "0x400000000000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f",
  good_scale: "0x400000000000803f00000040",
  used_twice: "0x400000000000803f00000040",
  of_shared: "0x400000000000803f00000040",
  of_summed: "0x400000000000803f00000040",
  per_row: "0x400000000000803f00000040",
  infinite: "0x400000000000803f0000807f",
  enlarging: "0x400000000000803f00000040",
  padded: "0x400000000000803f00000040",
  alone: "0x400000000000803f00000040"
} } #-}
