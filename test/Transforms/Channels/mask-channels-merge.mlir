// RUN: prune-opt %s --prune-mask-channels="ratio=0.5 criterion=l1 merge" --prune-fold-masks --prune-remove-channels --split-input-file | FileCheck %s
// RUN: prune-opt %s --prune-mask-channels="ratio=0.5 criterion=l1 merge" --split-input-file --remarks-filter="prune-mask-channels" -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: prune-opt %s --prune-mask-channels="ratio=0.5 criterion=l1 merge merge-threshold=0.9" --prune-fold-masks --prune-remove-channels --split-input-file | FileCheck %s --check-prefix=HIGH

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d1)>

// Neuron 0 is half of neuron 1, bias included, so that neuron 1 can stand for it:
// its outgoing weight grows by half of 10. Exact behind a ReLU.
// CHECK-LABEL: @folds_parallel_neurons
// CHECK-DAG: arith.constant dense_resource<"fc1#2"> : tensor<2x1xf32>
// CHECK-DAG: arith.constant {{.*}} : tensor<1x1xf32>
// CHECK: linalg.matmul {{.*}} -> tensor<1x1xf32>
// 20 + 0.5 * 10
// CHECK-DAG: "fc2#2": "0x400000000000C841"
// REMARK: [Passed] Merged | Category:prune-mask-channels | Group=fc1, Merged=1
func.func @folds_parallel_neurons(%x: tensor<1x2xf32>) -> tensor<1x1xf32> {
  %w1 = arith.constant dense_resource<fc1> : tensor<2x2xf32>
  %b1 = arith.constant dense<[0.5, 1.0]> : tensor<2xf32>
  %w2 = arith.constant dense_resource<fc2> : tensor<2x1xf32>
  %z1 = arith.constant dense<0.0> : tensor<1x2xf32>
  %z2 = arith.constant dense<0.0> : tensor<1x1xf32>
  %h = linalg.matmul ins(%x, %w1 : tensor<1x2xf32>, tensor<2x2xf32>) outs(%z1 : tensor<1x2xf32>) -> tensor<1x2xf32>
  %r = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
    ins(%h, %b1 : tensor<1x2xf32>, tensor<2xf32>) outs(%z1 : tensor<1x2xf32>) {
    ^bb0(%v: f32, %b: f32, %o: f32):
      %zero = arith.constant 0.0 : f32
      %s = arith.addf %v, %b : f32
      %m = arith.maximumf %s, %zero : f32
      linalg.yield %m : f32
    } -> tensor<1x2xf32>
  %y = linalg.matmul ins(%r, %w2 : tensor<1x2xf32>, tensor<2x1xf32>) outs(%z2 : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}
{-#
  dialect_resources: { builtin: {
    fc1: "0x040000000000803F000000400000C03F00004040",
    fc2: "0x04000000000020410000A041"
  } }
#-}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>

// A sigmoid does not commute with factors: the neurons are masked only.
// CHECK-LABEL: @keeps_a_sigmoid_apart
// CHECK: math.exp
// REMARK: [Missed] NotMerged | Category:prune-mask-channels | Group=weight0, Reason="linalg.generic: does not commute with positive factors"
func.func @keeps_a_sigmoid_apart(%x: tensor<1x2xf32>) -> tensor<1x1xf32> {
  %w1 = arith.constant dense<[[1.0, 2.0], [1.5, 3.0]]> : tensor<2x2xf32>
  %w2 = arith.constant dense<[[10.0], [20.0]]> : tensor<2x1xf32>
  %z1 = arith.constant dense<0.0> : tensor<1x2xf32>
  %z2 = arith.constant dense<0.0> : tensor<1x1xf32>
  %h = linalg.matmul ins(%x, %w1 : tensor<1x2xf32>, tensor<2x2xf32>) outs(%z1 : tensor<1x2xf32>) -> tensor<1x2xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
    ins(%h : tensor<1x2xf32>) outs(%z1 : tensor<1x2xf32>) {
    ^bb0(%v: f32, %o: f32):
      %e = math.exp %v : f32
      linalg.yield %e : f32
    } -> tensor<1x2xf32>
  %y = linalg.matmul ins(%r, %w2 : tensor<1x2xf32>, tensor<2x1xf32>) outs(%z2 : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

// Weights at an angle of 45 degrees: folded, but not above a cosine of 0.9.
// CHECK-LABEL: @asks_for_the_cosine
// 7 + 5 / sqrt(2) = 10.5355
// CHECK: arith.constant dense<10.5355{{[0-9]*}}> : tensor<1x1xf32>
// HIGH-LABEL: @asks_for_the_cosine
// HIGH: arith.constant dense<7.000000e+00> : tensor<1x1xf32>
func.func @asks_for_the_cosine(%x: tensor<1x2xf32>) -> tensor<1x1xf32> {
  %w1 = arith.constant dense<[[1.0, 1.0], [0.0, 1.0]]> : tensor<2x2xf32>
  %w2 = arith.constant dense<[[5.0], [7.0]]> : tensor<2x1xf32>
  %z1 = arith.constant dense<0.0> : tensor<1x2xf32>
  %z2 = arith.constant dense<0.0> : tensor<1x1xf32>
  %h = linalg.matmul ins(%x, %w1 : tensor<1x2xf32>, tensor<2x2xf32>) outs(%z1 : tensor<1x2xf32>) -> tensor<1x2xf32>
  %r = arith.maximumf %h, %z1 : tensor<1x2xf32>
  %y = linalg.matmul ins(%r, %w2 : tensor<1x2xf32>, tensor<2x1xf32>) outs(%z2 : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}
