// RUN: not prune-opt %s --prune-sparsify-weights="format=coo" 2>&1 | FileCheck %s --check-prefix=FORMAT
// RUN: not prune-opt %s --prune-sparsify-weights="format=65x1" 2>&1 | FileCheck %s --check-prefix=BLOCK
// RUN: not prune-opt %s --prune-sparsify-weights="format=4of4" 2>&1 | FileCheck %s --check-prefix=NM
// RUN: not prune-opt %s --prune-sparsify-weights="formats=fc1:ell" 2>&1 | FileCheck %s --check-prefix=LAYER
// RUN: not prune-opt %s --prune-sparsify-weights="formats=fc9:csr" 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: not prune-opt %s --prune-sparsify-weights="formats=fc1" 2>&1 | FileCheck %s --check-prefix=PAIR
// RUN: not prune-opt %s --prune-sparsify-weights="max-density=1.5" 2>&1 | FileCheck %s --check-prefix=ABOVE
// RUN: not prune-opt %s --prune-sparsify-weights="max-density=-0.1" 2>&1 | FileCheck %s --check-prefix=BELOW
// RUN: not prune-opt %s --prune-sparsify-weights="max-density=nan" 2>&1 | FileCheck %s --check-prefix=NAN
// RUN: not prune-opt %s --prune-sparsify-weights="include=(" 2>&1 | FileCheck %s --check-prefix=REGEX
// RUN: not prune-opt %s --prune-sparsify-weights="exclude=fc9" 2>&1 | FileCheck %s --check-prefix=NOTHING
// RUN: not prune-opt %s --prune-sparsify-weights="formats=fc1:1of4" 2>&1 | FileCheck %s --check-prefix=FORCED
// RUN: not prune-opt %s --prune-sparsify-weights="formats=conv:csc" 2>&1 | FileCheck %s --check-prefix=CONV

// FORMAT: error: option 'format': 'coo' is no format; use auto, dense, csr, csc, blocked-csr, <rows>x1 or <n>of<m>, with sizes up to 64
// BLOCK: error: option 'format': '65x1' is no format
// NM: error: option 'format': '4of4' is no format
// LAYER: error: option 'formats': 'ell' is no format
// NAME: error: option 'formats': 'fc9' is no weight
// PAIR: error: option 'formats' expects layer:value but got 'fc1'
// ABOVE: error: option 'max-density' expects a fraction in [0, 1] but got 1.5
// BELOW: error: option 'max-density' expects a fraction in [0, 1] but got -0.1
// NAN: error: option 'max-density' expects a fraction in [0, 1] but got nan
// REGEX: error: option 'include': '(' is no regular expression
// NOTHING: error: option 'exclude': 'fc9' matches no weight; the weights are 'fc1' 'conv'

// A format that a layer is ordered to have is not silently ignored.
// FORCED: error: weight 'fc1' cannot be packed as 1of4: a group of 4 has more than 1 nonzeros
// CONV: error: weight 'conv' cannot be packed as csc: a convolution can be packed as csr only

func.func @main(%x: tensor<3x4xf32>, %init: tensor<3x2xf32>, %image: tensor<1x1x3x4xf32>, %sum: tensor<1x1x2x3xf32>) -> (tensor<3x2xf32>, tensor<1x1x2x3xf32>) {
  %w = arith.constant dense_resource<fc1> : tensor<4x2xf32>
  %r = linalg.matmul ins(%x, %w : tensor<3x4xf32>, tensor<4x2xf32>) outs(%init : tensor<3x2xf32>) -> tensor<3x2xf32>
  %f = arith.constant dense_resource<conv> : tensor<1x1x2x2xf32>
  %c = linalg.conv_2d_nchw_fchw ins(%image, %f : tensor<1x1x3x4xf32>, tensor<1x1x2x2xf32>) outs(%sum : tensor<1x1x2x3xf32>) -> tensor<1x1x2x3xf32>
  return %r, %c : tensor<3x2xf32>, tensor<1x1x2x3xf32>
}

{-#
  dialect_resources: {
    builtin: {
      fc1: "0x040000000000803F0000803F000000000000004000000000000040400000000000000000",
      conv: "0x040000000000803F000000000000000000000000"
    }
  }
#-}
