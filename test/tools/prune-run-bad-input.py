"""prune-run names what is wrong, exits with 1, and touches no output.

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
func.func @main(%x: tensor<4x8xf32> {onnx.name = "image"}, %n: i32) -> tensor<4x8xf32> {
  %y = arith.addf %x, %x : tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}
"""
SENTINEL = b"what was there before"


def write(name, text):
    with open(name, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())


def module(name, signature, body="return"):
    write(name, f"func.func @main{signature} {{ {body} }}")


def reject(message, *arguments, name="m.mlir", reports=False):
    """The run must fail with the message and leave out.npy alone.

    A failed comparison still prints its report.
    """
    write("out.npy", SENTINEL)
    options = list(arguments)
    if not any(str(option).startswith("--output") for option in options):
        options.append("--output=@out.npy")
    result = tools.run("prune-run", name, *options, timeout=60)
    text = f"{name} {options}: {result.returncode}\n{result.stderr}"
    assert result.returncode == 1, text
    assert message in result.stderr, f"expected {message!r}\n{text}"
    assert "error:" in result.stderr and "Stack dump" not in result.stderr, text
    assert reports or result.stdout == "", text
    with open("out.npy", "rb") as file:
        assert file.read() == SENTINEL, text


write("m.mlir", MODULE)
x = np.zeros((4, 8), "f4")
np.save("x.npy", x)
np.save("x64.npy", x.astype("f8"))
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
    reject(f"'{file}.npy'", f"--input=@{file}.npy")
    reject(message, f"--input=@{file}.npy")
reject("'text.npy': is not a .npy file", "--expected=@text.npy")
reject("'text.npy': is not a .npy file", "--labels=@text.npy")

# Arrays that are not what the function takes.
reject("cannot read 'none.npy'", "--input=@none.npy")
reject("cannot read '.'", "--input=@.")
reject("float64, but argument 0 ('image') of 'main' is 4x8 of float32", "--input=@x64.npy")
reject("4x7 of float32, but argument 0", "--input=@narrow.npy")
reject("is in Fortran order; save it with numpy.ascontiguousarray", "--input=@fortran.npy")
reject("is big endian", "--input=@big.npy")
reject("has the element type '<c8'", "--input=@complex.npy")
reject("holds records", "--input=@record.npy")
reject("--input=3x3 is 3x3 of float32, but argument 0", "--input=3x3")
reject("but argument 1 of 'main' is int32 scalar", "--input=1=@x.npy")
reject("has no argument 'picture'; it has 2 arguments, named 'image'", "--input=picture=@x.npy")
reject("has no argument '2'", "--input=2=@x.npy")
reject("argument 0 ('image') of 'main' is given twice", "--input=@x.npy", "--input=image=@x.npy")
reject("has only 2 arguments", "--input=4x8", "--input=()", "--input=()")
reject("expected [name=]@file.npy", "--input=4xbig")
reject("expected [name=]@file.npy", "--input=@")
reject("expected [name=]@file.npy", "--input=-4x8")

# Comparisons.
reject("32 of 32 elements are out of tolerance", "--input=@x.npy", "--expected=@y.npy",
       reports=True)
reject("largest error 1 at [0, 0] of result 0", "--input=@x.npy", "--expected=@y.npy",
       reports=True)
reject("expected is 4x7, but result 0", "--expected=@narrow.npy")
reject("--expected is given 2 times, but 'main' has 1 results", "--expected=@x.npy",
       "--expected=@x.npy")
reject("--output is given 2 times, but 'main' has 1 results", "--output=@out.npy",
       "--output=@b.npy")
reject("--output=@out.npy is given twice", "--output=@out.npy", "--output=@out.npy")
reject("give either --expected or --compare", "--expected=@x.npy", "--compare=m.mlir")
reject("--rtol: expected a number from 0", "--rtol=-1")
reject("--atol: expected a number from 0", "--atol=nan")
reject("--repeat: expected at least 1", "--repeat=0")
for size in ("0", "-3", "many"):
    reject("--batch: expected", f"--batch={size}")
reject("labels are float32; expected integers", "--labels=@x.npy")
np.save("labels.npy", np.array([0, 1, 2, 8]))
reject("label 8 of sample 3 is outside of the 8 classes", "--labels=@labels.npy")
np.save("labels.npy", np.array([0, 1, 2]))
reject("labels have the shape 3, but the logits 4x8 need 4", "--labels=@labels.npy")

# Slices that do not fit together.
np.save("none.npy", np.zeros((0, 8), "f4"))
reject("the inputs hold no samples", "--batch", "--input=@none.npy")
module("two.mlir", "(%a: tensor<2x3xf32>, %b: tensor<4x3xf32>) -> tensor<2x3xf32>",
       "return %a : tensor<2x3xf32>")
