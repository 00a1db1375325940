"""Operations on tensors compute what numpy computes, static and dynamic.

RUN: %python %s
"""

import numpy as np
import scipy.special
from execute import check

RANDOM = np.random.default_rng(11)


def floats(*shape):
    return RANDOM.standard_normal(shape).astype("f4")


A = floats(5, 7)


def check_concat_and_pad():
    text = """
    func.func @main(%x: tensor<5x7xf32>, %y: tensor<5x?xf32>, %v: f32)
        -> (tensor<5x?xf32>, tensor<8x9xf32>, tensor<8x9xf32>) {
      %c = tensor.concat dim(1) %x, %y : (tensor<5x7xf32>, tensor<5x?xf32>) -> tensor<5x?xf32>
      %p = tensor.pad %x low[1, 2] high[2, 0] {
      ^bb0(%i: index, %j: index):
        tensor.yield %v : f32
      } : tensor<5x7xf32> to tensor<8x9xf32>
      // The padding may depend on the position.
      %q = tensor.pad %x low[1, 2] high[2, 0] {
      ^bb0(%i: index, %j: index):
        %s = arith.addi %i, %j : index
        %k = arith.index_cast %s : index to i32
        %f = arith.sitofp %k : i32 to f32
        tensor.yield %f : f32
      } : tensor<5x7xf32> to tensor<8x9xf32>
      return %c, %p, %q : tensor<5x?xf32>, tensor<8x9xf32>, tensor<8x9xf32>
    }"""
    positions = np.add.outer(np.arange(8), np.arange(9)).astype("f4")
    positions[1:6, 2:9] = A
    padded = np.pad(A, ((1, 2), (2, 0)), constant_values=2)
    check("concat-pad", text, [A, A[:, :3], np.float32(2)],
          [np.concatenate([A, A[:, :3]], 1), padded, positions])


def check_open_joins():
    """Copies into parts of a result whose sizes are known after all."""
    text = """
    func.func @main(%x: tensor<?x?x4xf32>, %y: tensor<3x?x4xf32>) -> tensor<?x1x4xf32> {
      %c = arith.constant dense<2.0> : tensor<2x1x4xf32>
      %r = tensor.concat dim(0) %c, %y, %x
        : (tensor<2x1x4xf32>, tensor<3x?x4xf32>, tensor<?x?x4xf32>) -> tensor<?x1x4xf32>
      return %r : tensor<?x1x4xf32>
    }"""
    x, y = floats(2, 1, 4), floats(3, 1, 4)
    check("open-joins", text, [x, y],
          [np.concatenate([np.full((2, 1, 4), 2, "f4"), y, x])])


def check_open_expansion():
    """Two sizes of a run that only the run knows, of a dense and of a sliced tensor."""
    text = """
    func.func @main(%x: tensor<?xf32>, %y: tensor<?xf32>, %n: index, %m: index)
        -> (tensor<?x?xf32>, tensor<?x2x?xf32>) {
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %nm = arith.muli %n, %m : index
      %r = tensor.expand_shape %x [[0, 1]] output_shape [%n, %m] : tensor<?xf32> into tensor<?x?xf32>
      %double = arith.muli %nm, %c2 : index
      %s = tensor.extract_slice %y[1] [%double] [2] : tensor<?xf32> to tensor<?xf32>
      %t = tensor.expand_shape %s [[0, 1, 2]] output_shape [%n, 2, %m]
        : tensor<?xf32> into tensor<?x2x?xf32>
      return %r, %t : tensor<?x?xf32>, tensor<?x2x?xf32>
    }"""
    x, y = floats(6), floats(25)
    check("open-expansion", text, [x, y, np.int64(3), np.int64(2)],
          [x.reshape(3, 2), y[1::2].reshape(3, 2, 2)])


