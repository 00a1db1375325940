// RUN: prune-opt %s --split-input-file --verify-diagnostics

func.func @unknown_statistic(%x: tensor<4xf32>) {
  // expected-error @+1 {{knows no statistic 'median'; known are count, mean, second_moment, min, max, zeros, input_norm, gram}}
  %y = prune.observe %x "fc1" {what = ["mean", "median"]} : tensor<4xf32>
  return
}

// -----

func.func @no_statistic(%x: tensor<4xf32>) {
  // expected-error @+1 {{expects at least one statistic in 'what'}}
  %y = prune.observe %x "fc1" {what = []} : tensor<4xf32>
  return
}

// -----

func.func @twice(%x: tensor<4xf32>) {
  // expected-error @+1 {{expects each statistic once but got 'min' twice}}
  %y = prune.observe %x "fc1" {what = ["min", "max", "min"]} : tensor<4xf32>
  return
}

// -----

func.func @no_layer(%x: tensor<4xf32>) {
  // expected-error @+1 {{expects the name of a weight}}
  %y = prune.observe %x "" {what = ["min"]} : tensor<4xf32>
  return
}

// -----

func.func @integers(%x: tensor<4xi8>) {
  // expected-error @+1 {{operand #0 must be ranked tensor of 64-bit float or 32-bit float or 16-bit float or bfloat16 type values}}
  %y = prune.observe %x "fc1" {what = ["min"]} : tensor<4xi8>
  return
}

// -----

// A statistic of a flat list does not say along which dimension it runs.
func.func @flat_statistic(%w: tensor<3x3xf32>, %n: tensor<3xf64>) {
  // expected-error @+1 {{expects the statistic 'input_norm' to be of floats in the shape [3, 3], or 1 along some of its dimensions, but got 'tensor<3xf64>'}}
  %s = prune.score %w stats(%n) {criterion = #prune.wanda} : tensor<3x3xf32>, tensor<3xf64> -> tensor<3x3xf64>
  return
}

// -----

func.func @power(%w: tensor<3x3xf32>) {
  // expected-error @+1 {{RIA expects a finite power of at least 0 but got -1.0}}
  %s = prune.score %w {criterion = #prune.ria<power = -1.0>} : tensor<3x3xf32>
  return
}
