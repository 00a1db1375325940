// RUN: %python -c "import numpy; numpy.save('%t.npy', numpy.random.default_rng(0).normal(size=(64, 4)).astype('f'))"
// RUN: prune-opt %s --prune-reconstruct-weights="data=%t.npy sparsity=0.5" | FileCheck %s
// RUN: prune-opt %s --prune-reconstruct-weights="data=%t.npy targets=fc:0.25 method=obs" | FileCheck %s --check-prefix=OBS
// RUN: prune-opt %s --prune-reconstruct-weights="data=%t.npy sparsity=0.5 refit=false include=fc" | FileCheck %s --check-prefix=ONE

// What was decided is recorded, with the error of the layer's outputs before and
// after new values.

// CHECK: prune.weights = {fc = {by = "prune-reconstruct-weights", criterion = "{{admm|magnitude|sparsegpt}}"
// CHECK-SAME: error_after = {{.*}} : f64, error_before = {{.*}} : f64, kept = 4 : i64
// CHECK-SAME: pattern = "#prune.element", removed = 4 : i64, scope = "local", sparsity = 5.000000e-01 : f64, unit = "element"
// CHECK-SAME: out = {by =
// CHECK-DAG: dense_resource<"fc#1"> : tensor<2x4xf32>
// CHECK-DAG: dense_resource<"out#1"> : tensor<2x2xf32>
// The bias keeps the means of the outputs.
// CHECK-DAG: dense_resource<"bias#1"> : tensor<2xf32>

// OBS: fc = {by = "prune-reconstruct-weights", criterion = "obs"
// OBS-SAME: removed = 2 : i64
// OBS: dense_resource<"fc#1">

// ONE: kept = 4 : i64
// ONE-DAG: dense_resource<"fc#1">
// ONE-DAG: dense_resource<out>

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d1)>
func.func @main(%x: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %fc = arith.constant dense_resource<fc> : tensor<2x4xf32>
  %bias = arith.constant dense_resource<bias> : tensor<2xf32>
  %out = arith.constant dense_resource<out> : tensor<2x2xf32>
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %n = tensor.dim %x, %c0 : tensor<?x4xf32>
  %e = tensor.empty(%n) : tensor<?x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x2xf32>) -> tensor<?x2xf32>
  %h = linalg.matmul indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1)>]
      ins(%x, %fc : tensor<?x4xf32>, tensor<2x4xf32>) outs(%f : tensor<?x2xf32>) -> tensor<?x2xf32>
  %r = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%h, %bias : tensor<?x2xf32>, tensor<2xf32>) outs(%e : tensor<?x2xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %s = arith.addf %p, %q : f32
    %m = arith.maximumf %s, %zero : f32
    linalg.yield %m : f32
  } -> tensor<?x2xf32>
  %y = linalg.matmul ins(%r, %out : tensor<?x2xf32>, tensor<2x2xf32>) outs(%f : tensor<?x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

{-#
  dialect_resources: {
    builtin: {
      fc: "0x040000000000803F0000004000004040000080400000A0400000C0400000E04000000041",
      bias: "0x040000000000803F0000803F",
      out: "0x040000000000803F000000BF0000003F0000803F"
    }
  }
#-}