def check_slices():
    """Results that are parts of an argument or of one buffer are copies."""
    text = """
    func.func @main(%x: tensor<5x7xf32>, %i: index)
        -> (tensor<2x3xf32>, tensor<5x7xf32>, tensor<3xf32>, tensor<2x7xf32>, tensor<5x2xf32>) {
      %s = tensor.extract_slice %x[%i, 2] [2, 3] [1, 2] : tensor<5x7xf32> to tensor<2x3xf32>
      %t = tensor.insert_slice %s into %x[0, 0] [2, 3] [2, 1] : tensor<2x3xf32> into tensor<5x7xf32>
      %u = tensor.extract_slice %x[1, 1] [1, 3] [1, 1] : tensor<5x7xf32> to tensor<3xf32>
      %d = arith.addf %x, %x : tensor<5x7xf32>
      %v = tensor.extract_slice %d[1, 0] [2, 7] [1, 1] : tensor<5x7xf32> to tensor<2x7xf32>
      %w = tensor.extract_slice %d[0, 3] [5, 2] [1, 1] : tensor<5x7xf32> to tensor<5x2xf32>
      return %s, %t, %u, %v, %w
        : tensor<2x3xf32>, tensor<5x7xf32>, tensor<3xf32>, tensor<2x7xf32>, tensor<5x2xf32>
    }"""
    part = A[1:3, 2:7:2]
    inserted = A.copy()
    inserted[0:3:2, 0:3] = part
    check("slices", text, [A, np.int64(1)],
          [part, inserted, A[1, 1:4], 2 * A[1:3], 2 * A[:, 3:5]])


def check_reshapes():
    text = """
    func.func @main(%x: tensor<6x4xf32>, %y: tensor<?x4xf32>)
        -> (tensor<2x3x4xf32>, tensor<24xf32>, tensor<?xf32>, tensor<4x6xf32>,
            tensor<?x2x2xf32>, tensor<?x?xf32>) {
      %a = tensor.expand_shape %x [[0, 1], [2]] output_shape [2, 3, 4]
             : tensor<6x4xf32> into tensor<2x3x4xf32>
      %b = tensor.collapse_shape %x [[0, 1]] : tensor<6x4xf32> into tensor<24xf32>
      %c = tensor.collapse_shape %y [[0, 1]] : tensor<?x4xf32> into tensor<?xf32>
      %shape = arith.constant dense<[4, 6]> : tensor<2xi64>
      %d = tensor.reshape %x(%shape) : (tensor<6x4xf32>, tensor<2xi64>) -> tensor<4x6xf32>
      %c0 = arith.constant 0 : index
      %n = tensor.dim %y, %c0 : tensor<?x4xf32>
      %e = tensor.expand_shape %y [[0], [1, 2]] output_shape [%n, 2, 2]
             : tensor<?x4xf32> into tensor<?x2x2xf32>
      %f = tensor.cast %x : tensor<6x4xf32> to tensor<?x?xf32>
      return %a, %b, %c, %d, %e, %f
        : tensor<2x3x4xf32>, tensor<24xf32>, tensor<?xf32>, tensor<4x6xf32>,
          tensor<?x2x2xf32>, tensor<?x?xf32>
    }"""
    x = floats(6, 4)
    check("reshapes", text, [x, x],
          [x.reshape(2, 3, 4), x.ravel(), x.ravel(), x.reshape(4, 6), x.reshape(6, 2, 2), x])


def check_gather_and_scatter():
    text = """
    func.func @main(%x: tensor<5x7xf32>, %y: tensor<?x7xf32>, %i: tensor<3x1xindex>,
                    %j: tensor<2x1xi32>, %s: tensor<2x1x7xf32>)
        -> (tensor<3x1x7xf32>, tensor<3x7xf32>, tensor<2x?x1xf32>, tensor<5x7xf32>) {
      %a = tensor.gather %x[%i] gather_dims([0])
             : (tensor<5x7xf32>, tensor<3x1xindex>) -> tensor<3x1x7xf32>
      %b = tensor.gather %x[%i] gather_dims([0])
             : (tensor<5x7xf32>, tensor<3x1xindex>) -> tensor<3x7xf32>
      %c = tensor.gather %y[%j] gather_dims([1])
             : (tensor<?x7xf32>, tensor<2x1xi32>) -> tensor<2x?x1xf32>
      %d = tensor.scatter %s into %x[%j] scatter_dims([0]) unique
             : (tensor<2x1x7xf32>, tensor<5x7xf32>, tensor<2x1xi32>) -> tensor<5x7xf32>
      return %a, %b, %c, %d
        : tensor<3x1x7xf32>, tensor<3x7xf32>, tensor<2x?x1xf32>, tensor<5x7xf32>
    }"""
    rows, columns = np.array([4, 0, 2]), np.array([3, 1], "i4")
    scattered = A.copy()
    scattered[columns] = A[:2]
    check("gather", text, [A, A[:4], rows[:, None], columns[:, None], A[:2, None]],
          [A[rows][:, None], A[rows], A[:4, columns].T[:, :, None], scattered])


