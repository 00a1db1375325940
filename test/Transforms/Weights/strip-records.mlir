// RUN: prune-opt %s --prune-strip-records | FileCheck %s

// All records go, in nested modules too. Names of arguments and results, and
// what others wrote, stay.

// CHECK-NOT: prune.{{kept|weights|multiplications|type_before|weight}}
// CHECK: module attributes {other.x = 1 : i64}
// CHECK: func.func @main(%{{.*}}: tensor<1x2xf32> {other.y, prune.name = "image"}) -> (tensor<1x2xf32> {prune.name = "scores"})
// CHECK: module @inner {
module attributes {other.x = 1, prune.multiplications = array<i64: 12, 8>, prune.kept = {"w#1" = [unit, array<i64: 0, 2>], gone = 0.0 : f32}, prune.weights = {w = {pattern = "#prune.element"}}} {
  func.func @main(%x: tensor<1x2xf32> {other.y, prune.name = "image", prune.kept = [unit, array<i64: 0, 3>], prune.type_before = tensor<1x2x2xf32>}) -> (tensor<1x2xf32> {prune.name = "scores"}) attributes {prune.weight = "w"} {
    return %x : tensor<1x2xf32>
  }
  module @inner attributes {prune.weights = {}} {
  }
}
