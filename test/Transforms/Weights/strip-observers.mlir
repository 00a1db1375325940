// RUN: prune-opt %s --prune-strip-observers | FileCheck %s

// Users read what was observed; also where one observer reads another.
// CHECK-LABEL: func @strips
// CHECK-SAME: (%[[X:.*]]: tensor<?x2xf16>)
// CHECK-NEXT: return %[[X]]
func.func @strips(%x: tensor<?x2xf16>) -> tensor<?x2xf16> {
  %a = prune.observe %x "a" {what = ["mean"]} : tensor<?x2xf16>
  %b = prune.observe %a "b" {what = ["mean"], number = 1} : tensor<?x2xf16>
  return %b : tensor<?x2xf16>
}