def check_generate():
    text = """
    func.func @main(%n: index, %x: f32) -> (tensor<?x3xf32>, tensor<4xf32>, tensor<2xf32>) {
      %s = tensor.generate %n {
      ^bb0(%i: index, %j: index):
        %q = arith.addi %i, %j : index
        %k = arith.index_cast %q : index to i32
        %f = arith.sitofp %k : i32 to f32
        tensor.yield %f : f32
      } : tensor<?x3xf32>
      %t = tensor.splat %x : tensor<4xf32>
      %u = tensor.from_elements %x, %x : tensor<2xf32>
      return %s, %t, %u : tensor<?x3xf32>, tensor<4xf32>, tensor<2xf32>
    }"""
    check("generate", text, [np.int64(4), np.float32(3)],
          [np.add.outer(np.arange(4), np.arange(3)).astype("f4"),
           np.full(4, 3, "f4"), np.full(2, 3, "f4")])


def check_pack():
    text = """
    func.func @main(%x: tensor<5x7xf32>, %y: tensor<?x7xf32>, %n: index)
        -> (tensor<2x4x3x2xf32>, tensor<5x7xf32>, tensor<?x4x3x2xf32>, tensor<?x7xf32>) {
      %z = arith.constant 9.0 : f32
      %e = tensor.empty() : tensor<2x4x3x2xf32>
      %p = linalg.pack %x padding_value(%z : f32) inner_dims_pos = [0, 1] inner_tiles = [3, 2]
             into %e : tensor<5x7xf32> -> tensor<2x4x3x2xf32>
      %d = tensor.empty() : tensor<5x7xf32>
      %u = linalg.unpack %p inner_dims_pos = [0, 1] inner_tiles = [3, 2]
             into %d : tensor<2x4x3x2xf32> -> tensor<5x7xf32>
      %c2 = arith.constant 2 : index
      %f = tensor.empty(%c2) : tensor<?x4x3x2xf32>
      %q = linalg.pack %y padding_value(%z : f32) inner_dims_pos = [0, 1] inner_tiles = [3, 2]
             into %f : tensor<?x7xf32> -> tensor<?x4x3x2xf32>
      %g = tensor.empty(%n) : tensor<?x7xf32>
      %v = linalg.unpack %q inner_dims_pos = [0, 1] inner_tiles = [3, 2]
             into %g : tensor<?x4x3x2xf32> -> tensor<?x7xf32>
      return %p, %u, %q, %v
        : tensor<2x4x3x2xf32>, tensor<5x7xf32>, tensor<?x4x3x2xf32>, tensor<?x7xf32>
    }"""
    packed = np.pad(A, ((0, 1), (0, 1)), constant_values=9)
    packed = packed.reshape(2, 3, 4, 2).transpose(0, 2, 1, 3)
    check("pack", text, [A, A, np.int64(5)], [packed, A, packed, A])


def check_softmax():
    text = """
    func.func @main(%x: tensor<5x7xf32>, %y: tensor<?x?xf32>) -> (tensor<5x7xf32>, tensor<?x?xf32>) {
      %e = tensor.empty() : tensor<5x7xf32>
      %s = linalg.softmax dimension(1) ins(%x : tensor<5x7xf32>)
             outs(%e : tensor<5x7xf32>) -> tensor<5x7xf32>
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %m = tensor.dim %y, %c0 : tensor<?x?xf32>
      %n = tensor.dim %y, %c1 : tensor<?x?xf32>
      %f = tensor.empty(%m, %n) : tensor<?x?xf32>
      %t = linalg.softmax dimension(0) ins(%y : tensor<?x?xf32>)
             outs(%f : tensor<?x?xf32>) -> tensor<?x?xf32>
      return %s, %t : tensor<5x7xf32>, tensor<?x?xf32>
    }"""
    check("softmax", text, [A, A],
          [scipy.special.softmax(A.astype("f8"), 1), scipy.special.softmax(A.astype("f8"), 0)],
          rtol=1e-6)


