// A tosa network computes what numpy computes.

// RUN: rm -rf %t && mkdir %t
// RUN: %python %S/Inputs/tosa_reference.py %t
// RUN: prune-run %s --input=@%t/x.npy --input=@%t/w.npy --input=@%t/b.npy \
// RUN:   --expected=@%t/y.npy --rtol=1e-5 --atol=1e-6 --json | FileCheck %s
// CHECK: "leaked_allocations":0

// Without the canonicalizer too, as with every network: see
// lower-to-llvm-no-canonicalizer.py.

func.func @main(%x: tensor<1x8x8x3xf32>, %w: tensor<4x3x3x3xf32>, %b: tensor<4xf32>) -> tensor<1x4xf32> {
  %zp = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  %c = tosa.conv2d %x, %w, %b, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>}
    : (tensor<1x8x8x3xf32>, tensor<4x3x3x3xf32>, tensor<4xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x8x8x4xf32>
  %r = tosa.clamp %c {max_val = 6.0 : f32, min_val = 0.0 : f32} : (tensor<1x8x8x4xf32>) -> tensor<1x8x8x4xf32>
  %p = tosa.avg_pool2d %r, %zp, %zp {acc_type = f32, kernel = array<i64: 8, 8>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>}
    : (tensor<1x8x8x4xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x1x4xf32>
  %s = tosa.const_shape {values = dense<[1, 4]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %f = tosa.reshape %p, %s : (tensor<1x1x1x4xf32>, !tosa.shape<2>) -> tensor<1x4xf32>
  %t = tosa.tanh %f : (tensor<1x4xf32>) -> tensor<1x4xf32>
  %e = tosa.erf %t : (tensor<1x4xf32>) -> tensor<1x4xf32>
  %g = tosa.sigmoid %e : (tensor<1x4xf32>) -> tensor<1x4xf32>
  return %g : tensor<1x4xf32>
}
