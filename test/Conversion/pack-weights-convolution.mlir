// Convolutions become packed products that read windows of the flat image.
// RUN: prune-opt %s --prune-pack-weights --canonicalize --split-input-file | FileCheck %s
// RUN: prune-opt %s --prune-pack-weights --split-input-file | prune-opt --split-input-file -o /dev/null

// The padding is written around each image at once, with a channel more for the
// windows of the last columns; each row of 18 has two windows too many.
// CHECK-LABEL: func @padded
// CHECK-DAG: %[[X:.*]] = tensor.extract_slice %{{.*}} : tensor<1x8x16x16xf32> to tensor<8x16x16xf32>
// CHECK-DAG: %[[ZEROS:.*]] = linalg.fill {{.*}} -> tensor<9x1x18x18xf32>
// CHECK: %[[IMAGE:.*]] = tensor.insert_slice %[[X]] into %[[ZEROS]][0, 0, 1, 1] [8, 1, 16, 16]
// CHECK: %[[FLAT:.*]] = tensor.collapse_shape %[[IMAGE]]
// CHECK: %[[Y:.*]] = prune.packed_matmul <blocks, m = 4, k = 72, {{.*}}> {{.*}} input(%[[FLAT]] : tensor<2916xf32>) init({{.*}} : tensor<4x320xf32>)
// CHECK: %[[ROWS:.*]] = tensor.extract_slice %[[Y]][0, 0] [4, 288]
// CHECK: %[[WIDE:.*]] = tensor.expand_shape %[[ROWS]] {{.*}} into tensor<4x16x18xf32>
// CHECK: tensor.extract_slice %[[WIDE]][0, 0, 0] [4, 16, 16]
func.func @padded(%x: tensor<1x8x16x16xf32>) -> tensor<1x4x16x16xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<1.0> : tensor<4x8x3x3xf32>
  %padded = tensor.pad %x low[0, 0, 1, 1] high[0, 0, 1, 1] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x8x16x16xf32> to tensor<1x8x18x18xf32>
  %e = tensor.empty() : tensor<1x4x16x16xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x4x16x16xf32>) -> tensor<1x4x16x16xf32>
  %y = linalg.conv_2d_nchw_fchw ins(%padded, %w : tensor<1x8x18x18xf32>, tensor<4x8x3x3xf32>) outs(%f : tensor<1x4x16x16xf32>) -> tensor<1x4x16x16xf32>
  return %y : tensor<1x4x16x16xf32>
}

// -----

// Padding with anything but zero stays where it is.
// CHECK-LABEL: func @padded_with_ones
// CHECK: %[[PADDED:.*]] = tensor.pad
// CHECK: tensor.extract_slice %[[PADDED]]
// CHECK: prune.packed_matmul
func.func @padded_with_ones(%x: tensor<1x8x16x16xf32>) -> tensor<1x4x16x16xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %w = arith.constant dense<1.0> : tensor<4x8x3x3xf32>
  %padded = tensor.pad %x low[0, 0, 1, 1] high[0, 0, 1, 1] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %one : f32
  } : tensor<1x8x16x16xf32> to tensor<1x8x18x18xf32>
  %e = tensor.empty() : tensor<1x4x16x16xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x4x16x16xf32>) -> tensor<1x4x16x16xf32>
  %y = linalg.conv_2d_nchw_fchw ins(%padded, %w : tensor<1x8x18x18xf32>, tensor<4x8x3x3xf32>) outs(%f : tensor<1x4x16x16xf32>) -> tensor<1x4x16x16xf32>
  return %y : tensor<1x4x16x16xf32>
}

// -----

