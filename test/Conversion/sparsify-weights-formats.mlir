// RUN: prune-opt %s --prune-sparsify-weights="max-density=1 format=csc" | FileCheck %s --check-prefix=CSC
// RUN: prune-opt %s --prune-sparsify-weights="max-density=1 format=blocked-csr" | FileCheck %s --check-prefix=BLOCKED
// RUN: prune-opt %s --prune-sparsify-weights="max-density=1 format=4x1" | FileCheck %s --check-prefix=ROWS
// RUN: prune-opt %s --prune-sparsify-weights="max-density=1 format=2of4" | FileCheck %s --check-prefix=NM
// RUN: prune-opt %s --prune-sparsify-weights="formats=fc.*:csc,conv:csr" | FileCheck %s --check-prefix=LAYERS
// RUN: prune-opt %s --prune-sparsify-weights="max-density=1 include=fc" | FileCheck %s --check-prefix=FILTER
// RUN: prune-opt %s --prune-sparsify-weights="max-density=1 exclude=^fc2$" | FileCheck %s --check-prefix=FILTER
// RUN: prune-opt %s --prune-sparsify-weights="formats=fc1:csr,fc2:dense" --prune-sparsify-weights="max-density=1 unless-packed" | FileCheck %s --check-prefix=DECIDED

// The weight of fc1, outputs by inputs, is
//   1 0 0 2 0 | 0 3 0 0 0 | 0 0 0 0 0 | 0 0 0 0 0 | 0 0 0 0 4 | 0 0 5 0 0

// CSC-LABEL: func @fc1
// CSC-DAG: arith.constant dense<[0, 1, 2, 3, 4, 5]> : tensor<6xi8>
// CSC-DAG: arith.constant dense<[0, 1, 5, 0, 4]> : tensor<5xi8>
// CSC: sparse_tensor.assemble {{.*}} to tensor<6x5xf32, #{{.*}}>
// CSC-LABEL: func @conv
// CSC: linalg.conv_2d_nchw_fchw

// The summed-over dimension is padded and split in blocks of 64.
// BLOCKED: #[[$E:.*]] = #sparse_tensor.encoding<{ map = (d0, d1, d2) -> (d0 : dense, d1 : dense, d2 : compressed), posWidth = 8, crdWidth = 8 }>
// BLOCKED-LABEL: func @fc1
// BLOCKED: %[[P:.*]] = tensor.pad %{{.*}} low[0, 0] high[0, 59]
// BLOCKED: %[[S:.*]] = tensor.expand_shape %[[P]] {{\[\[}}0], [1, 2]] {{.*}} into tensor<3x1x64xf32>
// BLOCKED: sparse_tensor.assemble {{.*}} to tensor<1x6x64xf32, #[[$E]]>
// BLOCKED: linalg.generic {{.*}} ins(%[[S]], %{{.*}} : tensor<3x1x64xf32>, tensor<1x6x64xf32, #[[$E]]>) outs(%{{.*}} : tensor<3x6xf32>)

// The outputs are padded and split in blocks of 4; the result is cropped.
// ROWS: #[[$E:.*]] = #sparse_tensor.encoding<{ map = (d0, d1, d2) -> (d0 : dense, d1 : compressed, d2 : dense), posWidth = 8, crdWidth = 8 }>
// ROWS-LABEL: func @fc1
// ROWS: %[[P:.*]] = tensor.pad %{{.*}} low[0, 0] high[0, 2]
// ROWS: %[[S:.*]] = tensor.expand_shape %[[P]] {{\[\[}}0], [1, 2]] {{.*}} into tensor<3x2x4xf32>
// ROWS-DAG: arith.constant dense<[0, 3, 5]> : tensor<3xi8>
// ROWS-DAG: arith.constant dense<[0, 1, 3, 2, 4]> : tensor<5xi8>
// ROWS-DAG: arith.constant dense<[1.000000e+00, 0.000000e+00, 0.000000e+00, 0.000000e+00, 0.000000e+00, 3.000000e+00, 0.000000e+00, 0.000000e+00, 2.000000e+00, 0.000000e+00, 0.000000e+00, 0.000000e+00, 0.000000e+00, 5.000000e+00, 0.000000e+00, 0.000000e+00, 4.000000e+00, 0.000000e+00, 0.000000e+00, 0.000000e+00]>
// ROWS: sparse_tensor.assemble {{.*}} to tensor<2x5x4xf32, #[[$E]]>
// ROWS: %[[R:.*]] = linalg.generic {{.*}} outs(%[[S]] : tensor<3x2x4xf32>)
// ROWS: %[[J:.*]] = tensor.collapse_shape %[[R]] {{\[\[}}0], [1, 2]]
// ROWS: tensor.extract_slice %[[J]][0, 0] [3, 6] [1, 1] : tensor<3x8xf32> to tensor<3x6xf32>

