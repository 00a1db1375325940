// RUN: prune-opt %s --prune-expand-copies | FileCheck %s

// Rows of a wider buffer are copied by loops.
// CHECK-LABEL: func @strided
func.func @strided(%a: memref<4x4xf32, strided<[8, 1]>>, %b: memref<4x4xf32>) {
  // CHECK: linalg.copy ins(%{{.*}} : memref<4x4xf32, strided<[8, 1]>>) outs(%{{.*}} : memref<4x4xf32>)
  memref.copy %a, %b : memref<4x4xf32, strided<[8, 1]>> to memref<4x4xf32>
  return
}

// What lies without gaps is left to memcpy.
// CHECK-LABEL: func @contiguous
func.func @contiguous(%a: memref<4x4xf32, strided<[4, 1], offset: ?>>, %b: memref<4x4xf32>) {
  // CHECK: memref.copy
  memref.copy %a, %b : memref<4x4xf32, strided<[4, 1], offset: ?>> to memref<4x4xf32>
  return
}

// Upstream does not see that these lie without gaps.
// CHECK-LABEL: func @open
func.func @open(%a: memref<?x1x4xf32, strided<[4, 4, 1], offset: 20>>, %b: memref<?x1x4xf32>,
                %c: memref<0x4xf32, strided<[4, 1], offset: 8>>, %d: memref<0x4xf32>) {
  // CHECK-COUNT-2: linalg.copy
  memref.copy %a, %b : memref<?x1x4xf32, strided<[4, 4, 1], offset: 20>> to memref<?x1x4xf32>
  memref.copy %c, %d : memref<0x4xf32, strided<[4, 1], offset: 8>> to memref<0x4xf32>
  return
}

// A shape of unknown rank has no loops.
// CHECK-LABEL: func @unranked
func.func @unranked(%a: memref<*xf32>, %b: memref<*xf32>) {
  // CHECK: memref.copy
  memref.copy %a, %b : memref<*xf32> to memref<*xf32>
  return
}
