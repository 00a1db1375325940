"""What the options of prune-run do, against numpy.

RUN: %python %s %t
"""

import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import tools
from PIL import Image

FOLDER = sys.argv[1]
shutil.rmtree(FOLDER, ignore_errors=True)
os.makedirs(FOLDER)
os.chdir(FOLDER)
RANDOM = np.random.default_rng(3)


def run(name, *options):
    """The report of a run."""
    return json.loads(tools.output_of("prune-run", name, "--json", *options))


def write(name, text):
    with open(name, "w", encoding="utf-8") as file:
        file.write(text)


def layer(rows, name):
    """Logits of a layer with 6 features and 4 classes."""
    dynamic = rows == "?"
    size = ("%c0 = arith.constant 0 : index\n"
            f"%n = tensor.dim %x, %c0 : tensor<?x6xf32>") if dynamic else ""
    write(name, f"""
    func.func @main(%x: tensor<{rows}x6xf32> {{prune.name = "features"}},
                    %w: tensor<6x4xf32> {{prune.name = "weights"}}) -> tensor<{rows}x4xf32> {{
      {size}
      %zero = arith.constant 0.0 : f32
      %e = tensor.empty({"%n" if dynamic else ""}) : tensor<{rows}x4xf32>
      %i = linalg.fill ins(%zero : f32) outs(%e : tensor<{rows}x4xf32>) -> tensor<{rows}x4xf32>
      %y = linalg.matmul ins(%x, %w : tensor<{rows}x6xf32>, tensor<6x4xf32>)
             outs(%i : tensor<{rows}x4xf32>) -> tensor<{rows}x4xf32>
      return %y : tensor<{rows}x4xf32>
    }}""")


