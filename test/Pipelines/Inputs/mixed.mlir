// Control flow, dynamic shapes, half precision and composite operations in one.
func.func @main(%x: tensor<?x7xf32>, %y: tensor<?x7xbf16>, %n: i32) -> (tensor<?x7xf32>, tensor<?x7xbf16>, tensor<7xf16>) {
  %c0 = arith.constant 0 : index
  %i0 = arith.constant 0 : i32
  %i1 = arith.constant 1 : i32
  %rows = tensor.dim %x, %c0 : tensor<?x7xf32>
  cf.br ^head(%x, %i0 : tensor<?x7xf32>, i32)
^head(%a: tensor<?x7xf32>, %i: i32):
  %p = arith.cmpi slt, %i, %n : i32
  cf.cond_br %p, ^body, ^exit
^body:
  %d = arith.addf %a, %x : tensor<?x7xf32>
  %j = arith.addi %i, %i1 : i32
  cf.br ^head(%d, %j : tensor<?x7xf32>, i32)
^exit:
  %e = tensor.empty(%rows) : tensor<?x7xf32>
  %s = linalg.softmax dimension(1) ins(%a : tensor<?x7xf32>) outs(%e : tensor<?x7xf32>) -> tensor<?x7xf32>
  %g = math.expm1 %y : tensor<?x7xbf16>
  %h = arith.mulf %g, %y : tensor<?x7xbf16>
  %row = tensor.extract_slice %s[0, 0] [1, 7] [1, 1] : tensor<?x7xf32> to tensor<7xf32>
  %t = arith.truncf %row : tensor<7xf32> to tensor<7xf16>
  return %s, %h, %t : tensor<?x7xf32>, tensor<?x7xbf16>, tensor<7xf16>
}
