// RUN: prune-opt %s --split-input-file --verify-diagnostics
// RUN: not prune-opt %s --split-input-file -o %t.out 2>&1 | FileCheck %s
// RUN: not ls %t.out

// CHECK: resource 'missing' has no data
func.func @missing() -> tensor<2x2xf32> {
  // expected-error @+1 {{resource 'missing' has no data; add it to the file's dialect_resources, or check the spelling of its key}}
  %w = arith.constant dense_resource<missing> : tensor<2x2xf32>
  return %w : tensor<2x2xf32>
}

// -----

// CHECK: resource 'short' holds 12 bytes
func.func @too_small() -> tensor<2x2xf32> {
  // expected-error @+1 {{resource 'short' holds 12 bytes, but 'tensor<2x2xf32>' needs 16}}
  %w = arith.constant dense_resource<short> : tensor<2x2xf32>
  return %w : tensor<2x2xf32>
}

{-#
  dialect_resources: {
    builtin: {
      short: "0x040000000000803F000000400000803F"
    }
  }
#-}

// -----

// A resource hidden in a nested attribute.
// expected-error @+1 {{resource 'hidden' has no data}}
func.func private @nested() attributes {a = [{b = dense_resource<hidden> : tensor<3xi8>}]}
