// RUN: prune-opt %s --prune-inline-globals --split-input-file | FileCheck %s
// RUN: prune-opt %s --prune-inline-globals=erase-public --split-input-file | FileCheck %s --check-prefix=PUBLIC

// A weight has the symbol's name; two loads are one weight. Nobody else can read
// what is private.
// CHECK-LABEL: func.func @weights
// CHECK-NOT: ml_program
// CHECK: %[[A:.*]] = arith.constant dense_resource<w> : tensor<2x2xf32>
// CHECK: %[[B:.*]] = arith.constant dense_resource<w> : tensor<2x2xf32>
// CHECK: return %[[A]], %[[B]]
// CHECK: w: "0x400000000000003F0000003F0000003F0000003F"
ml_program.global private @w(dense<0.5> : tensor<2x2xf32>) : tensor<2x2xf32>
ml_program.global private @never_read(dense<0.5> : tensor<2x2xf32>) : tensor<2x2xf32>
func.func @weights() -> (tensor<2x2xf32>, tensor<2x2xf32>) {
  %a = ml_program.global_load_const @w : tensor<2x2xf32>
  %b = ml_program.global_load @w : tensor<2x2xf32>
  return %a, %b : tensor<2x2xf32>, tensor<2x2xf32>
}

// -----

// A resource is known by the symbol from now on, and keeps its numbers.
// CHECK-LABEL: func.func @resource
// CHECK: arith.constant dense_resource<fc1.weight> : tensor<2xf32>
// CHECK: fc1.weight: "0x400000000000803F00000040"
ml_program.global private @"fc1.weight"(dense_resource<torch_tensor_2> : tensor<2xf32>) : tensor<2xf32>
func.func @resource() -> tensor<2xf32> {
  %a = ml_program.global_load_const @"fc1.weight" : tensor<2xf32>
  return %a : tensor<2xf32>
}
{-#
dialect_resources: { builtin: { torch_tensor_2: "0x040000000000803F00000040" } }
#-}

// -----

// What can be no weight stays as it is written, and what is public stays.
// CHECK-LABEL: ml_program.global public @sizes
// CHECK: func.func @small
// CHECK: %[[A:.*]] = arith.constant dense<[1, 2]> : tensor<2xi64>
// CHECK: %[[B:.*]] = arith.constant 3 : i32
// CHECK: return %[[A]], %[[B]]
// PUBLIC-LABEL: func.func @weights
// PUBLIC: func.func @small
// PUBLIC-NOT: ml_program.global
ml_program.global public @sizes(dense<[1, 2]> : tensor<2xi64>) : tensor<2xi64>
ml_program.global private @number(3 : i32) : i32
func.func @small() -> (tensor<2xi64>, i32) {
  %a = ml_program.global_load_const @sizes : tensor<2xi64>
  %b = ml_program.global_load @number : i32
  return %a, %b : tensor<2xi64>, i32
}

// -----

// What can change, and what is not known, is read as before.
// CHECK-LABEL: ml_program.global private mutable @state
// CHECK: ml_program.global private @elsewhere
// CHECK: func.func @not_known
// CHECK: ml_program.global_load @state
// CHECK: ml_program.global_load_const @elsewhere
// PUBLIC: ml_program.global private mutable @state
ml_program.global private mutable @state(dense<0.0> : tensor<2xf32>) : tensor<2xf32>
ml_program.global private @elsewhere(#ml_program.extern : tensor<2xf32>) : tensor<2xf32>
func.func @not_known() -> (tensor<2xf32>, tensor<2xf32>) {
  %a = ml_program.global_load @state : tensor<2xf32>
  %b = ml_program.global_load_const @elsewhere : tensor<2xf32>
  return %a, %b : tensor<2xf32>, tensor<2xf32>
}