def check_batches_and_labels():
    """A data set in slices, the last one partial, static and dynamic."""
    x = RANDOM.standard_normal((23, 6)).astype("f4")
    w = RANDOM.standard_normal((6, 4)).astype("f4")
    labels = RANDOM.integers(0, 4, 23).astype("i4")
    np.save("x.npy", x)
    np.save("w.npy", w)
    np.save("labels.npy", labels)
    logits = x.astype("f8") @ w.astype("f8")
    top1 = 100 * (logits.argmax(1) == labels).mean()
    entropy = (np.log(np.exp(logits).sum(1)) - logits[np.arange(23), labels]).mean()
    layer(5, "static.mlir")
    layer("?", "dynamic.mlir")
    layer(23, "whole.mlir")
    # An open batch is cut into 32 unless told otherwise.
    cases = [("static.mlir", ["--batch"], 5), ("dynamic.mlir", ["--batch=7"], 4),
             ("dynamic.mlir", ["--batch"], 1), ("dynamic.mlir", [], 1), ("whole.mlir", ["--batch"], 1)]
    for name, options, calls in cases:
        report = run(name, "--input=weights=@w.npy", "--input=features=@x.npy",
                     "--labels=@labels.npy", "--output=@y.npy", *options)
        y = np.load("y.npy")
        assert y.shape == (23, 4) and y.dtype == np.float32
        np.testing.assert_allclose(y, logits, 1e-5, 1e-5)
        assert report["calls"] == calls and report["samples"] == 23, report
        np.testing.assert_allclose(report["top1"], top1)
        np.testing.assert_allclose(report["cross_entropy"], entropy, 1e-5)


    np.save("many.npy", np.tile(x, (3, 1)))
    report = run("dynamic.mlir", "--input=weights=@w.npy", "--input=features=@many.npy", "--batch",
                 "--output=@y.npy")
    assert report["calls"] == -(-3 * 23 // 32), report
    np.testing.assert_allclose(np.load("y.npy"), np.tile(logits, (3, 1)), 1e-5, 1e-5)


def check_sequence_labels():
    """Logits NxTxC; a NaN is never right."""
    write("same.mlir", "func.func @main(%x: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> "
          "{ return %x : tensor<2x3x4xf32> }")
    x = RANDOM.standard_normal((2, 3, 4)).astype("f4")
    labels = x.argmax(2)
    labels[0, 0] = (labels[0, 0] + 1) % 4
    np.save("x3.npy", x)
    np.save("labels3.npy", labels)
    report = run("same.mlir", "--input=@x3.npy", "--labels=@labels3.npy")
    np.testing.assert_allclose(report["top1"], 100 * 5 / 6)
    x[1, 2, labels[1, 2]] = np.nan
    np.save("x3.npy", x)
    report = run("same.mlir", "--input=@x3.npy", "--labels=@labels3.npy")
    np.testing.assert_allclose(report["top1"], 100 * 4 / 6)
    assert report["cross_entropy"] is None


def check_compare():
    """The largest difference of two modules; judged only when asked."""
    for name, constant in (("one.mlir", "1.0"), ("other.mlir", "1.25")):
        write(name, f"""
        func.func @main(%x: tensor<5xf32>) -> tensor<5xf32> {{
          %c = arith.constant dense<{constant}> : tensor<5xf32>
          %y = arith.addf %x, %c : tensor<5xf32>
          return %y : tensor<5xf32>
        }}""")
    assert run("one.mlir", "--compare=one.mlir", "--atol=0", "--rtol=0")["max_abs_error"] == 0
    report = run("one.mlir", "--compare=other.mlir", "--repeat=3")
    np.testing.assert_allclose(report["max_abs_error"], 0.25, 1e-6)
    assert report["compare_calls"] == 3 and report["compare_leaked_allocations"] == 0
    failed = tools.run("prune-run", "one.mlir", "--compare=other.mlir", "--atol=0.1", "--rtol=0",
                       "--json")
    assert failed.returncode == 4 and "5 of 5 elements" in failed.stderr
    assert json.loads(failed.stdout)["mismatches"] == 5
    run("one.mlir", "--compare=other.mlir", "--atol=0.3")


def check_accuracies():
    """With labels, both modules are judged."""
    x = RANDOM.standard_normal((23, 6)).astype("f4")
    w = RANDOM.standard_normal((6, 4)).astype("f4")
    labels = RANDOM.integers(0, 4, 23)
    write("best.mlir", "func.func @main(%x: tensor<23x6xf32>, %w: tensor<6x4xf32>) -> tensor<23x4xf32> { "
          "%y = arith.constant dense<[" + ", ".join(str([float(c == label) for c in range(4)]) for label in labels)
          + "]> : tensor<23x4xf32> return %y : tensor<23x4xf32> }")
    layer(23, "whole.mlir")
    for name, array in (("x", x), ("w", w), ("labels", labels)):
        np.save(f"{name}.npy", array)
    arguments = ["--input=@x.npy", "--input=@w.npy", "--labels=@labels.npy", "--compare=best.mlir"]
    report = run("whole.mlir", *arguments)
    right = ((x.astype("f8") @ w).argmax(1) == labels).mean()
    np.testing.assert_allclose(report["top1"], 100 * right)
    assert report["compare_top1"] == 100 and report["compare_samples"] == 23, report
    text = tools.output_of("prune-run", "whole.mlir", *arguments)
    assert f"\ntop-1 {100 * right:.6g} %" in text and "\n'best.mlir': top-1 100 %" in text, text


def check_conversions():
    """Arrays of another type are converted, with a note, where every value has a place."""
    kinds = {"f64": "f8", "f32": "f4", "f16": "f2", "i64": "i8", "i32": "i4", "i16": "i2", "i8": "i1", "i1": "?"}
    for element, dtype in kinds.items():
        write("same.mlir", f"func.func @main(%x: tensor<4x{element}>) -> tensor<4x{element}> "
              f"{{ return %x : tensor<4x{element}> }}")
        for given in ("f8", "f4", "f2", "i8", "i4", "i2", "i1", "u1", "?"):
            for array in (np.array([0, 1, 1, 0]), np.array([-7.25, 0.3, 99, 1.9])):
                array = array.astype(given)
                np.save("c.npy", array)
                result = tools.run("prune-run", "same.mlir", "--input=@c.npy", "--output=@d.npy")
                real = array.dtype.kind == "f"
                converted = array.astype(dtype)
                same_bits = {array.dtype.name, converted.dtype.name} == {"int8", "uint8"}
                fits = np.dtype(dtype).kind == "f" or (not real and (converted == array).all()) or same_bits
                if not fits and array.dtype != converted.dtype:
                    assert result.returncode == 3, (element, given, result)
                    continue
                assert result.returncode == 0, (element, given, result.stderr)
                np.testing.assert_array_equal(np.load("d.npy"), converted)
                noted = f"note: --input=@c.npy is converted from {array.dtype} to {converted.dtype}"
                expected = array.dtype != converted.dtype and not same_bits
                assert (noted in result.stderr) == expected, (element, given, result.stderr)


def check_foreign_files():
    """What is no .npy file comes with a command that makes one of it."""
    write("wide.mlir", "func.func @main(%x: tensor<?x3x2x5xf32>) -> tensor<?x3x2x5xf32> "
          "{ return %x : tensor<?x3x2x5xf32> }")
    pictures = RANDOM.integers(0, 256, (3, 2, 5, 3)).astype("u1")
    expected = pictures.transpose(0, 3, 1, 2).astype("f4") / np.float32(255)
    os.mkdir("it's here")
    for number, picture in enumerate(pictures):
        Image.fromarray(picture).save(f"it's here/{number}.png")
    np.savez("arrays.npz", expected)
    labels = RANDOM.integers(0, 10, 9)
    np.savetxt("labels.csv", labels, fmt="%d")
    for source, target, answer in (
        ("arrays.npz", "arrays.npy", expected), ("it's here", "it's here.npy", expected),
        ("it's here/1.png", "1.npy", expected[1:2]), ("labels.csv", "labels.npy", labels),
    ):  # fmt: skip
        result = tools.run("prune-run", "wide.mlir", f"--input=@{source}")
        assert result.returncode == 3 and f"'{source}': is " in result.stderr, result
        command = result.stderr[result.stderr.index("python3 -c") :]
        command = command.replace("python3", sys.executable, 1)
        subprocess.run(["bash", "-c", command], check=True)
        np.testing.assert_array_equal(np.load(target), answer)


def check_sparse_programs():
    """A program on sparse tensors runs with the kernels that others name."""
    w = np.array([[1, 0, 2], [0, 3, 0]], "f4")
    x = RANDOM.standard_normal(3).astype("f4")
    write("sparse.mlir", """
    #CSR = #sparse_tensor.encoding<{map = (i, j) -> (i : dense, j : compressed)}>
    func.func @main(%x: tensor<3xf32>) -> tensor<2xf32> {
      %z = arith.constant 0.0 : f32
      %w = arith.constant dense<[[1.0, 0.0, 2.0], [0.0, 3.0, 0.0]]> : tensor<2x3xf32>
      %s = sparse_tensor.convert %w : tensor<2x3xf32> to tensor<2x3xf32, #CSR>
      %e = tensor.empty() : tensor<2xf32>
      %o = linalg.fill ins(%z : f32) outs(%e : tensor<2xf32>) -> tensor<2xf32>
      %r = linalg.matvec ins(%s, %x : tensor<2x3xf32, #CSR>, tensor<3xf32>)
             outs(%o : tensor<2xf32>) -> tensor<2xf32>
      return %r : tensor<2xf32>
    }""")
    np.save("x3.npy", x)
    np.save("y3.npy", w @ x)
    run("sparse.mlir", "--input=@x3.npy", "--kernels=reference", "--expected=@y3.npy")
    for kernels in ("dense", "packed"):
        result = tools.run("prune-run", "sparse.mlir", "--input=@x3.npy", f"--kernels={kernels}")
        assert result.returncode == 1 and "prune-run --kernels=reference" in result.stderr, result


def check_expected():
    """The rule of numpy.allclose with equal_nan."""
    write("five.mlir", "func.func @main(%x: tensor<5xf32>) -> tensor<5xf32> { return %x : tensor<5xf32> }")
    x = np.array([1, np.nan, np.inf, -np.inf, 100], "f4")
    np.save("x5.npy", x)
    for change, value in ((0, 1), (4, 100.5), (0, 1.5), (1, 0), (2, -np.inf), (3, 7), (0, np.nan)):
        expected = x.copy()
        expected[change] = value
        np.save("e5.npy", expected)
        result = tools.run("prune-run", "five.mlir", "--input=@x5.npy", "--expected=@e5.npy",
                           "--rtol=0.01", "--atol=0.1")
        close = np.allclose(x, expected, 0.01, 0.1, equal_nan=True)
        assert result.returncode == (0 if close else 4), (change, value, result.stderr)


def mix(x):
    """The finaliser of splitmix64."""
    mask = 2**64 - 1
    x = (x + 0x9E3779B97F4A7C15) & mask
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & mask
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & mask
    return x ^ (x >> 31)


def check_random_inputs():
    """Random numbers depend on seed, argument and position only."""
    types = ["f32", "f64", "f16", "i32", "i64", "i8", "i1", "bf16"]
    arguments = ", ".join(f"%a{i}: tensor<?xf32>".replace("f32", t) for i, t in enumerate(types))
    results = ", ".join(f"tensor<?x{t}>" for t in types)
    values = ", ".join(f"%a{i}" for i in range(len(types)))
    write("random.mlir", f"func.func @main({arguments}) -> ({results}) {{ return {values} : {results} }}")
    for seed in (0, 9):
        options = [f"--input={i}={i + 40}" for i in range(len(types))]
        options += [f"--output=@r{i}.npy" for i in range(len(types))]
        run("random.mlir", f"--seed={seed}", *options)
        for i, element in enumerate(types):
            hashes = np.array([mix(mix(mix(seed) + i & 2**64 - 1) + j & 2**64 - 1)
                               for j in range(i + 40)], "u8")
            real = (hashes >> np.uint64(40)).astype("f8") / 2**23 - 1
            whole = (hashes >> np.uint64(61)).astype("i8")
            got = np.load(f"r{i}.npy")
            assert got.shape == (i + 40,)
            if element == "i1":
                assert got.dtype == bool and (got == (whole & 1 == 1)).all()
            elif element.startswith("i"):
                assert (got == whole).all() and got.max() < 8
            else:
                dtype = {"f32": "f4", "f64": "f8", "f16": "f2", "bf16": "f4"}[element]
                tolerance = 2.0**-8 if element == "bf16" else 0
                assert got.dtype == dtype and (abs(got) <= 1).all()
                np.testing.assert_allclose(got, real.astype(dtype), tolerance)


def check_files():
    """Every element type and rank comes back as it went in, through bytecode too."""
    arrays = [RANDOM.standard_normal((2, 3)).astype("f2"), np.float64(3.5), np.zeros((0, 2), "f4"),
              np.arange(6, dtype="i8").reshape(1, 2, 3), np.array([True, False]),
              np.array([-3, 4], "i1"), np.array([1, 2], "i2"), np.array([200, 4], "u1")]
    types = ["tensor<2x3xf16>", "tensor<f64>", "tensor<0x2xf32>", "tensor<1x2x3xi64>", "tensor<2xi1>",
             "tensor<2xi8>", "tensor<2xi16>", "tensor<2xi8>"]
    arguments = ", ".join(f"%a{i}: {t}" for i, t in enumerate(types))
    values = ", ".join(f"%a{i}" for i in range(len(types)))
    joined = ", ".join(types)
    write("files.mlir", f"func.func @only({arguments}) -> ({joined}) {{ return {values} : {joined} }}")
    tools.output_of("prune-opt", "files.mlir", "--emit-bytecode", "-o", "files.mlirbc")
    options = []
    for i, array in enumerate(arrays):
        np.save(f"f{i}.npy", array)
        options += [f"--input=@f{i}.npy", f"--output=@g{i}.npy"]
    for name in ("files.mlir", "files.mlirbc"):
        run(name, *options)
        for i, array in enumerate(arrays):
            got = np.load(f"g{i}.npy")
            # The compiler knows bytes, not their sign: they come back signed.
            same = got.view("u1") if got.dtype == "i1" and array.dtype == "u1" else got
            assert same.dtype == np.asarray(array).dtype and same.shape == np.shape(array)
            assert (same == array).all()
        # What numpy writes and what we write are the same bytes.
        with open("f3.npy", "rb") as ours, open("g3.npy", "rb") as theirs:
            assert ours.read() == theirs.read()


def check_pipeline_and_text():
    """Passes run first; without --json the report is text."""
    write("named.mlir", "func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> { "
          "%y = call @f(%x) : (tensor<4xf32>) -> tensor<4xf32> return %y : tensor<4xf32> } "
          "func.func private @f(%x: tensor<4xf32>) -> tensor<4xf32> { return %x : tensor<4xf32> }")
    text = tools.output_of("prune-run", "named.mlir", "--pipeline=inline,symbol-dce", "--warmup=2",
                           "--repeat=4")
    assert text.startswith("time of a call: median ") and "(4 calls)" in text, text
    for time in re.search(r"median (.*), min (.*), max (.*) \(", text).groups():
        assert re.fullmatch(r"(\d\.\d\d|\d\d\.\d|\d\d\d) (ns|µs|ms|s)", time), text


for function in [value for name, value in list(globals().items()) if name.startswith("check_")]:
    function()
