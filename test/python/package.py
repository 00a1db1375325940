# REQUIRES: python-package
# RUN: %python %s
"""The Python package prunes, prints, compiles and calls; errors say why.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import concurrent.futures
import ctypes
import pathlib
import tempfile

import numpy as np
import prune

from cpu import machine_flags, vector_bits
from mlirtext import Module, quantize

RNG = np.random.default_rng(5)


def linear(w, type_name="f32", rows=2):
    """A network of one product, of any float type, with dynamic rows if None."""
    k, n = w.shape
    r = "?" if rows is None else rows
    module = Module()
    weight = module.resource("fc", w, type_name)
    x, y = f"tensor<{r}x{k}x{type_name}>", f"tensor<{r}x{n}x{type_name}>"
    if rows is None:
        size = f"%i = arith.constant 0 : index\n  %d = tensor.dim %x, %i : {x}\n  "
        empty = f"{size}%e = tensor.empty(%d) : {y}"
    else:
        empty = f"%e = tensor.empty() : {y}"
    module.functions.append(
        f"""func.func @main(%x: {x}) -> {y} {{
  %w = arith.constant {weight}
  %zero = arith.constant 0.0 : {type_name}
  {empty}
  %f = linalg.fill ins(%zero : {type_name}) outs(%e : {y}) -> {y}
  %y = linalg.matmul ins(%x, %w : {x}, tensor<{k}x{n}x{type_name}>) outs(%f : {y}) -> {y}
  return %y : {y}
}}
"""
    )
    return module.text()


def expect(exception, words, function, *arguments, **options):
    try:
        function(*arguments, **options)
    except exception as error:
        assert isinstance(error, prune.Error) or exception is TypeError
        for word in [words] if isinstance(words, str) else words:
            assert word in str(error), (word, str(error))
    else:
        raise AssertionError(f"no {exception.__name__}: {words}")


def integers(*shape):
    return RNG.integers(-8, 9, shape).astype(np.float64)


def test_prune_and_run():
    """What comes out is the product with the half of largest magnitude."""
    w = RNG.permutation(np.arange(1.0, 13)).reshape(3, 4)
    module = prune.Module.parse(linear(w))
    module.run("prune-weights{sparsity=0.5}")
    assert 'dense_resource<"fc#1">' in str(module)
    x = integers(2, 3).astype(np.float32)
    y = module.compile()(x)
    assert y.dtype == np.float32 and y.shape == (2, 4)
    assert (y == x @ np.where(w > 6, w, 0)).all()


def test_round_trips():
    """Text and bytecode of a module parse to the same module."""
    module = prune.Module.parse(linear(integers(5, 7)), name="net.mlir")
    text = str(module)
    assert str(prune.Module.parse(text)) == text
    assert str(prune.Module.parse(module.bytecode())) == text
    assert str(prune.Module.parse(text.encode())) == text
    assert len(module.text(elide_above=4)) < len(text)
    copy = module.clone()
    copy.run("prune-weights{sparsity=1}")
    assert str(module) == text and str(copy) != text


def test_element_types():
    """All float types compute exactly on small integers; bf16 is float32 here."""
    for type_name, dtype in [("f64", "f8"), ("f32", "f4"), ("f16", "f2"), ("bf16", "f4")]:
        w, x = integers(3, 5), integers(2, 3).astype(dtype)
        y = prune.Module.parse(linear(w, type_name)).compile()(x)
        assert y.dtype == np.dtype(dtype), (type_name, y.dtype)
        assert (y == quantize(x @ w, type_name)).all(), type_name


def test_bf16_arguments_round_to_even():
    module = prune.Module.parse(
        "func.func @f(%x: tensor<?xbf16>) -> tensor<?xbf16> { return %x : tensor<?xbf16> }"
    )
    bits = RNG.integers(0, 2**32, 4000, dtype=np.uint32)
    # NaNs need not keep their payload, and `quantize` takes care of the rest.
    x = np.concatenate([bits.view(np.float32), np.float32([0, -0.0, np.inf, -np.inf, 3.4e38, np.nan])])
    with np.errstate(invalid="ignore"):  # signalling NaNs
        y, want = module.compile()(x), quantize(x, "bf16").astype(np.float32)
    assert ((y.view(np.uint32) == want.view(np.uint32)) | (np.isnan(x) & np.isnan(y))).all()


def test_arguments():
    """Anything that NumPy casts safely or within a kind; layout does not matter."""
    w = integers(3, 4)
    run = prune.Module.parse(linear(w, rows=None)).compile()
    assert run.signature == "(float32[?, 3]) -> (float32[?, 4])"
    x = integers(6, 3)
    for given in (x, x.tolist(), np.asfortranarray(x), x.astype(np.int8), x[::2], x[::-1]):
        assert (run(given) == np.asarray(given) @ w).all()
    assert run(np.zeros((0, 3), np.float32)).shape == (0, 4)
    for given, words in [
        (integers(6, 4), ["argument 0 of 'main'", "6x4xf32", "?x3xf32"]),
        (integers(3), ["is 3xf32"]),
        (x + 1j, ["complex128", "float32"]),
        ("text", ["argument 0"]),
    ]:
        expect(prune.Error, words, run, given)
    expect(prune.Error, "takes 1 arguments, not 2", run, x, x)
    expect(prune.Error, "takes 1 arguments, not 0", run)


def test_scalars_integers_and_several_results():
    module = prune.Module.parse(
        """
        func.func @f(%i: i64, %b: i1, %x: tensor<3xi8>, %n: index, %h: f16)
            -> (tensor<3xi8>, i64, i1, index, f16) {
          return %x, %i, %b, %n, %h : tensor<3xi8>, i64, i1, index, f16
        }"""
    )
    x = np.int8([1, -128, 127])
    results = module.compile("f")(2**40, True, x, 7, np.float16(0.5))
    assert isinstance(results, tuple) and (results[0] == x).all()
    assert [r.item() for r in results[1:]] == [2**40, True, 7, 0.5]
    assert results[2].dtype == bool


def test_errors():
    """Each failure has its class, and carries the diagnostics with the place."""
    parse = prune.Module.parse
    expect(prune.ParseError, "net.mlir:1:", parse, "func.func @f( {", name="net.mlir")
    expect(prune.ParseError, "1000 levels", parse, "module{" * 5000)
    expect(prune.ParseError, "'w' has no data", parse, linear(integers(2, 2)).replace("fc", "w", 1))
    expect(prune.ParseError, "", parse, b"ML\xefR")
    expect(TypeError, "str", parse, 5)
    module = parse(linear(integers(3, 4)))
    expect(prune.PipelineError, "'nonsense'", module.run, "cse,nonsense")
    expect(prune.PipelineError, "no-such-option", module.run, "prune-weights{no-such-option=1}")
    expect(prune.PipelineError, "func.func", module.run, "func.func(prune-fold-masks)")
    for pipeline in ("prune-weights{sparsity=0.5}", "prune-lower-to-llvm"):
        expect(prune.PipelineError, "for builtin.module", module.run, f"func.func({pipeline})")
    expect(prune.PipelineError, "1000 levels", module.run, "builtin.module(" * 5000)
    expect(prune.PassError, "'sparsity' expects", module.run, "prune-weights{sparsity=7}")
    module = parse(linear(integers(3, 4)))
    expect(prune.CompileError, ["'main'", "'other'"], module.compile, "other")
    expect(prune.CompileError, "'no-kernels'", module.compile, kernels="no-kernels")
    # A failure to compile leaves the module as it was.
    assert (module.compile()(np.zeros((2, 3), np.float32)) == 0).all()
    expect(prune.CompileError, "no body", parse(
        "func.func private @g(i32)\nfunc.func @f(%i: i32) { call @g(%i) : (i32) -> ()\n return }"
    ).compile)


def test_messages_without_modules():
    """What is said of a module is the message, not the module with its weights."""
    w = RNG.normal(size=(256, 256))
    for source, action in (
        (linear(w), lambda m: m.run("prune-mask-weights{sparsity=2}")),
        (linear(w), lambda m: m.run("prune-verify-lowered")),
        (linear(w).replace("@main", "@other"), lambda m: m.compile("main")),
    ):
        module = prune.Module.parse(source)
        try:
            action(module)
        except prune.Error as error:
            assert 10 < len(str(error)) < 500 and "dense_resource" not in str(error), str(error)[:1000]
            assert len(module.diagnostics) < 500
        else:
            raise AssertionError("no error")


def test_files():
    """A file is what its name says."""
    with tempfile.TemporaryDirectory() as folder:
        module = prune.Module.parse(linear(integers(5, 7)))
        path = pathlib.Path(folder) / "net.mlirbc"
        path.write_bytes(module.bytecode())
        assert str(prune.Module.read(path)) == str(module)
        (path.parent / "net.mlir").write_text(str(module))
        assert str(prune.Module.read(str(path.parent / "net.mlir"))) == str(module)
        expect(prune.ParseError, "cannot open input file", prune.Module.read, "none.mlir")
        (path.parent / "bad.onnx").write_text("no model")
        expect(prune.ParseError, "", prune.Module.read, path.parent / "bad.onnx")


def test_processors():
    """A program is made for a processor that this machine can stand for."""
    module = prune.Module.parse(linear(integers(64, 64), rows=16))
    x = integers(16, 64).astype(np.float32)
    expected = module.compile(kernels="packed")(x)
    for bits, cpu in ((128, "x86-64-v2"), (256, "x86-64-v3"), (512, "x86-64-v4")):
        if bits in vector_bits():
            assert (module.compile(kernels="packed", cpu=cpu)(x) == expected).all()
        elif bits > 256 and "avx512f" not in machine_flags():
            expect(prune.CompileError, "cannot run code for x86-64-v4", module.compile, cpu=cpu)
    expect(prune.Error, "cpu: got 'z80'", module.compile, cpu="z80")


def test_report():
    """The report is a dictionary; the levels of optimisation compute alike."""
    w = np.arange(1.0, 13).reshape(3, 4)
    module = prune.Module.parse(linear(w))
    module.run("prune-weights{sparsity=0.25}")
    report = module.report()
    (weight,) = report["weights"]
    assert weight["name"] == "fc" and weight["nonzeros"] == 9 and weight["pruned"]
    assert weight["target"] == {"sparsity": 0.25} and weight["shape"] == [3, 4]
    assert report["totals"]["bytes_before"] == 48 and not report["not_pruned"]
    x = integers(2, 3).astype(np.float32)
    wanted = x @ np.where(w > 3, w, 0)
    for level in range(4):
        assert (module.compile(level=level)(x) == wanted).all(), level
    expect(prune.Error, "from 0 to 3", module.compile, level=4)


def test_threads():
    """Packed products are shared by threads, where there is a runtime for them."""
    w = integers(67, 64)
    module = prune.Module.parse(linear(w, rows=5))
    x = integers(5, 67).astype(np.float32)
    try:
        ctypes.CDLL("libomp.so.5")
    except OSError:
        expect(prune.Error, "libomp", module.compile, kernels="packed", threads=3)
    else:
        shared = module.compile(kernels="packed", threads=3)
        assert (shared(x) == x @ w).all()
    expect(prune.CompileError, "need kernels=packed", module.compile, threads=2)


def test_warnings_are_kept():
    module = prune.Module.parse(linear(np.array([[np.inf, 1.0]])))
    module.run("prune-weights{sparsity=0.5}")
    assert "warning:" in module.diagnostics and "fc" in module.diagnostics


def test_threads():
    """Programs are called by several threads; modules of one's own are pruned."""
    w = integers(3, 4)
    shared = prune.Module.parse(linear(w, rows=None)).compile()

    def work(seed):
        x = np.random.default_rng(seed).integers(-9, 9, (seed + 1, 3))
        own = prune.Module.parse(linear(w))
        own.run("prune-weights{sparsity=0}")
        return all((shared(x) == x @ w).all() for _ in range(50)) and str(own)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(work, range(8)))) == 1


for name, test in list(globals().items()):
    if name.startswith("test_"):
        test()
