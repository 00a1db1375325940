// RUN: prune-opt %s --prune-sparsify-weights="format=csr max-density=1" | FileCheck %s

// CHECK-DAG: #[[$ROWS:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG: #[[$WEIGHT:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-DAG: #[[$OUT:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-DAG: #[[$NCHW:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d3 + d4 + d2 * 5)>
// CHECK-DAG: #[[$NHWC:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d4 + d2 * 6 + d1 * 36)>
// CHECK-DAG: #[[$CSR:.*]] = #sparse_tensor.encoding<{ map = (d0, d1) -> (d0 : dense, d1 : compressed), posWidth = 8, crdWidth = 8 }>

// The weight becomes rows of outputs, whatever its orientation.
// CHECK-LABEL: func @packs_a_matmul
// CHECK-SAME: (%[[X:.*]]: tensor<3x4xf32>, %[[INIT:.*]]: tensor<3x2xf32>)
// CHECK-DAG: %[[POS:.*]] = arith.constant dense<[0, 2, 3]> : tensor<3xi8>
// CHECK-DAG: %[[CRD:.*]] = arith.constant dense<[0, 3, 1]> : tensor<3xi8>
// CHECK-DAG: %[[VAL:.*]] = arith.constant dense<[1.000000e+00, 2.000000e+00, 3.000000e+00]> : tensor<3xf32>
// CHECK: %[[W:.*]] = sparse_tensor.assemble (%[[POS]], %[[CRD]]), %[[VAL]]
// CHECK-SAME: to tensor<2x4xf32, #[[$CSR]]>
// CHECK: %[[R:.*]] = linalg.generic
// CHECK-SAME: indexing_maps = [#[[$ROWS]], #[[$WEIGHT]], #[[$OUT]]]
// CHECK-SAME: iterator_types = ["parallel", "parallel", "reduction"]
// CHECK-SAME: ins(%[[X]], %[[W]] : {{.*}}) outs(%[[INIT]] :
// CHECK: %[[P:.*]] = arith.mulf
// CHECK: arith.addf %{{.*}}, %[[P]]
// CHECK: return %[[R]]
func.func @packs_a_matmul(%x: tensor<3x4xf32>, %init: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %w = arith.constant dense<[[1.0, 0.0], [0.0, 3.0], [-0.0, 0.0], [2.0, 0.0]]> : tensor<4x2xf32>
  %r = linalg.matmul ins(%x, %w : tensor<3x4xf32>, tensor<4x2xf32>) outs(%init : tensor<3x2xf32>) -> tensor<3x2xf32>
  return %r : tensor<3x2xf32>
}

// Transposes, reshapes and casts are folded into the data, and disappear.
// CHECK-LABEL: func @folds_the_chain
// CHECK-NOT: arith.constant dense<{{.*}}f16>
// CHECK: arith.constant dense<[1.000000e+00, 2.000000e+00, 3.000000e+00]> : tensor<3xf32>
// CHECK-NOT: tensor.expand_shape
// CHECK-NOT: linalg.transpose
// CHECK: linalg.generic
func.func @folds_the_chain(%x: tensor<3x4xf32>, %init: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %c = arith.constant dense<[1.0, 0.0, 0.0, 2.0, 0.0, 3.0, 0.0, 0.0]> : tensor<8xf16>
  %s = tensor.expand_shape %c [[0, 1]] output_shape [2, 4] : tensor<8xf16> into tensor<2x4xf16>
  %f = arith.extf %s : tensor<2x4xf16> to tensor<2x4xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  %w = linalg.transpose ins(%f : tensor<2x4xf32>) outs(%e : tensor<4x2xf32>) permutation = [1, 0]
  %r = linalg.matmul ins(%x, %w : tensor<3x4xf32>, tensor<4x2xf32>) outs(%init : tensor<3x2xf32>) -> tensor<3x2xf32>
  return %r : tensor<3x2xf32>
}

// A weight on the left, and sizes that are not known.
// CHECK-LABEL: func @packs_on_the_left
// CHECK: sparse_tensor.assemble {{.*}} to tensor<2x4xf32, #[[$CSR]]>
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %{{.*}} : tensor<4x?xf32>, tensor<2x4xf32, #[[$CSR]]>) outs(%{{.*}} : tensor<2x?xf32>)
func.func @packs_on_the_left(%x: tensor<4x?xf32>, %init: tensor<2x?xf32>) -> tensor<2x?xf32> {
  %w = arith.constant dense<[[1.0, 0.0, 0.0, 2.0], [0.0, 3.0, 0.0, 0.0]]> : tensor<2x4xf32>
  %r = linalg.matmul ins(%w, %x : tensor<2x4xf32>, tensor<4x?xf32>) outs(%init : tensor<2x?xf32>) -> tensor<2x?xf32>
  return %r : tensor<2x?xf32>
}

