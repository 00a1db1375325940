//===- ChannelPasses.td - Structured pruning ---------------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_TRANSFORMS_CHANNELPASSES_TD
#define PRUNE_TRANSFORMS_CHANNELPASSES_TD

include "mlir/Pass/PassBase.td"

//===----------------------------------------------------------------------===//
// RemoveChannels
//===----------------------------------------------------------------------===//

def RemoveChannelsPass : Pass<"prune-remove-channels", "::mlir::ModuleOp"> {
  let summary = "Remove channels that provably do not change the outputs";
  let description = [{
    Makes the network smaller without changing what it computes. A channel (a
    neuron, a filter, an attention head) leaves every value, weight, bias and
    parameter that it reaches, if it can be proved that the outputs do not need
    it:

    - every operation that sums over it reads zeros there, or has zero weights
      for it; or reads one other number throughout, which then goes into the
      bias behind the sum;
    - nothing else looks at it: it is not returned, not an argument, not used by
      an operation that does not say how channels move through it.

    The pass knows nothing of masks. It also removes what was dead before, for
    instance neurons that element-wise pruning left without inputs. A value that
    holds one number throughout becomes a constant, and an addition of zero
    disappears, so that a residual block of zeros is removed as a whole. The
    signatures of functions stay, and an axis keeps at least one index.

    The outputs are the same up to the order of floating-point additions, with
    one deviation: zero times NaN or infinity counts as zero, and the sign of
    zeros is not kept.

    Run it after `prune-fold-masks`; a `prune.apply` that is still there keeps
    its channels. Smaller weights are new resources; the module's attribute
    `prune.kept` has, for each, the kept indices of the original along each
    dimension, or unit where all are kept.

    ```mlir
    // Before, with a second neuron that fc1 makes zero
    %w1 = arith.constant dense<[[1.0, 0.0, 2.0], [3.0, 0.0, 4.0]]> : tensor<2x3xf32>
    %h = linalg.matmul ins(%x, %w1 : tensor<1x2xf32>, tensor<2x3xf32>) outs(%z1 : tensor<1x3xf32>) -> tensor<1x3xf32>
    %y = linalg.matmul ins(%h, %w2 : tensor<1x3xf32>, tensor<3x5xf32>) outs(%z2 : tensor<1x5xf32>) -> tensor<1x5xf32>
    // After
    %w1 = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
    %h = linalg.matmul ins(%x, %w1 : tensor<1x2xf32>, tensor<2x2xf32>) outs(%z1 : tensor<1x2xf32>) -> tensor<1x2xf32>
    %y = linalg.matmul ins(%h, %w2 : tensor<1x2xf32>, tensor<2x5xf32>) outs(%z2 : tensor<1x5xf32>) -> tensor<1x5xf32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
}

#endif // PRUNE_TRANSFORMS_CHANNELPASSES_TD
