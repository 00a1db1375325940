// Convolutions that are left alone, and why.
// RUN: prune-opt %s --prune-pack-weights --remarks-filter="prune-pack-weights" -o %t 2>&1 | FileCheck %s
// RUN: FileCheck %s --check-prefix=LEFT < %t

// LEFT-NOT: prune.packed_matmul

// CHECK: NotPacked
// CHECK-SAME: its spatial size is dynamic
func.func @open_size(%x: tensor<1x8x?x16xf32>, %init: tensor<1x4x?x14xf32>) -> tensor<1x4x?x14xf32> {
  %w = arith.constant dense<1.0> : tensor<4x8x3x3xf32>
  %y = linalg.conv_2d_nchw_fchw ins(%x, %w : tensor<1x8x?x16xf32>, tensor<4x8x3x3xf32>) outs(%init : tensor<1x4x?x14xf32>) -> tensor<1x4x?x14xf32>
  return %y : tensor<1x4x?x14xf32>
}

// CHECK: NotPacked
// CHECK-SAME: its sums start neither from zero nor from a bias
func.func @accumulated(%x: tensor<1x8x18x18xf32>, %init: tensor<1x4x16x16xf32>) -> tensor<1x4x16x16xf32> {
  %w = arith.constant dense<1.0> : tensor<4x8x3x3xf32>
  %y = linalg.conv_2d_nchw_fchw ins(%x, %w : tensor<1x8x18x18xf32>, tensor<4x8x3x3xf32>) outs(%init : tensor<1x4x16x16xf32>) -> tensor<1x4x16x16xf32>
  return %y : tensor<1x4x16x16xf32>
}

// CHECK: NotPacked
// CHECK-SAME: its operands have several element types
func.func @mixed(%x: tensor<64x8xf32>, %init: tensor<64x4xf64>) -> tensor<64x4xf64> {
  %w = arith.constant dense<1.0> : tensor<8x4xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(n, m, k) -> (n, k)>, affine_map<(n, m, k) -> (k, m)>, affine_map<(n, m, k) -> (n, m)>],
      iterator_types = ["parallel", "parallel", "reduction"]} ins(%x, %w : tensor<64x8xf32>, tensor<8x4xf32>) outs(%init : tensor<64x4xf64>) {
  ^bb0(%a: f32, %b: f32, %c: f64):
    %d = arith.extf %a : f32 to f64
    %e = arith.extf %b : f32 to f64
    %p = arith.mulf %d, %e : f64
    %s = arith.addf %c, %p : f64
    linalg.yield %s : f64
  } -> tensor<64x4xf64>
  return %y : tensor<64x4xf64>
}

// CHECK: NotPacked
// CHECK-SAME: f32 nor f64
func.func @half(%x: tensor<1x8x18x18xf16>) -> tensor<1x4x16x16xf16> {
  %zero = arith.constant 0.0 : f16
  %w = arith.constant dense<1.0> : tensor<4x8x3x3xf16>
  %e = tensor.empty() : tensor<1x4x16x16xf16>
  %f = linalg.fill ins(%zero : f16) outs(%e : tensor<1x4x16x16xf16>) -> tensor<1x4x16x16xf16>
  %y = linalg.conv_2d_nchw_fchw ins(%x, %w : tensor<1x8x18x18xf16>, tensor<4x8x3x3xf16>) outs(%f : tensor<1x4x16x16xf16>) -> tensor<1x4x16x16xf16>
  return %y : tensor<1x4x16x16xf16>
}