def check_transposes():
    """Constants are transposed at compile time, arguments at run time."""
    weights = ", ".join(str(list(map(float, row))) for row in A)
    text = f"""
    func.func @main(%x: tensor<5x7xf32>, %y: tensor<3x7xf32>, %v: tensor<2x5x7xf32>,
                    %w: tensor<2x6x7xf32>)
        -> (tensor<7x5xf32>, tensor<7x5x2xf32>, tensor<7x5xf32>, tensor<3x5xf32>,
            tensor<2x5x6xf32>, tensor<5xf32>, tensor<7xf32>) {{
      %e = tensor.empty() : tensor<7x5xf32>
      %t = linalg.transpose ins(%x : tensor<5x7xf32>) outs(%e : tensor<7x5xf32>) permutation = [1, 0]
      %g = tensor.empty() : tensor<7x5x2xf32>
      %b = linalg.broadcast ins(%t : tensor<7x5xf32>) outs(%g : tensor<7x5x2xf32>) dimensions = [2]
      %c = arith.constant dense<[{weights}]> : tensor<5x7xf32>
      %u = linalg.transpose ins(%c : tensor<5x7xf32>) outs(%e : tensor<7x5xf32>) permutation = [1, 0]
      %i = arith.constant dense<0.0> : tensor<3x5xf32>
      %m = linalg.matmul
             indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>,
                              affine_map<(m, n, k) -> (m, n)>]
             ins(%y, %c : tensor<3x7xf32>, tensor<5x7xf32>) outs(%i : tensor<3x5xf32>) -> tensor<3x5xf32>
      %j = arith.constant dense<0.0> : tensor<2x5x6xf32>
      %n = linalg.contract
             indexing_maps = [affine_map<(b, m, n, k) -> (b, m, k)>, affine_map<(b, m, n, k) -> (b, n, k)>,
                              affine_map<(b, m, n, k) -> (b, m, n)>]
             ins(%v, %w : tensor<2x5x7xf32>, tensor<2x6x7xf32>) outs(%j : tensor<2x5x6xf32>) -> tensor<2x5x6xf32>
      %k = arith.constant dense<0.0> : tensor<5xf32>
      %r = linalg.reduce {{ arith.addf }} ins(%x : tensor<5x7xf32>) outs(%k : tensor<5xf32>) dimensions = [1]
      %l = arith.constant dense<0.0> : tensor<7xf32>
      %s = linalg.reduce {{ arith.addf }} ins(%x : tensor<5x7xf32>) outs(%l : tensor<7xf32>) dimensions = [0]
      return %t, %b, %u, %m, %n, %r, %s
        : tensor<7x5xf32>, tensor<7x5x2xf32>, tensor<7x5xf32>, tensor<3x5xf32>,
          tensor<2x5x6xf32>, tensor<5xf32>, tensor<7xf32>
    }}"""
    y, v, w = floats(3, 7), floats(2, 5, 7), floats(2, 6, 7)
    check("transposes", text, [A, y, v, w],
          [A.T, np.broadcast_to(A.T[:, :, None], (7, 5, 2)), A.T, y @ A.T,
           np.einsum("bmk,bnk->bmn", v, w), A.sum(1), A.sum(0)],
          rtol=1e-5, atol=1e-5)


def convolve(x, w, strides):
    """A convolution without padding, channels before pixels, in double."""
    rows = (x.shape[2] - w.shape[2]) // strides[0] + 1
    columns = (x.shape[3] - w.shape[3]) // strides[1] + 1
    out = np.zeros((x.shape[0], w.shape[0], rows, columns))
    for i in range(w.shape[2]):
        for j in range(w.shape[3]):
            window = x[:, :, i : i + strides[0] * rows : strides[0],
                       j : j + strides[1] * columns : strides[1]]
            out += np.einsum("nchw,fc->nfhw", window.astype("f8"), w[:, :, i, j].astype("f8"))
    return out


