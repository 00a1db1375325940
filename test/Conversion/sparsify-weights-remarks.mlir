// RUN: prune-opt %s --prune-sparsify-weights="exclude=skipped formats=ordered:dense" --remarks-filter=prune-sparsify-weights --remark-format=emitRemark 2>&1 >/dev/null | FileCheck %s

// Every decision is reported with the figures that led to it.

// CHECK: [Passed] Packed | Category:prune-sparsify-weights | BytesAfter=8, BytesBefore=32, Density=1.250000e-01, Format=csr, Nonzeros=1, Weight=sparse
// CHECK: [Missed] KeptDense {{.*}} Reason="it is excluded", Weight=skipped
// CHECK: [Missed] KeptDense {{.*}} Reason="the options say so", Weight=ordered
// CHECK: [Missed] KeptDense {{.*}} Density=6.250000e-01, MaxDensity=5.000000e-01, Nonzeros=5, Reason="its density is above max-density", Weight=full
// CHECK: [Missed] KeptDense {{.*}} BytesAfter=5, BytesBefore=4, Density=5.000000e-01, Format=csr, Nonzeros=1, Reason="its packed form is not smaller", Weight=tiny
// CHECK: [Passed] Removed {{.*}} BytesAfter=0, BytesBefore=32, Nonzeros=0, Weight=zero
func.func @products(%x: tensor<3x4xf32>, %y: tensor<2xf16>, %init: tensor<3x2xf32>, %init1: tensor<1xf16>)
    -> (tensor<3x2xf32>, tensor<1xf16>) {
  %w0 = arith.constant dense_resource<sparse> : tensor<4x2xf32>
  %r0 = linalg.matmul ins(%x, %w0 : tensor<3x4xf32>, tensor<4x2xf32>) outs(%init : tensor<3x2xf32>) -> tensor<3x2xf32>
  %w1 = arith.constant dense_resource<skipped> : tensor<4x2xf32>
  %r1 = linalg.matmul ins(%x, %w1 : tensor<3x4xf32>, tensor<4x2xf32>) outs(%r0 : tensor<3x2xf32>) -> tensor<3x2xf32>
  %w2 = arith.constant dense_resource<ordered> : tensor<4x2xf32>
  %r2 = linalg.matmul ins(%x, %w2 : tensor<3x4xf32>, tensor<4x2xf32>) outs(%r1 : tensor<3x2xf32>) -> tensor<3x2xf32>
  %w3 = arith.constant dense_resource<full> : tensor<4x2xf32>
  %r3 = linalg.matmul ins(%x, %w3 : tensor<3x4xf32>, tensor<4x2xf32>) outs(%r2 : tensor<3x2xf32>) -> tensor<3x2xf32>
  %w4 = arith.constant dense_resource<tiny> : tensor<1x2xf16>
  %r4 = linalg.matvec ins(%w4, %y : tensor<1x2xf16>, tensor<2xf16>) outs(%init1 : tensor<1xf16>) -> tensor<1xf16>
  %w5 = arith.constant dense_resource<zero> : tensor<4x2xf32>
  %r5 = linalg.matmul ins(%x, %w5 : tensor<3x4xf32>, tensor<4x2xf32>) outs(%r3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return %r5, %r4 : tensor<3x2xf32>, tensor<1xf16>
}

// CHECK: [Missed] KeptDense {{.*}} Reason="weight and input share a dimension that is not summed over (batched, grouped or depthwise)", Weight=depthwise
// CHECK: [Missed] KeptDense {{.*}} Reason="its body is not a plain multiply-add", Weight=squared
// CHECK: [Missed] KeptDense {{.*}} Reason="the spatial size of its input is dynamic, or is read with an offset", Weight=dynamic
func.func @others(%x: tensor<1x4x5x2xf32>, %init: tensor<1x3x4x2xf32>, %v: tensor<2xf32>, %u: tensor<2xf32>,
    %d: tensor<1x2x?x?xf32>, %dinit: tensor<1x1x?x?xf32>) -> (tensor<1x3x4x2xf32>, tensor<2xf32>, tensor<1x1x?x?xf32>) {
  %w0 = arith.constant dense_resource<depthwise> : tensor<2x2x2xf32>
  %r0 = linalg.depthwise_conv_2d_nhwc_hwc ins(%x, %w0 : tensor<1x4x5x2xf32>, tensor<2x2x2xf32>) outs(%init : tensor<1x3x4x2xf32>) -> tensor<1x3x4x2xf32>
  %w1 = arith.constant dense_resource<squared> : tensor<2x2xf32>
  %r1 = linalg.generic {indexing_maps = [affine_map<(o, k) -> (k)>, affine_map<(o, k) -> (o, k)>, affine_map<(o, k) -> (o)>], iterator_types = ["parallel", "reduction"]}
    ins(%v, %w1 : tensor<2xf32>, tensor<2x2xf32>) outs(%u : tensor<2xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %n = arith.negf %a : f32
    %m = arith.mulf %n, %b : f32
    %s = arith.addf %c, %m : f32
    linalg.yield %s : f32
  } -> tensor<2xf32>
  %w2 = arith.constant dense_resource<dynamic> : tensor<1x2x2x2xf32>
  %r2 = linalg.conv_2d_nchw_fchw ins(%d, %w2 : tensor<1x2x?x?xf32>, tensor<1x2x2x2xf32>) outs(%dinit : tensor<1x1x?x?xf32>) -> tensor<1x1x?x?xf32>
  return %r0, %r1, %r2 : tensor<1x3x4x2xf32>, tensor<2xf32>, tensor<1x1x?x?xf32>
}

{-#
  dialect_resources: {
    builtin: {
      sparse: "0x040000000000803F00000000000000000000000000000000000000000000000000000000",
      skipped: "0x040000000000803F00000000000000000000000000000000000000000000000000000000",
      ordered: "0x040000000000803F00000000000000000000000000000000000000000000000000000000",
      full: "0x040000000000803F0000803F0000803F0000803F0000803F000000000000000000000000",
      tiny: "0x02000000003C0000",
      zero: "0x040000000000000000000000000000000000008000000000000000000000000000000000",
      depthwise: "0x040000000000803F00000000000000000000000000000000000000000000000000000000",
      squared: "0x040000000000803F000000000000000000000000",
      dynamic: "0x040000000000803F00000000000000000000000000000000000000000000000000000000"
    }
  }
#-}
