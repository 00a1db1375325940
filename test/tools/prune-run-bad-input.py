"""prune-run names what is wrong and whose fault it is, and touches no output.

RUN: %python %s %t
"""

import os
import shutil
import sys

import numpy as np
import tools

FOLDER = sys.argv[1]
shutil.rmtree(FOLDER, ignore_errors=True)
os.makedirs(FOLDER)
os.chdir(FOLDER)

MODULE = """
func.func @main(%x: tensor<4x8xf32> {prune.name = "image"}, %n: i32) -> tensor<4x8xf32> {
  %y = arith.addf %x, %x : tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}
"""
SENTINEL = b"what was there before"
# Exit codes: the compiler or the machine cannot, the command is wrong, the input is, the
# numbers are.
REFUSED, USAGE, INPUT, MISMATCH = 1, 2, 3, 4


def write(name, text):
    with open(name, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())


def module(name, signature, body="return"):
    write(name, f"func.func @main{signature} {{ {body} }}")


def reject(code, message, *arguments, name="m.mlir", reports=False):
    """The run must fail with the code and the message and leave out.npy alone.

    A failed comparison still prints its report.
    """
    write("out.npy", SENTINEL)
    options = list(arguments)
    if not any(str(option).startswith("--output") for option in options):
        options.append("--output=@out.npy")
    result = tools.run("prune-run", name, *options, timeout=60)
    text = f"{name} {options}: {result.returncode}\n{result.stderr}"
    assert result.returncode == code, text
    assert message in result.stderr, f"expected {message!r}\n{text}"
    assert "error:" in result.stderr and "Stack dump" not in result.stderr, text
    assert reports or result.stdout == "", text
    with open("out.npy", "rb") as file:
        assert file.read() == SENTINEL, text


write("m.mlir", MODULE)
x = np.zeros((4, 8), "f4")
np.save("x.npy", x)
np.save("real.npy", np.float32(1))
np.save("large.npy", np.int64(2**31))
np.save("narrow.npy", x[:, :7].copy())
np.save("fortran.npy", np.asfortranarray(np.ones((4, 8), "f4")))
np.save("big.npy", x.astype(">f4"))
np.save("complex.npy", x.astype("c8"))
np.save("record.npy", np.zeros(3, [("a", "f4")]))
np.save("y.npy", x + 1)

# Files that are no arrays.
good = open("x.npy", "rb").read()
header_end = good.index(b"\n") + 1


def header(text):
    text = text.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


DICT = "{{'descr': '<f4', 'fortran_order': False, 'shape': {}, }}"
MALFORMED = {
    "empty": (b"", "is not a .npy file"),
    "text": (b"1 2 3\n", "is not a .npy file"),
    "magic": (b"\x93NUMPX" + good[6:], "is not a .npy file"),
    "version": (b"\x93NUMPY\x07" + good[7:], "has format version 7"),
    "cut-header": (good[:20], "ends within its header"),
    "cut-data": (good[:-1], "holds 127 bytes of elements"),
    "more-data": (good + b"\0", "holds 129 bytes of elements"),
    "no-dict": (header("[1]"), "expected a dictionary"),
    "no-shape": (header("{'descr': '<f4', 'fortran_order': False}"), "expected the keys"),
    "key": (header("{'colour': 1}"), "unknown key 'colour'"),
    "order": (header("{'fortran_order': 1}"), "neither True nor False"),
    "open": (header("{'descr': '<f4"), "expected a quoted string"),
    "list": (header(DICT.format("[4]")), "'shape' is not a tuple"),
    "float": (header(DICT.format("(4.0,)")), "'shape' is not a tuple of integers"),
    "negative": (header(DICT.format("(-4,)")), "negative dimension"),
    "digits": (header(DICT.format("(99999999999999999999,)")), "absurd size"),
    "product": (header(DICT.format("(4294967296, 4294967296, 4)")), "absurd shape"),
    "zero-product": (header(DICT.format("(0, 4294967296, 4294967296, 4)")), "absurd shape"),
    "terabytes": (header(DICT.format("(1000000000000,)")), "needs 4000000000000"),
}
for file, (content, message) in MALFORMED.items():
    write(file + ".npy", content)
    reject(INPUT, f"'{file}.npy'", f"--input=@{file}.npy")
    reject(INPUT, message, f"--input=@{file}.npy")
