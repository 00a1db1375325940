// RUN: prune-opt %s --prune-own-results --split-input-file | FileCheck %s

// A caller of a public function keeps its arguments.
// CHECK-LABEL: func @protects_arguments(
// CHECK-SAME: %{{.*}}: tensor<4xf32> {bufferization.writable = false}, %{{.*}}: f32)
// CHECK-SAME: attributes {llvm.emit_c_interface}
func.func @protects_arguments(%x: tensor<4xf32>, %s: f32) -> tensor<4xf32> {
  // CHECK-NEXT: return %{{.*}} : tensor<4xf32>
  return %x : tensor<4xf32>
}

// -----

// Private functions are an affair of the module alone.
// CHECK-LABEL: func private @keeps_private_functions(
// CHECK-NOT: bufferization
// CHECK-NOT: emit_c_interface
func.func private @keeps_private_functions(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  return %x, %x : tensor<4xf32>, tensor<4xf32>
}

// CHECK-LABEL: func private @declaration(tensor<4xf32>)
func.func private @declaration(tensor<4xf32>)

// -----

// The second use of a value, and a view of it, become buffers of their own.
// CHECK-LABEL: func @copies_shared_results
func.func @copies_shared_results(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4x1xf32>) {
  %e = tensor.empty() : tensor<4xf32>
  // CHECK: %[[Y:.*]] = linalg.exp
  %y = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  // CHECK: %[[V:.*]] = tensor.expand_shape %[[Y]]
  %v = tensor.expand_shape %y [[0, 1]] output_shape [4, 1] : tensor<4xf32> into tensor<4x1xf32>
  // CHECK: %[[A:.*]] = bufferization.alloc_tensor() copy(%[[Y]]) : tensor<4xf32>
  // CHECK: %[[B:.*]] = bufferization.alloc_tensor() copy(%[[V]]) : tensor<4x1xf32>
  // CHECK: return %[[Y]], %[[A]], %[[B]]
  return %y, %y, %v : tensor<4xf32>, tensor<4xf32>, tensor<4x1xf32>
}

// -----

// What different operations compute lies in different buffers.
// CHECK-LABEL: func @keeps_separate_results
func.func @keeps_separate_results(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, f32) {
  %c = arith.constant 1.0 : f32
  %e = tensor.empty() : tensor<4xf32>
  %y = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %z = linalg.abs ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  // CHECK-NOT: alloc_tensor
  return %y, %z, %c : tensor<4xf32>, tensor<4xf32>, f32
}

// -----

// Where a result comes from control flow, nothing is known: it is copied.
// CHECK-LABEL: func @copies_unknown_results
func.func @copies_unknown_results(%x: tensor<4xf32>, %p: i1) -> (tensor<4xf32>, tensor<?xf32>) {
  %e = tensor.empty() : tensor<4xf32>
  %y = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  // CHECK: %[[R:.*]] = scf.if
  %r = scf.if %p -> tensor<4xf32> {
    scf.yield %y : tensor<4xf32>
  } else {
    scf.yield %x : tensor<4xf32>
  }
  %d = tensor.cast %r : tensor<4xf32> to tensor<?xf32>
  // CHECK: bufferization.alloc_tensor() copy(%{{.*}}) : tensor<?xf32>
  return %y, %d : tensor<4xf32>, tensor<?xf32>
}
