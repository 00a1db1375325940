//===- Passes.td - Before pruning ------------------------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_TRANSFORMS_PREPARATION_PASSES_TD
#define PRUNE_TRANSFORMS_PREPARATION_PASSES_TD

include "mlir/Pass/PassBase.td"

def VerifyResourcesPass : Pass<"prune-verify-resources"> {
  let summary = "Check that the resource of every constant exists and fits";
  let description = [{
    A `dense_resource` constant whose data is missing or has the wrong size
    passes the parser and the verifier, and would fail much later or read
    outside of its buffer. This pass reports every such constant, with the
    resource's name and the sizes, and changes nothing. `prune-opt` runs it
    right after parsing, with `allow-elided`: printing groups and listing
    weights need no data, and passes that need data check again.

    ```mlir
    // error: resource 'fc1' holds 12 bytes, but tensor<2x2xf32> needs 16 ...
    %w = arith.constant dense_resource<fc1> : tensor<2x2xf32>
    ```
  }];
  let options =
      [Option<
           "allowElided", "allow-elided", "bool", /*default=*/"false",
           "Accept dense_resource<__elided__>, which stands for data that was "
           "left out when the module was printed">,
  ];
}

def LowerTosaPass : Pass<"prune-lower-tosa", "::mlir::ModuleOp"> {
  let summary = "Lower TOSA to linalg, if there is any";
  let description = [{
    The analyses read structured operations. This pass lowers TOSA to linalg,
    tensor, arith and scf with upstream's passes, and leaves a module without
    TOSA as it is. Run it first: upstream canonicalises on the way.
    `--prune-weights`, `--prune-prepare` and `--prune-lower-to-llvm` begin with
    it. What upstream does not lower stays.

    ```mlir
    // Before
    %y = tosa.matmul %x, %w, %zero, %zero : ...
    // After
    %y = linalg.batch_matmul ins(%x, %w : ...) outs(%init : ...) -> ...
    ```
  }];
}

def InlineGlobalsPass : Pass<"prune-inline-globals", "::mlir::ModuleOp"> {
  let summary = "Turn immutable globals into named constants";
  let description = [{
    `ml_program.global_load_const` and `ml_program.global_load` of a global that
    is not mutable become constants. Tensors that can be weights become
    resources with the symbol's name, by which all passes know them; other
    values stay as they are written. Globals that nothing reads any more are
    erased if they are private.

    Left alone: mutable globals, and those without a value or with a foreign
    one (`#ml_program.extern`). `--prune-weights`, `--prune-prepare` and
    `--prune-lower-to-llvm` begin with this pass.

    ```mlir
    // Before
    ml_program.global private @fc1(dense<0.5> : tensor<6x4xf32>) : tensor<6x4xf32>
    %w = ml_program.global_load_const @fc1 : tensor<6x4xf32>
    // After
    %w = arith.constant dense_resource<fc1> : tensor<6x4xf32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
  let options =
      [Option<"erasePublic", "erase-public", "bool", /*default=*/"false",
              "Erase public globals that nothing in the module reads, too">,
  ];
}

def DropIdentitiesPass : Pass<"prune-drop-identities", "::mlir::ModuleOp"> {
  let summary = "Remove operations that return their operand";
  let description = [{
    Exporters leave operations behind that compute nothing: dropout at
    inference, products with one, sums with zero, reshapes to the same shape,
    transposes that keep or undo an order. They stand between a contraction and
    what belongs to it. This pass lets their users use the operand:

    - an elementwise operation, on tensors or as a structured operation, that
      yields one operand as it is once `x * 1`, `x / 1`, `x + 0`, `x - 0`, and
      the like are left out, the constants being numbers or uniform tensors.
      `x + 0` is x but for the sign of a zero;
    - `linalg.transpose` by the identity, and one that undoes another;
    - `tensor.expand_shape`, `collapse_shape` and `reshape` to the operand's
      type, and a reshape that undoes another;
    - `tensor.cast` to the operand's type, `tensor.pad` by nothing,
      `tensor.extract_slice` of everything, `tensor.insert_slice` over
      everything, `tensor.concat` of one operand, `linalg.broadcast` along no
      dimension.

    Left alone: operations that change the type, operands that are broadcast,
    and reshapes between several unknown sizes. A `passed` remark names each
    operation that goes.

    ```mlir
    // Before
    %y = linalg.generic ... ins(%x, %ones) { arith.mulf }
    %z = linalg.transpose ins(%y) outs(%e) permutation = [0, 1]
    return %z
    // After
    return %x
    ```
  }];
}

def FoldBatchNormsPass : Pass<"prune-fold-batch-norms", "::mlir::ModuleOp"> {
  let summary = "Multiply constant scales and shifts into neighbouring weights";
  let description = [{
    A normalisation by stored statistics is `scale * x + shift` with numbers
    that are known for each channel. Next to a contraction or convolution with a
    constant weight, the scale is a factor of the weight and the shift a bias.
    This pass folds such rows of additions, subtractions, multiplications,
    divisions and negations, in any number and order, as whole elementwise
    operations or as a part of one.

    *Behind a contraction*, past reshapes and transposes:

    - every result on the way has one user, and is the only operand of the row
      that is not constant;
    - the numbers vary only along dimensions that the weight has;
    - the sum starts from zero or from a broadcast constant, which becomes part
      of the bias.

    *In front of a contraction*, past reshapes, transposes and padding with
    zeros:

    - what is scaled has one user, and the row contains a product or quotient;
    - the numbers vary only along dimensions that the weight has;
    - a shift other than zero meets no padding, since it would be missing there.

    In both cases: the weight has one user, its type is floating-point, and no
    scale, shift or new weight is infinite or NaN. The numbers are computed in
    double precision and rounded once, so that results differ by rounding, and
    where a scale is zero, `0 * Inf` and `0 * NaN` count as 0.

    The new weight is named `name#n`, where `name` is the key up to `#`. So is
    the bias, after the bias that was added before, if there is one. Constants
    keep their shapes. Zeros of a pruned weight stay zeros.

    Run it after pruning: a weight that a scale was multiplied into ranks by
    other numbers than those that training gave it, and networks that are pruned
    so lose more. Masked channels stay zero.

    In a module that came from an ONNX file, the pass folds only whole nodes,
    such as a BatchNormalization or a Mul, so that an export can leave the node
    out. It does not fold the 0.5 of a Gelu or the division of a mean. The
    module's `prune.folded` has the names of the constants that are gone for
    each weight, `after` the contraction and `before` it.

    A `passed` remark gives, for each weight, the number of operations behind
    and in front of it. A `missed` remark gives the reason why an operation that
    scales by constants stays.

    ```mlir
    // Before
    %c = linalg.conv_2d_nchw_fchw ... ins(%x, %conv1.weight) outs(%zero)
    %n = linalg.generic ... ins(%c, %scale, %shift) { mulf; addf }
    // After
    %c = linalg.conv_2d_nchw_fchw ... ins(%x, %"conv1.weight#1") outs(%zero)
    %n = linalg.generic ... ins(%c, %"shift#1") { addf }
    ```
  }];
  let options = [Option<"quiet", "quiet", "bool", /*default=*/"false",
                        "Say nothing if there is nothing to fold">,
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::tensor::TensorDialect"
  ];
}

#endif // PRUNE_TRANSFORMS_PREPARATION_PASSES_TD
