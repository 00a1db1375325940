// RUN: prune-opt %s --prune-externalize-weights --verify-diagnostics | FileCheck %s

// Named constants become arguments behind the function's own ones, in the order
// of their first use; biases too.
// CHECK-LABEL: func.func @layer
// CHECK-SAME: (%[[X:.*]]: tensor<4x8xf32>, %[[W:.*]]: tensor<8x2xf32> {prune.name = "fc1"}, %[[B:.*]]: tensor<4x2xf32> {prune.name = "bias"})
// CHECK-NOT: dense_resource
// CHECK: linalg.matmul ins(%[[X]], %[[W]] : {{.*}}) outs(%[[B]] :
func.func @layer(%x: tensor<4x8xf32>) -> tensor<4x2xf32> {
  %w = arith.constant dense_resource<"fc1#2"> : tensor<8x2xf32>
  %b = arith.constant dense_resource<bias> : tensor<4x2xf32>
  %y = linalg.matmul ins(%x, %w : tensor<4x8xf32>, tensor<8x2xf32>)
    outs(%b : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// One resource is one argument, wherever it is read; another version of a weight
// has its whole key as its name.
// CHECK-LABEL: func.func @shared
// CHECK-SAME: (%[[C:.*]]: i1, %[[W:.*]]: tensor<8x2xf32> {prune.name = "fc1"}, %[[V:.*]]: tensor<8x2xf32> {prune.name = "fc1#3"})
// CHECK: scf.if
// CHECK-NEXT: scf.yield %[[W]]
// CHECK: scf.yield %[[V]]
// CHECK: arith.addf %{{.*}}, %[[W]]
func.func @shared(%c: i1) -> tensor<8x2xf32> {
  %r = scf.if %c -> tensor<8x2xf32> {
    %w = arith.constant dense_resource<"fc1#2"> : tensor<8x2xf32>
    scf.yield %w : tensor<8x2xf32>
  } else {
    %w = arith.constant dense_resource<"fc1#3"> : tensor<8x2xf32>
    scf.yield %w : tensor<8x2xf32>
  }
  %w = arith.constant dense_resource<"fc1#2"> : tensor<8x2xf32>
  %s = arith.addf %r, %w : tensor<8x2xf32>
  return %s : tensor<8x2xf32>
}

// An argument has that name already.
// CHECK-LABEL: func.func @taken
// CHECK-SAME: (%{{.*}}: tensor<4x2xf32> {prune.name = "bias"}, %{{.*}}: tensor<4x2xf32> {prune.name = "bias_1"})
func.func @taken(%x: tensor<4x2xf32> {prune.name = "bias"}) -> tensor<4x2xf32> {
  %b = arith.constant dense_resource<bias_1> : tensor<4x2xf32>
  %s = arith.addf %x, %b : tensor<4x2xf32>
  return %s : tensor<4x2xf32>
}

// Integers, and constants without a name, stay; so do those of private functions.
// CHECK-LABEL: func.func @none(%{{.*}}: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xi64>)
// CHECK: arith.constant dense<1.0
// CHECK: arith.constant dense_resource<shape>
// expected-remark@below {{prune-externalize-weights: 'none' holds no constants with a name; name them with prune-name-weights, and inline what it calls}}
func.func @none(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xi64>) {
  %b = arith.constant dense<1.0> : tensor<2xf32>
  %n = arith.constant dense_resource<shape> : tensor<2xi64>
  %s = arith.addf %x, %b : tensor<2xf32>
  %t = call @inner(%s) : (tensor<2xf32>) -> tensor<2xf32>
  return %t, %n : tensor<2xf32>, tensor<2xi64>
}
// CHECK-LABEL: func.func private @inner(%{{.*}}: tensor<2xf32>) -> tensor<2xf32>
// CHECK: dense_resource<inner>
func.func private @inner(%x: tensor<2xf32>) -> tensor<2xf32> {
  %b = arith.constant dense_resource<inner> : tensor<2xf32>
  %s = arith.addf %x, %b : tensor<2xf32>
  return %s : tensor<2xf32>
}

{-#
  dialect_resources: {
    builtin: {
      "fc1#2": "0x0400000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
      "fc1#3": "0x0400000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
      bias: "0x040000000000000000000000000000000000000000000000000000000000000000000000",
      bias_1: "0x040000000000000000000000000000000000000000000000000000000000000000000000",
      inner: "0x040000000000000000000000",
      shape: "0x0800000000000000000000000000000000000000"
    }
  }
#-}
