//===- Passes.td - Passes that lower to other dialects -----*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CONVERSION_PASSES_TD
#define PRUNE_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

//===----------------------------------------------------------------------===//
// ConvertPruneToLinalg
//===----------------------------------------------------------------------===//

def ConvertPruneToLinalgPass : Pass<"convert-prune-to-linalg"> {
  let summary = "Lower scores, masks and their application to linalg";
  let description = [{
    Lowers `prune.score`, `prune.mask` and `prune.apply` on values that are
    known at run time only (function arguments, globals) to linalg, tensor,
    arith and scf. The masks are exactly those that `prune-fold-masks` gives for
    constants: the k-th lowest score is found by bisection over the bits of the
    scores, ties are cut by bisection over positions. That takes at most 64
    passes over the scores and no sort. Scores that are NaN rank above all
    others, since there is nobody to report them to.

    Fails for a criterion that cannot be computed at run time.

    ```mlir
    // Before
    %p = prune.apply %w, %m : tensor<4xf32>, tensor<4xi1>
    // After
    %p = linalg.generic ... ins(%w, %m : tensor<4xf32>, tensor<4xi1>) outs(...) {
      %0 = arith.select %m_element, %w_element, %zero : f32
      linalg.yield %0 : f32
    } -> tensor<4xf32>
    ```
  }];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
}

#endif // PRUNE_CONVERSION_PASSES_TD
