// RUN: prune-opt %s --prune-fold-batch-norms | FileCheck %s

#nchw = affine_map<(n, c, h, w) -> (n, c, h, w)>
#channel = affine_map<(n, c, h, w) -> (c)>
#mk = affine_map<(m, k) -> (m, k)>
#k = affine_map<(m, k) -> (k)>

// A normalisation behind a convolution with a bias: y = s (conv + 1 - 3) / sqrt(3 + 1) + 5.
// s is 2, 4 in the two channels, which scales by 1, 2; one bias remains, under the name of the old one.
// CHECK-LABEL: func @behind_convolution
// CHECK-SAME: %[[X:.*]]: tensor<1x1x4x4xf32>
// CHECK-DAG: %[[W:.*]] = arith.constant dense_resource<"conv.weight#1"> : tensor<2x1x1x1xf32>
// CHECK-DAG: %[[B:.*]] = arith.constant dense_resource<"conv.bias#1"> : tensor<2xf32>
// CHECK: %[[C:.*]] = linalg.conv_2d_nchw_fchw ins(%[[X]], %[[W]]
// CHECK: %[[S:.*]] = linalg.generic {{.*}}ins(%[[C]], %[[B]]
// CHECK: arith.addf
// CHECK-NOT: arith.mulf
// CHECK: return %[[S]]
func.func @behind_convolution(%x: tensor<1x1x4x4xf32>) -> tensor<1x2x4x4xf32> {
  %w = arith.constant dense_resource<conv.weight> : tensor<2x1x1x1xf32>
  %bias = arith.constant dense_resource<conv.bias> : tensor<2xf32>
  %scale = arith.constant dense_resource<bn.scale> : tensor<2xf32>
  %shift = arith.constant dense<5.0> : tensor<2xf32>
  %mean = arith.constant dense<3.0> : tensor<2xf32>
  %variance = arith.constant dense<3.0> : tensor<2xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x2x4x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  %c = linalg.conv_2d_nchw_fchw ins(%x, %w : tensor<1x1x4x4xf32>, tensor<2x1x1x1xf32>) outs(%f : tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  %b = linalg.generic {indexing_maps = [#nchw, #channel, #nchw], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%c, %bias : tensor<1x2x4x4xf32>, tensor<2xf32>) outs(%e : tensor<1x2x4x4xf32>) {
  ^bb0(%in: f32, %a: f32, %out: f32):
    %s = arith.addf %in, %a : f32
    linalg.yield %s : f32
  } -> tensor<1x2x4x4xf32>
  %n = linalg.generic {indexing_maps = [#nchw, #channel, #channel, #channel, #channel, #nchw], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%b, %scale, %shift, %mean, %variance : tensor<1x2x4x4xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) outs(%e : tensor<1x2x4x4xf32>) {
  ^bb0(%in: f32, %g: f32, %h: f32, %m: f32, %v: f32, %out: f32):
    %epsilon = arith.constant 1.0 : f32
    %0 = arith.addf %v, %epsilon : f32
    %1 = arith.subf %in, %m : f32
    %2 = math.sqrt %0 : f32
    %3 = arith.divf %g, %2 : f32
    %4 = arith.mulf %1, %3 : f32
    %5 = arith.addf %4, %h : f32
    linalg.yield %5 : f32
  } -> tensor<1x2x4x4xf32>
  return %n : tensor<1x2x4x4xf32>
}

// What follows the affine part of a body stays; a shift alone stays as it is.
// CHECK-LABEL: func @with_activation
// CHECK: dense<{{\[}}[1.000000e+00, 4.000000e+00, 9.000000e+00]{{.*}}> : tensor<2x3xf32>
// CHECK: linalg.matmul
// CHECK: linalg.generic
// CHECK-NEXT: ^bb0
// CHECK-NEXT: arith.maximumf
func.func @with_activation(%x: tensor<?x2xf32>, %e: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %w = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %scale = arith.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %zero = arith.constant 0.0 : f32
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x3xf32>) -> tensor<?x3xf32>
  %c = linalg.matmul ins(%x, %w : tensor<?x2xf32>, tensor<2x3xf32>) outs(%f : tensor<?x3xf32>) -> tensor<?x3xf32>
  %n = linalg.generic {indexing_maps = [#mk, #k, #mk], iterator_types = ["parallel", "parallel"]} ins(%c, %scale : tensor<?x3xf32>, tensor<3xf32>) outs(%e : tensor<?x3xf32>) {
  ^bb0(%in: f32, %g: f32, %out: f32):
    %0 = arith.mulf %in, %g : f32
    %1 = arith.maximumf %0, %zero : f32
    linalg.yield %1 : f32
  } -> tensor<?x3xf32>
  return %n : tensor<?x3xf32>
}

// In front, behind an activation and a flatten: columns belong to channels. What
// the weights make of the shift is a bias: (1 + 2) * 10 + (3 + 4) * 20 = 170.
// CHECK-LABEL: func @in_front
// CHECK-DAG: dense<{{\[}}[2.000000e+00, 4.000000e+00, 9.000000e+00, 1.200000e+01]]> : tensor<1x4xf32>
// CHECK-DAG: dense<1.700000e+02> : tensor<1xf32>
// CHECK: linalg.generic
// CHECK-NEXT: ^bb0
// CHECK-NEXT: arith.maximumf
// CHECK-NEXT: linalg.yield
// CHECK: tensor.collapse_shape
// CHECK: linalg.matmul
// CHECK: arith.addf
func.func @in_front(%x: tensor<1x2x2xf32>, %e: tensor<1x2x2xf32>, %o: tensor<1x1xf32>) -> tensor<1x1xf32> {
  %w = arith.constant dense<[[1.0, 2.0, 3.0, 4.0]]> : tensor<1x4xf32>
  %scale = arith.constant dense<[2.0, 3.0]> : tensor<2xf32>
  %shift = arith.constant dense<[10.0, 20.0]> : tensor<2xf32>
  %zero = arith.constant 0.0 : f32
  %n = linalg.generic {indexing_maps = [affine_map<(n, c, l) -> (n, c, l)>, affine_map<(n, c, l) -> (c)>, affine_map<(n, c, l) -> (c)>, affine_map<(n, c, l) -> (n, c, l)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%x, %scale, %shift : tensor<1x2x2xf32>, tensor<2xf32>, tensor<2xf32>) outs(%e : tensor<1x2x2xf32>) {
  ^bb0(%in: f32, %g: f32, %h: f32, %out: f32):
    %0 = arith.maximumf %in, %zero : f32
    %1 = arith.mulf %0, %g : f32
    %2 = arith.addf %1, %h : f32
    linalg.yield %2 : f32
  } -> tensor<1x2x2xf32>
  %flat = tensor.collapse_shape %n [[0], [1, 2]] : tensor<1x2x2xf32> into tensor<1x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%o : tensor<1x1xf32>) -> tensor<1x1xf32>
  %c = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] ins(%flat, %w : tensor<1x4xf32>, tensor<1x4xf32>) outs(%f : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %c : tensor<1x1xf32>
}

// The weight keeps its shape although the contraction reads it transposed.
// CHECK-LABEL: func @through_transpose
// CHECK: dense<{{\[}}[-1.000000e+00, -2.000000e+00], [-6.000000e+00, -8.000000e+00]]> : tensor<2x2xf32>
// CHECK: linalg.transpose
// CHECK: %[[C:.*]] = linalg.matmul
// CHECK-NEXT: return %[[C]]
func.func @through_transpose(%x: tensor<1x2xf32>, %e: tensor<1x2xf32>, %t: tensor<2x2xf32>) -> tensor<1x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %scale = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %zero = arith.constant 0.0 : f32
  %wt = linalg.transpose ins(%w : tensor<2x2xf32>) outs(%t : tensor<2x2xf32>) permutation = [1, 0]
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32>
  %c = linalg.matmul ins(%x, %wt : tensor<1x2xf32>, tensor<2x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32>
  %n = linalg.generic {indexing_maps = [#mk, #k, #mk], iterator_types = ["parallel", "parallel"]} ins(%c, %scale : tensor<1x2xf32>, tensor<2xf32>) outs(%e : tensor<1x2xf32>) {
  ^bb0(%in: f32, %g: f32, %out: f32):
    %0 = arith.negf %in : f32
    %1 = arith.mulf %g, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<1x2xf32>
  return %n : tensor<1x2xf32>
}

// A bias that the sum starts from joins the shift.
// CHECK-LABEL: func @bias_as_init
// CHECK-DAG: dense<2.000000e+00> : tensor<2x2xf32>
// CHECK-DAG: dense<{{\[}}2.000000e+00, 6.000000e+00]> : tensor<2xf32>
// CHECK: linalg.fill
// CHECK: linalg.matmul
// CHECK: arith.addf
func.func @bias_as_init(%x: tensor<1x2xf32>, %e: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = arith.constant dense<1.0> : tensor<2x2xf32>
  %bias = arith.constant dense<[1.0, 3.0]> : tensor<2xf32>
  %two = arith.constant 2.0 : f32
  %f = linalg.broadcast ins(%bias : tensor<2xf32>) outs(%e : tensor<1x2xf32>) dimensions = [0]
  %c = linalg.matmul ins(%x, %w : tensor<1x2xf32>, tensor<2x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32>
  %n = linalg.generic {indexing_maps = [#mk, #mk], iterator_types = ["parallel", "parallel"]} ins(%c : tensor<1x2xf32>) outs(%e : tensor<1x2xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %in, %two : f32
    linalg.yield %0 : f32
  } -> tensor<1x2xf32>
  return %n : tensor<1x2xf32>
}

// One bias behind a sum from zero is what there should be.
// CHECK-LABEL: func @keeps_bias
// CHECK: dense_resource<conv.bias> : tensor<2xf32>
func.func @keeps_bias(%x: tensor<1x2xf32>, %e: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %bias = arith.constant dense_resource<conv.bias> : tensor<2xf32>
  %zero = arith.constant 0.0 : f32
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32>
  %c = linalg.matmul ins(%x, %w : tensor<1x2xf32>, tensor<2x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32>
  %n = linalg.generic {indexing_maps = [#mk, #k, #mk], iterator_types = ["parallel", "parallel"]} ins(%c, %bias : tensor<1x2xf32>, tensor<2xf32>) outs(%e : tensor<1x2xf32>) {
  ^bb0(%in: f32, %g: f32, %out: f32):
    %0 = arith.addf %in, %g : f32
    linalg.yield %0 : f32
  } -> tensor<1x2xf32>
  return %n : tensor<1x2xf32>
}

// Zeros stay zeros, and records of a shrunk weight follow it. The resources, in
// which conv.weight was [1, 2] and its bias 1, 1:
// CHECK-DAG: "conv.weight#1": "0x400000000000803F00008040"
// CHECK-DAG: "conv.bias#1": "0x40000000000040400000803F"
{-# dialect_resources: { builtin: {
  conv.weight: "0x400000000000803f00000040",
  conv.bias: "0x400000000000803f0000803f",
  bn.scale: "0x400000000000004000008040"
} } #-}
