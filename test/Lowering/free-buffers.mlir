// RUN: prune-opt %s --prune-free-buffers --split-input-file | FileCheck %s
// RUN: prune-opt %s --prune-free-buffers --buffer-deallocation-pipeline --split-input-file | FileCheck %s --check-prefix=ALL

// A buffer is freed behind the last use of it or of a view of it, within loops
// and branches too.
// CHECK-LABEL: func @used
// CHECK: %[[A:.*]] = memref.alloc() {bufferization.manual_deallocation} : memref<8xf32>
// CHECK: linalg.copy
// CHECK: memref.subview %[[A]]
// CHECK: scf.for
// CHECK: memref.copy
// CHECK: }
// CHECK-NEXT: memref.dealloc %[[A]] {bufferization.manual_deallocation}
// CHECK-NEXT: memref.copy %arg0, %arg1
// Nobody frees it again.
// ALL-LABEL: func @used
// ALL-COUNT-1: memref.dealloc
// ALL-NOT: memref.dealloc
// ALL: return
func.func @used(%x: memref<8xf32>, %y: memref<8xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %a = memref.alloc() : memref<8xf32>
  linalg.copy ins(%x : memref<8xf32>) outs(%a : memref<8xf32>)
  %v = memref.subview %a[4] [4] [1] : memref<8xf32> to memref<4xf32, strided<[1], offset: 4>>
  %w = memref.subview %y[0] [4] [1] : memref<8xf32> to memref<4xf32, strided<[1]>>
  scf.for %i = %c0 to %c2 step %c1 {
    memref.copy %v, %w : memref<4xf32, strided<[1], offset: 4>> to memref<4xf32, strided<[1]>>
  }
  memref.copy %x, %y : memref<8xf32> to memref<8xf32>
  return
}

// -----

// What a loop allocates is freed in the loop; a function that returns no buffer
// keeps none.
// CHECK-LABEL: func @loop
// CHECK: scf.for
// CHECK: %[[A:.*]] = memref.alloc(%arg0)
// CHECK: call @user(%[[A]])
// CHECK-NEXT: memref.dealloc %[[A]]
func.func @loop(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    %a = memref.alloc(%n) : memref<?xf32>
    func.call @user(%a) : (memref<?xf32>) -> ()
    func.call @other() : () -> ()
  }
  return
}
func.func private @user(memref<?xf32>)
func.func private @other()

// -----

// What is returned, carried by a loop, selected, given to a function that returns
// a buffer, or stored stays; upstream frees what is to be freed.
// CHECK-LABEL: func @leaves
// CHECK-NOT: memref.dealloc
// CHECK-NOT: manual_deallocation
// CHECK: return
// ALL-LABEL: func @leaves
// ALL: dealloc
// ALL: return
func.func @leaves(%n: index, %p: i1, %b: memref<8xf32>) -> (memref<8xf32>, f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = memref.alloc() : memref<8xf32>
  %v = memref.cast %r : memref<8xf32> to memref<?xf32>
  %s = memref.cast %v : memref<?xf32> to memref<8xf32>
  %i = memref.alloc() : memref<8xf32>
  %l = scf.for %k = %c0 to %n step %c1 iter_args(%t = %i) -> memref<8xf32> {
    %next = memref.alloc() : memref<8xf32>
    scf.yield %next : memref<8xf32>
  }
  %c = memref.alloc() : memref<8xf32>
  %d = arith.select %p, %c, %b : memref<8xf32>
  %e = memref.alloc() : memref<8xf32>
  %f = func.call @same(%e) : (memref<8xf32>) -> memref<8xf32>
  %0 = memref.load %l[%c0] : memref<8xf32>
  %1 = memref.load %d[%c0] : memref<8xf32>
  %2 = memref.load %f[%c0] : memref<8xf32>
  %3 = arith.addf %0, %1 : f32
  %4 = arith.addf %2, %3 : f32
  return %s, %4 : memref<8xf32>, f32
}
func.func private @same(%x: memref<8xf32>) -> memref<8xf32> {
  return %x : memref<8xf32>
}

// -----

// CHECK-LABEL: func @address
// CHECK-NOT: memref.dealloc
// CHECK: return
func.func @address() -> index {
  %a = memref.alloc() : memref<8xf32>
  %p = memref.extract_aligned_pointer_as_index %a : memref<8xf32> -> index
  return %p : index
}
