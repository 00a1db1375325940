// RUN: prune-opt %s --prune-legalize-scalars | FileCheck %s

// A conversion rounds, whatever it is permitted.
// CHECK-LABEL: func @rounds
func.func @rounds(%x: f32) -> f32 {
  // CHECK: arith.truncf %{{.*}} : f32 to bf16
  %a = arith.truncf %x fastmath<contract> : f32 to bf16
  // CHECK: arith.extf %{{[^ ]*}} : bf16 to f32
  %b = arith.extf %a fastmath<nnan,contract> : bf16 to f32
  // CHECK: arith.mulf %{{.*}} fastmath<contract> : f32
  %c = arith.mulf %b, %b fastmath<contract> : f32
  return %c : f32
}

// Near zero the differences would lose all digits.
// CHECK-LABEL: func @calls_the_library
func.func @calls_the_library(%x: f32, %y: f64, %v: vector<2xf32>) -> (f32, f64, vector<2xf32>) {
  // CHECK: call @expm1f(%{{.*}}) : (f32) -> f32
  %a = math.expm1 %x : f32
  // CHECK: call @log1p(%{{.*}}) : (f64) -> f64
  %b = math.log1p %y : f64
  // CHECK-COUNT-2: call @expm1f
  %c = math.expm1 %v : vector<2xf32>
  // CHECK-NOT: math.
  return %a, %b, %c : f32, f64, vector<2xf32>
}

// CHECK-LABEL: func @clamps
// CHECK-SAME: %[[X:.*]]: f32, %[[LOW:.*]]: f32, %[[HIGH:.*]]: f32
func.func @clamps(%x: f32, %low: f32, %high: f32) -> f32 {
  // CHECK: %[[A:.*]] = arith.maximumf %[[X]], %[[LOW]] : f32
  // CHECK: arith.minimumf %[[A]], %[[HIGH]] : f32
  %r = math.clampf %x to [%low, %high] : f32
  return %r : f32
}

// CHECK-LABEL: func @is_infinite
func.func @is_infinite(%x: f32, %v: vector<2xf64>) -> (i1, vector<2xi1>) {
  // CHECK-DAG: %[[INF:.*]] = arith.constant 0x7F800000 : f32
  // CHECK-DAG: %[[ABS:.*]] = math.absf %{{.*}} : f32
  // CHECK: arith.cmpf oeq, %[[ABS]], %[[INF]] : f32
  %a = math.isinf %x : f32
  // CHECK: arith.cmpf oeq, %{{.*}} : vector<2xf64>
  %b = math.isinf %v : vector<2xf64>
  return %a, %b : i1, vector<2xi1>
}

// What LLVM computes as well as the library is left to it.
// CHECK-LABEL: func @keeps_the_rest
func.func @keeps_the_rest(%x: f32) -> f32 {
  // CHECK: math.exp
  %a = math.exp %x : f32
  // CHECK: math.sqrt
  %b = math.sqrt %a : f32
  return %b : f32
}
