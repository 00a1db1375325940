# REQUIRES: onnx
# RUN: %python %s %t
"""What all tools share: exit codes, versions, files of any form, terminals.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import os
import pathlib
import pty
import re
import shutil
import subprocess
import sys

import numpy as np
from onnx import helper, numpy_helper

from onnx_files import info, model, save
from tools import output_of, run, tool

FOLDER = sys.argv[1]
shutil.rmtree(FOLDER, ignore_errors=True)
os.makedirs(FOLDER)
os.chdir(FOLDER)
DONE, REFUSED, USAGE, INPUT, MISMATCH = range(5)


def write(name, text):
    with open(name, "w", encoding="utf-8") as file:
        file.write(text)


def fails(code, words, name, *arguments):
    """The tool fails with the code and says the words once, and a file's name once a line."""
    result = run(name, *arguments)
    shown = (name, arguments, result.returncode, result.stderr)
    assert result.returncode == code and result.stdout == "", shown
    assert result.stderr.count(words) == 1, shown
    for line in result.stderr.splitlines():
        for file in {*os.listdir("."), *(name for name in arguments if name[0] != "-")}:
            assert line.count(file) <= 1, shown
    return result.stderr


def network(size):
    """Two layers; what numpy computes of them."""
    rng = np.random.default_rng(size)
    weights = [rng.normal(size=(size, size)).astype("f4") for _ in range(2)]
    nodes = [
        helper.make_node("MatMul", ["x", "w0"], ["h"], "first"),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("MatMul", ["r", "w1"], ["y"], "second"),
    ]
    tensors = [numpy_helper.from_array(w, f"w{i}") for i, w in enumerate(weights)]
    content = model(nodes, tensors, [info("x", ["N", size])], [info("y", ["N", size])])
    return content, lambda x: np.maximum(x @ weights[0], 0) @ weights[1]


def check_versions():
    """Ours as the project says, and that of MLIR and LLVM."""
    project = (pathlib.Path(os.environ["PRUNE_SOURCE_DIR"]) / "CMakeLists.txt").read_text()
    ours = re.search(r"project\(Prune VERSION ([0-9.]+)", project).group(1)
    theirs = subprocess.run(["mlir-opt", "--version"], capture_output=True, text=True, check=True).stdout
    theirs = re.search(r"version ([0-9.]+)", theirs).group(1)
    for name in ("prune-opt", "prune-run", "prune-translate", "prune-lsp-server"):
        assert output_of(name, "--version") == f"{name} of Prune {ours}\nMLIR and LLVM {theirs}\n"


def check_models():
    """Every tool reads ONNX, text and bytecode; what is given says what to do with it."""
    content, compute = network(6)
    save("net.onnx", content)
    x = np.random.default_rng(1).normal(size=(5, 6)).astype("f4")
    np.save("x.npy", x)
    np.save("y.npy", compute(x))
    output_of("prune-translate", "net.onnx", "-o", "net.mlir")
    output_of("prune-opt", "net.onnx", "-o", "net.mlirbc")
    output_of("prune-opt", "net.onnx", "--dim=N=5", "-o", "five.mlir")
    assert open("net.mlirbc", "rb").read().startswith(b"ML\xefR")
    assert "tensor<5x6xf32>" in open("five.mlir").read()
    assert output_of("prune-opt", "net.mlir") == output_of("prune-opt", "net.mlirbc")
    for name in ("net.onnx", "net.mlir", "net.mlirbc", "five.mlir"):
        arguments = ["--input=@x.npy", "--expected=@y.npy", "--rtol=1e-4", "--atol=1e-5"]
        output_of("prune-run", name, *arguments)
        output_of("prune-run", "net.mlir", "--input=@x.npy", f"--compare={name}", "--rtol=1e-4")
    # A model whose name does not say what it is; a module and its template.
    shutil.copy("net.onnx", "net.bin")
    output_of("prune-translate", "--import-onnx", "net.bin", "-o", "bin.mlir")
    assert open("bin.mlir").read() == open("net.mlir").read()
    output_of("prune-opt", "net.mlir", "--prune-weights=sparsity=0.5", "-o", "half.mlirbc")
    output_of("prune-translate", "half.mlirbc", "--template=net.onnx", "-o", "half.onnx")
    output_of("prune-run", "half.onnx", "--input=@x.npy", "--compare=half.mlirbc", "--rtol=1e-4", "--atol=1e-5")


