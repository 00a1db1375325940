// RUN: prune-opt %s --prune-widen-sums | FileCheck %s

#row = affine_map<(i, j, k) -> (i, k)>
#column = affine_map<(i, j, k) -> (k, j)>
#result = affine_map<(i, j, k) -> (i, j)>
#id = affine_map<(i, j) -> (i, j)>
#first = affine_map<(i, j) -> (i)>
#last = affine_map<(i, j) -> (j)>

// A product keeps its operands and sums in f32, from zeros of f32.
// CHECK-LABEL: func @sums_product
// CHECK: %[[ZERO:.*]] = linalg.fill ins(%{{.*}} : f32) outs(%{{.*}} : tensor<4x4xf32>)
// CHECK: %[[SUM:.*]] = linalg.generic {{.*}} ins(%arg0, %arg1 : tensor<4x8xf16>, tensor<8x4xf16>) outs(%[[ZERO]] : tensor<4x4xf32>)
// CHECK-NEXT: ^bb0(%[[A:.*]]: f16, %[[B:.*]]: f16, %[[C:.*]]: f32):
// CHECK-NEXT: %[[X:.*]] = arith.extf %[[A]] : f16 to f32
// CHECK-NEXT: %[[Y:.*]] = arith.extf %[[B]] : f16 to f32
// CHECK-NEXT: %[[P:.*]] = arith.mulf %[[X]], %[[Y]] : f32
// CHECK-NEXT: %[[S:.*]] = arith.addf %[[C]], %[[P]] : f32
// CHECK-NEXT: linalg.yield %[[S]] : f32
// CHECK: %[[ROUNDED:.*]] = linalg.generic {{.*}} ins(%[[SUM]] : tensor<4x4xf32>)
// CHECK: arith.truncf
// CHECK: return %[[ROUNDED]] : tensor<4x4xf16>
func.func @sums_product(%x: tensor<4x8xf16>, %w: tensor<8x4xf16>) -> tensor<4x4xf16> {
  %zero = arith.constant 0.0 : f16
  %empty = tensor.empty() : tensor<4x4xf16>
  %init = linalg.fill ins(%zero : f16) outs(%empty : tensor<4x4xf16>) -> tensor<4x4xf16>
  %y = linalg.generic {indexing_maps = [#row, #column, #result],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<4x8xf16>, tensor<8x4xf16>) outs(%init : tensor<4x4xf16>) {
  ^bb0(%a: f16, %b: f16, %c: f16):
    %p = arith.mulf %a, %b : f16
    %s = arith.addf %c, %p : f16
    linalg.yield %s : f16
  } -> tensor<4x4xf16>
  return %y : tensor<4x4xf16>
}

// A bias and an activation behind the only use of a sum come before the rounding;
// so do reshapes.
// CHECK-LABEL: func @rounds_last
// CHECK: linalg.generic
// CHECK-SAME: outs(%{{.*}} : tensor<4xf32>)
// CHECK-NOT: arith.truncf
// CHECK: %[[FLAT:.*]] = tensor.expand_shape %{{.*}} : tensor<4xf32> into tensor<4x1xf32>
// CHECK: linalg.generic
// CHECK-SAME: ins(%[[FLAT]], %arg1 : tensor<4x1xf32>, tensor<1xbf16>)
// CHECK: arith.extf %{{.*}} : bf16 to f32
// CHECK: arith.addf %{{.*}} : f32
// CHECK: arith.maximumf %{{.*}} : f32
// CHECK: %[[Y:.*]] = linalg.generic {{.*}} ins(%{{.*}} : tensor<4x1xf32>) outs(%{{.*}} : tensor<4x1xbf16>)
// CHECK: arith.truncf
// CHECK: return %[[Y]] : tensor<4x1xbf16>
func.func @rounds_last(%x: tensor<4x8xbf16>, %bias: tensor<1xbf16>) -> tensor<4x1xbf16> {
  %init = arith.constant dense<0.0> : tensor<4xbf16>
  %y = linalg.generic {indexing_maps = [#id, #first], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x8xbf16>) outs(%init : tensor<4xbf16>) {
  ^bb0(%a: bf16, %c: bf16):
    %s = arith.addf %c, %a : bf16
    linalg.yield %s : bf16
  } -> tensor<4xbf16>
  %flat = tensor.expand_shape %y [[0, 1]] output_shape [4, 1] : tensor<4xbf16> into tensor<4x1xbf16>
  %zero = arith.constant 0.0 : bf16
  %e = tensor.empty() : tensor<4x1xbf16>
  %z = linalg.generic {indexing_maps = [#id, #last, #id], iterator_types = ["parallel", "parallel"]}
      ins(%flat, %bias : tensor<4x1xbf16>, tensor<1xbf16>) outs(%e : tensor<4x1xbf16>) {
  ^bb0(%a: bf16, %b: bf16, %c: bf16):
    %s = arith.addf %a, %b : bf16
    %r = arith.maximumf %s, %zero : bf16
    linalg.yield %r : bf16
  } -> tensor<4x1xbf16>
  return %z : tensor<4x1xbf16>
}

// What others read too is rounded before.
// CHECK-LABEL: func @rounds_for_all_users
// CHECK: %[[Y:.*]] = linalg.generic {{.*}} ins(%{{.*}} : tensor<4xf32>) outs(%{{.*}} : tensor<4xf16>)
// CHECK: arith.truncf
// CHECK: math.absf %{{.*}} : f16
// CHECK: return %[[Y]], %{{.*}} : tensor<4xf16>, tensor<4xf16>
func.func @rounds_for_all_users(%x: tensor<4x8xf16>) -> (tensor<4xf16>, tensor<4xf16>) {
  %init = arith.constant dense<0.0> : tensor<4xf16>
  %y = linalg.generic {indexing_maps = [#id, #first], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x8xf16>) outs(%init : tensor<4xf16>) {
  ^bb0(%a: f16, %c: f16):
    %s = arith.addf %c, %a : f16
    linalg.yield %s : f16
  } -> tensor<4xf16>
  %e = tensor.empty() : tensor<4xf16>
  %z = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%y : tensor<4xf16>) outs(%e : tensor<4xf16>) {
  ^bb0(%a: f16, %c: f16):
    %r = math.absf %a : f16
    linalg.yield %r : f16
  } -> tensor<4xf16>
  return %y, %z : tensor<4xf16>, tensor<4xf16>
}

// A step that rounds what it stores asks for what f16 does, not for more.
// CHECK-LABEL: func @forgets_steps
// CHECK: arith.extf %{{.*}} : f16 to f32
// CHECK-NEXT: linalg.yield
// CHECK: arith.extf %{{.*}} : f16 to f32
// CHECK-NEXT: arith.addf %{{.*}} : f32
// CHECK-NEXT: linalg.yield %{{.*}} : f32
func.func @forgets_steps(%x: tensor<4x8xf16>, %init: tensor<4xf16>) -> tensor<4xf16> {
  %y = linalg.generic {indexing_maps = [#id, #first], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x8xf16>) outs(%init : tensor<4xf16>) {
  ^bb0(%a: f16, %c: f16):
    %0 = arith.extf %a : f16 to f32
    %1 = arith.extf %c : f16 to f32
    %s = arith.addf %1, %0 : f32
    %r = arith.truncf %s : f32 to f16
    linalg.yield %r : f16
  } -> tensor<4xf16>
  return %y : tensor<4xf16>
}

// Maxima are exact, and sums in f32 are as they should be.
// CHECK-LABEL: func @leaves_alone
// CHECK-NOT: linalg.fill
// CHECK: outs(%{{.*}} : tensor<4xf16>)
// CHECK: arith.maximumf %{{.*}} : f16
// CHECK: outs(%{{.*}} : tensor<4xf32>)
// CHECK-NOT: arith.truncf
func.func @leaves_alone(%x: tensor<4x8xf16>, %low: tensor<4xf16>, %zero: tensor<4xf32>) -> (tensor<4xf16>, tensor<4xf32>) {
  %y = linalg.generic {indexing_maps = [#id, #first], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x8xf16>) outs(%low : tensor<4xf16>) {
  ^bb0(%a: f16, %c: f16):
    %s = arith.maximumf %c, %a : f16
    linalg.yield %s : f16
  } -> tensor<4xf16>
  %z = linalg.generic {indexing_maps = [#id, #first], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x8xf16>) outs(%zero : tensor<4xf32>) {
  ^bb0(%a: f16, %c: f32):
    %w = arith.extf %a : f16 to f32
    %s = arith.addf %c, %w : f32
    linalg.yield %s : f32
  } -> tensor<4xf32>
  return %y, %z : tensor<4xf16>, tensor<4xf32>
}
