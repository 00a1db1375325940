// RUN: prune-opt %s --prune-drop-returned-arguments | FileCheck %s

// The caller uses its own buffer.
// CHECK-LABEL: func @caller
// CHECK-SAME: (%[[X:.*]]: memref<4xf32>, %[[Y:.*]]: memref<2xf32>) -> memref<2xf32>
// CHECK-NEXT: call @kernel(%[[X]], %[[Y]]) : (memref<4xf32>, memref<2xf32>) -> ()
// CHECK-NEXT: return %[[Y]]
func.func @caller(%x: memref<4xf32>, %y: memref<2xf32>) -> memref<2xf32> {
  %r = call @kernel(%x, %y) : (memref<4xf32>, memref<2xf32>) -> memref<2xf32>
  return %r : memref<2xf32>
}

// CHECK-LABEL: func private @kernel
// CHECK-SAME: memref<2xf32>) {
// CHECK: return{{$}}
func.func private @kernel(%x: memref<4xf32>, %y: memref<2xf32>) -> memref<2xf32> {
  %c0 = arith.constant 0 : index
  %v = memref.load %x[%c0] : memref<4xf32>
  memref.store %v, %y[%c0] : memref<2xf32>
  return %y : memref<2xf32>
}

// Other results stay, in order; one argument may be returned twice.
// CHECK-LABEL: func @keeps_other_results
// CHECK-SAME: (%[[Y:.*]]: memref<2xf32>)
// CHECK-NEXT: %[[R:.*]]:2 = call @several(%[[Y]]) : (memref<2xf32>) -> (f32, index)
// CHECK-NEXT: return %[[Y]], %[[R]]#0, %[[Y]], %[[R]]#1
func.func @keeps_other_results(%y: memref<2xf32>) -> (memref<2xf32>, f32, memref<2xf32>, index) {
  %r:4 = call @several(%y) : (memref<2xf32>) -> (memref<2xf32>, f32, memref<2xf32>, index)
  return %r#0, %r#1, %r#2, %r#3 : memref<2xf32>, f32, memref<2xf32>, index
}

func.func private @several(%y: memref<2xf32>) -> (memref<2xf32>, f32, memref<2xf32>, index) {
  %c0 = arith.constant 0 : index
  %v = memref.load %y[%c0] : memref<2xf32>
  return %y, %v, %y, %c0 : memref<2xf32>, f32, memref<2xf32>, index
}

// Which argument is returned must not depend on the path.
// CHECK-LABEL: func @keeps_a_choice
// CHECK: call @choose(%{{.*}}) : (i1, memref<2xf32>, memref<2xf32>) -> memref<2xf32>
func.func @keeps_a_choice(%c: i1, %a: memref<2xf32>, %b: memref<2xf32>) -> memref<2xf32> {
  %r = call @choose(%c, %a, %b) : (i1, memref<2xf32>, memref<2xf32>) -> memref<2xf32>
  return %r : memref<2xf32>
}

func.func private @choose(%c: i1, %a: memref<2xf32>, %b: memref<2xf32>) -> memref<2xf32> {
  cf.cond_br %c, ^first, ^second
^first:
  return %a : memref<2xf32>
^second:
  return %b : memref<2xf32>
}

// A public function keeps its signature, as does one without a body or one whose
// address is taken.
// CHECK-LABEL: func @public
// CHECK: return %{{.*}} : memref<2xf32>
func.func @public(%y: memref<2xf32>) -> memref<2xf32> {
  return %y : memref<2xf32>
}

// CHECK-LABEL: func private @external(memref<2xf32>) -> memref<2xf32>
func.func private @external(memref<2xf32>) -> memref<2xf32>

// CHECK-LABEL: func private @referenced
// CHECK: return %{{.*}} : memref<2xf32>
func.func private @referenced(%y: memref<2xf32>) -> memref<2xf32> {
  return %y : memref<2xf32>
}
func.func @takes_address() -> ((memref<2xf32>) -> memref<2xf32>) {
  %f = constant @referenced : (memref<2xf32>) -> memref<2xf32>
  return %f : (memref<2xf32>) -> memref<2xf32>
}
