// RUN: prune-opt %s --prune-order-constants | FileCheck %s

// Constants are numbered in the order in which the module reads them, one series
// for each type, and stand at its beginning.
// CHECK: module {
// CHECK-NEXT: memref.global "private" constant @__constant_2xf32 : memref<2xf32> = dense<1.0
// CHECK-NEXT: memref.global "private" constant @__constant_f32 : memref<f32> = dense<5.0
// CHECK-NEXT: memref.global "private" constant @__constant_2xf32_1 : memref<2xf32> = dense<2.0
// CHECK-NEXT: memref.global "private" constant @__constant_2xf32_2 : memref<2xf32> = dense<3.0
module {
  memref.global "private" constant @__constant_2xf32_1 : memref<2xf32> = dense<3.0>
  memref.global "private" constant @__constant_2xf32 : memref<2xf32> = dense<2.0>

  // What is not a constant of bufferization stays, and keeps its name: one that
  // nothing reads, a public one, one that can change, a name of somebody else's.
  // CHECK: memref.global "private" constant @__constant_2xf32_0 : memref<2xf32> = dense<4.0
  memref.global "private" constant @__constant_2xf32_0 : memref<2xf32> = dense<4.0>
  // CHECK: memref.global constant @__constant_3xf32 : memref<3xf32> = dense<6.0
  memref.global constant @__constant_3xf32 : memref<3xf32> = dense<6.0>
  // CHECK: memref.global "private" @__constant_4xf32 : memref<4xf32> = dense<7.0
  memref.global "private" @__constant_4xf32 : memref<4xf32> = dense<7.0>
  // CHECK: memref.global "private" constant @table : memref<5xf32> = dense<8.0
  memref.global "private" constant @table : memref<5xf32> = dense<8.0>

  memref.global "private" constant @__constant_2xf32_7 : memref<2xf32> = dense<1.0>
  memref.global "private" constant @__constant_f32 : memref<f32> = dense<5.0>

  // CHECK-LABEL: func.func @first
  // CHECK-NEXT: memref.get_global @__constant_2xf32 :
  // CHECK-NEXT: memref.get_global @__constant_f32 :
  // CHECK-NEXT: memref.get_global @__constant_3xf32 :
  // CHECK-NEXT: memref.get_global @__constant_4xf32 :
  // CHECK-NEXT: memref.get_global @table :
  func.func @first() -> (memref<2xf32>, memref<f32>, memref<3xf32>, memref<4xf32>, memref<5xf32>) {
    %a = memref.get_global @__constant_2xf32_7 : memref<2xf32>
    %b = memref.get_global @__constant_f32 : memref<f32>
    %c = memref.get_global @__constant_3xf32 : memref<3xf32>
    %d = memref.get_global @__constant_4xf32 : memref<4xf32>
    %e = memref.get_global @table : memref<5xf32>
    return %a, %b, %c, %d, %e : memref<2xf32>, memref<f32>, memref<3xf32>, memref<4xf32>, memref<5xf32>
  }

  // A constant that two functions read stays one.
  // CHECK-LABEL: func.func @second
  // CHECK-NEXT: memref.get_global @__constant_2xf32_1 :
  // CHECK-NEXT: memref.get_global @__constant_2xf32 :
  // CHECK-NEXT: memref.get_global @__constant_2xf32_2 :
  func.func @second() -> (memref<2xf32>, memref<2xf32>, memref<2xf32>) {
    %a = memref.get_global @__constant_2xf32 : memref<2xf32>
    %b = memref.get_global @__constant_2xf32_7 : memref<2xf32>
    %c = memref.get_global @__constant_2xf32_1 : memref<2xf32>
    return %a, %b, %c : memref<2xf32>, memref<2xf32>, memref<2xf32>
  }

  // Names of a module inside are its own.
  // CHECK: module @inner
  // CHECK: memref.global "private" constant @__constant_2xf32_7
  // CHECK: memref.get_global @__constant_2xf32_7
  module @inner {
    memref.global "private" constant @__constant_2xf32_7 : memref<2xf32> = dense<9.0>
    func.func @third() -> memref<2xf32> {
      %a = memref.get_global @__constant_2xf32_7 : memref<2xf32>
      return %a : memref<2xf32>
    }
  }
}
