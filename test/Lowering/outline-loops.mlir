// RUN: prune-opt %s --prune-outline-loops=min-nests=1 --split-input-file | FileCheck %s
// RUN: prune-opt %s --prune-outline-loops --split-input-file | FileCheck %s --check-prefix=SHORT

// SHORT-NOT: call @loops

#id = affine_map<(i) -> (i)>

// Nests that differ in their operands only share a function. Of memory that is
// allocated here it is known that no argument leads to it.
// CHECK-LABEL: func @shared
// CHECK: call @loops(%arg0, %[[A:.*]]) : (memref<8xf32>, memref<8xf32>) -> ()
// CHECK: call @loops(%[[A]], %{{.*}}) : (memref<8xf32>, memref<8xf32>) -> ()
// An argument may lead to another one.
// CHECK: call @loops_0(%{{.*}}, %arg1)
// CHECK: call @loops_1(%arg0, %arg1)
// CHECK: func private @loops(%arg0: memref<8xf32> {llvm.noalias}, %arg1: memref<8xf32> {llvm.noalias}) attributes {llvm.bareptr, llvm.linkage = #llvm.linkage<internal>, passthrough = ["noinline"]}
// CHECK-NEXT: linalg.generic
// CHECK: func private @loops_0(%arg0: memref<8xf32> {llvm.noalias}, %arg1: memref<8xf32> {llvm.noalias})
// CHECK: math.tanh
// CHECK: func private @loops_1(%arg0: memref<8xf32>, %arg1: memref<8xf32>) attributes
// CHECK-NOT: func private
func.func @shared(%x: memref<8xf32>, %y: memref<8xf32>) {
  %a = memref.alloc() : memref<8xf32>
  %b = memref.alloc() : memref<8xf32>
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : memref<8xf32>) outs(%a : memref<8xf32>) {
  ^bb0(%i: f32, %o: f32):
    %0 = math.exp %i : f32
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%a : memref<8xf32>) outs(%b : memref<8xf32>) {
  ^bb0(%i: f32, %o: f32):
    %0 = math.exp %i : f32
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%b : memref<8xf32>) outs(%y : memref<8xf32>) {
  ^bb0(%i: f32, %o: f32):
    %0 = math.tanh %i : f32
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : memref<8xf32>) outs(%y : memref<8xf32>) {
  ^bb0(%i: f32, %o: f32):
    %0 = math.tanh %i : f32
    linalg.yield %0 : f32
  }
  memref.dealloc %a : memref<8xf32>
  memref.dealloc %b : memref<8xf32>
  return
}

// -----

// Parts of one buffer, read and written: nothing is known. Where a part starts
// is no matter of the function.
// CHECK-LABEL: func @parts
// CHECK-COUNT-2: call @loops(%{{.*}}, %{{.*}}, %{{.*}}) : (memref<2xf32, strided<[1]>>, memref<f32>, index) -> ()
// CHECK: func private @loops(%[[A:.*]]: memref<2xf32, strided<[1]>>, %[[B:.*]]: memref<f32>, %[[O:.*]]: index) attributes
// CHECK: %[[P:.*]] = memref.reinterpret_cast %[[B]] to offset: [%[[O]]], sizes: [2], strides: [1]
// CHECK: linalg.copy ins(%[[A]] : {{.*}}) outs(%[[P]] :
// CHECK-NOT: func private
func.func @parts() {
  %a = memref.alloc() : memref<8xf32>
  %s = memref.subview %a[0] [2] [1] : memref<8xf32> to memref<2xf32, strided<[1]>>
  %t = memref.subview %a[2] [2] [1] : memref<8xf32> to memref<2xf32, strided<[1], offset: 2>>
  %u = memref.subview %a[4] [2] [1] : memref<8xf32> to memref<2xf32, strided<[1], offset: 4>>
  linalg.copy ins(%s : memref<2xf32, strided<[1]>>) outs(%t : memref<2xf32, strided<[1], offset: 2>>)
  linalg.copy ins(%s : memref<2xf32, strided<[1]>>) outs(%u : memref<2xf32, strided<[1], offset: 4>>)
  memref.dealloc %a : memref<8xf32>
  return
}

