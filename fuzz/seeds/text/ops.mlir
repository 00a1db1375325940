func.func @f(%s: tensor<4xf64>, %w: tensor<4x2xf32>) -> tensor<4xi1> {
  %c = prune.score %w {criterion = #prune.magnitude<l2>, reduce_dims = [1]} : tensor<4x2xf32> -> tensor<4xf64>
  %m = prune.mask %s {pattern = #prune.element, count = 2 : i64} : tensor<4xf64>
  %p = prune.apply %w, %m dims = [0] : tensor<4x2xf32>, tensor<4xi1>
  return %m : tensor<4xi1>
}
