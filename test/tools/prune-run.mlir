// A layer computes what numpy computes, from files to files.

// RUN: rm -rf %t && mkdir %t
// RUN: %python -c "import numpy as np; r = np.random.default_rng(1); \
// RUN:   x = r.standard_normal((4, 8), 'f4'); w = r.standard_normal((8, 16), 'f4'); \
// RUN:   np.save('%t/x.npy', x); np.save('%t/w.npy', w); \
// RUN:   np.save('%t/y.npy', np.maximum(x @ w, 0))"
// RUN: prune-run %s --input=@%t/x.npy --input=w=@%t/w.npy --expected=@%t/y.npy \
// RUN:   --rtol=1e-5 --atol=1e-6 --output=@%t/o.npy | FileCheck %s
// RUN: %python -c "import numpy as np; \
// RUN:   np.testing.assert_allclose(np.load('%t/o.npy'), np.load('%t/y.npy'), 1e-5, 1e-6)"
// CHECK: time of a call: median
// CHECK: expected: largest error

// Compiled code frees what it allocates.
// RUN: prune-run %s --repeat=10000 --json | FileCheck %s --check-prefix=LEAK
// LEAK: "leaked_allocations":0,"leaked_bytes":0
// LEAK-SAME: "repeats":10000

func.func @main(%x: tensor<4x8xf32>, %w: tensor<8x16xf32> {prune.name = "w"}) -> tensor<4x16xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<4x16xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<4x16xf32>) -> tensor<4x16xf32>
  %y = linalg.matmul ins(%x, %w : tensor<4x8xf32>, tensor<8x16xf32>) outs(%init : tensor<4x16xf32>) -> tensor<4x16xf32>
  %zeros = arith.constant dense<0.0> : tensor<4x16xf32>
  %r = arith.maximumf %y, %zeros : tensor<4x16xf32>
  return %r : tensor<4x16xf32>
}
