# RUN: %python %s %t
"""prune-opt writes a whole file or leaves everything as it was.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import os
import pathlib
import shutil
import sys

import numpy as np

from mlirtext import Module
from tools import run

folder = pathlib.Path(sys.argv[1])
shutil.rmtree(folder, ignore_errors=True)
folder.mkdir(parents=True)
OLD = "what was here before\n"
FAILING = "--pass-pipeline=builtin.module(prune-verify-resources{no-such-option})"


def large_module():
    """Text of 320 KB, more than any buffer on the way."""
    module = Module()
    value = module.resource("w", np.arange(40000.0).reshape(200, 200), "f32")
    module.functions.append(
        f"func.func @f() -> tensor<200x200xf32> {{\n"
        f"  %w = arith.constant {value}\n  return %w : tensor<200x200xf32>\n}}\n"
    )
    return module.text()


def expect_failure(result, *words):
    assert result.returncode in (1, 2, 3), result
    for word in words:
        assert word in result.stderr, (word, result.stderr)


def only_files(*names):
    found = sorted(os.listdir(folder))
    assert found == sorted(names), found


source = folder / "in.mlir"
source.write_text(large_module())
output = folder / "out.mlir"

# A good run: output as on stdout, no temporary file left.
printed = run("prune-opt", source).stdout
assert run("prune-opt", source, "-o", output).returncode == 0
assert output.read_text() == printed
only_files("in.mlir", "out.mlir")

# Output onto the input, also through a symbolic link, which stays one.
assert run("prune-opt", output, "-o", output).returncode == 0
assert output.read_text() == printed
link = folder / "link.mlir"
link.symlink_to("out.mlir")
assert run("prune-opt", source, "-o", link).returncode == 0
assert link.is_symlink() and output.read_text() == printed
link.unlink()

# The mode of a file that is replaced stays.
output.chmod(0o640)
assert run("prune-opt", source, "-o", output).returncode == 0
assert output.stat().st_mode & 0o777 == 0o640

# Text that does not parse, a pipeline that does not, a pass that fails: the old
# file stays, byte for byte, and no other appears.
bad_text = folder / "bad.mlir"
bad_text.write_text("func.func @f( {\n")
no_blob = folder / "noblob.mlir"
no_blob.write_text(printed.replace("w: ", "other: "))
for arguments, word in [
    ((bad_text,), "bad.mlir:1:"),
    ((source, FAILING), "no-such-option"),
    ((no_blob,), "resource 'w' has no data"),
]:
    output.write_text(OLD)
    expect_failure(run("prune-opt", *arguments, "-o", output), word)
    assert output.read_text() == OLD
    only_files("in.mlir", "out.mlir", "bad.mlir", "noblob.mlir")
    # A failure without an old file leaves none.
    output.unlink()
    expect_failure(run("prune-opt", *arguments, "-o", output), word)
    only_files("in.mlir", "bad.mlir", "noblob.mlir")

# The same for a pass that fails onto its own input.
before = no_blob.read_text()
expect_failure(run("prune-opt", no_blob, "-o", no_blob), "resource 'w'")
assert no_blob.read_text() == before

# Places that cannot be written are named, and why.
expect_failure(
    run("prune-opt", source, "-o", folder / "none" / "x.mlir"),
    f"cannot write '{folder}/none/x.mlir': No such file or directory",
)
expect_failure(run("prune-opt", source, "-o", folder), "Is a directory")
expect_failure(run("prune-opt", source, "-o", source / "x"), "Not a directory")
expect_failure(run("prune-opt", source, "-o", "/dev/full"), "No space left")
expect_failure(run("prune-opt", folder / "none.mlir"), "none.mlir", "No such file")
if os.geteuid() != 0:
    locked = folder / "locked"
    locked.mkdir(mode=0o500)
    expect_failure(run("prune-opt", source, "-o", locked / "x"), "Permission denied")
