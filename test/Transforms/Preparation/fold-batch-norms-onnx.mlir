// RUN: prune-opt %s --prune-fold-batch-norms --split-input-file | FileCheck %s

// A module that came from ONNX says which named constants went into a weight, and
// what is in no node of its own stays: here a factor that only the body has.

// CHECK: module attributes {prune.folded = {fc = {after = ["shift", "scale"], before = []}}
// CHECK-LABEL: func @names_what_it_folds
// CHECK: dense_resource<"fc#1">
// CHECK: arith.addf
// CHECK-NOT: arith.addf
// CHECK: arith.mulf %{{.*}}, %[[HALF:.*]] : f32
// CHECK-NOT: arith.mulf
#mk = affine_map<(m, k) -> (m, k)>
#k = affine_map<(m, k) -> (k)>
module attributes {prune.onnx = {}} {
func.func @names_what_it_folds(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = arith.constant dense_resource<fc> : tensor<2x2xf32>
  %scale = arith.constant dense_resource<scale> : tensor<2xf32>
  %shift = arith.constant dense_resource<shift> : tensor<2xf32>
  %zero = arith.constant dense<0.0> : tensor<1x2xf32>
  %e = tensor.empty() : tensor<1x2xf32>
  %h = linalg.matmul ins(%x, %w : tensor<1x2xf32>, tensor<2x2xf32>) outs(%zero : tensor<1x2xf32>) -> tensor<1x2xf32>
  %a = linalg.generic {indexing_maps = [#mk, #k, #mk], iterator_types = ["parallel", "parallel"]} ins(%h, %shift : tensor<1x2xf32>, tensor<2xf32>) outs(%e : tensor<1x2xf32>) {
  ^bb0(%in: f32, %b: f32, %out: f32):
    %s = arith.addf %in, %b : f32
    linalg.yield %s : f32
  } -> tensor<1x2xf32>
  %m = linalg.generic {indexing_maps = [#mk, #k, #mk], iterator_types = ["parallel", "parallel"]} ins(%a, %scale : tensor<1x2xf32>, tensor<2xf32>) outs(%e : tensor<1x2xf32>) {
  ^bb0(%in: f32, %b: f32, %out: f32):
    %s = arith.mulf %in, %b : f32
    linalg.yield %s : f32
  } -> tensor<1x2xf32>
  %n = linalg.generic {indexing_maps = [#mk, #mk], iterator_types = ["parallel", "parallel"]} ins(%m : tensor<1x2xf32>) outs(%e : tensor<1x2xf32>) {
  ^bb0(%in: f32, %out: f32):
    %half = arith.constant 0.5 : f32
    %s = arith.mulf %in, %half : f32
    linalg.yield %s : f32
  } -> tensor<1x2xf32>
  return %n : tensor<1x2xf32>
}
}
{-#
  dialect_resources: { builtin: {
    fc: "0x040000000000803F000000400000404000008040",
    scale: "0x040000000000004000004040",
    shift: "0x04000000000080BF0000803F"
  } }
#-}
