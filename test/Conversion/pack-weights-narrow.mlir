// Weights of f16 and bf16 whose products are summed up in f32.
//
// RUN: prune-opt %s --prune-pack-weights="vector-bits=256 form=dense lanes=columns" --canonicalize | FileCheck %s
// RUN: prune-opt %s --prune-pack-weights="vector-bits=256" --remarks-filter=prune-.* -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

#x = affine_map<(n, m, k) -> (n, k)>
#w = affine_map<(n, m, k) -> (k, m)>
#y = affine_map<(n, m, k) -> (n, m)>
#id = affine_map<(n, m) -> (n, m)>
#row = affine_map<(n, m) -> (m)>

// Two layers: weights stay narrow, a bias is extended, what is stored is rounded. The
// panels between them are f32 and never brought back.
// REMARK-COUNT-2: Packed
// CHECK-LABEL: func @chain
// CHECK: prune.pack_panels %{{.*}} : tensor<64x8xf32>
// CHECK: %[[FIRST:.*]] = prune.packed_matmul
// CHECK-SAME: weights(%{{.*}} : tensor<128xf16>)
// CHECK-SAME: bias(%{{.*}} : tensor<16xf32>)
// CHECK: ^bb0(%[[SUM:.*]]: f32, %[[BIAS:.*]]: f32):
// CHECK-NEXT: %[[A:.*]] = arith.addf %[[SUM]], %[[BIAS]] : f32
// CHECK-NEXT: %[[B:.*]] = arith.truncf %[[A]] : f32 to f16
// CHECK-NEXT: %[[C:.*]] = arith.extf %[[B]] : f16 to f32
// CHECK-NEXT: prune.yield %[[C]] : f32
// CHECK-NOT: panels
// CHECK: prune.packed_matmul
// CHECK-SAME: input(%[[FIRST]] :
// CHECK: prune.unpack_panels
// CHECK: arith.truncf
func.func @chain(%x: tensor<64x8xf16>) -> tensor<64x4xf16> {
  %w0 = arith.constant dense<1.0> : tensor<8x16xf16>
  %b0 = arith.constant dense<[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0]> : tensor<16xf16>
  %w1 = arith.constant dense<2.0> : tensor<16x4xf16>
  %zero = arith.constant 0.0 : f32
  %e0 = tensor.empty() : tensor<64x16xf32>
  %i0 = linalg.fill ins(%zero : f32) outs(%e0 : tensor<64x16xf32>) -> tensor<64x16xf32>
  %p0 = linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w0 : tensor<64x8xf16>, tensor<8x16xf16>) outs(%i0 : tensor<64x16xf32>) {
  ^bb0(%a: f16, %b: f16, %c: f32):
    %0 = arith.extf %a : f16 to f32
    %1 = arith.extf %b : f16 to f32
    %p = arith.mulf %0, %1 : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  } -> tensor<64x16xf32>
  %s0 = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%p0, %b0 : tensor<64x16xf32>, tensor<16xf16>) outs(%e0 : tensor<64x16xf32>) {
  ^bb0(%a: f32, %b: f16, %c: f32):
    %0 = arith.extf %b : f16 to f32
    %s = arith.addf %a, %0 : f32
    linalg.yield %s : f32
  } -> tensor<64x16xf32>
  %h = tensor.empty() : tensor<64x16xf16>
  %y0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%s0 : tensor<64x16xf32>) outs(%h : tensor<64x16xf16>) {
  ^bb0(%a: f32, %c: f16):
    %0 = arith.truncf %a : f32 to f16
    linalg.yield %0 : f16
  } -> tensor<64x16xf16>
  %e1 = tensor.empty() : tensor<64x4xf32>
  %i1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<64x4xf32>) -> tensor<64x4xf32>
  %p1 = linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%y0, %w1 : tensor<64x16xf16>, tensor<16x4xf16>) outs(%i1 : tensor<64x4xf32>) {
  ^bb0(%a: f16, %b: f16, %c: f32):
    %0 = arith.extf %a : f16 to f32
    %1 = arith.extf %b : f16 to f32
    %p = arith.mulf %0, %1 : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  } -> tensor<64x4xf32>
  %h1 = tensor.empty() : tensor<64x4xf16>
  %y1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%p1 : tensor<64x4xf32>) outs(%h1 : tensor<64x4xf16>) {
  ^bb0(%a: f32, %c: f16):
    %0 = arith.truncf %a : f32 to f16
    linalg.yield %0 : f16
  } -> tensor<64x4xf16>
  return %y1 : tensor<64x4xf16>
}

// A weight that was extended before is stored as it was.
// CHECK-LABEL: func @extended
// CHECK: prune.packed_matmul
// CHECK-SAME: weights(%{{.*}} : tensor<{{[0-9]+}}xbf16>)
func.func @extended(%x: tensor<64x8xf32>) -> tensor<64x4xf32> {
  %w = arith.constant dense<1.0> : tensor<8x4xbf16>
  %wide = arith.extf %w : tensor<8x4xbf16> to tensor<8x4xf32>
  %zero = arith.constant dense<0.0> : tensor<64x4xf32>
  %y = linalg.matmul ins(%x, %wide : tensor<64x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<64x4xf32>) -> tensor<64x4xf32>
  return %y : tensor<64x4xf32>
}