reject(INPUT, "'text.npy': is not a .npy file", "--expected=@text.npy")
reject(INPUT, "'text.npy': is not a .npy file", "--labels=@text.npy")

# Arrays that are not what the function takes.
reject(INPUT, "cannot read 'none.npy'", "--input=@none.npy")
reject(INPUT, "'.': is no array; make one of pictures", "--input=@.")
reject(INPUT, "float32, but argument 1 of 'main' is int32 scalar", "--input=1=@real.npy")
reject(INPUT, "holds 2147483648, which is no int32", "--input=1=@large.npy")
reject(INPUT, "4x7 of float32, but argument 0", "--input=@narrow.npy")
reject(INPUT, "is in Fortran order; save it with numpy.ascontiguousarray", "--input=@fortran.npy")
reject(INPUT, "is big endian", "--input=@big.npy")
reject(INPUT, "has the element type '<c8'", "--input=@complex.npy")
reject(INPUT, "holds records", "--input=@record.npy")
reject(INPUT, "--input=3x3 is 3x3 of float32, but argument 0", "--input=3x3")
reject(INPUT, "but argument 1 of 'main' is int32 scalar", "--input=1=@x.npy")
reject(USAGE, "has no argument 'picture'; it has 2 arguments, named 'image'", "--input=picture=@x.npy")
reject(USAGE, "has no argument '2'", "--input=2=@x.npy")
reject(USAGE, "argument 0 ('image') of 'main' is given twice", "--input=@x.npy", "--input=image=@x.npy")
reject(USAGE, "has only 2 arguments", "--input=4x8", "--input=()", "--input=()")
reject(USAGE, "expected [name=]@file.npy", "--input=4xbig")
reject(USAGE, "expected [name=]@file.npy", "--input=@")
reject(USAGE, "expected [name=]@file.npy", "--input=-4x8")

# Comparisons.
reject(MISMATCH, "32 of 32 elements are out of tolerance", "--input=@x.npy", "--expected=@y.npy",
       reports=True)
reject(MISMATCH, "largest error 1 at [0, 0] of result 0", "--input=@x.npy", "--expected=@y.npy",
       reports=True)
reject(MISMATCH, "expected is 4x7, but result 0", "--expected=@narrow.npy")
reject(USAGE, "--expected is given 2 times, but 'main' has 1 results", "--expected=@x.npy",
       "--expected=@x.npy")
reject(USAGE, "--output is given 2 times, but 'main' has 1 results", "--output=@out.npy",
       "--output=@b.npy")
reject(USAGE, "--output=@out.npy is given twice", "--output=@out.npy", "--output=@out.npy")
reject(USAGE, "give either --expected or --compare", "--expected=@x.npy", "--compare=m.mlir")
reject(USAGE, "--rtol: expected a number from 0", "--rtol=-1")
reject(USAGE, "--atol: expected a number from 0", "--atol=nan")
reject(USAGE, "--repeat: expected a number from 1 to 100000000, got 0", "--repeat=0")
reject(USAGE, "--repeat: expected a number from 1 to", "--repeat=4294967295")
reject(USAGE, "--threads: expected a number from 1 to 1024, got 0", "--threads=0")
reject(USAGE, "--threads: 'dense' runs on one thread; more need --kernels=packed", "--threads=2",
       "--kernels=dense")
reject(USAGE, "--cpu: got 'z80'; expected native, x86-64-v2, x86-64-v3 or x86-64-v4", "--cpu=z80")
for size in ("0", "-3", "many"):
    reject(USAGE, "--batch: expected", f"--batch={size}")
