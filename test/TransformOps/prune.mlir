// RUN: prune-opt %s --transform-interpreter --split-input-file | FileCheck %s

// A script prunes matrix products and convolutions each its own way, and folds
// one function only.

// CHECK-LABEL: func.func @network
//       CHECK: %[[K:.*]] = arith.constant dense_resource<conv>
//       CHECK: prune.score %[[K]] {criterion = #prune.magnitude<l2>, weight = "conv"}
//       CHECK: prune.mask {{.*}} {pattern = #prune.block<[1, 2]>, sparsity = 5.000000e-01 : f64}
//       CHECK: %[[KP:.*]] = prune.apply %[[K]]
//       CHECK: %[[W:.*]] = arith.constant dense_resource<fc>
//       CHECK: prune.score %[[W]] {criterion = #prune.magnitude<l1>, weight = "fc"}
//       CHECK: prune.mask {{.*}} {pattern = #prune.nm<1:2, 0>}
//       CHECK: %[[WP:.*]] = prune.apply %[[W]]
//       CHECK: linalg.conv_1d_nwc_wcf ins({{.*}}, %[[KP]] :
//       CHECK: linalg.matmul ins({{.*}}, %[[WP]] :
func.func @network(%x: tensor<1x4x2xf32>, %i0: tensor<1x4x2xf32>, %y: tensor<4x2xf32>,
                   %i1: tensor<4x2xf32>) -> (tensor<1x4x2xf32>, tensor<4x2xf32>) {
  %k = arith.constant dense_resource<conv> : tensor<1x2x2xf32>
  %w = arith.constant dense_resource<fc> : tensor<2x2xf32>
  %0 = linalg.conv_1d_nwc_wcf ins(%x, %k : tensor<1x4x2xf32>, tensor<1x2x2xf32>)
                              outs(%i0 : tensor<1x4x2xf32>) -> tensor<1x4x2xf32>
  %1 = linalg.matmul ins(%y, %w : tensor<4x2xf32>, tensor<2x2xf32>)
                     outs(%i1 : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0, %1 : tensor<1x4x2xf32>, tensor<4x2xf32>
}

// CHECK-LABEL: func.func @folded
//  CHECK-SAME: attributes {done}
//       CHECK: dense_resource<"other#1">
//   CHECK-NOT: prune.
//       CHECK: return
func.func @folded(%y: tensor<4x2xf32>, %i: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %w = arith.constant dense_resource<other> : tensor<2x2xf32>
  %1 = linalg.matmul ins(%y, %w : tensor<4x2xf32>, tensor<2x2xf32>)
                     outs(%i : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %1 : tensor<4x2xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %f = transform.structured.match ops{["func.func"]} attributes {sym_name = "network"} in %root
        : (!transform.any_op) -> !transform.any_op
    %conv = transform.structured.match ops{["linalg.conv_1d_nwc_wcf"]} in %f
        : (!transform.any_op) -> !transform.any_op
    %fc = transform.structured.match ops{["linalg.matmul"]} in %f
        : (!transform.any_op) -> !transform.any_op
    transform.prune.mask %conv {criterion = "l2", pattern = #prune.block<[1, 2]>, sparsity = 0.5 : f64}
        : !transform.any_op
    transform.prune.mask %fc {pattern = "1:2"} : !transform.any_op

    // A function stands for all weights in it.
    %g = transform.structured.match ops{["func.func"]} attributes {sym_name = "folded"} in %root
        : (!transform.any_op) -> !transform.any_op
    transform.prune.mask %g {threshold = 1.5 : f64} : !transform.any_op
    %h = transform.prune.fold %g : (!transform.any_op) -> !transform.any_op
    transform.annotate %h "done" : !transform.any_op
    transform.yield
  }
}

{-# dialect_resources: { builtin: {
  conv: "0x040000000000803F000000400000404000008040",
  fc: "0x040000000000803F000000400000404000008040",
  other: "0x040000000000803F000000400000404000008040"
} } #-}

// -----

// With global scope all operations of the handle are ranked together. The third
// product has no constant and is not matched.

// CHECK-LABEL: func.func @together
//       CHECK: %[[M:.*]]:2 = prune.mask {{.*}} {pattern = #prune.element, sparsity = 5.000000e-01 : f64}
//       CHECK: prune.apply {{.*}}, %[[M]]#0
//       CHECK: prune.apply {{.*}}, %[[M]]#1
func.func @together(%y: tensor<4x2xf32>, %i: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %a = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %b = arith.constant dense<[[5.0, 6.0], [7.0, 8.0]]> : tensor<2x2xf32>
  %1 = linalg.matmul ins(%y, %a : tensor<4x2xf32>, tensor<2x2xf32>)
                     outs(%i : tensor<4x2xf32>) -> tensor<4x2xf32>
  %2 = linalg.matmul ins(%1, %b : tensor<4x2xf32>, tensor<2x2xf32>)
                     outs(%i : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %2 : tensor<4x2xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %fc = transform.structured.match ops{["linalg.matmul"]} in %root
        : (!transform.any_op) -> !transform.any_op
    transform.prune.mask %fc {sparsity = 0.5 : f64, scope = "global"} : !transform.any_op
    transform.yield
  }
}
