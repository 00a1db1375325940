#!/usr/bin/env python3
"""Measures what common changes cost: makes each on a copy of the tree, builds and tests it,
and compares the number of files with the table in docs/Architecture.md.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

    scripts/measure_changes.py [FOLDER]      build-changes unless told otherwise

The changes are the diffs of docs/HowTo.md, by their sections, and the files of
examples/out-of-tree. The copy is what is committed, with a build of its own in FOLDER: some
minutes at first, less with a compiler cache.
"""

import pathlib
import re
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parent.parent
FOLDER = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else SOURCE / "build-changes").resolve()
TREE = FOLDER / "tree"
BUILD = TREE / "build"

NETWORK = """
func.func @main(%x: tensor<2x4xf32>) -> tensor<2x2xf32> {
  %w = arith.constant dense<[[1.0, -2.0], [-3.0, 4.0], [5.0, -6.0], [-7.0, 8.0]]> : tensor<4x2xf32>
  %z = arith.constant dense<0.0> : tensor<2x2xf32>
  %y = linalg.matmul ins(%x, %w : tensor<2x4xf32>, tensor<4x2xf32>) outs(%z : tensor<2x2xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}
"""


def call(*command, **options):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False, **options)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    return done.stdout


def opt(*options):
    return call(BUILD / "bin/prune-opt", "-", *options, input=NETWORK)


def criterion():
    text = opt("--prune-weights=criterion=#prune.value sparsity=0.5")
    # The four negative numbers go.
    assert text.count("dense_resource") and "0x400000000000803F00000000" in text, text


def pattern():
    text = opt("--prune-weights=pattern=#prune.row sparsity=0.5")
    assert '"0x40000000' + "0" * 32 in text, text


def operator():
    table = call(BUILD / "bin/prune-translate", "--list-onnx-ops")
    assert "| com.microsoft.BiasAdd | 1-1 | complete | yes |" in table, table


def kernel():
    text = opt("--prune-lower-structure=kernels=packed cpu=x86-64-v4")
    assert "prune.packed_matmul" in text, text
    call(BUILD / "bin/prune-core-tests", "--gtest_brief=1")


def masking_option():
    text = opt("--prune-weights=sparsity=0.5 max-size=7")
    assert "#1" not in text, text
    text = opt("--prune-weights=sparsity=0.5 max-size=8")
    assert "#1" in text, text


CHANGES = {
    "A criterion": criterion,
    "A pattern": pattern,
    "An ONNX operator": operator,
    "A kernel": kernel,
    "An option of masking": masking_option,
}
OUT_OF_TREE = {
    "a criterion with statistics, out of tree": "Wanda.cpp",
    "a criterion of channels, out of tree": "Maximum.cpp",
    "a pattern that is no block, out of tree": "Diagonals.cpp",
}


def sections():
    text = (TREE / "docs/HowTo.md").read_text()
    for title, body in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", text, re.M | re.S):
        for diff in re.findall(r"^```diff\n(.*?)^```$", body, re.M | re.S):
            yield title, diff


def build():
    call(TREE / "scripts/build.sh", "release")


def measure():
    """The rows of the table: a change, and the files that it touches."""
    rows = []
    for title, diff in sections():
        call("git", "apply", "-", cwd=TREE, input=diff)
        build()
        CHANGES[title]()
        call("git", "apply", "-R", "-", cwd=TREE, input=diff)
        files = re.findall(r"^\+\+\+ b/(.*)$", diff, re.M)
        name = title[0].lower() + title[1:] if not title.startswith("An ONNX") else "an ONNX operator"
        rows.append((name, files))
        print(f"{name}: {', '.join(files)}", flush=True)
    build()
    # It builds the three, takes each through all passes, and compares with NumPy.
    call("/usr/bin/python3", LIT, "-v", BUILD / "test", "--filter=Integration/extensions")
    for name, file in OUT_OF_TREE.items():
        rows.append((name, [f"examples/out-of-tree/{file}"]))
        print(f"{name}: {file}", flush=True)
    return rows


def written():
    text = (SOURCE / "docs/Architecture.md").read_text()
    table = text.split("| change | files |\n|---|---|\n")[1].split("\n\n")[0]
    return [tuple(cell.strip() for cell in line.strip("| ").split("|")) for line in table.splitlines()]


LIT = call("llvm-config-22", "--bindir").strip() + "/lit"
FOLDER.mkdir(parents=True, exist_ok=True)
if not TREE.exists():
    call("git", "clone", "--quiet", "--local", SOURCE, TREE)
call("git", "fetch", "--quiet", SOURCE, "HEAD", cwd=TREE)
call("git", "reset", "--quiet", "--hard", "FETCH_HEAD", cwd=TREE)
found = [(name, str(len(files))) for name, files in measure()]
if found != written():
    sys.exit(f"docs/Architecture.md says {written()}, but the changes take {found}")
print(f"{len(found)} changes take the files that docs/Architecture.md says")
