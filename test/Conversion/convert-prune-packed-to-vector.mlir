// RUN: prune-opt %s --convert-prune-packed-to-vector --canonicalize | FileCheck %s
// RUN: prune-opt %s --convert-prune-packed-to-vector=fma=false | FileCheck %s --check-prefix=APART
// Without fused operations products and sums are two.
// APART-NOT: fma
// APART: arith.mulf
// APART-NEXT: arith.addf
// APART-NOT: fma

// The walk over the weight is not to be unrolled by LLVM.
// CHECK: #[[$UNROLL:.*]] = #llvm.loop_unroll<disable = true>
// CHECK: #[[$LOOP:.*]] = #llvm.loop_annotation<unroll = #[[$UNROLL]]>

#dense = #prune.kernel<dense, m = 8, k = 16, lanes = columns, width = 16, tile = 4 x 32, k_block = 16>
#blocked = #prune.kernel<dense, m = 4, k = 16, lanes = columns, width = 16, tile = 4 x 16, k_block = 8>
#patterns = #prune.kernel<patterns, m = 4, k = 16, lanes = columns, width = 16, tile = 2 x 16, k_block = 16>
#wide = #prune.kernel<blocks, m = 4, k = 16, lanes = columns, width = 16, tile = 1 x 32, k_block = 16>
#rows = #prune.kernel<blocks, m = 20, k = 16, lanes = rows, width = 16, tile = 16 x 1, k_block = 16>
#elements = #prune.kernel<elements, m = 4, k = 16, lanes = rows, width = 1, tile = 1 x 1, k_block = 16>

// Four rows by two vectors: eight accumulators stay in registers; each activation
// is loaded once for all rows, each weight is broadcast.
// CHECK-LABEL: func @dense(
// CHECK: scf.for %[[PANEL:.*]] =
// CHECK: scf.for %[[GROUP:.*]] =
// CHECK: scf.for %[[K:.*]] = {{.*}} step %c1 iter_args({{.*}}) -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// CHECK-COUNT-2: vector.load %{{.*}}[%[[PANEL]], %[[K]],
// CHECK: vector.broadcast
// CHECK-COUNT-2: vector.fma
// CHECK: vector.broadcast
// CHECK-COUNT-2: vector.fma
// CHECK: vector.broadcast
// CHECK-COUNT-2: vector.fma
// CHECK: vector.broadcast
// CHECK-COUNT-2: vector.fma
// CHECK-NEXT: scf.yield
// CHECK-NEXT: {loop_annotation = #[[$LOOP]]}
// The bias belongs to a row; maximum is the epilogue's.
// CHECK: memref.load
// CHECK: arith.maximumf {{.*}} : vector<16xf32>
// CHECK: vector.store
func.func @dense(%v: memref<128xf32>, %x: memref<3x16x32xf32>, %b: memref<8xf32>, %y: memref<3x8x32xf32>) {
  prune.packed_matmul #dense weights(%v : memref<128xf32>) input(%x : memref<3x16x32xf32>)
      bias(%b : memref<8xf32>) init(%y : memref<3x8x32xf32>) {
  ^bb0(%e: f32, %bias: f32):
    %s = arith.addf %e, %bias : f32
    %zero = arith.constant 0.0 : f32
    %m = arith.maximumf %s, %zero : f32
    prune.yield %m : f32
  }
  return
}

// With several blocks of columns, partial sums wait in the result; only the last
// block applies the epilogue.
// CHECK-LABEL: func @blocked(
// CHECK: scf.if
// CHECK: vector.load
// CHECK: vector.fma
// CHECK: scf.if
// CHECK: math.absf
// CHECK: else
// CHECK-NOT: math.absf
// CHECK: return
func.func @blocked(%v: memref<64xf32>, %x: memref<3x16x16xf32>, %y: memref<3x4x16xf32>) {
  prune.packed_matmul #blocked weights(%v : memref<64xf32>) input(%x : memref<3x16x16xf32>)
      init(%y : memref<3x4x16xf32>) {
  ^bb0(%e: f32):
    %a = math.absf %e : f32
    prune.yield %a : f32
  }
  return
}

