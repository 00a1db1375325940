//===- Passes.td - Lowering of pruned weights ------------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CONVERSION_PASSES_TD
#define PRUNE_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertPruneToLinalgPass : Pass<"convert-prune-to-linalg"> {
  let summary = "Lower scores, masks and their application to linalg";
  let description = [{
    Lowers `prune.score`, `prune.mask` and `prune.apply` on values that are
    known at run time only (function arguments, globals) to linalg, tensor,
    arith and scf. The masks are exactly those that `prune-fold-masks` gives for
    constants: the k-th lowest score is found by bisection over the bits of the
    scores, ties are cut by bisection over positions. That takes at most 64
    passes over the scores and no sort. NaN scores rank above all others,
    because code at run time cannot report them.

    Fails for a criterion that cannot be computed at run time.

    ```mlir
    // Before
    %p = prune.apply %w, %m : tensor<4xf32>, tensor<4xi1>
    // After
    %p = linalg.generic ... ins(%w, %m : tensor<4xf32>, tensor<4xi1>) outs(...) {
      %0 = arith.select %m_element, %w_element, %zero : f32
      linalg.yield %0 : f32
    } -> tensor<4xf32>
    ```
  }];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
}

def PackWeightsPass : Pass<"prune-pack-weights", "::mlir::ModuleOp"> {
  let summary = "Turn products and convolutions with constant weights into packed products";
  let description = [{
    Rewrites contractions of an activation with a constant matrix, in any
    orientation, to `prune.packed_matmul`. The pass packs the weight in the
    order in which the chosen kernel reads it. A cost model chooses the form
    from the weight's zeros, the number of columns and the vector size; `form`
    and the options after it force one.

    Elementwise operations that follow, with operands that are constants, one
    vector along the rows (a bias) or one tensor in the shape of the result (a
    residual), move into the epilogue. A chain of such layers keeps its
    activations in panels.

    With `threads` above 1, products that are large enough get `row_chunks`: parts
    of about equal numbers of nonzeros, which `convert-prune-packed-to-vector` with
    the same option computes at the same time.

    A convolution, over any number of spatial dimensions of known sizes, becomes
    a product for each image, in a loop if there are several. The product reads
    windows of the padded, flattened image; nothing is unrolled. With a stride,
    elements that are a stride apart are brought together first. The filters of
    a grouped convolution form a matrix with zeros where a feature does not
    depend on a channel. Dimensions may come in any order; transposes bring
    images and results to channels first. Residuals do not move into the
    epilogue of a convolution.

    Dense weights are packed as well. Batched weights, open spatial sizes and
    types other than f32 and f64 are left alone, with a `missed` remark.
    Operands of f16 and bf16 are packed where they are summed up in f32, as
    `prune-widen-sums` leaves them: weights are stored in 16 bits, activations
    become f32, and a rounding that follows ends the epilogue.

    ```mlir
    // Before
    %0 = linalg.matmul_transpose_b ins(%x, %w : tensor<64x784xf32>, tensor<300x784xf32>) outs(%zero : tensor<64x300xf32>) -> tensor<64x300xf32>
    // After
    %p = prune.pack_panels %x into %e0 : tensor<64x784xf32> into tensor<1x784x64xf32> -> tensor<1x784x64xf32>
    %q = prune.packed_matmul #prune.kernel<patterns, m = 300, k = 784, ...>
        weights(%values, %indices, %positions : ...) input(%p : ...) init(%e1 : ...) -> tensor<1x300x64xf32> { ... }
    %0 = prune.unpack_panels %q into %e2 : tensor<1x300x64xf32> into tensor<64x300xf32> -> tensor<64x300xf32>

    // Before
    %1 = linalg.conv_2d_nchw_fchw ins(%x, %w : tensor<1x8x18x18xf32>, tensor<4x8x3x3xf32>) outs(%zero : tensor<1x4x16x16xf32>) -> tensor<1x4x16x16xf32>
    // After: 16 rows of 18 columns, of which 16 are taken
    %i = tensor.collapse_shape %padded [[0, 1, 2, 3]] : tensor<9x1x18x18xf32> into tensor<2916xf32>
    %q = prune.packed_matmul #prune.kernel<blocks, m = 4, k = 72, ...>
        weights(%values, %indices, %positions : ...) input(%i : tensor<2916xf32>) init(%e : tensor<4x320xf32>) -> tensor<4x320xf32> { ... }
    %s = tensor.extract_slice %q[0, 0] [4, 288] [1, 1] : tensor<4x320xf32> to tensor<4x288xf32>
    ```
  }];
  let options =
      [Option<"vectorBits", "vector-bits", "unsigned", "512",
              "Bits of the target's vectors: 128, 256 or 512">,
       Option<"machineFile", "machine-file", "std::string", "\"\"",
              "A JSON file that says what work costs on the target, as "
              "bench/calibrate.py writes it; without it, what is built in">,
       Option<
           "form", "form", "std::string", "\"auto\"",
           "auto, or the form that every weight is packed in: dense, blocks, "
           "patterns, elements; convolutions have blocks and patterns">,
       Option<"lanes", "lanes", "std::string", "\"auto\"",
              "auto, or what runs along vector lanes: columns, rows">,
       Option<"tileRows", "tile-rows", "int64_t", "0",
              "Rows of a tile, or 0 to choose">,
       Option<"tileColumns", "tile-columns", "int64_t", "0",
              "Columns of a tile, or 0 to choose">,
       Option<"kBlock", "k-block", "int64_t", "0",
              "Columns of the weight in a block, or 0 to choose">,
       Option<"threads", "threads", "unsigned", "1",
              "Threads to cut products in parts for, in [1, 1024]; 1: whole">,
       Option<"include", "include", "std::string", "\"\"",
              "Only weights whose name this regular expression matches">,
       Option<"exclude", "exclude", "std::string", "\"\"",
              "No weights whose name this regular expression matches">,
       Option<"quiet", "quiet", "bool", "false",
              "Say nothing if no weight can be packed">];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::prune::PruneDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect"
  ];
}