def check_convolutions():
    text = """
    func.func @main(%x: tensor<2x3x8x10xf32>, %w: tensor<4x3x3x2xf32>,
                    %y: tensor<2x8x10x3xf32>, %v: tensor<3x2x3x4xf32>)
        -> (tensor<2x4x3x9xf32>, tensor<2x3x9x4xf32>, tensor<2x3x4x5xf32>) {
      %i = arith.constant dense<0.0> : tensor<2x4x3x9xf32>
      %a = linalg.conv_2d_nchw_fchw {strides = dense<[2, 1]> : tensor<2xi64>}
             ins(%x, %w : tensor<2x3x8x10xf32>, tensor<4x3x3x2xf32>)
             outs(%i : tensor<2x4x3x9xf32>) -> tensor<2x4x3x9xf32>
      %j = arith.constant dense<0.0> : tensor<2x3x9x4xf32>
      %b = linalg.conv_2d_nhwc_hwcf {strides = dense<[2, 1]> : tensor<2xi64>}
             ins(%y, %v : tensor<2x8x10x3xf32>, tensor<3x2x3x4xf32>)
             outs(%j : tensor<2x3x9x4xf32>) -> tensor<2x3x9x4xf32>
      %k = arith.constant dense<0xFF800000> : tensor<2x3x4x5xf32>
      %s = tensor.empty() : tensor<2x2xf32>
      %c = linalg.pooling_nchw_max {strides = dense<2> : tensor<2xi64>}
             ins(%x, %s : tensor<2x3x8x10xf32>, tensor<2x2xf32>)
             outs(%k : tensor<2x3x4x5xf32>) -> tensor<2x3x4x5xf32>
      return %a, %b, %c : tensor<2x4x3x9xf32>, tensor<2x3x9x4xf32>, tensor<2x3x4x5xf32>
    }"""
    x, w = floats(2, 3, 8, 10), floats(4, 3, 3, 2)
    y, v = x.transpose(0, 2, 3, 1), w.transpose(2, 3, 1, 0)
    out = convolve(x, w, (2, 1))
    check("convolutions", text, [x, w, y, v],
          [out, out.transpose(0, 2, 3, 1), x.reshape(2, 3, 4, 2, 5, 2).max((3, 5))],
          rtol=1e-5, atol=1e-5)


def check_dynamic_matmul():
    text = """
    func.func @main(%x: tensor<?x?xf32>, %w: tensor<?x?xf32>) -> tensor<?x?xf32> {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %m = tensor.dim %x, %c0 : tensor<?x?xf32>
      %n = tensor.dim %w, %c1 : tensor<?x?xf32>
      %z = arith.constant 0.0 : f32
      %e = tensor.empty(%m, %n) : tensor<?x?xf32>
      %i = linalg.fill ins(%z : f32) outs(%e : tensor<?x?xf32>) -> tensor<?x?xf32>
      %r = linalg.matmul ins(%x, %w : tensor<?x?xf32>, tensor<?x?xf32>)
             outs(%i : tensor<?x?xf32>) -> tensor<?x?xf32>
      return %r : tensor<?x?xf32>
    }"""
    for m, k, n in ((4, 8, 16), (1, 1, 1), (3, 5, 7), (0, 4, 3), (3, 0, 2)):
        # Whole numbers: sums are exact, whatever the order.
        x, w = (np.rint(3 * floats(*s)).astype("f4") for s in ((m, k), (k, n)))
        check("matmul", text, [x, w], [x @ w])


def check_named_operations():
    """A chain of elementwise operations, by their names."""
    text = """
    func.func @main(%x: tensor<5x7xf32>, %y: tensor<5x7xf32>) -> tensor<5x7xf32> {
      %e = tensor.empty() : tensor<5x7xf32>
      %a = linalg.add ins(%x, %y : tensor<5x7xf32>, tensor<5x7xf32>)
             outs(%e : tensor<5x7xf32>) -> tensor<5x7xf32>
      %b = linalg.exp ins(%a : tensor<5x7xf32>) outs(%e : tensor<5x7xf32>) -> tensor<5x7xf32>
      %c = linalg.map { arith.mulf } ins(%a, %b : tensor<5x7xf32>, tensor<5x7xf32>)
             outs(%e : tensor<5x7xf32>)
      %d = linalg.elementwise kind = #linalg.elementwise_kind<tanh>
             ins(%c : tensor<5x7xf32>) outs(%e : tensor<5x7xf32>) -> tensor<5x7xf32>
      return %d : tensor<5x7xf32>
    }"""
    total = 2 * A.astype("f8")
    check("named", text, [A, A], [np.tanh(total * np.exp(total))], rtol=2e-6, atol=1e-7)