np.save("a.npy", np.zeros((8, 3), "f4"))
reject("would be cut into slices of 4 out of 8 samples", "--batch", "--input=@a.npy",
       "--input=@a.npy", name="two.mlir")
module("sum.mlir", "(%a: tensor<2x3xf32>) -> f32",
       "%c = arith.constant 0 : index %r = tensor.extract %a[%c, %c] : tensor<2x3xf32> "
       "return %r : f32")
reject("its first dimension should be the 2 samples of one call", "--batch",
       "--input=@a.npy", name="sum.mlir")

# Modules and functions.
reject("has no public function 'mian'; it has 'main'", "--entry=mian")
reject("unknown kernels 'quick'", "--kernels=quick")
reject("--pipeline:", "--pipeline=no-such-pass")
reject("No such file or directory", name="none.mlir")
reject("none.mlir", "--compare=none.mlir")
write("broken.mlir", "func.func @main( {")
reject("cannot read 'broken.mlir'", name="broken.mlir")
write("deep.mlir", "module{" * 20000)
reject("deep.mlir", name="deep.mlir")
write("empty.mlir", "")
reject("has no public function to run", name="empty.mlir")
write("private.mlir", "func.func private @main() { return }")
reject("has no public function to run", name="private.mlir")
write("several.mlir", "func.func @a() { return } func.func @b() { return }")
reject("has no function 'main'; choose with --entry one of 'a', 'b'", name="several.mlir")
write("calls.mlir", "func.func private @other() func.func @main() { call @other() : () -> () return }")
reject("calls 'other', which has no body", name="calls.mlir")
write("resource.mlir",
      "func.func @main() -> tensor<4xf32> { %c = arith.constant dense_resource<w> : tensor<4xf32> "
      "return %c : tensor<4xf32> }")
reject("resource 'w' has no data", name="resource.mlir")
write("short.mlir",
      "func.func @main() -> tensor<4xf32> { %c = arith.constant dense_resource<w> : tensor<4xf32> "
      'return %c : tensor<4xf32> } {-# dialect_resources: {builtin: {w: "0x040000000000803F00000040"}} #-}')
reject("resource 'w' holds 8 bytes", name="short.mlir")
module("unknown.mlir", "(%a: tensor<?x3xf32>) -> tensor<?x3xf32>", "return %a : tensor<?x3xf32>")
reject("is ?x3 of float32; give it a file, --input=0=@file.npy, or a shape", name="unknown.mlir")
reject("absurd shape", "--input=9223372036854775807x3", name="unknown.mlir")

# Types that have no array.
for kind in ("memref<4xf32>", "vector<4xf32>", "tensor<*xf32>", "tensor<4xcomplex<f32>>",
             "tensor<4xi4>", "complex<f32>",
             "tensor<4x4xf32, #sparse_tensor.encoding<{map = (i, j) -> (i : dense, j : compressed)}>>"):
    module("type.mlir", f"(%a: {kind})")
    reject("expected a dense ranked tensor or a scalar", name="type.mlir")
module("result.mlir", "(%a: memref<4xf32>) -> memref<4xf32>", "return %a : memref<4xf32>")
reject("argument 0 of 'main' has the type memref<4xf32>", name="result.mlir")

# Other modules to compare with.
module("fewer.mlir", "(%x: tensor<4x8xf32>) -> tensor<4x8xf32>", "return %x : tensor<4x8xf32>")
reject("has 1 arguments, but there are 2 inputs", "--compare=fewer.mlir")
module("none-out.mlir", "(%x: tensor<4x8xf32>, %n: i32)")
reject("has 0 results, expected 1", "--compare=none-out.mlir")
module("half.mlir", "(%x: tensor<4x8xf16>, %n: i32) -> tensor<4x8xf16>", "return %x : tensor<4x8xf16>")
reject("but argument 0 of 'main' is 4x8 of float16", "--compare=half.mlir")

# Sizes and indices that only running shows.
module("add.mlir", "(%a: tensor<?xf32>, %b: tensor<?xf32>) -> tensor<?xf32>",
       "%r = arith.addf %a, %b : tensor<?xf32> return %r : tensor<?xf32>")
reject("run-time check failed", "--input=4", "--input=5", name="add.mlir")
module("index.mlir", "(%a: tensor<4xf32>, %i: index) -> f32",
       "%r = tensor.extract %a[%i] : tensor<4xf32> return %r : f32")
np.save("i.npy", np.int64(4))
reject("out-of-bounds", "--input=4", "--input=@i.npy", name="index.mlir")
np.save("i.npy", np.int64(-1))
reject("out-of-bounds", "--input=4", "--input=@i.npy", name="index.mlir")

# Places that cannot be written.
result = tools.run("prune-run", "m.mlir", "--output=@nowhere/out.npy")
assert result.returncode == 1 and "cannot write 'nowhere/out.npy'" in result.stderr
