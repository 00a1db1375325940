// RUN: prune-opt %s | prune-opt | FileCheck %s
// RUN: prune-opt %s --canonicalize --cse --inline --symbol-dce | FileCheck %s --check-prefix=KEPT

// An observer is an identity on tensors of any size.
// CHECK-LABEL: func @passes_on
func.func @passes_on(%x: tensor<?x784xf32>) -> tensor<?x784xf32> {
  // CHECK: prune.observe %{{.*}} "fc1" {what = ["mean", "input_norm"]} : tensor<?x784xf32>
  %y = prune.observe %x "fc1" {what = ["mean", "input_norm"]} : tensor<?x784xf32>
  return %y : tensor<?x784xf32>
}

// Nothing removes an observer, also if nobody reads what it passes on, or makes
// one of two.
// KEPT-LABEL: func @stays
func.func @stays(%x: tensor<4xbf16>) {
  // KEPT-COUNT-2: prune.observe
  %a = prune.observe %x "a" {number = 3, what = ["gram"]} : tensor<4xbf16>
  %b = prune.observe %x "a" {number = 3, what = ["gram"]} : tensor<4xbf16>
  return
}

// The criteria of what layers read.
// CHECK-LABEL: func @scores
func.func @scores(%w: tensor<3x4xf32>, %n: tensor<3x1xf64>, %i: tensor<3x1xf64>, %o: tensor<1x4xf64>) {
  // CHECK: {criterion = #prune.wanda} : tensor<3x4xf32>, tensor<3x1xf64> -> tensor<3x4xf64>
  %a = prune.score %w stats(%n) {criterion = #prune.wanda} : tensor<3x4xf32>, tensor<3x1xf64> -> tensor<3x4xf64>
  // CHECK: {criterion = #prune.ria}
  %b = prune.score %w stats(%n, %i, %o) {criterion = #prune.ria} : tensor<3x4xf32>, tensor<3x1xf64>, tensor<3x1xf64>, tensor<1x4xf64> -> tensor<3x4xf64>
  // CHECK: {criterion = #prune.ria<power = 1.000000e+00 : f64>}
  %c = prune.score %w stats(%n, %i, %o) {criterion = #prune.ria<power = 1.0>} : tensor<3x4xf32>, tensor<3x1xf64>, tensor<3x1xf64>, tensor<1x4xf64> -> tensor<3x4xf64>
  return
}
