// RUN: prune-opt %s --prune-expand-narrow-floats="native-half=false" | FileCheck %s --check-prefixes=CHECK,SOFT
// RUN: prune-opt %s --prune-expand-narrow-floats | FileCheck %s --check-prefixes=CHECK,HARD
// What the bits are is checked by Pipelines/lower-to-llvm-narrow.py.

// The bits of bf16 are the upper half of those of f32.
// CHECK-LABEL: func @extends_bf16
// CHECK-NEXT: %[[BITS:.*]] = arith.bitcast %{{.*}} : bf16 to i16
// CHECK-NEXT: %[[WIDE:.*]] = arith.extui %[[BITS]] : i16 to i32
// CHECK-NEXT: %[[SIXTEEN:.*]] = arith.constant 16 : i32
// CHECK-NEXT: %[[SHIFTED:.*]] = arith.shli %[[WIDE]], %[[SIXTEEN]] : i32
// CHECK-NEXT: %[[Y:.*]] = arith.bitcast %[[SHIFTED]] : i32 to f32
// CHECK-NEXT: return %[[Y]]
func.func @extends_bf16(%x: bf16) -> f32 {
  %y = arith.extf %x : bf16 to f32
  return %y : f32
}

// CHECK-LABEL: func @extends_to_f64
// CHECK: %[[SINGLE:.*]] = arith.bitcast %{{.*}} : i32 to f32
// CHECK: arith.extf %[[SINGLE]] : f32 to f64
func.func @extends_to_f64(%x: bf16) -> f64 {
  %y = arith.extf %x : bf16 to f64
  return %y : f64
}

// Vectors as well.
// CHECK-LABEL: func @rounds_vectors
// CHECK-NOT: arith.truncf
// CHECK: arith.trunci %{{.*}} : vector<4xi32> to vector<4xi16>
// CHECK: arith.bitcast %{{.*}} : vector<4xi16> to vector<4xbf16>
func.func @rounds_vectors(%x: vector<4xf32>) -> vector<4xbf16> {
  %y = arith.truncf %x : vector<4xf32> to vector<4xbf16>
  return %y : vector<4xbf16>
}

// The processor may know how to convert f16.
// CHECK-LABEL: func @converts_f16
// SOFT-NOT: arith.extf
// SOFT-NOT: arith.truncf
// HARD: arith.extf %{{.*}} : f16 to f32
// HARD: arith.truncf %{{.*}} : f32 to f16
func.func @converts_f16(%x: f16) -> f16 {
  %y = arith.extf %x : f16 to f32
  %z = arith.truncf %y : f32 to f16
  return %z : f16
}

// But not how to round f64 to it: a number that f32 does not hold is made odd.
// CHECK-LABEL: func @rounds_f64_once
// CHECK: arith.truncf %{{.*}} : f64 to f32
// CHECK: arith.cmpf one
// CHECK: arith.ori
// HARD: arith.truncf %{{.*}} : f32 to f16
// SOFT-NOT: f32 to f16
func.func @rounds_f64_once(%x: f64) -> f16 {
  %y = arith.truncf %x : f64 to f16
  return %y : f16
}

// Other types are left alone.
// CHECK-LABEL: func @leaves_f32_alone
// CHECK-NEXT: arith.extf
// CHECK-NEXT: arith.truncf
// CHECK-NEXT: return
func.func @leaves_f32_alone(%x: f32) -> f32 {
  %y = arith.extf %x : f32 to f64
  %z = arith.truncf %y : f64 to f32
  return %z : f32
}
