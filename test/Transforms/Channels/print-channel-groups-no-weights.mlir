// RUN: prune-opt %s --prune-print-channel-groups --verify-diagnostics -o - | FileCheck %s

// Without weights nothing is coupled: the indices of these dimensions, written
// down one by one, would take more memory than there is.
// CHECK-LABEL: func @main
// expected-warning @below {{prune-print-channel-groups: nothing was found}}
module {
func.func @main(%x: tensor<2x2000000000xf32>, %w: tensor<2000000000x2000000000xf32>, %y: tensor<2x2000000000xf32>) -> tensor<2x2000000000xf32> {
  // expected-note @below {{its weight is an argument of the function}}
  %r = linalg.matmul ins(%x, %w : tensor<2x2000000000xf32>, tensor<2000000000x2000000000xf32>) outs(%y : tensor<2x2000000000xf32>) -> tensor<2x2000000000xf32>
  return %r : tensor<2x2000000000xf32>
}
}