def OutlinePackedKernelsPass
    : Pass<"prune-outline-packed-kernels", "::mlir::ModuleOp"> {
  let summary = "Move packed products to shared functions";
  let description = [{
    Every `prune.packed_matmul` on buffers moves to a private function, with its
    epilogue. Its operands are arguments, and so are scalars that the epilogue
    uses; constants among these move with it. Products that differ only in their
    weights share one function: a network has many layers of few shapes, and
    compiles faster. A product that is cut for threads has its own function.

    ```mlir
    // Before
    prune.packed_matmul #kernel weights(%v0 : memref<2304xf32>) input(%x : ...) init(%y : ...) { ... }
    prune.packed_matmul #kernel weights(%v1 : memref<2304xf32>) input(%y : ...) init(%z : ...) { ... }
    // After
    call @packed_kernel(%c0, %x, %y) : (memref<?xf32>, ...) -> ()
    call @packed_kernel(%c1, %y, %z) : (memref<?xf32>, ...) -> ()
    ```
  }];
  let dependentDialects = [
    "::mlir::func::FuncDialect", "::mlir::memref::MemRefDialect"
  ];
}

def ConvertPrunePackedToVectorPass
    : Pass<"convert-prune-packed-to-vector"> {
  let summary = "Expand packed products to loops over vectors";
  let description = [{
    Replaces `prune.packed_matmul`, `prune.pack_panels` and
    `prune.unpack_panels` on buffers by `scf` loops over `vector` operations.
    The product's `#prune.kernel` determines the loops; the pass chooses
    nothing. Run it after bufferization: a packed op on tensors is an error, and
    so is a buffer whose innermost dimension is not dense.

    With `threads` above 1 the parts of a product with `row_chunks` become the
    iterations of an OpenMP loop, which threads take as they become free. The
    result is the same for any number of threads.

    Example, inner loop only:

    ```mlir
    prune.packed_matmul #prune.kernel<dense, m = 4, k = 16, lanes = columns, width = 16, tile = 4 x 16, k_block = 16>
        weights(%w : memref<64xf32>) input(%x : memref<1x16x16xf32>)
        init(%y : memref<1x4x16xf32>) { ... }
    ```
    becomes
    ```mlir
    scf.for %k = %c0 to %c16 step %c1 iter_args(...) {
      %x0 = vector.load %x[%p, %k, %c0] : memref<1x16x16xf32>, vector<16xf32>
      %w0 = memref.load %w[%v] : memref<64xf32>
      %b0 = vector.broadcast %w0 : f32 to vector<16xf32>
      %s0 = vector.fma %b0, %x0, %a0 : vector<16xf32>
      ...
    ```
  }];
  let options = [
    Option<"vectorBits", "vector-bits", "unsigned", "512",
           "Bits of a vector that panels are transposed with: a power of two "
           "in [64, 2048]">,
    Option<"threads", "threads", "unsigned", "1",
           "Threads that compute the parts of a product, in [1, 1024]; 1: "
           "one after the other">,
    Option<"fma", "fma", "bool", "true",
           "Round products and sums at once; without it they are two "
           "operations, for processors that have none">
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
    "::mlir::omp::OpenMPDialect",
    "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"
  ];
}

