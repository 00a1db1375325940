// RUN: prune-opt %s --prune-mask-weights="sparsity=0.5 pattern=block:4x1 min-size=16 exclude=^left_out" --remarks-filter="prune-mask-weights" -o %t 2>&1 | FileCheck %s
// RUN: prune-opt %s --prune-mask-weights="pattern=block:4x1 sparsity=0.5 targets=depthwise:0.5,odd:0.25,small:1" --remarks-filter="prune-mask-weights" 2>/dev/null | FileCheck %s --check-prefix=NAMED

// CHECK-DAG: [Passed] Masked | Category:prune-mask-weights | Scope=local, Weight=fc
// CHECK-DAG: [Missed] LeftAlone | Category:prune-mask-weights | Reason="is filtered out by include or exclude", Weight=left_out
// CHECK-DAG: [Missed] LeftAlone | Category:prune-mask-weights | Reason="has 8 elements, min-size is 16", Weight=small
// CHECK-DAG: [Missed] LeftAlone | Category:prune-mask-weights | Reason="is a depthwise filter; name it with include or targets to prune it", Weight=depthwise
// CHECK-DAG: [Missed] LeftAlone | Category:prune-mask-weights | Reason="has type tensor<6x8xf32>, which pattern block:4x1 does not divide; name it with include or targets to prune it", Weight=odd
// CHECK-DAG: [Missed] LeftAlone | Category:prune-mask-weights | Reason="has type tensor<8xf32>, to which pattern block:4x1 does not apply", Weight=vector
// CHECK-DAG: [Missed] NotPrunable | Category:prune-mask-weights | Reason="element type i8 is not one of f64, f32, f16, bf16"
// CHECK-DAG: [Missed] NotPrunable | Category:prune-mask-weights | Reason="is a sparse constant already"
// CHECK-DAG: [Missed] NotPrunable | Category:prune-mask-weights | Reason="its weight is an argument of the function; only constants are pruned"
// CHECK-DAG: [Missed] NotPrunable | Category:prune-mask-weights | Reason="has no elements"
// CHECK-DAG: [Missed] NotPrunable | Category:prune-mask-weights | Reason="its weight has a mask already; fold it with prune-fold-masks first"

// Weights that are named are pruned, whatever their size, role and shape.
// NAMED-DAG: prune.apply %{{.*}} {decision = #prune.decision<{{.*}}>, weight = "depthwise"}
// NAMED-DAG: prune.apply %{{.*}} {decision = #prune.decision<{{.*}}>, weight = "odd"}
// NAMED-DAG: prune.apply %{{.*}} {decision = #prune.decision<{{.*}}>, weight = "small"}
func.func @main(%x: tensor<1x8xf32>, %o: tensor<1x8xf32>, %image: tensor<1x6x6x4xf32>, %pooled: tensor<1x5x5x4xf32>, %x8: tensor<1x8xi8>, %o32: tensor<1x8xi32>, %arg: tensor<8x8xf32>, %none: tensor<1x0xf32>, %x6: tensor<1x6xf32>, %scalar: tensor<1xf32>, %x1: tensor<1x1xf32>, %mask: tensor<8x8xi1>) {
  %fc = arith.constant dense_resource<fc> : tensor<8x8xf32>
  %left_out = arith.constant dense_resource<left_out> : tensor<8x8xf32>
  %small = arith.constant dense_resource<small> : tensor<8x1xf32>
  %odd = arith.constant dense_resource<odd> : tensor<6x8xf32>
  %depthwise = arith.constant dense_resource<depthwise> : tensor<2x2x4xf32>
  %vector = arith.constant dense_resource<vector> : tensor<8xf32>
  %integers = arith.constant dense<1> : tensor<8x8xi8>
  %sparse = arith.constant sparse<[[0, 0]], 1.0> : tensor<8x8xf32>
  %empty = arith.constant dense<> : tensor<0x8xf32>
  %masked = prune.apply %fc, %mask : tensor<8x8xf32>, tensor<8x8xi1>
  %0 = linalg.matmul ins(%x, %fc : tensor<1x8xf32>, tensor<8x8xf32>) outs(%o : tensor<1x8xf32>) -> tensor<1x8xf32>
  %1 = linalg.matmul ins(%x, %left_out : tensor<1x8xf32>, tensor<8x8xf32>) outs(%o : tensor<1x8xf32>) -> tensor<1x8xf32>
  %2 = linalg.matmul ins(%x, %small : tensor<1x8xf32>, tensor<8x1xf32>) outs(%x1 : tensor<1x1xf32>) -> tensor<1x1xf32>
  %3 = linalg.matmul ins(%x6, %odd : tensor<1x6xf32>, tensor<6x8xf32>) outs(%o : tensor<1x8xf32>) -> tensor<1x8xf32>
  %4 = linalg.generic {
    indexing_maps = [affine_map<(n, h, w, c, kh, kw) -> (n, h + kh, w + kw, c)>, affine_map<(n, h, w, c, kh, kw) -> (kh, kw, c)>, affine_map<(n, h, w, c, kh, kw) -> (n, h, w, c)>],
    iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]
  } ins(%image, %depthwise : tensor<1x6x6x4xf32>, tensor<2x2x4xf32>) outs(%pooled : tensor<1x5x5x4xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  } -> tensor<1x5x5x4xf32>
  %5 = linalg.matvec ins(%arg, %vector : tensor<8x8xf32>, tensor<8xf32>) outs(%vector : tensor<8xf32>) -> tensor<8xf32>
  %6 = linalg.matmul ins(%x8, %integers : tensor<1x8xi8>, tensor<8x8xi8>) outs(%o32 : tensor<1x8xi32>) -> tensor<1x8xi32>
  %7 = linalg.matmul ins(%x, %sparse : tensor<1x8xf32>, tensor<8x8xf32>) outs(%o : tensor<1x8xf32>) -> tensor<1x8xf32>
  %8 = linalg.matmul ins(%x, %arg : tensor<1x8xf32>, tensor<8x8xf32>) outs(%o : tensor<1x8xf32>) -> tensor<1x8xf32>
  %9 = linalg.matmul ins(%none, %empty : tensor<1x0xf32>, tensor<0x8xf32>) outs(%o : tensor<1x8xf32>) -> tensor<1x8xf32>
  %10 = linalg.matmul ins(%x, %masked : tensor<1x8xf32>, tensor<8x8xf32>) outs(%o : tensor<1x8xf32>) -> tensor<1x8xf32>
  return
}

{-#
  dialect_resources: {
    builtin: {
      fc: "0x040000000000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F",
      left_out: "0x040000000000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F",
      small: "0x040000000000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F",
      odd: "0x040000000000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F",
      depthwise: "0x040000000000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F",
      vector: "0x040000000000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F"
    }
  }
#-}
