// RUN: %python -c "import numpy; numpy.save('%t.npy', numpy.random.default_rng(0).normal(size=(64, 4)).astype('f')); numpy.save('%t.y.npy', numpy.zeros(64, 'i8')); numpy.save('%t.wrong.npy', numpy.full(64, 7, 'i8')); numpy.save('%t.real.npy', numpy.zeros(64, 'f'))"
// RUN: echo "{}" > %t.empty.json
// RUN: not prune-opt %s --prune-compress-weights="data=%t.npy" 2>&1 | FileCheck %s --check-prefix=NOTHING
// RUN: not prune-opt %s --prune-compress-weights="data=%t.npy budget=joules:0.5" 2>&1 | FileCheck %s --check-prefix=KIND
// RUN: not prune-opt %s --prune-compress-weights="data=%t.npy budget=params:2" 2>&1 | FileCheck %s --check-prefix=PART
// RUN: not prune-opt %s --prune-compress-weights="data=%t.npy budget=params:0.1 levels=0.5" 2>&1 | FileCheck %s --check-prefix=IMPOSSIBLE
// RUN: not prune-opt %s --prune-compress-weights="data=%t.npy max-drop=-1" 2>&1 | FileCheck %s --check-prefix=DROP
// RUN: not prune-opt %s --prune-compress-weights="data=%t.npy max-drop=1" 2>&1 | FileCheck %s --check-prefix=LABELS
// RUN: not prune-opt %s --prune-compress-weights="data=%t.npy max-drop=1 metric=guess" 2>&1 | FileCheck %s --check-prefix=METRIC
// RUN: not prune-opt %s --prune-compress-weights="data=%t.npy labels=%t.wrong.npy max-drop=1" 2>&1 | FileCheck %s --check-prefix=CLASS
// RUN: not prune-opt %s --prune-compress-weights="data=%t.npy labels=%t.real.npy max-drop=1" 2>&1 | FileCheck %s --check-prefix=REAL
// RUN: not prune-opt %s --prune-compress-weights="data=%t.npy metric=error max-drop=0 levels=0.9" 2>&1 | FileCheck %s --check-prefix=BOUND
// RUN: not prune-opt %s --prune-compress-weights="data=%t.npy budget=params:0.5 loss=guess" 2>&1 | FileCheck %s --check-prefix=LOSS
// RUN: not prune-opt %s --prune-compress-weights="data=%t.npy budget=params:0.5 table=%t.empty.json" 2>&1 | FileCheck %s --check-prefix=TABLE
// RUN: not prune-opt %s --prune-compress-weights="data=%t.npy budget=params:0.5 eval-data=%t.npy" 2>&1 | FileCheck %s --check-prefix=UNUSED
// RUN: not prune-opt %s --prune-measure-sensitivity="data=%t.npy loss=guess" 2>&1 | FileCheck %s --check-prefix=MEASURED
// RUN: not prune-opt %s --prune-measure-sensitivity="data=%t.npy levels=0.5 output=%t.none/table.json" 2>&1 | FileCheck %s --check-prefix=OUTPUT
// RUN: not prune-opt %s --prune-measure-sensitivity="data=%t.npy patterns=round" 2>&1 | FileCheck %s --check-prefix=PATTERN

// RUN: prune-opt %s --prune-compress-weights="data=%t.npy labels=%t.y.npy budget=params:0.5 levels=0.5" -o /dev/null 2>&1 | FileCheck %s --check-prefix=CHANCE
// RUN: prune-opt %s --prune-reconstruct-weights="data=%t.npy samples=3 sparsity=0.5" -o /dev/null 2>&1 | FileCheck %s --check-prefix=FEW

// CHANCE: warning: prune-compress-weights: the dense network has {{[0-9.]+}} % of the labels right, hardly more than by chance; check the labels and the preprocessing
// FEW: warning: prune-reconstruct-weights: 1 layers have fewer rows of calibration data than inputs, such as 'fc' (3 for 4); give more samples

// NOTHING: error: prune-compress-weights: expects option 'budget' or 'max-drop'
// KIND: error: prune-compress-weights: option 'budget' expects params, macs or latency and a fraction in (0, 1), as in params:0.2, but got 'joules:0.5'
// PART: error: prune-compress-weights: option 'budget' expects params, macs or latency and a fraction in (0, 1), as in params:0.2, but got 'params:2'
// IMPOSSIBLE: error: prune-compress-weights: budget 'params:0.1' cannot be met: the levels leave 0.5000 at least; allow more, or give higher levels
// DROP: error: prune-compress-weights: option 'max-drop' expects a number of at least 0 but got '-1'
// LABELS: error: prune-compress-weights: option 'metric' is accuracy, which needs labels; without any, use kl or error
// METRIC: error: prune-compress-weights: option 'metric' expects accuracy, cross-entropy, kl or error but got 'guess'
// CLASS: error: prune-compress-weights: labels: there is no class for row {{[0-9]+}} of the first result, which has 2 classes
// REAL: error: prune-compress-weights: labels '{{.*}}real.npy' are real numbers; expected integers, the class of each row
// BOUND: error: prune-compress-weights: no network that loses anything stays within a drop of 0; with {{[0-9.]+}} % of what was asked for, the least that was tried, the drop is
// LOSS: error: prune-compress-weights: option 'loss' expects kl or error but got 'guess'
// TABLE: error: prune-compress-weights: cannot read '{{.*}}empty.json'
// UNUSED: error: prune-compress-weights: option 'eval-data' serves max-drop, which is not given
// MEASURED: error: prune-measure-sensitivity: option 'loss' expects kl or error but got 'guess'
// OUTPUT: error: prune-measure-sensitivity: {{.*}}table.json
// PATTERN: error: prune-measure-sensitivity: option 'patterns'

func.func @main(%x: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %fc = arith.constant dense_resource<fc> : tensor<2x4xf32>
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %n = tensor.dim %x, %c0 : tensor<?x4xf32>
  %e = tensor.empty(%n) : tensor<?x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x2xf32>) -> tensor<?x2xf32>
  %y = linalg.matmul indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1)>]
      ins(%x, %fc : tensor<?x4xf32>, tensor<2x4xf32>) outs(%f : tensor<?x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

{-#
  dialect_resources: {
    builtin: {
      fc: "0x040000000000803F0000004000004040000080400000A0400000C0400000E04000000041"
    }
  }
#-}
