// RUN: prune-opt %s --prune-fold-masks --split-input-file --verify-diagnostics

func.func @nan_weight() -> tensor<2x2xf32> {
  %w = arith.constant dense_resource<fc1> : tensor<2x2xf32>
  // expected-error @+1 {{weight 'fc1' has a NaN at [1, 0]; repair the weight, or leave it out with exclude}}
  %s = prune.score %w {criterion = #prune.magnitude<l1>} : tensor<2x2xf32>
  %m = prune.mask %s {pattern = #prune.element, sparsity = 0.5} : tensor<2x2xf32>
  %p = prune.apply %w, %m : tensor<2x2xf32>, tensor<2x2xi1>
  return %p : tensor<2x2xf32>
}

{-#
  dialect_resources: {
    builtin: {
      fc1: "0x040000000000803F000000400000C07F0000803F"
    }
  }
#-}

// -----

// A NaN is found whatever the pattern and the sparsity.
func.func @nan_in_groups() -> tensor<4xi1> {
  %w = arith.constant dense<[1.0, 0x7E00, 3.0, 4.0]> : tensor<4xf16>
  // expected-error @+1 {{weight 'fc2' has a NaN at [1]}}
  %s = prune.score %w {criterion = #prune.magnitude<l1>, weight = "fc2"} : tensor<4xf16>
  %m = prune.mask %s {pattern = #prune.nm<2:4, 0>} : tensor<4xf16>
  return %m : tensor<4xi1>
}

// -----

func.func @nan_in_blocks() -> tensor<4xi1> {
  %w = arith.constant dense<[1.0, 2.0, 3.0, 0x7FC0]> : tensor<4xbf16>
  // expected-error @+1 {{weight 'fc3' has a NaN at [3]}}
  %s = prune.score %w {criterion = #prune.magnitude<l1>, weight = "fc3"} : tensor<4xbf16>
  %m = prune.mask %s {pattern = #prune.block<[2]>, sparsity = 0.0} : tensor<4xbf16>
  return %m : tensor<4xi1>
}

// -----

func.func @nan_score() -> tensor<2xi1> {
  %s = arith.constant dense<[1.0, 0x7FF8000000000000]> : tensor<2xf64>
  // expected-error @+1 {{operand 0 has a NaN score; scores must be numbers}}
  %m = prune.mask %s {pattern = #prune.element, sparsity = 0.5} : tensor<2xf64>
  return %m : tensor<2xi1>
}

// -----

// Infinite weights rank highest, and the user is told.
func.func @infinite_weight() -> tensor<2xi1> {
  %w = arith.constant dense<[0x7F800000, 1.0]> : tensor<2xf32>
  %s = prune.score %w {criterion = #prune.magnitude<l1>, weight = "fc4"} : tensor<2xf32>
  // expected-warning @+1 {{infinite scores in 'fc4': they rank above all others}}
  %m = prune.mask %s {pattern = #prune.element, sparsity = 0.5} : tensor<2xf32>
  return %m : tensor<2xi1>
}