// A tile of two panels reads both; the panel that is left over has a narrower
// tile. Too few sums for the multipliers are kept several times.
// CHECK-LABEL: func @wide(
// CHECK-SAME: %[[X:[a-z0-9]*]]: memref<5x16x16xf32>, %[[Y:[a-z0-9]*]]: memref<5x4x16xf32>)
// CHECK: scf.for %[[PANEL:.*]] = %c0 to %c4 step %c2 {
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// CHECK: vector.load %[[X]][%[[PANEL]], %[[COLUMN:.*]], %c0]
// CHECK: %[[NEXT:.*]] = arith.addi %[[PANEL]], %c1
// CHECK: vector.load %[[X]][%[[NEXT]], %[[COLUMN]], %c0]
// CHECK-COUNT-2: vector.store %{{.*}}, %[[Y]]
// CHECK: vector.load %[[X]][%c4, %{{.*}}, %c0]
// CHECK-COUNT-1: vector.store %{{.*}}, %[[Y]][%c4,
// CHECK-NOT: vector.store
func.func @wide(%v: memref<?xf32>, %i: memref<?xi8>, %p: memref<5xi32>, %x: memref<5x16x16xf32>, %y: memref<5x4x16xf32>) {
  prune.packed_matmul #wide weights(%v, %i, %p : memref<?xf32>, memref<?xi8>, memref<5xi32>)
      input(%x : memref<5x16x16xf32>) init(%y : memref<5x4x16xf32>) {
  ^bb0(%e: f32):
    prune.yield %e : f32
  }
  return
}

// Two rows have three sets of nonzero rows: first, second, both.
// CHECK-LABEL: func @patterns(
// CHECK: arith.index_castui %{{.*}} : i8 to index
// CHECK-COUNT-1: vector.fma
// CHECK: scf.yield
// CHECK: arith.index_castui %{{.*}} : i8 to index
// CHECK-COUNT-1: vector.fma
// CHECK: scf.yield
// CHECK: arith.index_castui %{{.*}} : i8 to index
// CHECK-COUNT-2: vector.fma
// CHECK: scf.yield
// CHECK-COUNT-2: vector.store
func.func @patterns(%v: memref<?xf32>, %i: memref<?xi8>, %p: memref<12xi32>, %x: memref<3x16x16xf32>, %y: memref<3x4x16xf32>) {
  prune.packed_matmul #patterns weights(%v, %i, %p : memref<?xf32>, memref<?xi8>, memref<12xi32>)
      input(%x : memref<3x16x16xf32>) init(%y : memref<3x4x16xf32>) {
  ^bb0(%e: f32):
    prune.yield %e : f32
  }
  return
}

// The 20 rows are one whole group and four lanes; a lone accumulator is kept
// four times over. Only the last store has a mask.
// CHECK-LABEL: func @rows(
// CHECK-COUNT-4: vector.fma
// CHECK: scf.yield
// CHECK: vector.store
// CHECK: vector.maskedstore
// CHECK-NOT: vector.maskedstore
// CHECK: return
func.func @rows(%v: memref<?xf32>, %i: memref<?xi8>, %p: memref<3xi32>, %x: memref<1x16xf32>, %y: memref<1x20xf32>) {
  prune.packed_matmul #rows weights(%v, %i, %p : memref<?xf32>, memref<?xi8>, memref<3xi32>)
      input(%x : memref<1x16xf32>) init(%y : memref<1x20xf32>) {
  ^bb0(%e: f32):
    prune.yield %e : f32
  }
  return
}

// CHECK-LABEL: func @elements(
// CHECK: math.fma {{.*}} : f32
// CHECK: memref.store
func.func @elements(%v: memref<?xf32>, %i: memref<?xi8>, %p: memref<5xi32>, %x: memref<?x16xf32>, %y: memref<?x4xf32>) {
  prune.packed_matmul #elements weights(%v, %i, %p : memref<?xf32>, memref<?xi8>, memref<5xi32>)
      input(%x : memref<?x16xf32>) init(%y : memref<?x4xf32>) {
  ^bb0(%e: f32):
    prune.yield %e : f32
  }
  return
}

// Squares are transposed in registers; what is beside them goes by element.
// CHECK-LABEL: func @panels(
// CHECK-COUNT-16: vector.load
// CHECK: vector.shuffle
// CHECK-COUNT-16: vector.store
// CHECK: memref.load
func.func @panels(%x: memref<?x16xf32>, %p: memref<?x16x64xf32>) {
  prune.pack_panels %x into %p : memref<?x16xf32> into memref<?x16x64xf32>
  return
}
