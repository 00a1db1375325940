// RUN: prune-opt %s --prune-remove-channels --split-input-file | FileCheck %s

// What is left of each weight is recorded by the key of its resource: all rows
// and two columns, and the other way round.

// CHECK: module attributes {prune.kept = {"w1#1" = [unit, array<i64: 0, 2>], "w2#1" = [array<i64: 0, 2>, unit]}, prune.multiplications = array<i64: 12, 8>, prune.weights = {w1 = {type_before = tensor<2x3xf32>}, w2 = {type_before = tensor<3x2xf32>}}}
// CHECK-LABEL: func @records_each_dimension
// CHECK-DAG: dense_resource<"w1#1"> : tensor<2x2xf32>
// CHECK-DAG: dense_resource<"w2#1"> : tensor<2x2xf32>
module {
func.func @records_each_dimension(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w1 = arith.constant dense_resource<w1> : tensor<2x3xf32>
  %w2 = arith.constant dense_resource<w2> : tensor<3x2xf32>
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<1x3xf32>
  %f1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<1x3xf32>) -> tensor<1x3xf32>
  %h = linalg.matmul ins(%x, %w1 : tensor<1x2xf32>, tensor<2x3xf32>) outs(%f1 : tensor<1x3xf32>) -> tensor<1x3xf32>
  %e2 = tensor.empty() : tensor<1x2xf32>
  %f2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<1x2xf32>) -> tensor<1x2xf32>
  %y = linalg.matmul ins(%h, %w2 : tensor<1x3xf32>, tensor<3x2xf32>) outs(%f2 : tensor<1x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}
}
{-#
dialect_resources: { builtin: {
  w1: "0x040000000000803F0000000000000040000040400000000000008040",
  w2: "0x040000000000803F0000803F0000803F0000803F0000803F0000803F"
} }
#-}

// -----

// Removed once before: indices are those of the first original. The record of
// a version that is not there any more leaves. A bias of zeros is gone, and
// what it was is recorded.

// CHECK: module attributes {prune.kept = {b1 = 0.000000e+00 : f32, "v1#4" = [array<i64: 1, 5>, array<i64: 0, 7>], "v2#1" = [array<i64: 0, 2>, unit]}, prune.multiplications = array<i64: 12, 8>
// CHECK-LABEL: func @composes
module attributes {prune.kept = {"v1#3" = [array<i64: 1, 5>, array<i64: 0, 3, 7>], "v1#2" = [unit, array<i64: 0, 1, 2, 3, 7>]}} {
func.func @composes(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w1 = arith.constant dense_resource<"v1#3"> : tensor<2x3xf32>
  %b1 = arith.constant dense_resource<b1> : tensor<3xf32>
  %w2 = arith.constant dense_resource<v2> : tensor<3x2xf32>
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<1x3xf32>
  %f1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<1x3xf32>) -> tensor<1x3xf32>
  %h = linalg.matmul ins(%x, %w1 : tensor<1x2xf32>, tensor<2x3xf32>) outs(%f1 : tensor<1x3xf32>) -> tensor<1x3xf32>
  %a = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d1)>, affine_map<(d0, d1) -> (d0, d1)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%h, %b1 : tensor<1x3xf32>, tensor<3xf32>) outs(%e1 : tensor<1x3xf32>) {
  ^bb0(%s: f32, %t: f32, %o: f32):
    %sum = arith.addf %s, %t : f32
    linalg.yield %sum : f32
  } -> tensor<1x3xf32>
  %e2 = tensor.empty() : tensor<1x2xf32>
  %f2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<1x2xf32>) -> tensor<1x2xf32>
  %y = linalg.matmul ins(%a, %w2 : tensor<1x3xf32>, tensor<3x2xf32>) outs(%f2 : tensor<1x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}
}
{-#
dialect_resources: { builtin: {
  "v1#3": "0x040000000000803F0000000000000040000040400000000000008040",
  b1: "0x04000000000000000000000000000000",
  v2: "0x040000000000803F0000803F0000803F0000803F0000803F0000803F"
} }
#-}