// Single positions without padding: the image is read where it is. Bias and
// activation are the product's own; the sum with another tensor is not.
// CHECK-LABEL: func @pointwise
// CHECK-NOT: linalg.fill
// CHECK-NOT: linalg.transpose
// CHECK: %[[FLAT:.*]] = tensor.collapse_shape {{.*}} into tensor<2048xf32>
// CHECK: %[[Y:.*]] = prune.packed_matmul {{.*}} input(%[[FLAT]] : tensor<2048xf32>) bias({{.*}} : tensor<4xf32>) init({{.*}} : tensor<4x256xf32>)
// CHECK-NEXT: ^bb0(%[[ELEMENT:.*]]: f32, %[[BIAS:.*]]: f32)
// CHECK-NEXT: %[[SUM:.*]] = arith.addf %[[ELEMENT]], %[[BIAS]]
// CHECK-NEXT: %[[RELU:.*]] = arith.maximumf %[[SUM]]
// CHECK-NEXT: prune.yield %[[RELU]]
// CHECK: tensor.expand_shape %[[Y]]
// CHECK: linalg.generic
// CHECK: arith.addf
#identity = affine_map<(n, f, h, w) -> (n, f, h, w)>
func.func @pointwise(%x: tensor<1x8x16x16xf32>, %r: tensor<1x4x16x16xf32>) -> tensor<1x4x16x16xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<1.0> : tensor<4x8x1x1xf32>
  %b = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %e = tensor.empty() : tensor<1x4x16x16xf32>
  %f = linalg.broadcast ins(%b : tensor<4xf32>) outs(%e : tensor<1x4x16x16xf32>) dimensions = [0, 2, 3]
  %y = linalg.conv_2d_nchw_fchw ins(%x, %w : tensor<1x8x16x16xf32>, tensor<4x8x1x1xf32>) outs(%f : tensor<1x4x16x16xf32>) -> tensor<1x4x16x16xf32>
  %a = linalg.generic {indexing_maps = [#identity, #identity], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%y : tensor<1x4x16x16xf32>) outs(%e : tensor<1x4x16x16xf32>) {
  ^bb0(%p: f32, %out: f32):
    %o = arith.maximumf %p, %zero : f32
    linalg.yield %o : f32
  } -> tensor<1x4x16x16xf32>
  %s = linalg.generic {indexing_maps = [#identity, #identity, #identity], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%a, %r : tensor<1x4x16x16xf32>, tensor<1x4x16x16xf32>) outs(%e : tensor<1x4x16x16xf32>) {
  ^bb0(%p: f32, %q: f32, %out: f32):
    %o = arith.addf %p, %q : f32
    linalg.yield %o : f32
  } -> tensor<1x4x16x16xf32>
  return %s : tensor<1x4x16x16xf32>
}

// -----

// Large images are not cleared as a whole, but around what is copied.
// CHECK-LABEL: func @large
// CHECK: %[[EMPTY:.*]] = tensor.empty() : tensor<3x1x514x514xf32>
// CHECK: linalg.fill {{.*}} -> tensor<1x1x514x514xf32>
// CHECK: linalg.fill {{.*}} -> tensor<2x1x1x514xf32>
// CHECK: linalg.fill {{.*}} -> tensor<2x1x1x514xf32>
// CHECK: linalg.fill {{.*}} -> tensor<2x1x512x1xf32>
// CHECK: linalg.fill {{.*}} -> tensor<2x1x512x1xf32>
// CHECK: tensor.insert_slice {{.*}}[0, 0, 1, 1] [2, 1, 512, 512]
func.func @large(%x: tensor<1x2x512x512xf32>) -> tensor<1x4x512x512xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<1.0> : tensor<4x2x3x3xf32>
  %padded = tensor.pad %x low[0, 0, 1, 1] high[0, 0, 1, 1] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x2x512x512xf32> to tensor<1x2x514x514xf32>
  %e = tensor.empty() : tensor<1x4x512x512xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x4x512x512xf32>) -> tensor<1x4x512x512xf32>
  %y = linalg.conv_2d_nchw_fchw ins(%padded, %w : tensor<1x2x514x514xf32>, tensor<4x2x3x3xf32>) outs(%f : tensor<1x4x512x512xf32>) -> tensor<1x4x512x512xf32>
  return %y : tensor<1x4x512x512xf32>
}

// -----

