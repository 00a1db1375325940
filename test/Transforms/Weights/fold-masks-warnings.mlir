// RUN: prune-opt %s --prune-fold-masks --split-input-file --verify-diagnostics
// RUN: prune-opt %s --prune-fold-masks=quiet --split-input-file -o /dev/null 2>&1 | FileCheck %s
// Lowering folds what masks there are, and does not ask for any.
// RUN: echo 'module {}' | prune-opt --prune-lower-to-llvm 2>&1 | FileCheck %s --check-prefix=LOWER
// CHECK-NOT: there is no mask
// CHECK: all elements of 2 weights go
// LOWER-NOT: warning

// expected-warning @below {{prune-fold-masks: nothing was removed: there is no mask; decide first, with prune-mask-weights or prune-mask-channels}}
module {}

// -----

// A threshold below all scores.
// expected-warning @below {{prune-fold-masks: nothing was removed}}
// expected-note @below {{left alone once: no element scores low enough for the target; give another}}
module {
  func.func @low() -> tensor<4xf32> {
    %w = arith.constant dense<1.0> : tensor<4xf32>
    %s = prune.score %w {criterion = #prune.magnitude<l1>} : tensor<4xf32>
    %m = prune.mask %s {pattern = #prune.element, threshold = 0.5} : tensor<4xf32>
    %p = prune.apply %w, %m {weight = "w"} : tensor<4xf32>, tensor<4xi1>
    return %p : tensor<4xf32>
  }
}

// -----

// A mask of what is no constant is for the run.
// expected-warning @below {{prune-fold-masks: nothing was removed}}
module {
  func.func @argument(%w: tensor<4xf32>, %m: tensor<4xi1>) -> tensor<4xf32> {
    // expected-note @below {{left alone once: its mask or what it is put on is no constant; such masks are computed at run time}}
    %p = prune.apply %w, %m : tensor<4xf32>, tensor<4xi1>
    return %p : tensor<4xf32>
  }
}

// -----

// Layers of which nothing is left are named.
// expected-warning @below {{prune-fold-masks: all elements of 2 weights go, so that what reads them does not depend on its input: 'first' 'second'}}
module {
  func.func @all() -> (tensor<4xf32>, tensor<2xf32>, tensor<2xf32>) {
    %w = arith.constant dense<1.0> : tensor<4xf32>
    %v = arith.constant dense<2.0> : tensor<2xf32>
    %u = arith.constant dense<[2.0, 3.0]> : tensor<2xf32>
    %sw = prune.score %w {criterion = #prune.magnitude<l1>} : tensor<4xf32>
    %sv = prune.score %v {criterion = #prune.magnitude<l1>} : tensor<2xf32>
    %su = prune.score %u {criterion = #prune.magnitude<l1>} : tensor<2xf32>
    %mw = prune.mask %sw {pattern = #prune.element, sparsity = 1.0} : tensor<4xf32>
    %mv = prune.mask %sv {pattern = #prune.element, count = 2} : tensor<2xf32>
    %mu = prune.mask %su {pattern = #prune.element, count = 1} : tensor<2xf32>
    %pw = prune.apply %w, %mw {weight = "first"} : tensor<4xf32>, tensor<4xi1>
    %pv = prune.apply %v, %mv {weight = "second"} : tensor<2xf32>, tensor<2xi1>
    %pu = prune.apply %u, %mu {weight = "third"} : tensor<2xf32>, tensor<2xi1>
    return %pw, %pv, %pu : tensor<4xf32>, tensor<2xf32>, tensor<2xf32>
  }
}
