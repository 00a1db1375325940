// RUN: prune-opt %s --split-input-file --verify-diagnostics

func.func @reduced_dimension_out_of_range(%w: tensor<8x4xf32>) {
  // expected-error @+1 {{expects reduce_dims in [0, 2) but got 2}}
  %s = prune.score %w {criterion = #prune.magnitude<l1>, reduce_dims = [2]} : tensor<8x4xf32> -> tensor<8x4xf32>
  return
}

// -----

func.func @reduced_dimension_twice(%w: tensor<8x4xf32>) {
  // expected-error @+1 {{expects each of reduce_dims once but got 1 twice}}
  %s = prune.score %w {criterion = #prune.magnitude<l1>, reduce_dims = [1, 1]} : tensor<8x4xf32> -> tensor<8xf32>
  return
}

// -----

func.func @score_shape(%w: tensor<8x4xf32>) {
  // expected-error @+1 {{expects scores of type 'tensor<4xf64>' but got 'tensor<8xf64>'}}
  %s = prune.score %w {criterion = #prune.magnitude<l1>, reduce_dims = [0]} : tensor<8x4xf32> -> tensor<8xf64>
  return
}

// -----

func.func @score_of_integers(%w: tensor<8x4xi8>) {
  // expected-error @+1 {{operand #0 must be statically shaped tensor of floating-point values}}
  %s = prune.score %w {criterion = #prune.magnitude<l1>} : tensor<8x4xi8>
  return
}

// -----

func.func @score_of_dynamic_shape(%w: tensor<?x4xf32>) {
  // expected-error @+1 {{operand #0 must be statically shaped tensor}}
  %s = prune.score %w {criterion = #prune.magnitude<l1>} : tensor<?x4xf32>
  return
}

// -----

func.func @score_of_f8(%w: tensor<4xf8E4M3FN>) {
  // expected-error @+1 {{expects element types f64, f32, f16 or bf16}}
  %s = prune.score %w {criterion = #prune.magnitude<l1>} : tensor<4xf8E4M3FN>
  return
}

// -----

func.func @not_a_criterion(%w: tensor<4xf32>) {
  // expected-error @+1 {{attribute 'criterion' failed to satisfy constraint}}
  %s = prune.score %w {criterion = #prune.element} : tensor<4xf32>
  return
}

// -----

// expected-error @+2 {{to be one of: l1, l2}}
// expected-error @+1 {{failed to parse}}
func.func private @unknown_norm() attributes {a = #prune.magnitude<l3>}

// -----

func.func @no_target(%s: tensor<4xf32>) {
  // expected-error @+1 {{expects exactly one of sparsity, threshold and count but got 0}}
  %m = prune.mask %s {pattern = #prune.element} : tensor<4xf32>
  return
}

// -----

func.func @two_targets(%s: tensor<4xf32>) {
  // expected-error @+1 {{expects exactly one of sparsity, threshold and count but got 2}}
  %m = prune.mask %s {pattern = #prune.element, sparsity = 0.5, count = 1} : tensor<4xf32>
  return
}

// -----

func.func @target_beside_nm(%s: tensor<4xf32>) {
  // expected-error @+1 {{expects no target, since the pattern is the target, but got 1}}
  %m = prune.mask %s {pattern = #prune.nm<2:4, 0>, sparsity = 0.5} : tensor<4xf32>
  return
}

// -----

func.func @sparsity_above_one(%s: tensor<4xf32>) {
  // expected-error @+1 {{expects sparsity in [0, 1] but got 1.5}}
  %m = prune.mask %s {pattern = #prune.element, sparsity = 1.5} : tensor<4xf32>
  return
}

// -----

func.func @sparsity_nan(%s: tensor<4xf32>) {
  // expected-error @+1 {{expects sparsity in [0, 1] but got}}
  %m = prune.mask %s {pattern = #prune.element, sparsity = 0x7FF8000000000000 : f64} : tensor<4xf32>
  return
}

// -----

func.func @threshold_nan(%s: tensor<4xf32>) {
  // expected-error @+1 {{expects a threshold that is a number but got NaN}}
  %m = prune.mask %s {pattern = #prune.element, threshold = 0x7FF8000000000000 : f64} : tensor<4xf32>
  return
}

// -----

func.func @negative_count(%s: tensor<4xf32>) {
  // expected-error @+1 {{expects a count of at least 0 but got -1}}
  %m = prune.mask %s {pattern = #prune.element, count = -1} : tensor<4xf32>
  return
}

// -----

func.func @nm_dimension(%s: tensor<4xf32>) {
  // expected-error @+1 {{N:M pattern along dimension 1 expects a tensor of rank 2 or more but got rank 1}}
  %m = prune.mask %s {pattern = #prune.nm<2:4, 1>} : tensor<4xf32>
  return
}

// -----

// expected-error @+1 {{N:M pattern expects 0 <= N <= M and M >= 1 but got 5:4}}
func.func private @nm_above_m() attributes {a = #prune.nm<5:4, 0>}

// -----

// expected-error @+1 {{block pattern expects sizes of at least 1 but got 0}}
func.func private @empty_block() attributes {a = #prune.block<[4, 0]>}

// -----

func.func @block_rank(%s: tensor<4xf32>) {
  // expected-error @+1 {{block pattern of rank 2 expects a tensor of that rank or more but got rank 1}}
  %m = prune.mask %s {pattern = #prune.block<[4, 1]>, sparsity = 0.5} : tensor<4xf32>
  return
}

// -----

func.func @mask_shape(%s: tensor<4xf32>) {
  // expected-error @+1 {{expects each mask in the shape of its scores but got 'tensor<5xi1>' for 'tensor<4xf32>'}}
  %m = prune.mask %s {pattern = #prune.element, sparsity = 0.5} : tensor<4xf32> -> tensor<5xi1>
  return
}

// -----

func.func @mask_number(%s: tensor<4xf32>) {
  // expected-error @+1 {{expects one mask for each of 1 operands but got 2}}
  %m:2 = prune.mask %s {pattern = #prune.element, sparsity = 0.5} : tensor<4xf32> -> tensor<4xi1>, tensor<4xi1>
  return
}

// -----

func.func @mask_of_nothing() {
  // expected-error @+1 {{expects at least one operand}}
  "prune.mask"() {pattern = #prune.element, sparsity = 0.5} : () -> ()
  return
}

// -----

func.func @apply_rank(%x: tensor<4x4xf32>, %m: tensor<4xi1>) {
  // expected-error @+1 {{expects a mask of rank 2, or dims, but got 'tensor<4xi1>'}}
  %r = prune.apply %x, %m : tensor<4x4xf32>, tensor<4xi1>
  return
}

// -----

func.func @apply_dims_number(%x: tensor<4x4xf32>, %m: tensor<4xi1>) {
  // expected-error @+1 {{expects one of dims for each of 1 mask dimensions but got 2}}
  %r = prune.apply %x, %m dims = [0, 1] : tensor<4x4xf32>, tensor<4xi1>
  return
}

// -----

func.func @apply_dims_range(%x: tensor<4x4xf32>, %m: tensor<4xi1>) {
  // expected-error @+1 {{expects dims in [0, 2) but got 2}}
  %r = prune.apply %x, %m dims = [2] : tensor<4x4xf32>, tensor<4xi1>
  return
}

// -----

func.func @apply_dims_order(%x: tensor<4x4x4xf32>, %m: tensor<4x4xi1>) {
  // expected-error @+1 {{expects dims to increase strictly but got 2 before 0}}
  %r = prune.apply %x, %m dims = [2, 0] : tensor<4x4x4xf32>, tensor<4x4xi1>
  return
}

// -----

func.func @apply_size(%x: tensor<4x5xf32>, %m: tensor<4xi1>) {
  // expected-error @+1 {{expects mask dimension 0 to have size 5 but got 4}}
  %r = prune.apply %x, %m dims = [1] : tensor<4x5xf32>, tensor<4xi1>
  return
}

// -----

// expected-error @+1 {{expects attribute 'prune.weight' to be the weight's name, a non-empty string, but got 3 : i64}}
func.func private @weight_name() attributes {prune.weight = 3}

// -----

// expected-error @+1 {{expects attribute 'prune.weights' on a module only}}
func.func private @record_place() attributes {prune.weights = {}}

// -----

// expected-error @+1 {{expects attribute 'prune.weights' to be a dictionary of dictionaries, but got {fc1 = 3 : i64}}}
module attributes {prune.weights = {fc1 = 3}} {}

// -----

// Records are builtin attributes, which all tools can read.
// expected-error @+1 {{expects 'criterion' of weight 'fc1' in 'prune.weights' to be a non-empty string, but got #prune.magnitude<l1>}}
module attributes {prune.weights = {fc1 = {criterion = #prune.magnitude<l1>}}} {}

// -----

// expected-error @+1 {{expects 'pattern' of weight 'fc1' in 'prune.weights' to be a non-empty string, but got ""}}
module attributes {prune.weights = {fc1 = {pattern = ""}}} {}

// -----

// expected-error @+1 {{expects 'count' of weight 'fc1' in 'prune.weights' to be an integer of at least 0, but got -1 : i64}}
module attributes {prune.weights = {fc1 = {count = -1}}} {}

// -----

// expected-error @+1 {{expects 'sparsity' of weight 'fc1' in 'prune.weights' to be a number, but got 1 : i64}}
module attributes {prune.weights = {fc1 = {sparsity = 1}}} {}

// -----

// expected-error @+1 {{expects 'type_before' of weight 'fc1' in 'prune.weights' to be a ranked tensor type, but got f32}}
module attributes {prune.weights = {fc1 = {type_before = f32}}} {}

// -----

// expected-error @+1 {{expects 'gone' of weight 'fc1' in 'prune.weights' to be unit, but got true}}
module attributes {prune.weights = {fc1 = {gone = true}}} {}

// -----

// expected-error @+1 {{decision expects 'by' to name the pass}}
#nobody = #prune.decision<by = "", scope = "local">

// -----

// expected-error @+1 {{decision expects 'scope' to be local, global or isomorphic, but got 'all'}}
#scope = #prune.decision<by = "prune-mask-weights", scope = "all">

// -----

// expected-error @+1 {{decision expects one 'target' at most, but got {count = 3 : i64, ratio = 5.000000e-01 : f64}}}
#targets = #prune.decision<by = "prune-mask-channels", scope = "local", target = {count = 3, ratio = 0.5}>

// -----

// expected-error @+1 {{decision expects 'target' to have sparsity, threshold, count, ratio, but got 'part'}}
#target = #prune.decision<by = "prune-mask-channels", scope = "local", target = {part = 0.5}>

// -----

// expected-error @+1 {{decision expects 'removed' to be an integer of at least 0, but got -1 : i64}}
#outcome = #prune.decision<by = "prune-mask-channels", scope = "local", outcome = {removed = -1}>

// -----

// expected-error @+1 {{expects builtin attributes in 'prune.weights', so that every tool can read them}}
module attributes {prune.weights = {fc1 = {whatever = [#prune.element]}}} {}

// -----

// expected-error @+1 {{expects 'prune.kept' of an argument or result to be increasing indices or unit for each dimension, but got [array<i64: 3, 1>]}}
func.func private @kept_of_argument(tensor<2xf32> {prune.kept = [array<i64: 3, 1>]})

// -----

// expected-error @+1 {{expects 'prune.type_before' of an argument or result to be a ranked tensor type, but got array<i64: 1, 2>}}
func.func private @type_of_argument(tensor<2xf32> {prune.type_before = array<i64: 1, 2>})

// -----

// The name of an argument is a string.
// expected-error @below {{expects 'prune.name' of an argument or result to be a non-empty string, but got 1 : i64}}
func.func @name_is_a_string(%x: tensor<1xf32> {prune.name = 1}) {
  return
}

// -----

// expected-error @+1 {{expects attribute 'prune.kept' on a module only}}
func.func private @kept_place() attributes {prune.kept = {}}

// -----

// expected-error @+1 {{expects attribute 'prune.kept' to be a dictionary, but got 3 : i64}}
module attributes {prune.kept = 3} {}

// -----

// expected-error @+1 {{expects 'prune.kept' to have, for weight 'w', increasing indices or unit for each dimension, or a number or unit if it is gone, but got [array<i64: 2, 1>]}}
module attributes {prune.kept = {w = [array<i64: 2, 1>]}} {}

// -----

// expected-error @+1 {{for weight 'w'}}
module attributes {prune.kept = {w = [array<i64: -1>, unit]}} {}

// -----

// expected-error @+1 {{for weight 'w'}}
module attributes {prune.kept = {w = "all"}} {}

// -----

// expected-error @+1 {{expects attribute 'prune.multiplications' to be two counts of at least 0, but got array<i64: 3>}}
module attributes {prune.multiplications = array<i64: 3>} {}

// -----

// expected-error @+1 {{expects attribute 'prune.multiplications' to be two counts of at least 0, but got array<i64: 3, -1>}}
module attributes {prune.multiplications = array<i64: 3, -1>} {}

// -----

// expected-error @+1 {{expects attribute 'prune.multiplications' on a module only}}
func.func private @counts_place() attributes {prune.multiplications = array<i64: 3, 2>}