// -----

// What the type of a buffer leaves open is passed beside its first element.
// CHECK-LABEL: func @open
// CHECK: %[[BASE:.*]], %[[OFFSET:.*]], %[[SIZES:.*]]:2, %[[STRIDES:.*]]:2 = memref.extract_strided_metadata %arg0
// CHECK: call @loops(%arg1, %[[BASE]], %[[OFFSET]], %[[SIZES]]#0, %[[STRIDES]]#1) : (f32, memref<f32>, index, index, index) -> ()
// CHECK: func private @loops(%[[V:.*]]: f32, %[[P:.*]]: memref<f32> {llvm.noalias}, %[[O:.*]]: index, %[[N:.*]]: index, %[[S:.*]]: index)
// CHECK: %[[X:.*]] = memref.reinterpret_cast %[[P]] to offset: [%[[O]]], sizes: [%[[N]], 4], strides: [8, %[[S]]] : memref<f32> to memref<?x4xf32, strided<[8, ?], offset: ?>>
// CHECK-NEXT: linalg.fill ins(%[[V]] : f32) outs(%[[X]]
func.func @open(%x: memref<?x4xf32, strided<[8, ?], offset: ?>>, %v: f32) {
  linalg.fill ins(%v : f32) outs(%x : memref<?x4xf32, strided<[8, ?], offset: ?>>)
  return
}

// -----

// Loops move as a whole, with the constants that they use.
// CHECK-LABEL: func @loop
// CHECK-NOT: scf.for
// CHECK: call @loops(%arg0) : (memref<8xf32>) -> ()
// CHECK: func private @loops(%arg0: memref<8xf32> {llvm.noalias})
// CHECK: arith.constant 2.0
// CHECK: scf.for
// CHECK: memref.store
func.func @loop(%x: memref<8xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %f = arith.constant 2.0 : f32
  scf.for %i = %c0 to %c8 step %c1 {
    %e = memref.load %x[%i] : memref<8xf32>
    %r = arith.mulf %e, %f : f32
    memref.store %r, %x[%i] : memref<8xf32>
  }
  return
}

// -----

// A loop that allocates, calls, or carries something out stays, without the nests
// within.
// CHECK-LABEL: func @stays
// CHECK: scf.for
// CHECK: memref.alloc
// CHECK: call @loops(
// CHECK: memref.dealloc
// CHECK: scf.for
// CHECK: call @other
// CHECK: scf.for {{.*}} iter_args
func.func @stays(%x: memref<8xf32>) -> f32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %f = arith.constant 2.0 : f32
  scf.for %i = %c0 to %c8 step %c1 {
    %a = memref.alloc() : memref<8xf32>
    linalg.copy ins(%x : memref<8xf32>) outs(%a : memref<8xf32>)
    memref.dealloc %a : memref<8xf32>
  }
  scf.for %i = %c0 to %c8 step %c1 {
    func.call @other() : () -> ()
  }
  %s = scf.for %i = %c0 to %c8 step %c1 iter_args(%t = %f) -> f32 {
    %e = memref.load %x[%i] : memref<8xf32>
    %r = arith.addf %e, %t : f32
    scf.yield %r : f32
  }
  return %s : f32
}
func.func private @other()

// -----

// A layout that strides do not describe.
// CHECK-LABEL: func @layout
// CHECK-NOT: call
// CHECK: linalg.fill
func.func @layout(%x: memref<8xf32, affine_map<(i) -> (i floordiv 2)>>, %v: f32) {
  linalg.fill ins(%v : f32) outs(%x : memref<8xf32, affine_map<(i) -> (i floordiv 2)>>)
  return
}
