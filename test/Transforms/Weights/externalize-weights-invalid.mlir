// RUN: prune-opt %s --split-input-file --prune-externalize-weights --verify-diagnostics

// The caller would have to pass the weight.
// expected-error@below {{prune-externalize-weights: 'called' is called, and its callers have no such arguments}}
func.func @called(%x: tensor<2xf32>) -> tensor<2xf32> {
  return %x : tensor<2xf32>
}
func.func private @caller(%x: tensor<2xf32>) -> tensor<2xf32> {
  %y = call @called(%x) : (tensor<2xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// -----

// The numbers were left out.
func.func @elided() -> tensor<2xf32> {
  // expected-error@below {{its data was left out when the module was printed}}
  %w = arith.constant dense_resource<__elided__> : tensor<2xf32>
  return %w : tensor<2xf32>
}
