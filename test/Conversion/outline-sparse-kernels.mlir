// RUN: prune-opt %s --prune-outline-sparse-kernels | FileCheck %s
// RUN: prune-opt %s --prune-outline-sparse-kernels --prune-outline-sparse-kernels | FileCheck %s

#csr = #sparse_tensor.encoding<{ map = (o, k) -> (o : dense, k : compressed), posWidth = 8, crdWidth = 8 }>

// The weight moves with its kernel; dense operands become arguments. A name that
// is taken is skipped.
// CHECK-LABEL: func @moves_kernels_out
// CHECK-SAME: (%[[X:.*]]: tensor<3x4xf32>, %[[INIT:.*]]: tensor<3x2xf32>)
// CHECK-NEXT: %[[R:.*]] = call @sparse_kernel_1(%[[X]], %[[INIT]])
// CHECK-NEXT: return %[[R]]
func.func @moves_kernels_out(%x: tensor<3x4xf32>, %init: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %positions = arith.constant dense<[0, 2, 3]> : tensor<3xi8>
  %coordinates = arith.constant dense<[0, 3, 1]> : tensor<3xi8>
  %values = arith.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %w = sparse_tensor.assemble (%positions, %coordinates), %values : (tensor<3xi8>, tensor<3xi8>), tensor<3xf32> to tensor<2x4xf32, #csr>
  %r = linalg.matmul indexing_maps = [affine_map<(n, o, k) -> (n, k)>, affine_map<(n, o, k) -> (o, k)>, affine_map<(n, o, k) -> (n, o)>]
    ins(%x, %w : tensor<3x4xf32>, tensor<2x4xf32, #csr>) outs(%init : tensor<3x2xf32>) -> tensor<3x2xf32>
  return %r : tensor<3x2xf32>
}

// A constant that serves twice in one kernel, and a weight that serves twice.
// CHECK-LABEL: func @shares_weights
// CHECK-NEXT: %[[A:.*]] = call @sparse_kernel_2(
// CHECK-NEXT: %[[B:.*]] = call @sparse_kernel_3(
// CHECK-NEXT: return %[[B]]
func.func @shares_weights(%x: tensor<2xf32>, %init: tensor<2xf32>) -> tensor<2xf32> {
  %positions = arith.constant dense<[0, 1, 2]> : tensor<3xi8>
  %coordinates = arith.constant dense<[0, 1]> : tensor<2xi8>
  %values = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %w = sparse_tensor.assemble (%positions, %coordinates), %values : (tensor<3xi8>, tensor<2xi8>), tensor<2xf32> to tensor<2x2xf32, #csr>
  %a = linalg.matvec ins(%w, %x : tensor<2x2xf32, #csr>, tensor<2xf32>) outs(%init : tensor<2xf32>) -> tensor<2xf32>
  %b = linalg.matvec ins(%w, %a : tensor<2x2xf32, #csr>, tensor<2xf32>) outs(%init : tensor<2xf32>) -> tensor<2xf32>
  return %b : tensor<2xf32>
}

// Dense operations stay, and so does a sparse tensor that comes from outside.
// CHECK-LABEL: func @leaves_the_rest
// CHECK: linalg.matmul
// CHECK: call @sparse_kernel_4(%{{.*}}) : (tensor<2x2xf32, #{{.*}}>, tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
func.func @leaves_the_rest(%x: tensor<2x2xf32>, %w: tensor<2x2xf32, #csr>, %v: tensor<2xf32>, %init: tensor<2xf32>) -> (tensor<2x2xf32>, tensor<2xf32>) {
  %a = linalg.matmul ins(%x, %x : tensor<2x2xf32>, tensor<2x2xf32>) outs(%x : tensor<2x2xf32>) -> tensor<2x2xf32>
  %b = linalg.matvec ins(%w, %v : tensor<2x2xf32, #csr>, tensor<2xf32>) outs(%init : tensor<2xf32>) -> tensor<2xf32>
  return %a, %b : tensor<2x2xf32>, tensor<2xf32>
}

// CHECK-LABEL: func private @sparse_kernel_0
func.func private @sparse_kernel_0()

// CHECK-LABEL: func private @sparse_kernel_1
// CHECK-SAME: (%[[X:.*]]: tensor<3x4xf32>, %[[INIT:.*]]: tensor<3x2xf32>)
// CHECK: %[[W:.*]] = sparse_tensor.assemble
// CHECK: %[[R:.*]] = linalg.matmul {{.*}} ins(%[[X]], %[[W]] : {{.*}}) outs(%[[INIT]] :
// CHECK: return %[[R]]
// CHECK-LABEL: func private @sparse_kernel_2
// CHECK: sparse_tensor.assemble
// CHECK-LABEL: func private @sparse_kernel_3
// CHECK: sparse_tensor.assemble
// CHECK-LABEL: func private @sparse_kernel_4
// CHECK-NOT: func