reject(INPUT, "labels are float32; expected integers", "--labels=@x.npy")
np.save("labels.npy", np.array([0, 1, 2, 8]))
reject(INPUT, "label 8 of sample 3 is outside of the 8 classes", "--labels=@labels.npy")
np.save("labels.npy", np.array([0, 1, 2]))
reject(INPUT, "labels have the shape 3, but the logits 4x8 need 4", "--labels=@labels.npy")

# Slices that do not fit together.
np.save("none.npy", np.zeros((0, 8), "f4"))
reject(REFUSED, "the inputs hold no samples", "--batch", "--input=@none.npy")
module("two.mlir", "(%a: tensor<2x3xf32>, %b: tensor<4x3xf32>) -> tensor<2x3xf32>",
       "return %a : tensor<2x3xf32>")
np.save("a.npy", np.zeros((8, 3), "f4"))
reject(REFUSED, "would be cut into slices of 4 out of 8 samples", "--batch", "--input=@a.npy",
       "--input=@a.npy", name="two.mlir")
module("sum.mlir", "(%a: tensor<2x3xf32>) -> f32",
       "%c = arith.constant 0 : index %r = tensor.extract %a[%c, %c] : tensor<2x3xf32> "
       "return %r : f32")
reject(REFUSED, "its first dimension should be the 2 samples of one call", "--batch",
       "--input=@a.npy", name="sum.mlir")

# Modules and functions.
reject(USAGE, "has no public function 'mian'; it has 'main'", "--entry=mian")
reject(USAGE, "--kernels: expected packed, dense or reference, got 'quick'", "--kernels=quick")
reject(USAGE, "--compare-kernels: expected packed, dense or reference, got 'quick'",
       "--compare-kernels=quick")
reject(USAGE, "--pipeline:", "--pipeline=no-such-pass")
reject(INPUT, "cannot open input file 'none.mlir': No such file or directory", name="none.mlir")
reject(INPUT, "none.mlir", "--compare=none.mlir")
write("broken.mlir", "func.func @main( {")
reject(INPUT, "broken.mlir:1:17: error: ", name="broken.mlir")
write("deep.mlir", "module{" * 20000)
reject(INPUT, "deep.mlir", name="deep.mlir")
write("empty.mlir", "")
reject(REFUSED, "has no public function to run", name="empty.mlir")
write("private.mlir", "func.func private @main() { return }")
reject(REFUSED, "has no public function to run", name="private.mlir")
write("several.mlir", "func.func @a() { return } func.func @b() { return }")
reject(USAGE, "has no function 'main'; choose the entry, one of 'a', 'b'", name="several.mlir")
write("calls.mlir", "func.func private @other() func.func @main() { call @other() : () -> () return }")
reject(REFUSED, "calls 'other', which has no body", name="calls.mlir")
write("resource.mlir",
      "func.func @main() -> tensor<4xf32> { %c = arith.constant dense_resource<w> : tensor<4xf32> "
      "return %c : tensor<4xf32> }")
reject(INPUT, "resource 'w' has no data", name="resource.mlir")
write("short.mlir",
      "func.func @main() -> tensor<4xf32> { %c = arith.constant dense_resource<w> : tensor<4xf32> "
      'return %c : tensor<4xf32> } {-# dialect_resources: {builtin: {w: "0x040000000000803F00000040"}} #-}')
reject(INPUT, "resource 'w' holds 8 bytes", name="short.mlir")
module("unknown.mlir", "(%a: tensor<?x3xf32>) -> tensor<?x3xf32>", "return %a : tensor<?x3xf32>")
reject(USAGE, "is ?x3 of float32; give it a file, --input=0=@file.npy, or a shape", name="unknown.mlir")
reject(REFUSED, "absurd shape", "--input=9223372036854775807x3", name="unknown.mlir")

