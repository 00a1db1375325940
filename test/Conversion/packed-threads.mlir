// What threads share: prune-pack-weights cuts products, convert-prune-packed-to-vector makes
// loops of the parts. On one thread neither does anything.
//
// RUN: prune-opt %s --prune-pack-weights="threads=2 vector-bits=512 form=dense lanes=columns tile-rows=4" | FileCheck %s --check-prefix=PACK
// RUN: prune-opt %s --prune-pack-weights="vector-bits=512 form=dense lanes=columns tile-rows=4" | FileCheck %s --check-prefix=WHOLE
// RUN: prune-opt %s --convert-prune-packed-to-vector=threads=3 | FileCheck %s --check-prefix=LOOPS
// RUN: prune-opt %s --convert-prune-packed-to-vector | FileCheck %s --check-prefix=ONE

// 256 rows in groups of 4: eight parts of eight groups.
// PACK-LABEL: func @large
// PACK: prune.packed_matmul
// PACK-SAME: row_chunks = array<i64: 0, 8, 16, 24, 32, 40, 48, 56, 64>
// PACK-NOT: parallel_panels
// WHOLE-LABEL: func @large
// WHOLE-NOT: row_chunks
// WHOLE-LABEL: func @parts
func.func @large(%x: tensor<64x256xf32>) -> tensor<64x256xf32> {
  %w = arith.constant dense<1.0> : tensor<256x256xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<64x256xf32>
  %init = linalg.fill ins(%zero : f32) outs(%e : tensor<64x256xf32>) -> tensor<64x256xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<64x256xf32>, tensor<256x256xf32>) outs(%init : tensor<64x256xf32>) -> tensor<64x256xf32>
  return %0 : tensor<64x256xf32>
}

// Few rows, many columns: panels are parts, too.
// PACK-LABEL: func @few_rows
// PACK: prune.packed_matmul
// PACK-SAME: attributes {parallel_panels, {{.*}}row_chunks = array<i64: 0, 1>}
func.func @few_rows(%x: tensor<4096x256xf32>) -> tensor<4096x4xf32> {
  %w = arith.constant dense<1.0> : tensor<256x4xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4096x4xf32>
  %init = linalg.fill ins(%zero : f32) outs(%e : tensor<4096x4xf32>) -> tensor<4096x4xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4096x256xf32>, tensor<256x4xf32>) outs(%init : tensor<4096x4xf32>) -> tensor<4096x4xf32>
  return %0 : tensor<4096x4xf32>
}

// Waking a thread would take longer.
// PACK-LABEL: func @small
// PACK: prune.packed_matmul
// PACK-NOT: row_chunks
// PACK-LABEL: func @parts
func.func @small(%x: tensor<64x16xf32>) -> tensor<64x16xf32> {
  %w = arith.constant dense<1.0> : tensor<16x16xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<64x16xf32>
  %init = linalg.fill ins(%zero : f32) outs(%e : tensor<64x16xf32>) -> tensor<64x16xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<64x16xf32>, tensor<16x16xf32>) outs(%init : tensor<64x16xf32>) -> tensor<64x16xf32>
  return %0 : tensor<64x16xf32>
}

#kernel = #prune.kernel<dense, m = 18, k = 8, lanes = columns, width = 16, tile = 4 x 16, k_block = 8>

// Each part loops over its groups; the last has the group that is not whole.
// LOOPS-LABEL: func @parts
// LOOPS: %[[THREADS:.*]] = arith.constant 3 : i32
// LOOPS: omp.parallel num_threads(%[[THREADS]] : i32)
// LOOPS-NEXT: omp.wsloop nowait schedule(static)
// LOOPS-NEXT: omp.loop_nest (%[[PART:.*]], %[[PANEL:.*]]) : index
// LOOPS: %[[BOUNDS:.*]] = arith.constant dense<[0, 2, 5]> : vector<3xindex>
// LOOPS: %[[BEGIN:.*]] = vector.extract %[[BOUNDS]][%[[PART]]]
// LOOPS: %[[END:.*]] = vector.extract %[[BOUNDS]]
// LOOPS: %[[STOP:.*]] = arith.minui %[[END]]
// LOOPS: scf.for %{{.*}} = %[[BEGIN]] to %[[STOP]]
// LOOPS: %[[LAST:.*]] = arith.cmpi ugt, %[[END]]
// LOOPS: scf.if %[[LAST]]
// ONE-LABEL: func @parts
// ONE-NOT: omp.
func.func @parts(%w: memref<160xf32>, %x: memref<?x8x16xf32>, %y: memref<?x18x16xf32>) {
  prune.packed_matmul #kernel weights(%w : memref<160xf32>) input(%x : memref<?x8x16xf32>)
      init(%y : memref<?x18x16xf32>)
      attributes {row_chunks = array<i64: 0, 2, 5>, parallel_panels} {
  ^bb0(%e: f32):
    prune.yield %e : f32
  }
  return
}

// Threads ask for long parts one by one.
// LOOPS-LABEL: func @long_parts
// LOOPS: omp.wsloop nowait schedule(dynamic)
func.func @long_parts(%w: memref<160xf32>, %x: memref<16384x8x16xf32>, %y: memref<16384x18x16xf32>) {
  prune.packed_matmul #kernel weights(%w : memref<160xf32>) input(%x : memref<16384x8x16xf32>)
      init(%y : memref<16384x18x16xf32>)
      attributes {row_chunks = array<i64: 0, 2, 5>, parallel_panels} {
  ^bb0(%e: f32):
    prune.yield %e : f32
  }
  return
}