def check_exit_codes():
    """Who is to blame: the compiler, the command line, a file, or the numbers."""
    write("bad.mlir", "func.func @main( {")
    write("resource.mlir", "func.func @f() -> tensor<4xf32> { %c = arith.constant dense_resource<w> : "
          "tensor<4xf32> return %c : tensor<4xf32> }")
    write("bad.onnx", "no model")
    strange = model([helper.make_node("NoSuchOperator", ["x"], ["y"], "first")])
    save("strange.onnx", strange)
    for name in ("prune-opt", "prune-run", "prune-translate"):
        fails(USAGE, "Unknown command line argument '--no-such-option'", name, "net.mlir", "--no-such-option")
        assert "Exit codes: 0 done; 1 refused" in output_of(name, "--help")
        fails(USAGE, "--dim=name=size", name, "net.onnx", "--dim=N=none")
        fails(INPUT, f"{name}: error: cannot open 'none.onnx'", name, "none.onnx")
        fails(REFUSED, f"{name}: error: 'bad.onnx' is not a valid ONNX model", name, "bad.onnx")
        fails(REFUSED, "strange.onnx: error: operator", name, "strange.onnx")
    for name in ("prune-opt", "prune-run"):
        fails(INPUT, "cannot open input file 'none.mlir': No such file or directory", name, "none.mlir")
        fails(INPUT, "bad.mlir:1:17: error: ", name, "bad.mlir")
        fails(INPUT, "resource 'w' has no data", name, "resource.mlir")
        fails(USAGE, "--cpu: got 'z80'", name, "net.mlir", "--cpu=z80")
    # The driver of upstream has its own words for these.
    fails(USAGE, "no such option no-such-option", "prune-opt", "net.mlir",
          "--pass-pipeline=builtin.module(prune-verify-resources{no-such-option})")
    fails(USAGE, "no-such-pass", "prune-opt", "net.mlir", "--no-such-pass")
    fails(REFUSED, "option 'sparsity' expects a number in [0, 1]", "prune-opt", "net.mlir",
          "--prune-weights=sparsity=2")
    fails(REFUSED, "cannot write '/no/such/folder/x'", "prune-opt", "net.mlir", "-o", "/no/such/folder/x")
    # The direction has to be clear.
    for arguments, words in (
        ([], "expects the file name of an ONNX model to import, or --template"),
        (["net.mlir"], "cannot tell what to do with 'net.mlir'"),
        (["net.onnx", "--template=net.onnx"], "'net.onnx' is an ONNX model"),
        (["net.mlir", "--import-onnx", "--template=net.onnx"], "--template goes with --export-onnx"),
        (["net.mlir", "--import-onnx", "--export-onnx"], "either --import-onnx or --export-onnx"),
        (["net.mlir", "--export-onnx"], "expects --template"),
    ):
        fails(USAGE, words, "prune-translate", *arguments)
    fails(INPUT, "cannot open input file 'none.mlir'", "prune-translate", "none.mlir", "--template=net.onnx")
    np.save("wrong.npy", np.load("y.npy") + 1)
    result = run("prune-run", "net.mlir", "--input=@x.npy", "--expected=@wrong.npy")
    assert result.returncode == MISMATCH, result


def check_processors():
    """Code can be made for any processor, and runs only where there is such a one."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        flags = file.read().split()
    runs = {"native": True, "x86-64-v2": "sse4_2" in flags, "x86-64-v3": "avx2" in flags and "fma" in flags,
            "x86-64-v4": "avx512bw" in flags}
    widths = {"x86-64-v2": 4, "x86-64-v3": 8, "x86-64-v4": 16}
    # A layer that is worth a kernel.
    content, compute = network(64)
    save("large.onnx", content)
    x = np.random.default_rng(2).normal(size=(16, 64)).astype("f4")
    np.save("x64.npy", x)
    np.save("y64.npy", compute(x))
    for cpu, can_run in runs.items():
        lower = ["large.onnx", "--dim=N=16", "--prune-lower-to-llvm=kernels=packed"]
        texts = {output_of("prune-opt", *lower, f"--cpu={cpu}"),
                 output_of("prune-opt", *lower[:2], f"{lower[2]} cpu={cpu}"),
                 subprocess.run([tool("prune-opt"), *lower], env={**os.environ, "PRUNE_CPU": cpu},
                                capture_output=True, text=True, check=True).stdout}  # fmt: skip
        assert len(texts) == 1, cpu
        if cpu in widths:
            found = {int(n) for n in re.findall(r"vector<(\d+)xf32>", texts.pop())}
            assert max(found) == widths[cpu], (cpu, found)
        arguments = ["large.onnx", f"--cpu={cpu}", "--input=@x64.npy", "--expected=@y64.npy", "--rtol=1e-4",
                     "--atol=1e-4"]  # fmt: skip
        if can_run:
            output_of("prune-run", *arguments)
        else:
            fails(REFUSED, f"this machine cannot run code for {cpu}: it lacks ", "prune-run", *arguments)
    # A variable that is empty says nothing.
    empty, native = (
        subprocess.run([tool("prune-opt"), *lower], env={**os.environ, "PRUNE_CPU": cpu}, capture_output=True,
                       text=True, check=True).stdout
        for cpu in ("", "native")
    )  # fmt: skip
    assert empty == native
    result = subprocess.run([tool("prune-run"), "net.mlir"], env={**os.environ, "PRUNE_CPU": "z80"},
                            capture_output=True, text=True, check=False)  # fmt: skip
    assert result.returncode == USAGE and "PRUNE_CPU is 'z80'; expected native" in result.stderr, result


def on_terminal(*command):
    """Runs a tool whose standard output is a terminal; returns that and stderr."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, stdout=theirs, stderr=subprocess.PIPE, text=True)
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part
    said = process.communicate(timeout=60)[1]
    os.close(ours)
    return process.returncode, shown.decode().replace("\r\n", "\n"), said


def check_terminals():
    """A terminal gets no weights, and stderr says so; a pipe gets them all."""
    for name in ("prune-opt", "prune-translate"):
        code, shown, said = on_terminal(tool(name), "large.onnx")
        assert code == DONE and len(shown) < 10000 and "func.func @main" in shown, (shown[:500], said)
        assert "note: the numbers of large constants are left out on a terminal" in said, said
        assert len(output_of(name, "large.onnx")) > 2 * 64 * 64 * 4 * 2
        code, shown, said = on_terminal(tool(name), "large.onnx", "--emit-bytecode")
        assert code == USAGE and shown == "" and "bytecode is not for a terminal" in said, (code, shown, said)
    code, shown, said = on_terminal(tool("prune-opt"), "large.onnx", "--mlir-elide-elementsattrs-if-larger=100000",
                                    "--mlir-elide-resource-strings-if-larger=100000")  # fmt: skip
    assert code == DONE and len(shown) > 2 * 64 * 64 * 4 * 2 and not said, (code, said)


for function in [value for name, value in list(globals().items()) if name.startswith("check_")]:
    function()
