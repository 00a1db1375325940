# RUN: %python %s %t
"""What prune-run refuses: each run names the culprit, exits with 1, and writes
nothing."""

import os
import sys

import numpy as np

from tools import run

MODEL = """func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %y = arith.addf %x, %x : tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}
"""


def npy(header, data=b""):
    text = header.encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


def header(descr="'<f4'", order="False", shape="(2, 3)"):
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}"


FILES = {
    "empty.npy": b"",
    "magic.npy": b"PK\x03\x04" + bytes(100),
    "cut-header.npy": npy(header())[:40],
    "cut-data.npy": npy(header(), bytes(23)),
    "long-data.npy": npy(header(), bytes(25)),
    "no-dictionary.npy": npy("[1, 2, 3]", bytes(24)),
    "no-shape.npy": npy("{'descr': '<f4', 'fortran_order': False}", bytes(24)),
    "negative.npy": npy(header(shape="(-2, 3)"), bytes(24)),
    "huge.npy": npy(header(shape="(99999999999, 99999999999)"), bytes(24)),
    "fortran.npy": npy(header(order="True"), bytes(24)),
    "big-endian.npy": npy(header(descr="'>f4'"), bytes(24)),
    "object.npy": npy(header(descr="'|O'"), bytes(24)),
    "complex.npy": npy(header(descr="'<c8'"), bytes(48)),
    "shape.npy": npy(header(shape="(3, 2)"), bytes(24)),
    "rank.npy": npy(header(shape="(6,)"), bytes(24)),
}


def refused(code, culprit, *arguments):
    target = os.path.join(folder, "out.npy")
    result = run("prune-run", *arguments, f"--output=@{target}")
    shown = (culprit, arguments, result.returncode, result.stderr[-2000:])
    assert result.returncode == code, shown
    assert culprit in result.stderr, shown
    assert "Stack dump" not in result.stderr, shown
    assert not os.path.exists(target), shown


def without_thread_runtime():
    """The runtime that several threads need cannot be loaded."""
    library = os.path.join(folder, "lib")
    os.makedirs(library, exist_ok=True)
    with open(os.path.join(library, "libomp.so.5"), "wb"):
        pass
    m = 256
    model = os.path.join(folder, "large.mlir")
    with open(model, "w", encoding="utf-8") as file:
        file.write(
            f"""func.func @main(%x: tensor<{m}x{m}xf32>, %y: tensor<{m}x{m}xf32>) -> tensor<{m}x{m}xf32> {{
  %w = arith.constant dense<1.0> : tensor<{m}x{m}xf32>
  %z = arith.constant dense<0.0> : tensor<{m}x{m}xf32>
  %p = linalg.matmul ins(%x, %w : tensor<{m}x{m}xf32>, tensor<{m}x{m}xf32>)
      outs(%z : tensor<{m}x{m}xf32>) -> tensor<{m}x{m}xf32>
  return %p : tensor<{m}x{m}xf32>
}}
"""
        )
    before = os.environ.get("LD_LIBRARY_PATH")
    os.environ["LD_LIBRARY_PATH"] = library
    refused(1, "OpenMP runtime", model, "--kernels=packed", "--threads=2")
    refused(1, "libomp.so.5", model, "--kernels=packed", "--threads=2")
    del os.environ["LD_LIBRARY_PATH"]
    if before is not None:
        os.environ["LD_LIBRARY_PATH"] = before


folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
model = os.path.join(folder, "model.mlir")
with open(model, "w") as file:
    file.write(MODEL)
good = os.path.join(folder, "good.npy")
np.save(good, np.ones((2, 3), "f4"))
for name, content in FILES.items():
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(content)
    # A wrong type or shape is the argument's fault, anything else the file's.
    culprit = "%x" if name in ("shape.npy", "rank.npy") else name
    culprit = "" if culprit == "%x" else culprit
    refused(3, culprit, model, f"--input=@{path}")

refused(3, "missing.npy", model, f"--input=@{folder}/missing.npy")
refused(2, "nowhere", model, "--entry=nowhere")
refused(2, "quick", model, "--kernels=quick")
refused(2, "threads", model, "--kernels=packed", "--threads=0")
refused(2, "kernels=packed", model, "--kernels=dense", "--threads=2")
without_thread_runtime()
refused(2, "no-such-pass", model, "--pipeline=no-such-pass")
refused(3, "missing.mlir", os.path.join(folder, "missing.mlir"))
refused(2, "rtol", model, "--rtol=nan")
refused(2, "--repeat", model, "--repeat=0")
refused(4, "expected", model, f"--input=@{good}", f"--expected=@{good}")
result = run("prune-run", model, f"--input=@{good}",
             f"--output=@{folder}/no/such/folder/y.npy")
assert result.returncode == 1 and "no/such/folder" in result.stderr, result.stderr