def SparsifyWeightsPass : Pass<"prune-sparsify-weights", "::mlir::ModuleOp"> {
  let summary = "Pack weights with many zeros at compile time";
  let description = [{
    Replaces the weight operand of a contraction by a `sparse_tensor` that is
    assembled from constant positions, coordinates and values, and generalises
    the operation. The chain of transposes, reshapes, casts and broadcasts
    between the constant and the operation is folded into the packed data. Each
    packing is verified against its constant before it is used.

    A weight is seen as a matrix of output rows by summed-over columns:

    | format | type of the operand | levels |
    |---|---|---|
    | `csr` | `tensor<O x K>` | `(o, k) -> (o : dense, k : compressed)` |
    | `csc` | `tensor<O x K>` | `(o, k) -> (k : dense, o : compressed)` |
    | `blocked-csr` | `tensor<KB x O x 64>` | `(b, o, i) -> (b : dense, o : dense, i : compressed)` |
    | `4x1`, `16x1`, ... | `tensor<OB x K x 4>` | `(b, k, i) -> (b : dense, k : compressed, i : dense)` |
    | `2of4`, `1of4`, ... | `tensor<O x KB x 4>` | `(o, b, i) -> (o : dense, b : dense, i : structured[2, 4])` |

    Blocked formats pad with zeros and pad the dense operand alike. A filter of a
    convolution is packed as `csr` over offsets into the flattened input, which
    needs a static spatial size; the format does not depend on layout, stride or
    dilation. Depthwise and grouped filters stay dense.

    Zeros are dropped by value, +0 and -0 alike, so `0 * NaN` and `0 * Inf` count
    as 0; NaN and infinite weights are kept. Indices have the narrowest of 8, 16,
    32 and 64 bits. Each output is summed over ascending columns, as by the dense
    operation. Half-precision outputs are accumulated in f32 and rounded once.

    A contraction with a weight of zeros only is replaced by its initial value.
    A weight with a density above `max-density` stays dense, as does one that
    cannot be packed; a `missed` remark says why, with the figures. With
    `format=auto` the smallest of `csr` and those row-block and N:M formats is
    chosen that suit the zeros and divide the shape, and a weight whose packed
    form is not smaller stays dense, too. `formats` packs a listed layer in its
    format whatever the density; a format that does not fit is an error.

    With `unless-packed` the pass does nothing if the module has a packed
    weight: an earlier pass has decided then.

    Fails on formats that do not exist, on densities outside of [0, 1], on
    regular expressions that do not compile or match nothing, and on layer names
    that do not exist.

    ```mlir
    // Before
    %w = arith.constant dense_resource<fc1> : tensor<4x2xf32>
    %r = linalg.matmul ins(%x, %w : tensor<3x4xf32>, tensor<4x2xf32>) outs(%init : tensor<3x2xf32>) -> tensor<3x2xf32>
    // After
    %positions = arith.constant dense<[0, 2, 3]> : tensor<3xi8>
    %coordinates = arith.constant dense<[0, 3, 1]> : tensor<3xi8>
    %values = arith.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
    %w = sparse_tensor.assemble (%positions, %coordinates), %values : (tensor<3xi8>, tensor<3xi8>), tensor<3xf32> to tensor<2x4xf32, #csr>
    %r = linalg.generic {...} ins(%x, %w : tensor<3x4xf32>, tensor<2x4xf32, #csr>) outs(%init : tensor<3x2xf32>) { ... } -> tensor<3x2xf32>
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::sparse_tensor::SparseTensorDialect",
    "::mlir::tensor::TensorDialect"
  ];
  let options =
      [Option<
           "format", "format", "std::string", /*default=*/"\"auto\"",
           "auto, dense, csr, csc, blocked-csr, rows x 1 (4x1), N of M (2of4)">,
       ListOption<"formats", "formats", "std::string",
                  "Formats of single layers, layer:format,...; the first entry "
                  "that matches a weight counts">,
       Option<"maxDensity", "max-density", "double", /*default=*/"0.5",
              "Keep a weight dense if a larger fraction of it, in [0, 1], is "
              "not zero">,
       Option<"unlessPacked", "unless-packed", "bool", /*default=*/"false",
              "Do nothing if the module has packed weights">,
       Option<"include", "include", "std::string", /*default=*/"",
              "Only weights whose name this regular expression matches; empty: "
              "all">,
       Option<"exclude", "exclude", "std::string", /*default=*/"",
              "No weights whose name this regular expression matches; empty: "
              "none">,
       Option<"quiet", "quiet", "bool", /*default=*/"false",
              "Say nothing if no weight can be packed">,
  ];
}

def OutlineSparseKernelsPass
    : Pass<"prune-outline-sparse-kernels", "::mlir::ModuleOp"> {
  let summary = "Move each operation on sparse tensors to a function of its own";
  let description = [{
    The upstream sparsifier can move a buffer that a kernel writes out of a loop
    around it, and the loops that it makes stop the bufferization analysis of
    everything around them. Alone in a function, a kernel is safe from both.

    Every linalg operation with a sparse operand moves to a private function. An
    operand that `sparse_tensor.assemble` makes of constants moves with it, so
    that the weight is not an argument; all other operands are arguments. A
    function that holds nothing else is left alone.

    ```mlir
    // Before
    func.func @main(%x: tensor<3x4xf32>, %init: tensor<3x2xf32>) -> tensor<3x2xf32> {
      %w = sparse_tensor.assemble (%positions, %coordinates), %values : ... to tensor<2x4xf32, #csr>
      %r = linalg.generic {...} ins(%x, %w : ...) outs(%init : ...) { ... }
      return %r : tensor<3x2xf32>
    }
    // After
    func.func @main(%x: tensor<3x4xf32>, %init: tensor<3x2xf32>) -> tensor<3x2xf32> {
      %r = call @sparse_kernel_0(%x, %init) : (tensor<3x4xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
      return %r : tensor<3x2xf32>
    }
    func.func private @sparse_kernel_0(%x: tensor<3x4xf32>, %init: tensor<3x2xf32>) -> tensor<3x2xf32> {
      %w = sparse_tensor.assemble (%positions, %coordinates), %values : ... to tensor<2x4xf32, #csr>
      %r = linalg.generic {...} ins(%x, %w : ...) outs(%init : ...) { ... }
      return %r : tensor<3x2xf32>
    }
    ```
  }];
  let dependentDialects = ["::mlir::func::FuncDialect"];
}

#endif // PRUNE_CONVERSION_PASSES_TD
