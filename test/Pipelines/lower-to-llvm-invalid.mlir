// RUN: not prune-opt %s --prune-lower-to-llvm=threads=2 --allow-unregistered-dialect 2>&1 | FileCheck %s --check-prefix=KERNELS
// KERNELS: threads above 1 need kernels=packed; 'dense' runs on one thread
// RUN: prune-opt %s --prune-lower-to-llvm --split-input-file --verify-diagnostics --allow-unregistered-dialect

// A tensor operation without a lowering is named.
func.func @unknown_tensor_operation(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{op was not bufferized}}
  %y = "mystery.op"(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// So is a scalar one.
func.func @unknown_scalar_operation(%x: tensor<4xf32>) -> tensor<4xf32> {
  %c = arith.constant 1.0 : f32
  // expected-error @below {{has no lowering to LLVM}}
  %i = gpu.thread_id x
  %y = tensor.insert %c into %x[%i] : tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// Arithmetic that LLVM does not have.
func.func @float8(%x: tensor<4xf8E4M3FN>) -> tensor<4xf8E4M3FN> {
  // expected-error @below {{has no lowering to LLVM}}
  %y = arith.addf %x, %x : tensor<4xf8E4M3FN>
  return %y : tensor<4xf8E4M3FN>
}