// A stride of two separates even and odd rows and columns.
// CHECK-LABEL: func @strided
// CHECK: %[[ZEROS:.*]] = linalg.fill {{.*}} -> tensor<9x4x9x9xf32>
// CHECK: %[[P0:.*]] = tensor.extract_slice %[[X:.*]][0, 0, 0] [8, 9, 9] [1, 2, 2]
// CHECK: tensor.insert_slice %[[P0]] into %[[ZEROS]][0, 0, 0, 0]
// CHECK: %[[P1:.*]] = tensor.extract_slice %[[X]][0, 0, 1] [8, 9, 8] [1, 2, 2]
// CHECK: tensor.insert_slice %[[P1]] into %{{.*}}[0, 1, 0, 0]
// CHECK: %[[P2:.*]] = tensor.extract_slice %[[X]][0, 1, 0] [8, 8, 9] [1, 2, 2]
// CHECK: %[[P3:.*]] = tensor.extract_slice %[[X]][0, 1, 1] [8, 8, 8] [1, 2, 2]
// CHECK: prune.packed_matmul {{.*}} init({{.*}} : tensor<4x{{[0-9]+}}xf32>)
// CHECK: tensor.expand_shape {{.*}} : tensor<4x72xf32> into tensor<4x8x9xf32>
func.func @strided(%x: tensor<1x8x17x17xf32>) -> tensor<1x4x8x8xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<1.0> : tensor<4x8x3x3xf32>
  %e = tensor.empty() : tensor<1x4x8x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  %y = linalg.conv_2d_nchw_fchw {strides = dense<2> : vector<2xi64>} ins(%x, %w : tensor<1x8x17x17xf32>, tensor<4x8x3x3xf32>) outs(%f : tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  return %y : tensor<1x4x8x8xf32>
}

// -----

// Many phases are separated by a transpose, as in patches of 8 by 8.
// CHECK-LABEL: func @patches
// CHECK: tensor.expand_shape {{.*}} : tensor<{{[0-9]+}}x32x32xf32> into tensor<{{[0-9]+}}x4x8x4x8xf32>
// CHECK: linalg.transpose {{.*}} permutation = [0, 2, 4, 1, 3]
// CHECK: prune.packed_matmul
// CHECK-NOT: tensor.extract_slice {{.*}} [1, 8, 8]
func.func @patches(%x: tensor<1x3x32x32xf32>) -> tensor<1x4x4x4xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<1.0> : tensor<4x3x8x8xf32>
  %e = tensor.empty() : tensor<1x4x4x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  %y = linalg.conv_2d_nchw_fchw {strides = dense<8> : vector<2xi64>} ins(%x, %w : tensor<1x3x32x32xf32>, tensor<4x3x8x8xf32>) outs(%f : tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  return %y : tensor<1x4x4x4xf32>
}

// -----

// Several images, or an open number, are taken one after another; channels that
// stand last are brought to the front, and features back.
// CHECK-LABEL: func @images
// CHECK: %[[N:.*]] = tensor.dim
// CHECK: scf.for {{.*}} to %[[N]]
// CHECK: tensor.extract_slice {{.*}} : tensor<?x18x18x8xf32> to tensor<18x18x8xf32>
// CHECK: linalg.transpose {{.*}} permutation = [2, 0, 1]
// CHECK: prune.packed_matmul
// CHECK: linalg.transpose {{.*}} permutation = [1, 2, 0]
// CHECK: tensor.insert_slice
// CHECK: scf.yield
func.func @images(%x: tensor<?x18x18x8xf32>) -> tensor<?x16x16x4xf32> {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %w = arith.constant dense<1.0> : tensor<3x3x8x4xf32>
  %n = tensor.dim %x, %c0 : tensor<?x18x18x8xf32>
  %e = tensor.empty(%n) : tensor<?x16x16x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x16x16x4xf32>) -> tensor<?x16x16x4xf32>
  %y = linalg.conv_2d_nhwc_hwcf ins(%x, %w : tensor<?x18x18x8xf32>, tensor<3x3x8x4xf32>) outs(%f : tensor<?x16x16x4xf32>) -> tensor<?x16x16x4xf32>
  return %y : tensor<?x16x16x4xf32>
}

// -----

// A depthwise filter is a matrix that is zero but for 9 columns in a row.
// CHECK-LABEL: func @depthwise
// CHECK: arith.constant {{.*}} : tensor<{{72|144}}xf32>
// CHECK: prune.packed_matmul <{{.*}}, m = 8, k = 72, {{.*}}>
func.func @depthwise(%x: tensor<1x8x18x18xf32>) -> tensor<1x8x16x16xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<1.0> : tensor<8x3x3xf32>
  %e = tensor.empty() : tensor<1x8x16x16xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x8x16x16xf32>) -> tensor<1x8x16x16xf32>
  %y = linalg.depthwise_conv_2d_nchw_chw ins(%x, %w : tensor<1x8x18x18xf32>, tensor<8x3x3xf32>) outs(%f : tensor<1x8x16x16xf32>) -> tensor<1x8x16x16xf32>
  return %y : tensor<1x8x16x16xf32>
}
