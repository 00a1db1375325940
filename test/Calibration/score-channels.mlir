// RUN: %python -c "import numpy; x = numpy.random.default_rng(0).normal(size=(256, 4)).astype('f'); numpy.save('%t.npy', x)"
// RUN: prune-opt %s --prune-score-channels="data=%t.npy" | FileCheck %s
// RUN: prune-opt %s --prune-score-channels="data=%t.npy" --prune-mask-channels="criterion=removal-cost ratio=0.34" | FileCheck %s --check-prefix=MASK
// RUN: prune-opt %s --prune-score-channels="data=%t.npy" --prune-mask-channels="criterion=removal-cost ratio=0.34" --prune-fold-masks -o %t.masked.mlir
// RUN: prune-opt %t.masked.mlir --prune-refit-weights="data=%t.npy reference=%s" --prune-remove-channels | FileCheck %s --check-prefix=REFIT
// RUN: prune-opt %s --prune-mask-channels="criterion=l2 ratio=0.34" | FileCheck %s --check-prefix=BLIND

// The first and the second neuron are twins: one of them can do for both, and
// the first to go costs next to nothing. By magnitude, the third one goes.

// CHECK: prune.statistics = {out = {removal_cost = dense<{{\[\[}}{{.*}}]]> : tensor<1x3xf64>}}

// MASK: criterion = #prune.removal_cost
// BLIND: criterion = #prune.magnitude<l2>

// REFIT-DAG: dense_resource<"fc#{{[0-9]}}"> : tensor<2x4xf32>
// REFIT-DAG: dense_resource<"out#{{[0-9]}}"> : tensor<2x2xf32>

#x = affine_map<(d0, d1, d2) -> (d0, d2)>
#w = affine_map<(d0, d1, d2) -> (d1, d2)>
#y = affine_map<(d0, d1, d2) -> (d0, d1)>
#id = affine_map<(d0, d1) -> (d0, d1)>
func.func @main(%x: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %fc = arith.constant dense_resource<fc> : tensor<3x4xf32>
  %out = arith.constant dense_resource<out> : tensor<2x3xf32>
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %n = tensor.dim %x, %c0 : tensor<?x4xf32>
  %e = tensor.empty(%n) : tensor<?x3xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x3xf32>) -> tensor<?x3xf32>
  %h = linalg.matmul indexing_maps = [#x, #w, #y] ins(%x, %fc : tensor<?x4xf32>, tensor<3x4xf32>) outs(%f : tensor<?x3xf32>) -> tensor<?x3xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%h : tensor<?x3xf32>) outs(%e : tensor<?x3xf32>) {
  ^bb0(%p: f32, %o: f32):
    %m = arith.maximumf %p, %zero : f32
    linalg.yield %m : f32
  } -> tensor<?x3xf32>
  %e2 = tensor.empty(%n) : tensor<?x2xf32>
  %f2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<?x2xf32>) -> tensor<?x2xf32>
  %y = linalg.matmul indexing_maps = [#x, #w, #y] ins(%r, %out : tensor<?x3xf32>, tensor<2x3xf32>) outs(%f2 : tensor<?x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

{-#
  dialect_resources: {
    builtin: {
      fc: "0x040000000000803F000000400000803F000000400000803F000000400000803F00000040000000BF0000803F0000003F000000BF",
      out: "0x040000000000803F0000003F000080400000003F0000803F00008040"
    }
  }
#-}