// A filter is rows of offsets into the flattened input.
// CHECK-LABEL: func @packs_a_convolution
// CHECK: %[[FLAT:.*]] = tensor.collapse_shape %{{.*}} {{\[\[}}0], [1, 2, 3]] : tensor<1x2x4x5xf32> into tensor<1x40xf32>
// CHECK: arith.constant dense<[0, 6, 25, 6, 21]> : tensor<5xi8>
// CHECK: arith.constant dense<[1.000000e+00, 2.000000e+00, 3.000000e+00, 4.000000e+00, 5.000000e+00]>
// CHECK: sparse_tensor.assemble {{.*}} to tensor<2x27xf32, #[[$CSR]]>
// CHECK: linalg.generic {indexing_maps = [#[[$NCHW]]
// CHECK-SAME: ins(%[[FLAT]],
func.func @packs_a_convolution(%x: tensor<1x2x4x5xf32>, %init: tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32> {
  %w = arith.constant dense<[[[[1.0, 0.0], [0.0, 2.0]], [[0.0, 0.0], [3.0, 0.0]]], [[[0.0, 0.0], [0.0, 4.0]], [[0.0, 5.0], [0.0, 0.0]]]]> : tensor<2x2x2x2xf32>
  %r = linalg.conv_2d_nchw_fchw ins(%x, %w : tensor<1x2x4x5xf32>, tensor<2x2x2x2xf32>) outs(%init : tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  return %r : tensor<1x2x3x4xf32>
}

// Strides and dilations change offsets and starts only.
// CHECK-LABEL: func @packs_a_strided_dilated_convolution
// CHECK: arith.constant dense<[0, 5, 1, 19, 22]> : tensor<5xi8>
// CHECK: linalg.generic {indexing_maps = [#[[$NHWC]]
func.func @packs_a_strided_dilated_convolution(%x: tensor<1x7x9x2xf32>, %init: tensor<1x3x3x2xf32>) -> tensor<1x3x3x2xf32> {
  %w = arith.constant dense<[[[[1.0, 0.0], [0.0, 2.0]], [[0.0, 0.0], [3.0, 0.0]]], [[[0.0, 0.0], [0.0, 4.0]], [[0.0, 5.0], [0.0, 0.0]]]]> : tensor<2x2x2x2xf32>
  %r = linalg.conv_2d_nhwc_hwcf {strides = dense<[2, 3]> : tensor<2xi64>, dilations = dense<[1, 2]> : tensor<2xi64>} ins(%x, %w : tensor<1x7x9x2xf32>, tensor<2x2x2x2xf32>) outs(%init : tensor<1x3x3x2xf32>) -> tensor<1x3x3x2xf32>
  return %r : tensor<1x3x3x2xf32>
}

// Half precision is stored as it is and accumulated in f32.
// CHECK-LABEL: func @accumulates_half_precision_in_f32
// CHECK: sparse_tensor.assemble {{.*}} to tensor<2x4xf16, #[[$CSR]]>
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<3x2xf32>)
// CHECK: arith.extf
// CHECK: arith.extf
// CHECK: arith.mulf %{{.*}} : f32
// CHECK: arith.truncf %{{.*}} : f32 to f16
func.func @accumulates_half_precision_in_f32(%x: tensor<3x4xf16>, %init: tensor<3x2xf16>) -> tensor<3x2xf16> {
  %w = arith.constant dense<[[1.0, 0.0], [0.0, 2.0], [0.0, 3.0], [0.0, 0.0]]> : tensor<4x2xf16>
  %r = linalg.matmul ins(%x, %w : tensor<3x4xf16>, tensor<4x2xf16>) outs(%init : tensor<3x2xf16>) -> tensor<3x2xf16>
  return %r : tensor<3x2xf16>
}

// A weight of zeros contributes nothing.
// CHECK-LABEL: func @removes_a_product_with_zero
// CHECK-SAME: tensor<4xf32>, %[[INIT:.*]]: tensor<2xf32>)
// CHECK-NEXT: return %[[INIT]]
func.func @removes_a_product_with_zero(%x: tensor<4xf32>, %init: tensor<2xf32>) -> tensor<2xf32> {
  %w = arith.constant dense<0.0> : tensor<2x4xf32>
  %r = linalg.matvec ins(%w, %x : tensor<2x4xf32>, tensor<4xf32>) outs(%init : tensor<2xf32>) -> tensor<2xf32>
  return %r : tensor<2xf32>
}

// NaN and infinity are values.
// CHECK-LABEL: func @keeps_nan_and_infinity
// CHECK: arith.constant dense<[0x7FC00000, 0xFF800000]> : tensor<2xf32>
func.func @keeps_nan_and_infinity(%x: tensor<4xf32>, %init: tensor<1xf32>) -> tensor<1xf32> {
  %w = arith.constant dense<[[0x7FC00000, 0.0, 0xFF800000, -0.0]]> : tensor<1x4xf32>
  %r = linalg.matvec ins(%w, %x : tensor<1x4xf32>, tensor<4xf32>) outs(%init : tensor<1xf32>) -> tensor<1xf32>
  return %r : tensor<1xf32>
}

// The dense weight stays for its other users.
// CHECK-LABEL: func @keeps_the_constant_for_others
// CHECK: %[[W:.*]] = arith.constant dense<{{.*}}> : tensor<2x4xf32>
// CHECK: sparse_tensor.assemble
// CHECK: return %{{.*}}, %[[W]]
func.func @keeps_the_constant_for_others(%x: tensor<4xf32>, %init: tensor<2xf32>) -> (tensor<2xf32>, tensor<2x4xf32>) {
  %w = arith.constant dense<[[1.0, 0.0, 0.0, 2.0], [0.0, 3.0, 0.0, 0.0]]> : tensor<2x4xf32>
  %r = linalg.matvec ins(%w, %x : tensor<2x4xf32>, tensor<4xf32>) outs(%init : tensor<2xf32>) -> tensor<2xf32>
  return %r, %w : tensor<2xf32>, tensor<2x4xf32>
}