# Types that have no array.
for kind in ("memref<4xf32>", "vector<4xf32>", "tensor<*xf32>", "tensor<4xcomplex<f32>>",
             "tensor<4xi4>", "complex<f32>",
             "tensor<4x4xf32, #sparse_tensor.encoding<{map = (i, j) -> (i : dense, j : compressed)}>>"):
    module("type.mlir", f"(%a: {kind})")
    reject(REFUSED, "expected a dense ranked tensor or a scalar", name="type.mlir")
module("result.mlir", "(%a: memref<4xf32>) -> memref<4xf32>", "return %a : memref<4xf32>")
reject(REFUSED, "argument 0 of 'main' has the type memref<4xf32>", name="result.mlir")

# Other modules to compare with.
module("fewer.mlir", "(%x: tensor<4x8xf32>) -> tensor<4x8xf32>", "return %x : tensor<4x8xf32>")
reject(INPUT, "has 1 arguments, but there are 2 inputs", "--compare=fewer.mlir")
module("none-out.mlir", "(%x: tensor<4x8xf32>, %n: i32)")
reject(MISMATCH, "has 0 results, expected 1", "--compare=none-out.mlir")
module("half.mlir", "(%x: tensor<4x8xf16>, %n: i32) -> tensor<4x8xf16>", "return %x : tensor<4x8xf16>")
reject(INPUT, "but argument 0 of 'main' is 4x8 of float16", "--compare=half.mlir")

# Sizes and indices that only running shows.
module("add.mlir", "(%a: tensor<?xf32>, %b: tensor<?xf32>) -> tensor<?xf32>",
       "%r = arith.addf %a, %b : tensor<?xf32> return %r : tensor<?xf32>")
reject(REFUSED, "run-time check failed", "--input=4", "--input=5", name="add.mlir")
module("index.mlir", "(%a: tensor<4xf32>, %i: index) -> f32",
       "%r = tensor.extract %a[%i] : tensor<4xf32> return %r : f32")
np.save("i.npy", np.int64(4))
reject(REFUSED, "out-of-bounds", "--input=4", "--input=@i.npy", name="index.mlir")
np.save("i.npy", np.int64(-1))
reject(REFUSED, "out-of-bounds", "--input=4", "--input=@i.npy", name="index.mlir")

# Sizes that no machine has, wherever they come from: the shape of an argument, on the
# command line or in the module; a batch; what the function makes of its arguments.
module("open.mlir", "(%a: tensor<?x?xf32>) -> tensor<?x?xf32>", "return %a : tensor<?x?xf32>")
reject(REFUSED, "--input=10000000x1000000 needs 36.4 TiB, but this machine has",
       "--input=10000000x1000000", name="open.mlir")
module("large.mlir", "(%a: tensor<1000000x10000000xbf16>) -> bf16",
       "%c = arith.constant 0 : index "
       "%r = tensor.extract %a[%c, %c] : tensor<1000000x10000000xbf16> return %r : bf16")
reject(REFUSED, "argument 0 of 'main' needs 36.4 TiB", name="large.mlir")
module("batch.mlir", "(%a: tensor<10000000000000x3xf32>) -> tensor<10000000000000x3xf32>",
       "return %a : tensor<10000000000000x3xf32>")
reject(REFUSED, "--batch: one call needs 109 TiB", "--batch", "--input=@a.npy", name="batch.mlir")
module("wide.mlir", "(%n: index) -> tensor<?xf64>",
       "%c = arith.constant 1.0 : f64 %e = tensor.empty(%n) : tensor<?xf64> "
       "%f = linalg.fill ins(%c : f64) outs(%e : tensor<?xf64>) -> tensor<?xf64> "
       "return %f : tensor<?xf64>")
np.save("n.npy", np.int64(5 * 10**12))
reject(REFUSED, "a buffer of 36.4 TiB cannot be allocated", "--input=@n.npy", name="wide.mlir")

# Places that cannot be written.
result = tools.run("prune-run", "m.mlir", "--output=@nowhere/out.npy")
assert result.returncode == 1 and "cannot write 'nowhere/out.npy'" in result.stderr
