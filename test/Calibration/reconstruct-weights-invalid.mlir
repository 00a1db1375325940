// RUN: %python -c "import numpy; numpy.save('%t.npy', numpy.ones((8, 4), 'f')); numpy.save('%t.wide.npy', numpy.ones((8, 5), 'f')); numpy.save('%t.nan.npy', numpy.full((8, 4), numpy.nan, 'f'))"
// RUN: not prune-opt %s --prune-reconstruct-weights="sparsity=0.5" 2>&1 | FileCheck %s --check-prefix=NODATA
// RUN: not prune-opt %s --prune-reconstruct-weights="data=%t.none.npy sparsity=0.5" 2>&1 | FileCheck %s --check-prefix=MISSING
// RUN: not prune-opt %s --prune-reconstruct-weights="data=%t.npy,%t.npy sparsity=0.5" 2>&1 | FileCheck %s --check-prefix=COUNT
// RUN: not prune-opt %s --prune-reconstruct-weights="data=%t.wide.npy sparsity=0.5" 2>&1 | FileCheck %s --check-prefix=SHAPE
// RUN: not prune-opt %s --prune-reconstruct-weights="data=%t.nan.npy sparsity=0.5" 2>&1 | FileCheck %s --check-prefix=NAN
// RUN: not prune-opt %s --prune-reconstruct-weights="data=%t.npy" 2>&1 | FileCheck %s --check-prefix=TARGET
// RUN: not prune-opt %s --prune-reconstruct-weights="data=%t.npy sparsity=1.5" 2>&1 | FileCheck %s --check-prefix=RANGE
// RUN: not prune-opt %s --prune-reconstruct-weights="data=%t.npy sparsity=0.5 method=guess" 2>&1 | FileCheck %s --check-prefix=METHOD
// RUN: not prune-opt %s --prune-reconstruct-weights="data=%t.npy sparsity=0.5 damping=-1" 2>&1 | FileCheck %s --check-prefix=DAMPING
// RUN: not prune-opt %s --prune-reconstruct-weights="data=%t.npy sparsity=0.5 batch=0" 2>&1 | FileCheck %s --check-prefix=BATCH
// RUN: not prune-opt %s --prune-reconstruct-weights="data=%t.npy sparsity=0.5 samples=0" 2>&1 | FileCheck %s --check-prefix=SAMPLES
// RUN: not prune-opt %s --prune-reconstruct-weights="data=%t.npy sparsity=0.5 function=other" 2>&1 | FileCheck %s --check-prefix=FUNCTION
// RUN: not prune-opt %s --prune-reconstruct-weights="data=%t.npy targets=nothing:0.5" 2>&1 | FileCheck %s --check-prefix=LAYER

// NODATA: error: prune-reconstruct-weights: option 'data' expects a .npy file for each argument but got none
// MISSING: error: prune-reconstruct-weights: {{.*}}none.npy
// COUNT: error: prune-reconstruct-weights: 'main' takes 1 inputs, but data is given for 2
// SHAPE: error: prune-reconstruct-weights: data for argument 0 of 'main' is 8x5 of float32, but argument 0 of 'main' is 4x4 of float32
// NAN: error: prune-reconstruct-weights: calibration data gives NaN or infinite inputs of layer 'fc'; check the data and its preprocessing
// TARGET: error: prune-reconstruct-weights: expects one of the options 'sparsity', 'threshold' and 'count', or 'targets' for single layers
// RANGE: error: prune-reconstruct-weights: option 'sparsity' expects a number in [0, 1] but got '1.5'
// METHOD: error: prune-reconstruct-weights: option 'method' expects best, admm, magnitude, sparsegpt or obs but got 'guess'
// DAMPING: error: prune-reconstruct-weights: option 'damping' expects a number of at least 0 but got -1
// BATCH: error: prune-reconstruct-weights: option 'batch' expects a number of at least 1 but got 0
// SAMPLES: error: prune-reconstruct-weights: option 'samples' expects a number of at least 1 but got 0
// FUNCTION: error: prune-reconstruct-weights: the module has no public function 'other'
// LAYER: error: prune-reconstruct-weights: option 'targets'{{.*}}'nothing'

func.func @main(%x: tensor<4x4xf32>) -> tensor<4x2xf32> {
  %fc = arith.constant dense_resource<fc> : tensor<4x2xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x2xf32>) -> tensor<4x2xf32>
  %y = linalg.matmul ins(%x, %fc : tensor<4x4xf32>, tensor<4x2xf32>) outs(%f : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

{-#
  dialect_resources: {
    builtin: {
      fc: "0x040000000000803F0000004000004040000080400000A0400000C0400000E04000000041"
    }
  }
#-}
