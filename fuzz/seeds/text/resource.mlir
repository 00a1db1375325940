%w = arith.constant dense_resource<w> : tensor<2xf32>
{-# dialect_resources: { builtin: { w: "0x040000000000803F00000040" } } #-}
