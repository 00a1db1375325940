// RUN: %python -c "import numpy; numpy.save('%t.npy', numpy.ones((8, 4), 'f'))"
// RUN: not prune-opt %s --prune-score-channels 2>&1 | FileCheck %s --check-prefix=NODATA
// RUN: not prune-opt %s --prune-score-channels="data=%t.npy function=none" 2>&1 | FileCheck %s --check-prefix=FUNCTION
// RUN: not prune-opt %s --prune-refit-weights="data=%t.npy" 2>&1 | FileCheck %s --check-prefix=NOREFERENCE
// RUN: not prune-opt %s --prune-refit-weights="data=%t.npy reference=%t.none" 2>&1 | FileCheck %s --check-prefix=MISSING
// RUN: sed 's/fc/other/' %s > %t.other.mlir
// RUN: not prune-opt %s --prune-refit-weights="data=%t.npy reference=%t.other.mlir" 2>&1 | FileCheck %s --check-prefix=OTHER
// RUN: prune-opt %s --prune-score-channels="data=%t.npy" 2>&1 | FileCheck %s --check-prefix=NONE

// NODATA: error: prune-score-channels: option 'data' expects a .npy file for each argument but got none
// FUNCTION: error: prune-score-channels: the module has no public function 'none'
// NOREFERENCE: error: prune-refit-weights: expects option 'reference', the dense network
// MISSING: error: prune-refit-weights: cannot read reference '{{.*}}.none'
// OTHER: error: prune-refit-weights: constant 'other' of the reference is not in the module; refit before prune-remove-channels and prune-fold-batch-norms
// NONE: warning: prune-score-channels: nothing was scored

func.func @main(%x: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %w = arith.constant dense_resource<fc> : tensor<4x2xf32>
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %n = tensor.dim %x, %c0 : tensor<?x4xf32>
  %e = tensor.empty(%n) : tensor<?x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x2xf32>) -> tensor<?x2xf32>
  %y = linalg.matmul ins(%x, %w : tensor<?x4xf32>, tensor<4x2xf32>) outs(%f : tensor<?x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

{-#
  dialect_resources: {
    builtin: {
      fc: "0x040000000000803F0000004000004040000080400000A0400000C0400000E04000000041"
    }
  }
#-}