def check_arg_max():
    text = """
    func.func @main(%x: tensor<5x7xf32>) -> (tensor<5xf32>, tensor<5xi64>) {
      %i = arith.constant dense<0xFF800000> : tensor<5xf32>
      %j = arith.constant dense<0> : tensor<5xi64>
      %m:2 = linalg.generic {
          indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (a)>,
                           affine_map<(a, b) -> (a)>],
          iterator_types = ["parallel", "reduction"]}
          ins(%x : tensor<5x7xf32>) outs(%i, %j : tensor<5xf32>, tensor<5xi64>) {
      ^bb0(%v: f32, %best: f32, %at: i64):
        %k = linalg.index 1 : index
        %l = arith.index_cast %k : index to i64
        %p = arith.cmpf ogt, %v, %best : f32
        %nv = arith.select %p, %v, %best : f32
        %ni = arith.select %p, %l, %at : i64
        linalg.yield %nv, %ni : f32, i64
      } -> (tensor<5xf32>, tensor<5xi64>)
      return %m#0, %m#1 : tensor<5xf32>, tensor<5xi64>
    }"""
    check("arg-max", text, [A], [A.max(1), A.argmax(1)])


def check_constants():
    """Constants of every storage; returned ones are copies."""
    text = """
    func.func @main() -> (tensor<4xi1>, tensor<3xf16>, tensor<2xi64>, tensor<2xf32>, tensor<2xi1>) {
      %a = arith.constant dense<[true, false, true, true]> : tensor<4xi1>
      %b = arith.constant dense<[1.0, 2.0, 0.333]> : tensor<3xf16>
      %c = arith.constant dense_resource<r> : tensor<2xi64>
      %d = arith.constant dense_resource<s> : tensor<2xf32>
      %e = arith.constant dense<true> : tensor<2xi1>
      return %a, %b, %c, %d, %e
        : tensor<4xi1>, tensor<3xf16>, tensor<2xi64>, tensor<2xf32>, tensor<2xi1>
    }
    {-# dialect_resources: { builtin: {
      r: "0x0800000001000000000000000200000000000000",
      s: "0x040000000000803F00000040"
    } } #-}"""
    check("constants", text, [],
          [np.array([1, 0, 1, 1], bool), np.array([1, 2, 0.333], "f2"),
           np.array([1, 2], "i8"), np.array([1, 2], "f4"), np.array([1, 1], bool)])


def check_empty():
    """Tensors without elements, and of rank 0."""
    text = """
    func.func @main(%a: tensor<0x4xf32>, %b: tensor<4x0xf32>, %c: tensor<f32>)
        -> (tensor<0x4xf32>, tensor<4x4xf32>, tensor<f32>) {
      %r = arith.addf %a, %a : tensor<0x4xf32>
      %z = arith.constant dense<1.0> : tensor<4x4xf32>
      %m = linalg.matmul ins(%b, %a : tensor<4x0xf32>, tensor<0x4xf32>)
             outs(%z : tensor<4x4xf32>) -> tensor<4x4xf32>
      %s = arith.addf %c, %c : tensor<f32>
      return %r, %m, %s : tensor<0x4xf32>, tensor<4x4xf32>, tensor<f32>
    }"""
    check("empty", text, [np.zeros((0, 4), "f4"), np.zeros((4, 0), "f4"), np.float32(2)],
          [np.zeros((0, 4), "f4"), np.ones((4, 4), "f4"), np.float32(4)])


def check_vectors():
    """The vector dialect passes through."""
    text = """
    func.func @main(%x: tensor<16xf32>) -> tensor<16xf32> {
      %c0 = arith.constant 0 : index
      %z = arith.constant 0.0 : f32
      %v = vector.transfer_read %x[%c0], %z {in_bounds = [true]} : tensor<16xf32>, vector<16xf32>
      %w = math.exp %v : vector<16xf32>
      %e = tensor.empty() : tensor<16xf32>
      %r = vector.transfer_write %w, %e[%c0] {in_bounds = [true]} : vector<16xf32>, tensor<16xf32>
      return %r : tensor<16xf32>
    }"""
    x = floats(16)
    check("vectors", text, [x], [np.exp(x.astype("f8"))], rtol=3e-7)


for function in [value for name, value in list(globals().items()) if name.startswith("check_")]:
    function()
