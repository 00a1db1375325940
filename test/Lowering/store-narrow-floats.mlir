// RUN: prune-opt %s --prune-store-narrow-floats | FileCheck %s

// Globals and constants keep their bits.
// CHECK: llvm.mlir.global private constant @weights(dense<[16256, 16384]> : tensor<2xi16>) {{.*}} : !llvm.array<2 x i16>
llvm.mlir.global private constant @weights(dense<[1.0, 2.0]> : tensor<2xbf16>) : !llvm.array<2 x bf16>

// Values that are only moved become integers.
// CHECK-LABEL: llvm.func @moves
// CHECK: %[[ONE:.*]] = llvm.mlir.constant(16256 : i16) : i16
// CHECK: %[[X:.*]] = llvm.load %{{.*}} : !llvm.ptr -> i16
// CHECK: %[[S:.*]] = llvm.select %{{.*}}, %[[X]], %[[ONE]] : i1, i16
// CHECK: llvm.br ^[[BLOCK:.*]](%[[S]] : i16)
// CHECK: ^[[BLOCK]](%[[A:.*]]: i16):
// CHECK: llvm.store %[[A]], %{{.*}} : i16, !llvm.ptr
llvm.func @moves(%p: !llvm.ptr, %c: i1) {
  %one = llvm.mlir.constant(1.0 : bf16) : bf16
  %x = llvm.load %p : !llvm.ptr -> bf16
  %s = llvm.select %c, %x, %one : i1, bf16
  llvm.br ^bb1(%s : bf16)
^bb1(%a: bf16):
  llvm.store %a, %p : bf16, !llvm.ptr
  llvm.return
}

// CHECK-LABEL: llvm.func @moves_vectors
// CHECK: llvm.load %{{.*}} : !llvm.ptr -> vector<4xi16>
// CHECK: llvm.extractelement %{{.*}} : vector<4xi16>
llvm.func @moves_vectors(%p: !llvm.ptr, %i: i32) {
  %x = llvm.load %p : !llvm.ptr -> vector<4xf16>
  %e = llvm.extractelement %x[%i : i32] : vector<4xf16>
  llvm.store %e, %p : f16, !llvm.ptr
  llvm.return
}

// What a function takes and returns stays as its callers know it.
// CHECK-LABEL: llvm.func @keeps_signatures(%arg0: f16) -> f16
// CHECK-NEXT: %[[I:.*]] = llvm.bitcast %arg0 : f16 to i16
// CHECK-NEXT: %[[F:.*]] = llvm.bitcast %[[I]] : i16 to f16
// CHECK-NEXT: %[[R:.*]] = llvm.call @keeps_signatures(%[[F]]) : (f16) -> f16
// CHECK-NEXT: %[[J:.*]] = llvm.bitcast %[[R]] : f16 to i16
// CHECK-NEXT: %[[G:.*]] = llvm.bitcast %[[J]] : i16 to f16
// CHECK-NEXT: llvm.return %[[G]] : f16
llvm.func @keeps_signatures(%x: f16) -> f16 {
  %r = llvm.call @keeps_signatures(%x) : (f16) -> f16
  llvm.return %r : f16
}

// bf16 is passed as an integer.
// CHECK-LABEL: llvm.func @passes_integers(%arg0: i16) -> i16
// CHECK-NEXT: %[[R:.*]] = llvm.call @passes_integers(%arg0) : (i16) -> i16
// CHECK-NEXT: llvm.return %[[R]] : i16
llvm.func @passes_integers(%x: bf16) -> bf16 {
  %r = llvm.call @passes_integers(%x) : (bf16) -> bf16
  llvm.return %r : bf16
}

// Conversions of f16 are the processor's.
// CHECK-LABEL: llvm.func @converts
// CHECK: %[[I:.*]] = llvm.load %{{.*}} : !llvm.ptr -> i16
// CHECK: %[[H:.*]] = llvm.bitcast %[[I]] : i16 to f16
// CHECK: %[[F:.*]] = llvm.fpext %[[H]] : f16 to f32
// CHECK: %[[T:.*]] = llvm.fptrunc %[[F]] : f32 to f16
// CHECK: %[[J:.*]] = llvm.bitcast %[[T]] : f16 to i16
// CHECK: llvm.store %[[J]], %{{.*}} : i16, !llvm.ptr
llvm.func @converts(%p: !llvm.ptr) {
  %x = llvm.load %p : !llvm.ptr -> f16
  %y = llvm.fpext %x : f16 to f32
  %z = llvm.fptrunc %y : f32 to f16
  llvm.store %z, %p : f16, !llvm.ptr
  llvm.return
}

// Other types are not concerned.
// CHECK-LABEL: llvm.func @leaves_f32_alone(%arg0: f32) -> f32
// CHECK-NEXT: llvm.fadd %arg0, %arg0 : f32
llvm.func @leaves_f32_alone(%x: f32) -> f32 {
  %y = llvm.fadd %x, %x : f32
  llvm.return %y : f32
}
