//===- Passes.td - Passes within the tensor level ----------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_TRANSFORMS_PASSES_TD
#define PRUNE_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def VerifyResourcesPass : Pass<"prune-verify-resources"> {
  let summary = "Check that every constant's resource is there and fits";
  let description = [{
    A `dense_resource` constant whose data is missing or has the wrong size
    passes the parser and the verifier, and would fail much later or read
    outside of its buffer. This pass reports every such constant, with the
    resource's name and the sizes, and changes nothing. `prune-opt` runs it on
    what it has parsed, before any other pass.

    ```mlir
    // error: resource 'fc1' holds 12 bytes, but tensor<2x2xf32> needs 16 ...
    %w = arith.constant dense_resource<fc1> : tensor<2x2xf32>
    ```
  }];
}

#endif // PRUNE_TRANSFORMS_PASSES_TD