// Groups with fewer nonzeros list zeros at coordinates of their own.
// NM: #[[$E:.*]] = #sparse_tensor.encoding<{ map = (d0, d1, d2) -> (d0 : dense, d1 : dense, d2 : structured[2, 4]), crdWidth = 8 }>
// NM-LABEL: func @fc1
// NM: tensor.pad %{{.*}} low[0, 0] high[0, 3]
// NM-DAG: arith.constant dense<[0, 3, 0, 1, 0, 1, {{.*}}]> : tensor<24xi8>
// NM: sparse_tensor.assemble {{.*}} : (tensor<24xi8>), tensor<24xf32> to tensor<6x2x4xf32, #[[$E]]>

// LAYERS-LABEL: func @fc1
// LAYERS: sparse_tensor.assemble {{.*}} to tensor<6x5xf32, #{{.*}}>
// LAYERS-LABEL: func @fc2
// LAYERS: sparse_tensor.assemble {{.*}} to tensor<2x2xf32, #{{.*}}>
// LAYERS-LABEL: func @conv
// LAYERS: sparse_tensor.assemble {{.*}} to tensor<1x6xf32, #{{.*}}>

// FILTER-LABEL: func @fc1
// FILTER: sparse_tensor.assemble
// FILTER-LABEL: func @fc2

// DECIDED-LABEL: func @fc1
// DECIDED: sparse_tensor.assemble
// DECIDED-LABEL: func @fc2
// DECIDED: linalg.matvec
func.func @fc1(%x: tensor<3x5xf32>, %init: tensor<3x6xf32>) -> tensor<3x6xf32> {
  %w = arith.constant dense_resource<fc1.weight> : tensor<6x5xf32>
  %e = tensor.empty() : tensor<5x6xf32>
  %t = linalg.transpose ins(%w : tensor<6x5xf32>) outs(%e : tensor<5x6xf32>) permutation = [1, 0]
  %r = linalg.matmul ins(%x, %t : tensor<3x5xf32>, tensor<5x6xf32>) outs(%init : tensor<3x6xf32>) -> tensor<3x6xf32>
  return %r : tensor<3x6xf32>
}

func.func @fc2(%x: tensor<2xf32>, %init: tensor<2xf32>) -> tensor<2xf32> {
  %w = arith.constant dense_resource<fc2> : tensor<2x2xf32>
  %r = linalg.matvec ins(%w, %x : tensor<2x2xf32>, tensor<2xf32>) outs(%init : tensor<2xf32>) -> tensor<2xf32>
  return %r : tensor<2xf32>
}

func.func @conv(%x: tensor<1x1x3x4xf32>, %init: tensor<1x1x2x3xf32>) -> tensor<1x1x2x3xf32> {
  %w = arith.constant dense_resource<conv> : tensor<1x1x2x2xf32>
  %r = linalg.conv_2d_nchw_fchw ins(%x, %w : tensor<1x1x3x4xf32>, tensor<1x1x2x2xf32>) outs(%init : tensor<1x1x2x3xf32>) -> tensor<1x1x2x3xf32>
  return %r : tensor<1x1x2x3xf32>
}

{-#
  dialect_resources: {
    builtin: {
      fc1.weight: "0x040000000000803F00000000000000000000004000000000000000000000404000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000804000000000000000000000A0400000000000000000",
      fc2: "0x040000000000803F000000000000000000000040",
      conv: "0x040000000000803F000000000000000000000000"
    }
  }
#-}
