// RUN: not prune-opt %s --prune-pack-weights=vector-bits=100 2>&1 | FileCheck %s --check-prefix=BITS
// RUN: not prune-opt %s --prune-pack-weights=form=round 2>&1 | FileCheck %s --check-prefix=FORM
// RUN: not prune-opt %s --prune-pack-weights=lanes=both 2>&1 | FileCheck %s --check-prefix=LANES
// RUN: not prune-opt %s --prune-pack-weights=tile-rows=-1 2>&1 | FileCheck %s --check-prefix=TILE
// RUN: not prune-opt %s --prune-pack-weights=include=nothing 2>&1 | FileCheck %s --check-prefix=INCLUDE
// RUN: not prune-opt %s --prune-pack-weights=threads=0 2>&1 | FileCheck %s --check-prefix=THREADS

// BITS: expects vector-bits 128, 256 or 512 but got 100
// FORM: unknown form 'round'; expects auto, dense, blocks, patterns or elements
// LANES: unknown lanes 'both'; expects auto, columns or rows
// TILE: expects tile-rows, tile-columns and k-block of at least 0 but got -1, 0 and 0
// INCLUDE: nothing
// THREADS: expects threads in [1, 1024] but got 0

func.func @product(%x: tensor<4x8xf32>, %init: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %w = arith.constant dense<1.0> : tensor<8x8xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x8xf32>, tensor<8x8xf32>) outs(%init : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}
