// RUN: prune-opt %s --prune-verify-dense --split-input-file --verify-diagnostics

#CSR = #sparse_tensor.encoding<{map = (i, j) -> (i : dense, j : compressed)}>

// An operation of the dialect.
func.func @operation(%w: tensor<2x3xf32>) -> tensor<2x3xf32> {
  // expected-error @below {{'sparse_tensor.convert' op uses sparse tensors, which only kernels=reference compiles}}
  %s = sparse_tensor.convert %w : tensor<2x3xf32> to tensor<2x3xf32, #CSR>
  %d = sparse_tensor.convert %s : tensor<2x3xf32, #CSR> to tensor<2x3xf32>
  return %d : tensor<2x3xf32>
}

// -----

#CSR = #sparse_tensor.encoding<{map = (i, j) -> (i : dense, j : compressed)}>

// A function that passes one on.
// expected-error @below {{'func.func' op uses sparse tensors}}
func.func private @argument(%w: tensor<2x3xf32, #CSR>)

// -----

// Nothing to say where nothing is sparse.
func.func @dense(%w: tensor<2x3xf32>) -> tensor<2x3xf32> {
  return %w : tensor<2x3xf32>
}
